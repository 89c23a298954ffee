"""Cart promotions in a decision: what they take off, in which order, why not, and what is earned on the rest."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.shop_world import decided, line, member, program, purchase, verdicts
from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Decision, Explanation, Outcome, RefusedCode, RefusedReason, ToPay
from setia.engine.occurrences import Occurrence
from setia.engine.promoting import discount_of
from setia.engine.sentences import sentences

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
    cases: list[tuple[int, dict[str, int]]] = [(1, {}), (3, {"five": 1500}), (5, {"ten": 5000})]
    for quantity, best in cases:
        decision = decided(compiled, cart(line(10000 * quantity, quantity=str(quantity))))
        assert taken(decision) == best
        assert verdicts(decision)["five"] == {1: "condition", 3: "matched", 5: "group"}[quantity]


def test_limits_hold_for_promotions() -> None:
    compiled = shop("  once: {on: purchase, limits: [{per: member, uses: 1}], discount: {percent: 50}}\n")
    first = decided(compiled, cart(line(1000)))
    again = decided(compiled, cart(line(1000)), member(counters=first.counters))
    assert (taken(first), taken(again)) == ({"once": 500}, {})
    assert verdicts(again)["once"] == "limit"


def test_lines_conditions_choose_what_is_cheaper() -> None:
    compiled = shop('  food: {on: purchase, lines: line.category == "food", discount: {percent: 10, on: cheapest}}\n')
    decision = decided(compiled, cart(line(10000, category="food"), line(500), line(5000, category="food")))
    assert decision.outcome.discounts[0].by_line == {2: 500}


def test_a_code_and_no_coupon_is_what_a_promotion_without_codes_waits_for() -> None:
    compiled = shop("  coupon: {on: purchase, discount: {percent: 10, coupon: true}}\n")
    assert verdicts(decided(compiled, cart(line(1000), codes=("any",))))["coupon"] == "coupon"


def test_the_code_that_was_shown_is_kept_with_what_it_took_off() -> None:
    compiled = shop("  coded: {on: purchase, discount: {percent: 10, codes: [A, Summer]}}\n")
    [effect] = decided(compiled, cart(line(1000), codes=("x", "SUMMER"))).outcome.discounts
    assert effect.code == "SUMMER"


def test_what_has_nothing_to_take_off_keeps_no_other_promotion_out() -> None:
    compiled = shop(
        "  none: {on: purchase, exclusive: true, priority: 9, discount: {amount: 5, on: shipping}}\n"
        "  some: {on: purchase, discount: {percent: 10}}\n"
    )
    assert taken(decided(compiled, cart(line(1000)))) == {"some": 100}
    decision = decided(compiled, cart(line(1000), shipping=490, shipping_tax=78))
    assert taken(decision) == {"none": 490}
    assert (verdicts(decision)["some"], decision.outcome.discounts[0].by_line) == ("exclusive", {-1: 490})


def test_a_promotion_that_finds_nothing_left_says_so_and_is_not_used() -> None:
    compiled = shop(
        "  all: {on: purchase, priority: 1, discount: {percent: 100}}\n"
        "  rest: {on: purchase, limits: [{per: member, uses: 1}], discount: {percent: 10}}\n"
    )
    decision = decided(compiled, cart(line(1000)))
    assert (taken(decision), verdicts(decision)["rest"], decision.outcome.uses) == ({"all": 1000}, "nothing", ["all"])


def test_a_condition_that_fails_refuses_its_promotion_alone() -> None:
    failing = 'line.labels[3] == \\"a\\"'
    compiled = shop(
        f'  broken: {{on: purchase, discount: {{percent: 100, buy: {{lines: "{failing}"}}}}}}\n'
        f'  parts: {{on: purchase, discount: {{price: 1, bundle: [{{lines: "{failing}"}}, {{quantity: 2}}]}}}}\n'
        "  fine: {on: purchase, discount: {percent: 10}}\n"
    )
    decision = decided(compiled, cart(line(1000)))
    assert taken(decision) == {"fine": 100}
    assert [verdicts(decision)[name] for name in ("broken", "parts")] == ["error", "error"]
    assert decision.explanation.considered[0].error


def test_a_bundle_and_what_is_bought_are_chosen_by_conditions() -> None:
    compiled = shop(
        "  menu: {on: purchase, discount: {price: 7.00, bundle:"
        ' [{lines: line.sku == "burger"}, {lines: line.sku == "fries", quantity: 2}]}}\n'
        '  third: {on: purchase, lines: line.sku == "cola", discount:'
        ' {percent: 100, free: added, buy: {lines: line.sku == "burger", quantity: 2}}}\n'
    )
    decision = decided(compiled, cart(line(1200, "burger", "2"), line(1200, "fries", "4"), line(300, "cola")), member())
    menu, third = decision.outcome.discounts
    assert (menu.amount, menu.by_line) == (1000, {0: 500, 1: 500})
    assert (third.amount, third.added_units, third.wanted) == (0, 1, None)
    assert decision.outcome.uses == ["base", "menu", "third"]


def test_tax_goes_down_with_the_price_and_an_order_discount_to_what_is_left() -> None:
    compiled = shop("  most: {on: purchase, discount: {percent: 90}}\n", "money: {of: order, tax: excluded}\n")
    event = cart(line(1190, tax=190), discount=500, shipping=500)
    decision = decided(compiled, event)
    # 1.19 is left of the line, and the 5.00 off the order take all of it: 5.00 of shipping count.
    assert taken(decision) == {"most": 1071}
    assert earned(decision) == 5
    half = shop("  half: {on: purchase, discount: {percent: 50}}\n", "money: {tax: excluded}\n")
    assert earned(decided(half, cart(line(23800, tax=3800)))) == 100


def test_a_basis_before_discounts_counts_what_was_taken_off_lines() -> None:
    compiled = shop("  half: {on: purchase, discount: {percent: 50}}\n", "money: {discounts: before}\n")
    assert earned(decided(compiled, cart(line(1000)))) == 10


def test_only_a_campaign_with_a_discount_is_a_promotion() -> None:
    base = shop("").plans["purchase"].campaigns[0]
    with pytest.raises(TypeError, match="base is no promotion"):
        discount_of(base)


def test_codes_that_do_nothing_say_why() -> None:
    compiled = shop(
        "  twice: {on: purchase, discount: {percent: 10, codes: [A, B]}}\n"
        "  later: {on: purchase, schedule: {starts: 2027-01-01}, discount: {percent: 10, codes: [later]}}\n"
        "  large: {on: purchase, when: event.gross >= 50.0, discount: {percent: 10, codes: [large]}}\n"
    )
    outcome = decided(compiled, cart(line(1000), codes=("b", "a", "large", "x", "Later"))).outcome
    assert [(one.code, one.reason, one.campaign) for one in outcome.refused] == [
        ("a", "another_code", "twice"),
        ("large", "condition", "large"),
        ("x", "unknown", None),
        ("Later", "schedule", "later"),
    ]
    none = decided(program("campaigns:\n" + BASE), cart(line(1000), codes=("x",))).outcome
    assert [one.reason for one in none.refused] == ["unknown"]


def test_what_is_left_to_pay_is_told_by_line() -> None:
    compiled = shop('  a: {on: purchase, lines: line.sku == "a", discount: {percent: 10}}\n')
    event = cart(line(1000, "a", tax=160), line(500, "b"), shipping=490, shipping_tax=78, discount=100)
    assert decided(compiled, event).outcome.to_pay == ToPay([900, 500], 490, 100, 1790, 144 + 78)
    assert decided(compiled, purchase(line(1000))).outcome.to_pay is None


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        ("en", ["1,000.00 EUR off: “Tenth”.", "2 for free: “gift”.", "The code “x” is not known."]),
        ("de", ["1.000,00 EUR Nachlass: „Tenth“.", "2 gratis: „gift“.", "Der Code „x“ ist nicht bekannt."]),
        ("ms", ["Potongan 1,000.00 EUR: “Tenth”.", "2 percuma: “gift”.", "Kod “x” tidak dikenali."]),
    ],
)
def test_promotions_have_sentences(locale: str, told: list[str]) -> None:
    compiled = program(
        "campaigns:\n"
        "  tenth: {name: Tenth, on: purchase, discount: {percent: 10}}\n"
        "  gift: {on: purchase, discount: {percent: 100, units: 2, buy: {}, free: added}}\n"
        '  food: {on: purchase, lines: line.category == "food", discount: {percent: 9, codes: [food]}}\n'
    )
    decision = decided(compiled, cart(line(1_000_000), codes=("x", "food")))
    *first, last = sentences(compiled, decision.outcome, decision.explanation, locale)
    assert first == told
    assert "“food”" in last or "„food“" in last


def test_every_reason_has_words() -> None:
    compiled = program("campaigns:\n" + BASE)
    for reason in get_args(RefusedReason):
        for locale in ("en", "de", "ms"):
            outcome = Outcome(refused=[RefusedCode("x", reason)])
            [told] = sentences(compiled, outcome, Explanation(), locale)
            assert told.endswith(".")
            assert "{" not in told


PERCENTS = st.lists(st.tuples(st.integers(1, 100), st.integers(0, 3)), min_size=1, max_size=5)
AMOUNTS = st.lists(st.integers(1, 10_000), min_size=1, max_size=4)


@given(PERCENTS, AMOUNTS)
def test_promotions_add_up_and_never_go_below_zero(percents: list[tuple[int, int]], amounts: list[int]) -> None:
    compiled = shop(
        "".join(
            f"  p{place}: {{on: purchase, priority: {priority}, discount: {{percent: {percent}, base: original}}}}\n"
            for place, (percent, priority) in enumerate(percents)
        )
    )
    decision = decided(compiled, cart(*map(line, amounts)))
    off = [0] * len(amounts)
    for effect in decision.outcome.discounts:
        assert effect.amount == sum(effect.by_line.values())
        for place, cut in effect.by_line.items():
            off[place] += cut
    assert all(cut <= amount for cut, amount in zip(off, amounts, strict=True))
    assert decision.outcome.counted["spend"] == sum(amounts) - sum(off)


@given(PERCENTS, AMOUNTS)
def test_the_best_of_a_group_is_the_best(percents: list[tuple[int, int]], amounts: list[int]) -> None:
    compiled = shop(
        "".join(
            f"  p{place}: {{on: purchase, group: g, priority: {priority}, discount: {{percent: {percent}}}}}\n"
            for place, (percent, priority) in enumerate(percents)
        ),
        "stacking: {groups: {g: {choose: best_value}}}\n",
    )
    event = cart(*map(line, amounts))
    alone = [
        sum(taken(decided(shop(f"  one: {{on: purchase, discount: {{percent: {percent}}}}}\n"), event)).values())
        for percent, _ in percents
    ]
    assert sum(taken(decided(compiled, event)).values()) == max(alone)
