"""Returned is as if never bought: over random orders, spends and returns."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.return_world import NOON, ReturnedLine, Shop, line, plain
from engine.shop_world import program
from setia.engine.occurrences import Line


def _program(campaigns: str, tiers: str) -> Any:
    return program(f"points: {{stars: {{}}, cents: {{decimals: 2}}}}\ntiers: [{tiers}]\ncampaigns:\n{campaigns}")


SPEND = (
    "{id: t, metric: spend, window: lifetime, "
    "levels: [{id: green, from: 0}, {id: gold, from: 60}, {id: black, from: 200}]}"
)
OTHERS = (
    "{id: r, metric: points.stars.earned, window: rolling 30d, validity: current, "
    "levels: [{id: green, from: 0}, {id: gold, from: 150}]}, "
    "{id: m, metric: orders, window: calendar_year, levels: [{id: green, from: 0}, {id: gold, from: 3}]}"
)
# Nothing that an order gives depends on another one: no limits, offers or conditions about what was bought before.
ORDERS_ALONE = """
  base: {on: purchase, earn: {stars: 1 per 1.00, cents: 0.5 per 1.00}}
  big: {on: purchase, when: event.total >= 50.0, earn: {stars: 100}}
  tea: {on: purchase, lines: 'line.sku == "tea"', earn: {stars: 3 per unit}}
  cup: {on: purchase, lines: 'line.sku == "cup"', earn: {stars: 25}}
  more: {on: purchase, when: event.total >= 80.0, multiply: {of: [base], by: 3}}
  shared: {on: purchase, earn: {cents: 10}, limits: [{per: all, every: month, uses: 1000}]}
  purse: {on: purchase, earn: {stars: 1 per 5.00}, limits: [{per: all, earn: 100000 stars}]}
"""
TOGETHER = (
    ORDERS_ALONE
    + """
  once: {on: purchase, earn: {stars: 11}, limits: [{every: month, uses: 2}, {per: all, every: day, uses: 2}]}
  some: {on: purchase, earn: {stars: 1 per 2.00}, limits: [{every: week, earn: 40 stars}, {per: all, earn: 90 stars}]}
  whole: {on: purchase, earn: {stars: 1 per 3.00}, limits: [{every: day, earn: 20 stars, crossing: whole}]}
  first: {on: purchase, when: member.lifetime.orders == 0, earn: {stars: 500}}
  gold: {on: purchase, when: 'member.tiers.t == "gold"', earn: {stars: 13}}
  stamp: {on: purchase, offer: {for: everybody, progress: {spend: 40.00}, repeat: always, carry_over: true}, \
earn: {stars: 17}}
"""
)
FREE = _program(ORDERS_ALONE, f"{SPEND}, {OTHERS}")
BOUND = _program(TOGETHER, f"{SPEND}, {OTHERS}")

LINES = st.builds(
    lambda sku, quantity, amount: line(amount, sku, str(quantity)),
    st.sampled_from(["tea", "cup", "x"]),
    st.integers(1, 4),
    st.integers(0, 9000),
)
ORDERS = st.lists(st.lists(LINES, min_size=1, max_size=3), min_size=1, max_size=5)
PLACES = st.tuples(st.integers(0, 4), st.integers(0, 2))


def _day(number: int) -> dt.datetime:
    return NOON + dt.timedelta(days=3 * number)


def _bought(program: Any, orders: list[list[Line]]) -> Shop:
    shop = Shop(program)
    for number, lines in enumerate(orders):
        shop.buy(*lines, at=_day(number))
    return shop


@settings(max_examples=200, deadline=None)
@given(
    orders=ORDERS,
    sequence=st.permutations(range(5)),
    parts=st.lists(st.tuples(PLACES, st.integers(1, 100)), max_size=6),
    spent=st.integers(0, 300),
)
def test_a_history_that_came_back_whole_has_never_been(
    orders: list[list[Line]], sequence: list[int], parts: list[tuple[tuple[int, int], int]], spent: int
) -> None:
    shop = _bought(BOUND, orders)
    shop.spend("stars", spent)
    last = _day(len(orders) - 1)
    for (order, place), percent in parts:
        # Some of it comes back in parts before: of a line, or of the order.
        left = sum(one.amount for one in shop.orders[order % len(orders)].event.lines) if order < len(orders) else 0
        if order < len(orders) and not shop.returns[order] and left * percent // 100:
            if place:
                shop.give_back(order, amount=left * percent // 100, at=last)
            else:
                quantity = orders[order][0].quantity * percent / 100
                shop.give_back(order, ReturnedLine(0, quantity), at=last)
    for order in sequence:
        if order < len(orders):
            shop.give_back(order, at=last)
    assert plain(shop.recounted()) == plain(shop.state.counters)
    shop.spend("stars", -spent)
    assert shop.figures == {}


@settings(max_examples=200, deadline=None)
@given(orders=ORDERS, gone=st.lists(PLACES, unique=True, max_size=8), one_by_one=st.booleans())
def test_a_history_of_which_lines_came_back_is_that_without_them(
    orders: list[list[Line]], gone: list[tuple[int, int]], *, one_by_one: bool
) -> None:
    shop = _bought(FREE, orders)
    last = _day(len(orders) - 1)
    known = [(order, place) for order, place in gone if order < len(orders) and place < len(orders[order])]
    if one_by_one:
        for order, place in known:
            shop.give_back(order, ReturnedLine(place), at=last)
    else:
        for order in sorted({order for order, _ in known}):
            shop.give_back(order, *(ReturnedLine(place) for other, place in known if other == order), at=last)
    without = Shop(FREE)
    for number, lines in enumerate(orders):
        left = [one for place, one in enumerate(lines) if (number, place) not in known]
        if left:
            without.buy(*left, at=_day(number))
    figures, expected = shop.figures, without.figures
    # Since when a level is held, and which day's sum has become nothing, may differ; the level and what counts do not.
    for name in ("periods",):
        figures.pop(name, None)
        expected.pop(name, None)
    assert figures == expected
    assert plain(shop.recounted()) == plain(shop.state.counters)


@settings(max_examples=200, deadline=None)
@given(orders=ORDERS, times=st.integers(1, 4))
def test_buying_and_giving_back_in_a_loop_gains_nothing(orders: list[list[Line]], times: int) -> None:
    shop = Shop(BOUND)
    for _ in range(times):
        for lines in orders:
            shop.buy(*lines)
            shop.give_back(len(shop.orders) - 1)
            assert shop.figures == {}


@settings(max_examples=200, deadline=None)
@given(quantity=st.integers(1, 50), amount=st.integers(0, 9999), steps=st.lists(st.integers(1, 9), max_size=8))
def test_how_often_goods_come_back_makes_no_difference(quantity: int, amount: int, steps: list[int]) -> None:
    at_once, by_steps = (_bought(FREE, [[line(amount, "tea", str(quantity)), line(777)]]) for _ in range(2))
    back = 0
    for step in steps:
        if back + step <= quantity:
            back += step
            by_steps.give_back(0, ReturnedLine(0, Decimal(step)))
    if back:
        at_once.give_back(0, ReturnedLine(0, Decimal(back)))
    assert by_steps.figures == at_once.figures
