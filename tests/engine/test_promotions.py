"""Cart promotions in a decision: what they take off, in which order, why not, and what is earned on the rest."""

from __future__ import annotations

from typing import Any

import pytest

from engine.shop_world import decided, line, member, program, purchase, verdicts
from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Decision
from setia.engine.occurrences import Occurrence

BASE = "  base: {on: purchase, earn: {stars: 1 per 1.00}}\n"


def shop(campaigns: str, more: str = "") -> CompiledProgram:
    return program(f"{more}campaigns:\n{BASE}{campaigns}")


def cart(*lines: Any, **more: Any) -> Occurrence:
    return purchase(*lines, pricing="before", **more)


def taken(decision: Decision) -> dict[str, int]:
    return {effect.campaign: effect.amount for effect in decision.outcome.discounts}


def earned(decision: Decision) -> int:
    return sum(effect.amount for effect in decision.outcome.points)


def test_points_are_earned_on_what_a_promotion_leaves() -> None:
    compiled = shop("  tenth: {on: purchase, discount: {percent: 10}}\n")
    decision = decided(compiled, cart(line(10000)))
    assert taken(decision) == {"tenth": 1000}
    assert earned(decision) == 90
    assert decision.outcome.uses == ["base", "tenth"]
    # and nothing is taken off what was priced already
    assert decided(compiled, purchase(line(10000))).outcome.discounts == []


def test_one_promotion_takes_off_what_the_one_before_has_left() -> None:
    compiled = shop(
        "  amount: {on: purchase, discount: {amount: 288.50}}\n"
        "  percent: {on: purchase, priority: 1, discount: {percent: 10}}\n"
    )
    # 315.00 - 10 % = 283.50, and 288.50 off that are 283.50
    decision = decided(compiled, cart(line(31500)))
    assert taken(decision) == {"percent": 3150, "amount": 28350}
    assert decision.outcome.discounts[1].wanted is None
    assert earned(decision) == 0


@pytest.mark.parametrize(("codes", "amount"), [(("SUMMER",), 1000), (("summer",), 1000), ((), 0), (("WINTER",), 0)])
def test_a_promotion_with_a_code_asks_for_it(codes: tuple[str, ...], amount: int) -> None:
    compiled = shop("  coded: {on: purchase, discount: {percent: 10, codes: [Summer]}}\n")
    decision = decided(compiled, cart(line(10000), codes=codes))
    assert sum(taken(decision).values()) == amount
    assert verdicts(decision)["coded"] == ("matched" if amount else "coupon")


def test_the_best_of_a_group_applies_and_the_rest_say_who_won() -> None:
    compiled = shop(
        "  five: {on: purchase, group: whole, when: event.quantity >= 2.0, discount: {percent: 5}}\n"
        "  ten: {on: purchase, group: whole, when: event.quantity >= 4.0, discount: {percent: 10}}\n",
        "stacking: {groups: {whole: {choose: best_value}}}\n",
    )
    for quantity, best in ((1, {}), (3, {"five": 1500}), (5, {"ten": 5000})):
        decision = decided(compiled, cart(line(10000 * quantity, quantity=quantity)))
        assert taken(decision) == best
    assert verdicts(decision)["five"] == "group"


def test_limits_hold_for_promotions() -> None:
    compiled = shop("  once: {on: purchase, limits: [{per: member, uses: 1}], discount: {percent: 50}}\n")
    first = decided(compiled, cart(line(1000)))
    again = decided(compiled, cart(line(1000)), member(counters=first.counters))
    assert (taken(first), taken(again)) == ({"once": 500}, {})
    assert verdicts(again)["once"] == "limit"


def test_lines_conditions_choose_what_is_cheaper() -> None:
    compiled = shop(
        '  food: {on: purchase, lines: line.category == "food", discount: {percent: 10, on: cheapest}}\n'
    )
    decision = decided(compiled, cart(line(10000, category="food"), line(500), line(5000, category="food")))
    assert decision.outcome.discounts[0].by_line == {2: 500}
