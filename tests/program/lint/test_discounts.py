"""What lint says about discounts."""

from __future__ import annotations

import pytest

from setia.program.lint import lint
from setia.program.yaml_text import load

HEAD = "program: {id: shop, name: Shop, timezone: Europe/Berlin, currency: EUR}\npoints: {stars: {}}\ncampaigns:\n"


def findings(*discounts: str) -> list[tuple[str, str]]:
    text = HEAD + "".join(
        f"  c{place}: {{on: purchase, discount: {discount}}}\n" for place, discount in enumerate(discounts)
    )
    return [(finding.code, finding.path) for finding in lint(load(text))]


@pytest.mark.parametrize(
    ("discount", "code", "path"),
    [
        ("{percent: 9, buy: {lines: line.skuu == 'a'}}", "expression", "buy/lines"),
        ("{percent: 9, bundle: [{}, {lines: line.quantity}]}", "expression", "bundle/1/lines"),
        ("{percent: 9, buy: {lines: line.quantity < 0.0}}", "never_matches", "buy/lines"),
        ("{amount: 0.005}", "amount_too_fine", "amount"),
        ("{price: 0.005, on: lines}", "amount_too_fine", "price"),
        ("{percent: 1, at_most: 0.005}", "amount_too_fine", "at_most"),
        ("{percent: 1, at_most_per_line: 0.005}", "amount_too_fine", "at_most_per_line"),
        ("{steps: [{from: 0.005, percent: 1}]}", "amount_too_fine", "steps/0/from"),
        ("{steps: [{from: 0.5, amount: 0.005}], steps_by: quantity}", "amount_too_fine", "steps/0/amount"),
        ("{amount: 0}", "never_matches", "amount"),
        ("{percent: 1, at_most: 0}", "never_matches", "at_most"),
        ("{percent: 1, at_most_per_line: 0}", "never_matches", "at_most_per_line"),
        ("{percent: 1, codes: ['']}", "bad_code", "codes/0"),
        ("{percent: 1, codes: [fine, ' x']}", "bad_code", "codes/1"),
        (f"{{percent: 1, codes: [{'x' * 101}]}}", "bad_code", "codes/0"),
        ("{percent: 1, codes: [Summer, summer]}", "code_taken", "codes/1"),
    ],
)
def test_what_is_wrong_with_a_discount_is_said_at_its_place(discount: str, code: str, path: str) -> None:
    assert findings(discount) == [(code, f"/campaigns/c0/discount/{path}")]


def test_a_code_belongs_to_one_promotion() -> None:
    assert findings("{percent: 1, codes: [Summer]}", "{percent: 2, codes: [SUMMER]}") == [
        ("code_taken", "/campaigns/c1/discount/codes/0")
    ]


def test_nothing_is_said_of_discounts_that_are_right() -> None:
    assert (
        findings(
            "{price: 7.50, bundle: [{lines: line.sku == 'a'}, {quantity: 2}]}",
            "{steps: [{from: 2.5, percent: 1}], steps_by: quantity, codes: [a, b], coupon: true}",
            "{amount: 1, at_most: 5.00}",
        )
        == []
    )
