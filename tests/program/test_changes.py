"""What a new version changes that is hardly meant."""

from typing import Any

import pytest

from setia.program.changes import changes
from setia.program.definition import Program


def version(currency: str = "EUR", **cards: Any) -> Program:
    head = {"id": "bar", "name": "Bar", "currency": currency}
    return Program.model_validate({"program": head, "points": {"stars": {}}, "gift_cards": cards})


@pytest.mark.parametrize(
    ("before", "after", "places"),
    [
        (version(card={}), version(card={}), []),
        (version(card={}), version(), []),
        (version(), version(card={"currency": "JPY"}), []),
        (version(card={}), version(card={"currency": "EUR"}), []),
        (version(card={"currency": "JPY"}), version(card={"currency": "KWD"}), ["/gift_cards/card/currency"]),
        (version(card={"currency": "JPY"}), version(card={}), ["/gift_cards/card"]),
        (
            version("EUR", card={}, other={"currency": "EUR"}),
            version("CHF", card={}, other={"currency": "EUR"}),
            ["/gift_cards/card"],
        ),
    ],
)
def test_a_card_that_changes_its_currency(before: Program, after: Program, places: list[str]) -> None:
    found = changes(before, after)
    assert [(one.severity, one.code, one.path) for one in found] == [
        ("warning", "card_currency_changed", place) for place in places
    ]
    assert all(one.hint for one in found)
