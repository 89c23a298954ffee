"""Coupons in the engine: which can be used, what they take off, what campaigns give, and the words for it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from engine.coupon_world import CouponShop, Held
from engine.shop_world import NOON, campaigns, considered, decided, happening, line, member, program, purchase, verdicts
from setia.engine.coupon_change import CouponChange
from setia.engine.coupons import discount_by, fault_of, shown_for
from setia.engine.decision import Decision, Outcome
from setia.engine.returned_coupons import GrantedCoupon, granted_again
from setia.engine.sentences import sentences
from setia.engine.state import Coupon
from setia.program.coupons import Coupons
from setia.program.discounts import Discount

DAY = dt.timedelta(days=1)
PROGRAM = """
    own: {on: purchase, discount: {coupon: {amount: own, per_order: 3, valid_for: 10d}}}
    tenth: {on: purchase, discount: {percent: 10, coupon: true, codes: [TEN]}}
    ship: {on: purchase, discount: {coupon: {amount: own}, on: shipping}}
    plain: {on: purchase, discount: {percent: 1}}
    best: {on: purchase, group: g, discount: {coupon: {amount: own, per_order: 2}}}
    other: {on: purchase, group: g, discount: {percent: 5, codes: [FIVE]}}
"""
COMPILED = program(
    "campaigns:\n"
    + "\n".join(f"  {one.strip()}" for one in PROGRAM.strip().splitlines())
    + "\nstacking: {groups: {g: {choose: best_value}}}\n"
)


def coupon(campaign: str = "own", code: str = "C", **more: Any) -> Coupon:
    return Coupon(f"cpn_{code}", campaign, code, **more)


def bought(*amounts: int, coupons: tuple[Coupon, ...] = (), codes: tuple[str, ...] = (), **more: Any) -> Decision:
    state = member()
    state.coupons = list(coupons)
    shown = (*codes, *(one.code for one in coupons))
    return decided(COMPILED, purchase(*amounts, pricing="before", codes=shown, **more), state)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({}, None),
        ({"member": "mem_1"}, None),
        ({"member": "mem_2", "is_void": True}, "not_yours"),
        ({"is_void": True, "left": 0}, "void"),
        ({"left": 0}, "used_up"),
        ({"uses_left": 0}, "used_up"),
        ({"used_by_member": 2}, "member_limit"),
        ({"starts": NOON + DAY}, "not_yet"),
        ({"starts": NOON, "ends": NOON + DAY}, None),
        ({"ends": NOON}, "expired"),
    ],
)
def test_why_a_coupon_cannot_be_used(more: dict[str, Any], fault: str | None) -> None:
    assert fault_of(coupon(**more), Coupons(per_member=2), "mem_1", NOON) == fault


def test_one_public_code_counts_and_coupons_with_it_as_many_as_allowed() -> None:
    state = member()
    state.coupons = [coupon("tenth", "A", ends=NOON + DAY), coupon("own")]
    promotions = {one.id: one for one in COMPILED.plans["purchase"].promotions}
    event = purchase(100, pricing="before", codes=("ten", "A"))
    assert [one.code for one in shown_for(promotions["tenth"], state, event)] == ["ten"]
    assert [one.code for one in shown_for(promotions["plain"], state, event)] == [""]
    assert shown_for(promotions["ship"], state, event) == []
    assert shown_for(promotions["other"], state, event) == []


def test_money_is_used_in_the_order_in_which_coupons_end() -> None:
    late, soon = coupon(code="L", left=500, ends=NOON + 2 * DAY), coupon(code="S", left=300, ends=NOON + DAY)
    ever = coupon(code="E", left=500)
    decision = bought(1000, coupons=(ever, late, soon))
    assert [(one.coupon, one.amount) for one in decision.outcome.discounts[:3]] == [
        ("cpn_S", 300),
        ("cpn_L", 500),
        ("cpn_E", 200),
    ]
    assert [(one.what, one.amount, one.uses) for one in decision.outcome.coupons] == [
        ("used", 300, 1),
        ("used", 500, 1),
        ("used", 200, 1),
    ]


def test_shipping_can_be_what_a_coupon_pays() -> None:
    outcome = bought(1000, coupons=(coupon("ship", left=900),), shipping=490).outcome
    [effect, _] = outcome.discounts
    assert (effect.amount, effect.by_line) == (490, {-1: 490})


def test_in_a_group_coupons_count_with_all_they_take_off_together() -> None:
    less = (coupon("best", "A", left=300), coupon("best", "B", left=199))
    decision = bought(10_000, coupons=less, codes=("five",))
    assert verdicts(decision)["other"] == "matched"
    assert verdicts(decision)["best"] == "group"
    assert [one.reason for one in decision.outcome.refused] == ["group", "group"]
    more = (coupon("best", "A", left=300), coupon("best", "B", left=301))
    decision = bought(10_000, coupons=more, codes=("five",))
    assert verdicts(decision)["best"] == "matched"
    assert decision.outcome.refused[0].reason == "group"


def test_a_coupon_that_has_nothing_left_to_take_off_says_so() -> None:
    decision = bought(0, coupons=(coupon("best", "A", left=300),))
    assert considered(decision, "best").verdict == "nothing"
    assert [one.reason for one in decision.outcome.refused] == ["nothing"]


def test_a_coupon_of_no_promotion_is_unknown() -> None:
    refused = bought(100, coupons=(coupon("plain", "A"), coupon("gone", "B"))).outcome.refused
    assert [(one.reason, one.campaign) for one in refused] == [("unknown", "plain"), ("unknown", "gone")]


def test_what_a_public_code_takes_off_is_what_the_discount_says() -> None:
    discount = Discount.model_validate({"coupon": {"amount": "own"}})
    shown = shown_for(COMPILED.plans["purchase"].promotions[1], member(), purchase(1, codes=("TEN",)))
    assert discount_by(discount, shown[0], 2) is discount


@pytest.mark.parametrize(
    ("gift", "amount"),
    [
        ("percent: 10", 470),
        ("percent: 10, step: 1.00", 500),
        ("percent: 10, step: 1.00, rounding: floor", 400),
        ("percent: 10, at_least: 5.00", 500),
        ("percent: 10, at_most: 4.00", 400),
        ("percent: 10, step: 1.00, at_least: 5.50", 550),
        ("amount: 3.00", 300),
    ],
)
def test_what_a_coupon_holds(gift: str, amount: int) -> None:
    compiled = campaigns(f"""
        own: {{on: purchase, discount: {{coupon: {{amount: own}}}}}}
        gift: {{on: purchase, coupon: {{of: own, {gift}}}}}
    """)
    [change] = decided(compiled, purchase(4700)).outcome.coupons
    assert (change.what, change.amount, change.by, change.starts) == ("granted", amount, "gift", NOON)


def test_a_percent_is_of_the_chosen_lines_on_the_campaigns_basis() -> None:
    compiled = campaigns("""
        own: {on: purchase, discount: {coupon: {amount: own}}}
        gift: {on: purchase, lines: line.sku == "B", basis: {tax: excluded}, coupon: {of: own, percent: 10}}
    """)
    [change] = decided(compiled, purchase(line(1000), line(1190, "B", tax=190))).outcome.coupons
    assert change.amount == 100


def test_what_would_hold_nothing_is_not_given_and_its_campaign_not_used() -> None:
    compiled = campaigns("""
        own: {on: purchase, discount: {coupon: {amount: own}}}
        gift: {on: purchase, limits: [{per: member, uses: 1}], coupon: {of: own, percent: 1, rounding: floor}}
    """)
    decision = decided(compiled, purchase(99))
    assert (decision.outcome.coupons, decision.outcome.uses) == ([], [])
    assert verdicts(decision)["gift"] == "nothing"
    assert decided(compiled, purchase(100)).outcome.uses == ["gift"]


def test_a_completed_offer_gives_one_for_each_completion() -> None:
    compiled = campaigns("""
        tenth: {on: purchase, discount: {percent: 10, coupon: true}}
        card: {on: purchase, offer: {for: everybody, progress: {spend: 10}, repeat: always}, coupon: {of: tenth}}
    """)
    assert len(decided(compiled, purchase(3500)).outcome.coupons) == 3


@pytest.mark.parametrize(
    ("own", "gift", "ends"),
    [
        ("", "", None),
        ("valid_for: 10d", "", NOON + 10 * DAY),
        ("valid_for: 10d", "valid_for: 2d", NOON + 2 * DAY),
        ("valid_for: 10d", "usable_after: 1d", NOON + 11 * DAY),
    ],
)
def test_how_long_a_coupon_can_be_used(own: str, gift: str, ends: dt.datetime | None) -> None:
    compiled = campaigns(f"""
        own: {{on: purchase, discount: {{percent: 10, coupon: {{{own}}}}}}}
        gift: {{on: visit, coupon: {{of: own, {gift}}}}}
    """)
    [change] = decided(compiled, happening("visit")).outcome.coupons
    assert (change.ends, change.amount) == (ends, None)


def test_no_coupon_lasts_longer_than_its_promotion() -> None:
    compiled = campaigns("""
        own: {on: purchase, schedule: {ends: 2026-03-05}, discount: {percent: 10, coupon: {valid_for: 10d}}}
        gift: {on: visit, coupon: {of: own}}
        gone: {on: visit, coupon: {of: nothing, valid_for: 1d}}
    """)
    first, second = decided(compiled, happening("visit")).outcome.coupons
    # The end of the day in Berlin.
    assert first.ends == dt.datetime(2026, 3, 5, 23, tzinfo=dt.UTC)
    assert second.ends == NOON + DAY


def test_a_campaign_of_a_group_that_lost_gives_nothing() -> None:
    compiled = campaigns("""
        tenth: {on: purchase, discount: {percent: 10, coupon: true}}
        gift: {on: purchase, group: g, coupon: {of: tenth}}
        base: {on: purchase, group: g, priority: 1, earn: {stars: 1}}
    """)
    assert decided(compiled, purchase(100)).outcome.coupons == []


CHANGES = [
    CouponChange("granted", "1", "own", by="gift", amount=470, ends=NOON),
    CouponChange("granted", "2", "tenth", by="gift"),
    CouponChange("used", "3", "own", amount=5, uses=1),
    CouponChange("restored", "3", "own", amount=500, uses=1),
    CouponChange("restored", "4", "tenth", uses=1),
    CouponChange("changed", "1", "own", amount=-100),
    CouponChange("changed", "1", "own", amount=100),
    CouponChange("cancelled", "1", "own", amount=-370),
    CouponChange("revived", "1", "own", amount=370),
]


def test_members_are_told_in_their_language() -> None:
    told = {
        language: sentences(COMPILED, Outcome(coupons=CHANGES), decided(COMPILED, purchase(1)).explanation, language)
        for language in ("en", "de", "ms")
    }
    assert told["en"][0] == "A coupon of 4.70 EUR for a later order: “own”. Until 2026-03-04."
    assert told["en"][1] == "A coupon for a later order: “tenth”."
    assert told["en"][2] == "5.00 EUR are back on a coupon of “own”."
    # What an order used is told with what it took off.
    assert [len(one) for one in told.values()] == [len(CHANGES) - 1] * 3
    assert told["de"][0].startswith("Ein Gutschein über 4,70 EUR")


def test_a_use_that_is_taken_again_is_told() -> None:
    world = CouponShop(COMPILED, Held("c", "own", 500))
    world.order(1000, show=("c",))
    world.bring_back(0)
    outcome = world.take_again(0, 0).outcome
    told = sentences(COMPILED, outcome, decided(COMPILED, purchase(1)).explanation, "en")
    assert "A coupon of “own” is used again." in told


def test_an_order_without_money_restores_its_coupons_with_everything() -> None:
    world = CouponShop(COMPILED, Held("t", "tenth", uses=1), Held("s", "ship", 300))
    world.order(line(0, quantity="2"), show=("t", "s"), at=NOON)
    assert world.coupons["s"].used == 0
    world.bring_back(0)
    assert world.coupons["t"].used == 0


def test_a_use_that_others_have_taken_is_not_taken_again() -> None:
    world = CouponShop(COMPILED, Held("t", "tenth", uses=1))
    world.order(1000, show=("t",))
    world.bring_back(0)
    world.order(500, show=("t",))
    outcome = world.take_again(0, 0).outcome
    assert [(one.code, one.reason) for one in outcome.refused] == [("t", "used_up")]
    assert world.coupons["t"].used == 1


def test_a_coupon_that_somebody_withdrew_stays_withdrawn() -> None:
    withdrawn = GrantedCoupon("g", "own", "gift", worth=500, is_void=True)
    assert granted_again([withdrawn], None) == []
