"""Findings about referrals."""

import pytest

from setia.program.lint import lint
from setia.program.yaml_text import load

HEAD = """
program: {id: a, name: A, currency: EUR}
points: {stars: {}}
"""
WON = "campaigns: {won: {on: referral_won, earn: {stars: 1}}}\n"


def found(text: str) -> list[tuple[str, str, str]]:
    return [(one.severity, one.code, one.path) for one in lint(load(HEAD + text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WON + "referrals: {friends: {}}", []),
        ("campaigns: {in: {on: referral_joined, earn: {stars: 1}}}\nreferrals: {friends: {}}", []),
        (
            "campaigns: {base: {on: visit, earn: {stars: 1}}}\nreferrals: {friends: {}, off: {enabled: false}}",
            [("warning", "unused_referral", "/referrals/friends")],
        ),
        (
            "campaigns: {won: {on: referral_won, enabled: false, earn: {stars: 1}}}\nreferrals: {friends: {}}",
            [("warning", "unused_referral", "/referrals/friends")],
        ),
        (WON, [("warning", "never_matches", "/campaigns/won/on")]),
        (WON + "referrals: {friends: {levels: 2}}", [("warning", "every_level", "/campaigns/won/on")]),
        (
            WON.replace("earn:", "when: event.data.level == 1, earn:") + "referrals: {friends: {levels: 2}}",
            [],
        ),
        (
            WON.replace("stars: 1", 'stars: {expression: "9 / event.data.level"}')
            + "referrals: {friends: {levels: 2}}",
            [],
        ),
        (
            WON + "referrals: {friends: {at_least: 1.005}}",
            [("error", "amount_too_fine", "/referrals/friends/at_least")],
        ),
        (
            WON + "referrals: {friends: {caps: {referrer: [1 per day, 2, 3 per day]}}}",
            [("warning", "cap_twice", "/referrals/friends/caps/referrer/2")],
        ),
    ],
)
def test_what_is_found(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert found(text) == expected


def test_expressions_know_what_referrals_say() -> None:
    names = ("referral", "friend", "referrer", "order")
    texts = " && ".join(f'event.data.{name} != "x"' for name in names)
    condition = f"{texts} && event.data.level == 1 && event.data.wins < 3 && event.data.amount >= 9.5"
    campaign = f"campaigns: {{won: {{on: referral_won, when: '{condition}', earn: {{stars: 1}}}}}}\n"
    assert found(campaign + "referrals: {friends: {}}") == []
    wrong = campaign.replace("event.data.wins < 3", "event.data.winz < 3")
    assert [code for _, code, _ in found(wrong + "referrals: {friends: {}}")] == ["expression"]
