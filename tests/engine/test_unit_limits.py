"""Limits on the units that a promotion discounts: per member and over all, by period, and after returns."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.return_world import ReturnedLine, Shop
from engine.shop_world import at, campaigns, considered, decided, line, member, program, purchase
from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Decision, RefusedCode
from setia.engine.state import Budgets, Counters, Coupon
from setia.program.limits import Limit

THREE = "{per: member, every: week, units: 3}"

GROUPED = """
stacking: {groups: {g: {choose: best_value}}}
campaigns:
  a: {on: purchase, group: g, limits: [{units: 1}], discount: {percent: 50, on: lines}}
  b: {on: purchase, group: g, discount: {percent: 20}}
  c: {on: purchase, group: g, limits: [{units: 1}], discount: {percent: 99, bundle: [{quantity: 2}]}}
"""


def limited(discount: str, limit: str = THREE, more: str = "") -> CompiledProgram:
    return campaigns(f"a: {{on: purchase, limits: [{limit}], {more}discount: {discount}}}")


def cart(*lines: Any, **more: Any) -> Any:
    return purchase(*lines, pricing="before", **more)


def told(decision: Decision) -> list[tuple[int, int]]:
    """Amount and units of each promotion that applied."""
    return [(effect.amount, effect.units) for effect in decision.outcome.discounts]


def test_a_limit_lets_so_many_units_be_discounted_in_a_period() -> None:
    compiled = limited("{percent: 10, on: lines}")
    first = decided(compiled, cart(line(2000, quantity="2")))
    assert told(first) == [(200, 2)]
    then = decided(compiled, cart(line(3000, quantity="3")), member(counters=first.counters))
    # one of the three is left to be discounted
    assert told(then) == [(100, 1)]
    assert then.outcome.discounts[0].wanted == 300
    assert considered(then, "a").limit == "a#0"
    last = decided(compiled, cart(line(1000)), member(counters=then.counters))
    assert told(last) == []
    assert (considered(last, "a").verdict, considered(last, "a").limit) == ("limit", "a#0")
    later = decided(compiled, cart(line(1000), at=at("2026-03-09T12:00:00+01:00")), member(counters=then.counters))
    assert told(later) == [(100, 1)]


@pytest.mark.parametrize(
    ("discount", "lines", "expected"),
    [
        # of whole lines the dearest units are discounted, whatever the order of the lines
        ("{percent: 10, on: lines}", [line(200, quantity="2"), line(4000, quantity="2")], [(400 + 10, 3)]),
        ("{amount: 1, on: lines}", [line(200, quantity="2"), line(4000, quantity="2")], [(300, 3)]),
        ("{price: 1, on: lines}", [line(4000, quantity="4")], [(2700, 3)]),
        ("{percent: 50, on: cheapest, units: 5}", [line(5000, quantity="5")], [(1500, 3)]),
        ("{percent: 50, on: dearest, units: 2}", [line(5000, quantity="5")], [(1000, 2)]),
        ("{percent: 100, every: 2}", [line(10000, quantity="10")], [(3000, 3)]),
        ("{percent: 100, buy: {quantity: 1}}", [line(10000, quantity="10")], [(3000, 3)]),
        # a bundle is discounted whole or not at all
        ("{percent: 50, bundle: [{quantity: 2}]}", [line(8000, quantity="8")], [(1000, 2)]),
        ("{percent: 50, bundle: [{quantity: 4}]}", [line(8000, quantity="8")], []),
        ("{percent: 100, buy: {quantity: 2}, free: added, units: 2}", [line(8000, quantity="8")], [(0, 3)]),
        # what is sold by weight has its whole units
        ("{percent: 10, on: lines}", [line(1500, quantity="1.5"), line(50, quantity="0.5")], [(100, 1)]),
        # what costs nothing is not discounted, and not counted
        ("{percent: 10, on: lines}", [line(0, quantity="9"), line(1000)], [(100, 1)]),
        ("{percent: 50, on: cheapest, units: 9}", [line(0, quantity="9"), line(1000)], []),
    ],
)
def test_units_are_counted_however_they_are_picked(
    discount: str, lines: list[Any], expected: list[tuple[int, int]]
) -> None:
    assert told(decided(limited(discount), cart(*lines))) == expected


def test_a_bundle_that_does_not_fit_any_more_says_so() -> None:
    decision = decided(limited("{percent: 50, bundle: [{quantity: 4}]}"), cart(line(8000, quantity="8")))
    assert (considered(decision, "a").verdict, considered(decision, "a").limit) == ("limit", "a#0")


def test_an_order_alone_can_be_limited() -> None:
    compiled = limited("{percent: 10, on: lines}", "{per: member, every: event, units: 3}")
    first = decided(compiled, cart(line(5000, quantity="5")))
    again = decided(compiled, cart(line(5000, quantity="5")), member(counters=first.counters))
    assert told(first) == told(again) == [(300, 3)]


def test_all_members_share_a_budget_of_units() -> None:
    compiled = limited("{percent: 10, on: lines}", "{in_all: 3 units, every: day}")
    budgets = Budgets()
    found = []
    for _ in range(3):
        decision = decided(compiled, cart(line(2000, quantity="2")), budgets=budgets)
        found.append(told(decision))
        for key, periods in decision.budget_uses.items():
            for period, taken in periods.items():
                used = budgets.used.setdefault(key, {})
                used[period] = used.get(period, 0) + taken
    assert found == [[(200, 2)], [(100, 1)], []]
    assert budgets.used == {"a#0": {"2026-03-04": 3}}


def test_the_tightest_of_several_limits_counts() -> None:
    compiled = limited("{percent: 10, on: lines}", "{units: 5}, {per: member, every: day, units: 2}")
    decision = decided(compiled, cart(line(4000, quantity="4")))
    assert told(decision) == [(200, 2)]
    assert considered(decision, "a").limit == "a#1"


def test_a_code_that_comes_to_nothing_by_a_limit_says_so() -> None:
    compiled = limited("{percent: 50, codes: [Summer], bundle: [{quantity: 4}]}")
    decision = decided(compiled, cart(line(8000, quantity="8"), codes=("summer",)))
    assert decision.outcome.refused == [RefusedCode("summer", "limit", "a")]


def test_in_a_group_a_promotion_is_worth_what_its_limit_leaves() -> None:
    compiled = program(GROUPED)
    assert told(decided(compiled, cart(line(1000)))) == [(500, 1)]
    decision = decided(compiled, cart(line(4000, quantity="4")))
    assert told(decision) == [(800, 0)]
    verdicts = {name: considered(decision, name).verdict for name in "abc"}
    assert verdicts == {"a": "group", "b": "matched", "c": "limit"}


def test_goods_that_come_back_can_be_discounted_again() -> None:
    for limit in (THREE, "{in_all: 3 units, every: week}"):
        shop = Shop(limited("{percent: 10, on: lines}", limit))
        assert told(shop.buy(line(3000, quantity="3"), pricing="before")) == [(300, 3)]
        back = shop.give_back(0, ReturnedLine(0, quantity=Decimal(2)))
        assert back.outcome.undoes is not None
        assert back.outcome.undoes.units == {"a": 2}
        assert told(shop.buy(line(4000, quantity="4"), pricing="before")) == [(200, 2)]
        shop.cancel(0, 0)
        assert shop.recounted().limits == shop.state.counters.limits
        # the order that came between has used what came back: nothing is left, and nothing is taken from it
        assert told(shop.buy(line(1000), pricing="before")) == []


DISCOUNTS = (
    "{percent: 10, on: lines}",
    "{percent: 100, buy: {quantity: 2}}",
    "{percent: 50, every: 3}",
    "{price: 1, on: lines}",
    "{percent: 50, bundle: [{quantity: 2}]}",
    "{percent: 100, buy: {quantity: 2}, free: added}",
)
LINES = st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 6)), min_size=1, max_size=4)


@given(
    st.sampled_from(DISCOUNTS),
    st.lists(LINES, min_size=1, max_size=5),
    st.integers(1, 9),
    st.sampled_from(["per: member, units: {}", "in_all: {} units"]),
)
def test_never_more_units_than_a_limit_allows(discount: str, carts: list[Any], most: int, limit: str) -> None:
    shop = Shop(limited(discount, "{" + limit.format(most) + "}"))
    units = 0
    for lines in carts:
        decision = shop.buy(*(line(amount, quantity=str(number)) for amount, number in lines), pricing="before")
        units += sum(effect.units for effect in decision.outcome.discounts)
        assert all(effect.units for effect in decision.outcome.discounts)
    assert units <= most
    assert shop.recounted().limits == shop.state.counters.limits
    for number in range(len(carts)):
        shop.give_back(number)
    assert shop.budget == {}
    assert not any(shop.state.counters.limits.get("a#0", {}).values())


@pytest.mark.parametrize(
    "limit",
    [
        {"in_all": "5 units", "units": 3},
        {"in_all": "5 uses", "uses": 3},
        {"in_all": "5 units", "earn": "3 stars"},
        {"in_all": "5 units", "per": "member"},
        {"units": 1, "uses": 1},
        {"units": 1, "crossing": "whole"},
        {"units": -1},
    ],
)
def test_a_limit_has_one_measure(limit: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Limit.model_validate(limit)


@pytest.mark.parametrize(
    "short",
    [{"in_all": "5 units"}, {"in_all": "5 units", "every": "day"}, {"per": "member", "every": "day", "units": 5}],
)
def test_a_limit_is_written_as_it_was_read(short: dict[str, Any]) -> None:
    assert Limit.model_validate(short).model_dump() == short


def test_counters_from_before_know_no_units() -> None:
    compiled = limited("{percent: 10, on: lines}")
    decision = decided(compiled, cart(line(1000)), member(counters=Counters(limits={"other#0": {"ever": 9}})))
    assert decision.counters.limits == {"other#0": {"ever": 9}, "a#0": {"2026-W10": 1}}


@pytest.mark.parametrize(
    ("limits", "expected"),
    [("", [3, 3, 3]), ("limits: [{units: 7}], ", [3, 3, 1]), ("limits: [{units: 4}], ", [3, 1])],
)
def test_the_coupons_of_one_order_share_what_a_limit_leaves(limits: str, expected: list[int]) -> None:
    discount = "{percent: 100, on: dearest, units: 3, coupon: {per_order: 3}}"
    compiled = campaigns(f"a: {{on: purchase, {limits}discount: {discount}}}")
    shown = [Coupon(name, "a", name) for name in "xyz"]
    lines = [line(1000 - 100 * place) for place in range(10)]
    decision = decided(compiled, cart(*lines, codes=("x", "y", "z")), member(coupons=shown))
    assert [effect.units for effect in decision.outcome.discounts] == expected
    assert [refused.reason for refused in decision.outcome.refused] == ["limit"] * (3 - len(expected))
