"""Rewards as their owner writes them: what fits, what does not, and what the lint says."""

from typing import Any

import pytest
from pydantic import ValidationError

from setia.program.lint import lint
from setia.program.rewards import REWARD_KINDS, Reward
from setia.program.yaml_text import load
from setia.program.yaml_writer import dump

MORE: dict[str, dict[str, Any]] = {
    "discount": {"worth": {"percent": 10}},
    "gift_card": {"card": "classic", "worth": {"amount": 20}},
    "experience": {"dates": [{"id": "may", "starts": "2026-05-01T18:00:00+02:00"}]},
    "partner": {"partner": "Kino"},
    "payment": {"cost": {"stars": 1}, "worth": {"amount": "0.01"}},
}


@pytest.mark.parametrize("kind", REWARD_KINDS)
def test_every_kind(kind: str) -> None:
    reward = Reward.model_validate({"kind": kind, **MORE.get(kind, {})})
    assert reward.gives_code == (kind in {"voucher", "discount", "product", "gift_card"})


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "physical", "money": 10**9, "quantities": {"most": 1000}},
        {"kind": "discount", "worth": {"amount": 10**9, "most": 5}, "quantities": {"most": 10**9}},
        {"kind": "entitlement", "uses": 10**12},
    ],
)
def test_what_can_still_be_counted(settings: dict[str, Any]) -> None:
    assert Reward.model_validate(settings).kind == settings["kind"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "discount"}, "needs `worth`"),
        ({"kind": "voucher", "worth": {"amount": 1}}, "has no `worth`"),
        ({"kind": "gift_card", "worth": {"percent": 1}}, "holds money"),
        ({"kind": "gift_card", "worth": {"amount": 20}}, "needs `card`"),
        ({"kind": "discount", "worth": {}}, "exactly one"),
        ({"kind": "experience"}, "needs `dates`"),
        ({"kind": "voucher", **MORE["experience"]}, "has `dates`"),
        ({"kind": "voucher", "items": ["a"]}, "`items`"),
        ({"kind": "raffle", "code": {}}, "has no code"),
        ({"kind": "partner"}, "needs a `partner`"),
        ({"kind": "experience", "dates": MORE["experience"]["dates"] * 2}, "stands twice"),
        ({"kind": "voucher", "code": {"static": "ABC", "pool": "p"}}, "remove one"),
        ({"kind": "voucher", "code": {"static": "ABC", "uses": 2}}, "not counted"),
        ({"kind": "voucher", "code": {"pool": "p"}, "quantities": {"most": 2}}, "of one"),
        ({"kind": "voucher", "quantities": {"least": 2}}, "raise `most`"),
        ({"kind": "payment", "cost": {"stars": 1}}, "needs `worth`"),
        ({"kind": "payment", "worth": {"amount": 1}}, "one type at one rate"),
        ({"kind": "payment", "cost": {"stars": 1}, "money": 1, "worth": {"amount": 1}}, "one type at one rate"),
        ({"kind": "payment", "cost": {"stars": 1}, "worth": {"percent": 1}}, "one type at one rate"),
        ({"kind": "voucher", "hold": "0d"}, "lasts some time"),
        ({"kind": "physical", "money": 10**9, "quantities": {"most": 1001}}, "1001 of them .* in `money`"),
        ({"kind": "physical", "prices": [{"when": "true", "money": 10**9}], "quantities": {"most": 10**9}}, "`money`"),
        ({"kind": "discount", "worth": {"amount": 10**9}, "quantities": {"most": 1001}}, "in `worth`"),
        ({"kind": "entitlement", "uses": 10**12, "quantities": {"most": 2}}, "in `uses`"),
        ({"kind": "voucher", "hold": "5w"}, "at most 31d"),
        (
            {
                "kind": "experience",
                "dates": [{"id": "x", "starts": "2026-05-01T18:00:00Z", "ends": "2026-05-01T18:00:00Z"}],
            },
            "ends before",
        ),
    ],
)
def test_what_does_not_fit(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Reward.model_validate(settings)


HEAD = """\
program: {id: x, name: X, currency: EUR}
points: {stars: {}, status: {spendable: false}}
tiers: [{id: status, metric: points.status.earned, levels: [{id: green, from: 0}]}]
campaigns: {a: {on: purchase, earn: {stars: 1, status: 1}}}
rewards:
"""


@pytest.mark.parametrize(
    ("reward", "expected"),
    [
        ("r: {kind: voucher, cost: {stars: 5}, when: member.points.stars > 7}", []),
        ("r: {kind: voucher, cost: {stras: 5}}", [("unknown_point_type", 6, 29)]),
        ("r: {kind: voucher, cost: {status: 5}}", [("not_spendable", 6, 29)]),
        ("r: {kind: voucher, cost: {stars: 5.5}}", [("amount_too_fine", 6, 36)]),
        ("r: {kind: voucher, money: 1.005}", [("amount_too_fine", 6, 29)]),
        ("r: {kind: voucher, when: event.total > 1}", [("expression", 6, 28)]),
        ("r: {kind: discount, worth: {amount: 0.005, most: 1.005}}", [("amount_too_fine", 6, 52)]),
        ("r: {kind: discount, worth: {percent: 5, least_total: 0.001}}", [("amount_too_fine", 6, 56)]),
        (
            "{a: {kind: voucher, code: {static: SOL-1}}, b: {kind: voucher, code: {static: S0I1}}}",
            [("code_taken", 6, 81)],
        ),
        ("r: {kind: voucher, when: time.month > 12}", [("never_matches", 6, 28)]),
        ("r: {kind: voucher, schedule: {days: []}}", [("never_matches", 6, 32)]),
        ("r: {kind: voucher, from_level: {stauts: green}}", [("unknown_tier_set", 6, 35)]),
        ("r: {kind: voucher, from_level: {status: gold}}", [("unknown_level", 6, 43)]),
        (
            "r: {kind: voucher, prices: [{when: member.points.stars, cost: {x: 1}}]}",
            [("expression", 6, 38), ("unknown_point_type", 6, 66)],
        ),
    ],
)
def test_findings(reward: str, expected: list[tuple[str, int, int]]) -> None:
    found = lint(load(f"{HEAD}  {reward}\n"))
    assert [finding.code for finding in found] == [code for code, _, _ in expected]
    assert all(finding.hint and finding.line == 6 for finding in found)


def test_what_was_written_is_read_back() -> None:
    text = HEAD + "  r: {kind: voucher, cost: {stars: 5}, per_member: {every: month, uses: 4}, refund_within: 0d}\n"
    program = load(text).require()
    assert load(dump(program)).require() == program
    assert program.rewards["r"].member_quotas[0].uses == 4
    several = Reward.model_validate({"kind": "voucher", "in_all": [{"uses": 2}]})
    assert (several.total_quotas[0].uses, several.member_quotas) == (2, ())
