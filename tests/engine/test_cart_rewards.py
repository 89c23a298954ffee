"""Rewards redeemed with an order, as they are decided: what they take off, what they cost, what is earned besides."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.shop_world import NOON, line, member, program, purchase, total
from setia.engine.compiled import CompiledProgram
from setia.engine.decide import decide
from setia.engine.decision import Decision, RewardEffect
from setia.engine.occurrences import Line, Wished
from setia.engine.reward_sentences import movement_sentences
from setia.engine.rewards import Used
from setia.engine.sentences import sentences
from setia.program.rewards import Reward

BASE = "campaigns:\n  base: {on: purchase, earn: {stars: 1 per 1.00}}\n"


def shop(rewards: str, campaigns: str = BASE, more: str = "") -> CompiledProgram:
    return program(f"{more}{campaigns}rewards:\n  r: {rewards}\n")


def redeemed(compiled: CompiledProgram, *lines: Line | int, asked: bool = True, **more: Any) -> Decision:
    wish = {name: more.pop(name) for name in ("quantity", "points", "sku") if name in more}
    event = purchase(*lines, pricing="before", redeem=(Wished("r", **wish),), **more)
    return decide(compiled, member(balances={"stars": 10_000}), event, NOON, None, {"r": Used()} if asked else None)


def effect(decision: Decision) -> RewardEffect:
    assert decision.refused == []
    [found] = decision.outcome.redeemed
    return found


def why(decision: Decision) -> list[str]:
    [refused] = decision.refused
    return [reason.code for reason in refused.reasons]


CASH = "{kind: discount, cost: {stars: 10}, worth: {amount: 1.00}, quantities: {most: 100}}"


def test_a_part_of_the_last_unit_costs_all_of_it() -> None:
    decision = redeemed(shop(CASH), 250, quantity=5)
    assert effect(decision) == RewardEffect("r", 3, {"stars": 30}, 250, {0: 250}, wanted=5)
    assert decision.outcome.to_pay is not None
    assert decision.outcome.to_pay.total == 0
    assert total(decision) == -30


def test_tax_goes_down_with_what_rewards_pay() -> None:
    decision = redeemed(shop(CASH), line(1190, tax=190), quantity=1)
    assert decision.outcome.to_pay is not None
    assert (decision.outcome.to_pay.total, decision.outcome.to_pay.tax) == (1090, 174)


@pytest.mark.parametrize(
    ("money", "earned"),
    [
        ("{}", 80),
        ("{paid_with_points: true}", 100),
        ("{tax: excluded}", 64),
        ("{discounts: before}", 90),
        ("{of: order}", 85),
    ],
)
def test_the_money_basis_says_whether_points_are_earned_on_what_rewards_paid(money: str, earned: int) -> None:
    compiled = shop(CASH, more=f"money: {money}\n")
    lines = (line(5000, tax=1000, discount=500), line(5000, tax=1000, discount=500))
    assert total(redeemed(compiled, *lines, quantity=20, shipping=500)) + 200 == earned


def test_tenders_that_do_not_count_are_a_share_of_what_money_paid() -> None:
    # 100.00, of which 20.00 by points and 40.00 by a card that was a gift: 40.00 are left, as far as points go.
    compiled = shop(CASH, more="money: {paid_with_gift_card: false}\n")
    decision = redeemed(compiled, 10000, quantity=20, tenders=(("gift_card", 4000),))
    assert total(decision) + 200 == 40


def test_the_whole_orders_discount_comes_after_rewards() -> None:
    decision = redeemed(shop(CASH), 1000, quantity=8, discount=500)
    assert decision.outcome.to_pay is not None
    assert (decision.outcome.to_pay.discount, decision.outcome.to_pay.total) == (200, 0)
    assert total(decision) == -80


def test_conditions_on_lines_and_caps_hold() -> None:
    compiled = shop(
        '{kind: discount, cost: {stars: 1}, worth: {amount: 1.00, lines: line.sku == "A", most: 9.99, most_share: 50,'
        " most_per_line: 4.00}, quantities: {most: 100}}"
    )
    assert effect(redeemed(compiled, 1000, line(1000, sku="B"), quantity=50)).by_line == {0: 400}
    assert effect(redeemed(compiled, 1000, 900, 800, quantity=50)).by_line == {0: 333, 1: 333, 2: 333}
    assert why(redeemed(compiled, line(1000, sku="B"), quantity=1)) == ["nothing_to_take_off"]


def test_a_condition_that_fails_takes_off_nothing() -> None:
    compiled = shop("{kind: discount, worth: {percent: 10, lines: line.quantity / (line.quantity - 1.0) > 0.0}}")
    assert why(redeemed(compiled, 1000)) == ["nothing_to_take_off"]


def test_a_percentage_is_taken_once_and_an_order_may_be_too_small() -> None:
    compiled = shop("{kind: discount, cost: {stars: 5}, worth: {percent: 10, least_total: 20.00}}")
    assert effect(redeemed(compiled, 2005)) == RewardEffect("r", 1, {"stars": 5}, 200, {0: 200})
    refused = redeemed(compiled, 1999)
    assert why(refused) == ["order_too_small"]
    assert refused.refused[0].reasons[0].needed == 2000
    # Decided again after a return, it goes on for what is left.
    assert effect(redeemed(compiled, 1999, asked=False)).amount == 199


def test_shipping_can_be_a_reward() -> None:
    compiled = shop("{kind: discount, worth: {percent: 100, on: shipping}}", more="money: {of: order}\n")
    decision = redeemed(compiled, 1000, shipping=490, shipping_tax=78)
    assert effect(decision).by_line == {-1: 490}
    assert decision.outcome.to_pay is not None
    assert (decision.outcome.to_pay.shipping, decision.outcome.to_pay.tax, total(decision)) == (0, 0, 10)
    assert why(redeemed(compiled, 1000)) == ["nothing_to_take_off"]


PER_UNIT = "campaigns:\n  base: {on: purchase, earn: {stars: 1 per unit}}\n"


def test_units_handed_out_for_nothing_earn_nothing() -> None:
    compiled = shop("{kind: product, cost: {stars: 4}, items: [A], quantities: {most: 9}}", PER_UNIT)
    decision = redeemed(compiled, line(960, quantity="3"), quantity=1)
    assert (effect(decision).amount, total(decision)) == (320, 2 - 4)
    more = effect(redeemed(compiled, line(960, quantity="3"), line(0), quantity=5))
    assert (more.amount, more.added_units, more.sku, more.points) == (960, 2, "A", {"stars": 20})


def test_a_promotion_that_hands_out_units_earns_nothing_on_them_either() -> None:
    campaigns = PER_UNIT + "  third: {on: purchase, discount: {percent: 100, every: 3}}\n"
    compiled = program(campaigns)
    event = purchase(line(960, quantity="3"), pricing="before")
    assert total(decide(compiled, member(), event, NOON)) == 2
    half = program(campaigns.replace("percent: 100", "percent: 50"))
    assert total(decide(half, member(), event, NOON)) == 3


def test_a_product_may_cost_money_beside_the_points() -> None:
    compiled = shop("{kind: product, cost: {stars: 4}, money: 1.00, quantities: {most: 9}}", PER_UNIT)
    decision = redeemed(compiled, line(640, quantity="2"), quantity=3, sku="A")
    assert effect(decision) == RewardEffect("r", 3, {"stars": 12}, 440, {0: 440}, added_units=1, sku="A", money=100)
    assert total(decision) == 2 - 12


def test_points_say_how_many_where_the_price_is_of_one_type() -> None:
    assert effect(redeemed(shop(CASH), 10000, points=39)).quantity == 3
    dear = CASH.replace("{stars: 10}", "{stars: 10, gems: 1}")
    assert why(redeemed(shop(dear, more="points: {stars: {}, gems: {}}\n"), 10000, points=39)) == ["quantity"]


def test_costs_that_points_of_the_order_pay_leave_what_was_there_to_the_others() -> None:
    compiled = program(
        BASE
        + "rewards:\n"
        + "  early: {kind: discount, cost: {stars: 40}, worth: {amount: 1.00}, earned_pays: true}\n"
        + "  late: {kind: discount, cost: {stars: 30}, worth: {amount: 1.00}}\n"
    )
    wishes = (Wished("early"), Wished("late"))
    event = purchase(5200, pricing="before", redeem=wishes)
    used = {"early": Used(), "late": Used()}
    enough = decide(compiled, member(balances={"stars": 30}), event, NOON, None, used)
    assert (enough.refused, total(enough)) == ([], 50 - 70)
    short = decide(compiled, member(balances={"stars": 19}), event, NOON, None, used)
    assert [(one.reward, one.reasons[0].missing) for one in short.refused] == [("late", 11), ("early", 1)]
    pending = program(
        BASE + "rewards:\n  r: {kind: discount, cost: {stars: 1}, worth: {amount: 1.00}, earned_pays: true}\n",
        points="{stars: {available_after: 14d}}",
    )
    refused = decide(
        pending, member(), purchase(5200, pricing="before", redeem=(Wished("r"),)), NOON, None, {"r": Used()}
    )
    assert refused.refused[0].reasons[0].missing == 1


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ["10 stars redeemed for “r”. 1.00 EUR off."]),
        ("de", ["10 stars für „r“ eingelöst. 1,00 EUR Nachlass."]),
        ("ms", ["10 stars ditebus untuk “r”. Potongan 1.00 EUR."]),
    ],
)
def test_each_has_a_sentence(language: str, told: list[str]) -> None:
    compiled = shop(CASH)
    decision = redeemed(compiled, 1000, quantity=1)
    assert sentences(compiled, decision.outcome, decision.explanation, language)[1:] == told


def test_a_product_to_add_and_one_without_price_have_sentences() -> None:
    compiled = shop("{kind: product, name: Cake, items: [B]}")
    decision = redeemed(compiled, 1000)
    told = sentences(compiled, decision.outcome, decision.explanation, "en")[1:]
    assert told == ["“Cake” redeemed. 1 more of B for it."]


@pytest.mark.parametrize(
    ("source", "destination", "told"),
    [
        ("available", "held", "2 stars and 1 gems held for “Cake”."),
        ("available", "redeemed", "2 stars and 1 gems redeemed for “Cake”."),
        ("held", "redeemed", "2 stars and 1 gems redeemed for “Cake”."),
        ("held", "available", "2 stars and 1 gems no longer held for “Cake”."),
        ("redeemed", "available", "2 stars and 1 gems given back for “Cake”."),
        ("available", "adjusted", ""),
    ],
)
def test_what_an_entry_moved_is_told(source: str, destination: str, told: str) -> None:
    compiled = shop("{kind: product, name: Cake, items: [B]}", more="points: {stars: {}, gems: {}}\n")
    lines = [("stars", source, destination, 1), ("gems", source, destination, 1), ("stars", source, destination, 1)]
    assert movement_sentences(compiled, "r", lines, "en") == ([told] if told else [])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"kind": "voucher", "earned_pays": True}, "earned_pays"),
        ({"kind": "discount", "worth": {"percent": 1, "on": "shipping", "lines": "true"}}, "shipping has no lines"),
    ],
)
def test_what_makes_no_sense_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Reward.model_validate(more)


@given(
    prices=st.lists(st.integers(0, 20_000), min_size=1, max_size=5),
    quantity=st.integers(1, 100),
    share=st.integers(1, 100),
    cap=st.integers(1, 5_000),
    discount=st.integers(0, 3_000),
)
def test_what_is_left_adds_up_and_caps_hold(
    prices: list[int], quantity: int, share: int, cap: int, discount: int
) -> None:
    most = Decimal(cap).scaleb(-2)
    worth = f"{{amount: 1.00, most_share: {share}, most_per_line: {most}}}"
    compiled = shop(f"{{kind: discount, cost: {{stars: 10}}, worth: {worth}, quantities: {{most: 100}}}}")
    decision = redeemed(compiled, *prices, quantity=quantity, discount=min(discount, sum(prices)))
    if decision.refused:
        assert why(decision) == ["nothing_to_take_off"]
        return
    found, to_pay = effect(decision), decision.outcome.to_pay
    assert to_pay is not None
    assert sum(found.by_line.values()) == found.amount <= min(quantity * 100, sum(prices) * share // 100)
    assert all(cut <= min(cap, prices[place]) for place, cut in found.by_line.items())
    assert [price - found.by_line.get(place, 0) for place, price in enumerate(prices)] == to_pay.lines
    assert to_pay.total == sum(to_pay.lines) - to_pay.discount >= 0
    assert (found.quantity - 1) * 100 < found.amount <= found.quantity * 100
    assert found.points == {"stars": 10 * found.quantity}
