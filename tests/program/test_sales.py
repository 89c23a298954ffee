"""Sales as their owner writes them: what fits, what does not, and what the lint says."""

from typing import Any

import pytest
from pydantic import ValidationError

from setia.program.lint import lint
from setia.program.sales import Sale
from setia.program.yaml_text import load
from setia.program.yaml_writer import dump

HEAD = """\
program: {id: x, name: X, currency: EUR}
points: {stars: {}, status: {spendable: false}}
campaigns: {base: {on: purchase, earn: {stars: 1 per 1.00, status: 1 per 1.00}}}
sales:
"""


def test_it_is_written_as_it_was() -> None:
    sale = "{points: stars, packages: [{points: 100, money: 1.00}], per_member: {every: year, points: 900}}"
    text = f"{HEAD}  top: {sale}\n"
    loaded = load(text)
    assert lint(loaded) == []
    assert load(dump(loaded.require())).require() == loaded.require()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "exactly one"),
        ({"price": 1, "packages": [{"points": 1, "money": 1}]}, "exactly one"),
        ({"least": 1, "packages": [{"points": 1, "money": 1}]}, "are for a `price`"),
        ({"price": 1, "least": 5, "most": 4}, "raise `most`"),
        ({"packages": [{"points": 1, "money": 1}, {"points": 1, "money": 2}]}, "two packages"),
    ],
)
def test_what_does_not_fit(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Sale.model_validate({"points": "stars", **settings})


@pytest.mark.parametrize(
    ("sale", "found"),
    [
        ("{points: star, price: 1}", ["unknown_point_type"]),
        ("{points: status, price: 1}", ["not_spendable"]),
        ("{points: stars, packages: [{points: 1.5, money: 1.001}]}", ["amount_too_fine", "amount_too_fine"]),
        ("{points: stars, price: 1, least: 1.5, most: 2.5}", ["amount_too_fine", "amount_too_fine"]),
        ("{points: stars, price: 1, per_member: {points: 9.5}}", ["amount_too_fine"]),
        ("{points: stars, price: 1, per_member: [{points: 9}, {every: day, points: 9.5}]}", ["amount_too_fine"]),
    ],
)
def test_the_lint_names_what_cannot_be_sold(sale: str, found: list[str]) -> None:
    assert [one.code for one in lint(load(f"{HEAD}  top: {sale}\n"))] == found
