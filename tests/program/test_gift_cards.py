"""Gift cards and reward links as their owner writes them: what fits, what does not, and what the lint says."""

from typing import Any

import pytest
from pydantic import ValidationError

from setia.program.gift_card_law import LAWS
from setia.program.gift_cards import GiftCard
from setia.program.lint import lint
from setia.program.reward_links import RewardLink
from setia.program.rewards import Reward
from setia.program.yaml_text import load
from setia.program.yaml_writer import dump

HEAD = """\
program: {id: x, name: X, currency: EUR}
points: {stars: {}}
campaigns: {a: {on: purchase, earn: {stars: 1}}}
"""


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"currency": "XXX"}, "not a currency"),
        ({"least": 5, "most": 4}, "raise `most`"),
        ({"valid_for": "12h"}, "days or longer"),
        ({"valid_for": "0d"}, "some time"),
        ({"align": "year_end"}, "add it"),
        ({"counted_from": "last_load"}, "add it"),
        ({"hold": "0min"}, "some time"),
        ({"country": "de"}, "pattern"),
    ],
)
def test_what_is_no_gift_card(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        GiftCard.model_validate(settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rewards": []}, "at least 1"),
        ({"rewards": ["a", "a"]}, "stands twice"),
        ({"rewards": ["a"], "valid_for": "0d"}, "some time"),
        ({"rewards": ["a"], "currency": "XXX"}, "not a currency"),
        ({"rewards": ["a"], "amount": 0}, "greater than 0"),
    ],
)
def test_what_is_no_link(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RewardLink.model_validate(settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "voucher", "card": "c"}, "is not"),
        ({"kind": "gift_card", "card": "c", "worth": {"amount": 1}, "code": {}}, "code of its own"),
    ],
)
def test_what_reward_is_no_card(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Reward.model_validate(settings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gift_cards: {c: {country: DE}}", []),
        ("gift_cards: {c: {country: ZZ}}", [("unknown_country", 4, 27)]),
        ("gift_cards: {c: {value: 1.005}}", [("amount_too_fine", 4, 25)]),
        ("gift_cards: {c: {currency: JPY, most: 1.5}}", [("amount_too_fine", 4, 39)]),
        ("gift_cards: {c: {country: DE, valid_for: 1y}}", [("shorter_than_law", 4, 42)]),
        ("gift_cards: {c: {country: DE, valid_for: 3y}}", [("shorter_than_law", 4, 42)]),
        ("gift_cards: {c: {country: DE, valid_for: 3y, align: year_end}}", []),
        ("gift_cards: {c: {country: DE, valid_for: 4y}}", []),
        ("gift_cards: {c: {country: AU, valid_for: 1000d}}", [("shorter_than_law", 4, 42)]),
        ("gift_cards: {c: {country: AU, valid_for: 160w}}", []),
        ("gift_cards: {c: {country: US, valid_for: 10y}}", [("shorter_than_law", 4, 42)]),
        ("gift_cards: {c: {country: US, valid_for: 60mo, counted_from: last_load}}", []),
        ("gift_cards: {c: {country: CA, valid_for: 99y}}", [("shorter_than_law", 4, 42)]),
        ("gift_cards: {c: {country: GB, valid_for: 1d}}", []),
        ("rewards: {r: {kind: gift_card, card: c, worth: {amount: 1}}}", [("unknown_gift_card", 4, 38)]),
        ("reward_links: {l: {rewards: [r]}}", [("unknown_reward", 4, 30)]),
        (
            "reward_links: {l: {amount: 1.005, rewards: [r]}}\nrewards: {r: {kind: donation}}",
            [("amount_too_fine", 4, 28)],
        ),
        ("reward_links: {l: {rewards: [r]}}\nrewards: {r: {kind: voucher}}", [("not_for_links", 4, 30)]),
        ("reward_links: {l: {rewards: [r]}}\nrewards: {r: {kind: voucher, code: {pool: p}}}", []),
        (
            (
                "reward_links: {l: {rewards: [r]}}\nrewards: {r: {kind: gift_card, card: c, worth: {amount: 0}}}\n"
                "gift_cards: {c: {currency: CHF}}"
            ),
            [("not_for_links", 4, 30)],
        ),
        (
            (
                "reward_links: {l: {amount: 30.01, rewards: [r]}}\n"
                "rewards: {r: {kind: gift_card, card: c, worth: {amount: 0}}}\ngift_cards: {c: {most_balance: 30}}"
            ),
            [("not_for_links", 4, 45)],
        ),
        (
            (
                "reward_links: {l: {currency: CHF, rewards: [r]}}\n"
                "rewards: {r: {kind: gift_card, card: c, worth: {amount: 0}}}\ngift_cards: {c: {currency: CHF}}"
            ),
            [],
        ),
    ],
)
def test_what_the_lint_says(text: str, expected: list[tuple[str, int, int]]) -> None:
    found = [(finding.code, finding.line, finding.column) for finding in lint(load(HEAD + text + "\n"))]
    assert found == expected


def test_it_is_written_as_it_was_read() -> None:
    loaded = load(HEAD + "gift_cards: {c: {country: DE, valid_for: 5y, value: 10}}\n")
    assert loaded.program is not None
    again = load(dump(loaded.program))
    assert again.program == loaded.program


def test_laws_are_for_countries_and_say_years_where_they_do() -> None:
    for country, law in LAWS.items():
        assert len(country) == 2
        assert (law.years > 0) == (law.kind == "years")
