"""Discounts of the definition: what goes together, and that they come back as they were written."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from setia.program.definition import Program
from setia.program.discounts import Discount
from setia.program.yaml_text import load
from setia.program.yaml_writer import dump

BUY: dict[str, Any] = {"buy": {"quantity": 2}}


@pytest.mark.parametrize(
    ("discount", "message"),
    [
        ({}, "exactly one of"),
        ({"percent": 10, "amount": 1}, "exactly one of"),
        ({"steps": [{"from": 0}]}, "either a `percent` or an `amount`"),
        ({"steps": [{"from": 0, "percent": 1, "amount": 1}]}, "either a `percent` or an `amount`"),
        ({"steps": [{"from": 2, "percent": 1}, {"from": 1, "percent": 2}]}, "steps rise"),
        ({"steps": [{"from": 2, "percent": 1}, {"from": 2, "percent": 2}]}, "steps rise"),
        ({"percent": 1, "every": 2, **BUY}, "picked in one way"),
        ({"percent": 1, "on": "cheapest", "bundle": [{}]}, "picked in one way"),
        ({"percent": 1, "on": "shipping", **BUY}, "shipping has no units"),
        ({"price": 1, "on": "shipping"}, "shipping has no units"),
        ({"percent": 1, "on": "shipping", "units": 2}, "shipping has no units"),
        ({"price": 1}, "of a unit or a bundle"),
        ({"price": 1, "bundle": [{}], "units": 2}, "has all its units"),
        ({"percent": 1, "free": "added"}, "goes with `buy`"),
        ({"percent": 1, "every": 2, "units": 2}, "cannot be discounted"),
        ({"percent": 0}, "greater than 0"),
        ({"percent": 101}, "less than or equal to 100"),
        ({"amount": -1}, "greater than or equal to 0"),
    ],
)
def test_what_does_not_fit_together_is_refused(discount: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Discount.model_validate(discount)


@pytest.mark.parametrize(
    "discount",
    [
        "{percent: 12.5, at_most: 20, base: original, codes: [Summer]}",
        "{amount: 5, spread: evenly, tax: excluded, rounding: floor, coupon: true}",
        "{price: 7, bundle: [{lines: 'line.sku == \"a\"'}, {quantity: 2}], repeat: false}",
        "{steps: [{from: 50, percent: 5}, {from: 100, amount: 10}], steps_by: quantity}",
        "{percent: 100, on: cheapest, units: 2, at_most_per_line: 3}",
        "{percent: 100, buy: {quantity: 3}, free: added}",
        "{percent: 100, on: shipping}",
        "{price: 1, on: lines}",
        "{percent: 50, every: 2}",
    ],
)
def test_a_discount_comes_back_from_yaml_and_json_as_it_was(discount: str) -> None:
    text = (
        "program: {id: shop, name: Shop, timezone: Europe/Berlin, currency: EUR}\npoints: {stars: {}}\n"
        f"campaigns:\n  off: {{on: purchase, discount: {discount}}}\n"
    )
    program = load(text).require()
    assert load(dump(program)).require() == program
    assert Program.model_validate_json(program.model_dump_json(by_alias=True)) == program


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("earn: {stars: 1}", "no other effect"),
        ("tag: [buyer]", "no other effect"),
        ("offer: {}", "cannot wait for an `offer`"),
    ],
)
def test_a_promotion_has_no_other_effect(more: str, message: str) -> None:
    findings = load(_campaign(f"on: purchase, {more}, discount: {{percent: 1}}")).findings
    assert any(message in finding.message for finding in findings)


def test_a_promotion_is_of_purchases() -> None:
    findings = load(_campaign("on: visit, discount: {percent: 1}")).findings
    assert any("has `on: purchase`" in finding.message for finding in findings)


def _campaign(text: str) -> str:
    return (
        "program: {id: shop, name: Shop, timezone: Europe/Berlin, currency: EUR}\npoints: {stars: {}}\n"
        f"campaigns:\n  off: {{{text}}}\n"
    )
