"""What the code of a discount takes off a basket at a till: the same as with an order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.shop_world import NOON, line, member, program, purchase
from setia.engine.decide import decide
from setia.engine.occurrences import Line, Wished
from setia.engine.rewards import Used
from setia.engine.till_discounts import Basket, needs, off_basket


def off(worth: str, *lines: Line, left: int | None = None, shipping: int = 0, **more: Any) -> dict[int, int]:
    compiled = program(f"rewards: {{r: {{kind: discount, cost: {{stars: 1}}, worth: {worth}}}, v: {{kind: voucher}}}}")
    basket = Basket(lines=lines, shipping=shipping, at=NOON)
    assert off_basket(compiled, compiled.rewards["v"], basket, left, member()) == {}
    return off_basket(compiled, compiled.rewards["r"], basket, left, member(**more))


@pytest.mark.parametrize(
    ("worth", "total", "left", "expected"),
    [
        ("{amount: 5}", 320, 500, 320),
        ("{amount: 5}", 900, 500, 500),
        ("{amount: 5}", 900, 0, 0),
        ("{amount: 5, least_total: 10}", 999, 500, 0),
        ("{percent: 12.5}", 1999, None, 249),
        ("{percent: 50, most: 3}", 1000, None, 300),
        ("{amount: 5, most_share: 20}", 999, 500, 199),
        ("{percent: 50, most_share: 20, most: 1}", 1000, None, 100),
    ],
)
def test_of_a_total(worth: str, total: int, left: int | None, expected: int) -> None:
    assert sum(off(worth, line(total, sku=""), left=left).values()) == expected


@pytest.mark.parametrize(
    ("worth", "left", "expected"),
    [
        ("{percent: 10, lines: line.category == 'cake'}", None, {1: 50}),
        ("{amount: 7, lines: line.category == 'cake'}", 700, {1: 500}),
        ("{amount: 3, most_per_line: 1}", 300, {0: 100, 1: 100}),
        ("{amount: 3, spread: evenly}", 300, {0: 150, 1: 150}),
        ("{amount: 6, most_share: 50, lines: line.sku == 'B'}", 600, {1: 250}),
        ("{amount: 9, on: shipping}", 900, {-1: 490}),
        ("{percent: 50, on: shipping, most_share: 10}", None, {-1: 49}),
        ("{amount: 9, lines: line.sku == 'C'}", 900, {}),
        ("{amount: 9, lines: line.amount / 0.0 > 1.0}", 900, {}),
        ("{amount: 1, lines: event.quantity == 3.0}", 100, {0: 67, 1: 33}),
    ],
)
def test_of_lines_and_shipping(worth: str, left: int | None, expected: dict[int, int]) -> None:
    lines = line(1000, sku="A", quantity="2"), line(500, sku="B", category="cake")
    assert off(worth, *lines, left=left, shipping=490) == expected


def test_shipping_that_costs_nothing() -> None:
    assert off("{amount: 9, on: shipping}", line(1000), left=900) == {}


def test_a_condition_may_ask_for_the_member() -> None:
    worth = '{percent: 10, lines: \'line.sku == "A" && "vip" in member.tags\'}'
    assert off(worth, line(1000), tags=("vip",)) == {0: 100}
    assert off(worth, line(1000)) == {}


def test_what_has_to_be_said() -> None:
    def wanted(worth: str) -> str | None:
        compiled = program(f"rewards: {{r: {{kind: discount, worth: {worth}}}}}")
        found = compiled.rewards["r"].definition.worth
        assert found is not None
        return needs(found)

    assert wanted("{amount: 1, most_share: 5}") is None
    assert wanted("{amount: 1, most_per_line: 5}") == "lines"
    assert wanted("{amount: 1, lines: line.sku == 'A'}") == "lines"
    assert wanted("{amount: 1, on: shipping}") == "shipping"


WORTHS = (
    "{percent: 12.5, most_share: 10}",
    "{amount: 5}",
    "{amount: 5, most_share: 33}",
    "{percent: 30, most: 2, lines: line.sku == 'A'}",
    "{amount: 5, most_per_line: 1.01, spread: evenly}",
    "{amount: 5, on: shipping}",
)


@given(
    st.sampled_from(WORTHS),
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 4000)), min_size=1, max_size=5),
    st.integers(1, 900),
)
def test_a_code_takes_off_what_the_reward_does_in_a_cart(worth: str, carts: list[Any], shipping: int) -> None:
    compiled = program(f"rewards: {{r: {{kind: discount, cost: {{stars: 1}}, worth: {worth}}}}}")
    lines = tuple(line(amount, sku=sku) for sku, amount in carts)
    asked = purchase(*lines, pricing="before", shipping=shipping, redeem=(Wished("r", 1),))
    decision = decide(compiled, member(balances={"stars": 9}), asked, NOON, None, {"r": Used()})
    in_cart = [effect.by_line for effect in decision.outcome.redeemed]
    basket = Basket(lines=lines, shipping=shipping, at=NOON)
    at_till = off_basket(compiled, compiled.rewards["r"], basket, 500 if "amount" in worth else None, member())
    assert at_till == (in_cart[0] if in_cart else {})
