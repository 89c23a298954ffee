"""What holds of coupons whatever comes back, in whatever parts and order."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from engine.coupon_world import NOON, CouponShop, Held, ReturnedLine, line
from engine.shop_world import campaigns

PROGRAM = """
    base: {on: purchase, earn: {stars: 1 per 1.00}}
    share: {on: purchase, discount: {coupon: {amount: own, per_order: 5}}}
    rest: {on: purchase, when: event.gross >= 20.0, discount: {coupon: {amount: own, per_order: 5, on_return: full}}}
    tenth: {on: purchase, when: event.gross >= 10.0, discount: {percent: 10, coupon: true}}
    gone: {on: purchase, discount: {coupon: {amount: own, on_return: never}}}
    thanks: {on: purchase, coupon: {of: share, percent: 10}}
    large: {on: purchase, when: event.gross >= 50.0, coupon: {of: tenth}}
"""
COMPILED = campaigns(PROGRAM)
amounts = st.integers(1, 8_000)
orders = st.lists(amounts, min_size=1, max_size=4)


def shop(money: list[int], ends: list[int]) -> CouponShop:
    held = [
        Held(f"{campaign}{place}", campaign, worth, ends=NOON + dt.timedelta(days=days))
        for place, (worth, days) in enumerate(zip(money, ends, strict=True))
        for campaign in ("share", "rest")
    ]
    return CouponShop(COMPILED, *held, Held("tenth", "tenth", uses=1))


some = st.lists(st.tuples(st.integers(1, 5_000), st.integers(1, 30)), min_size=1, max_size=3)


@given(orders, some, st.data())
def test_a_history_that_comes_back_whole_leaves_every_coupon_as_it_was(
    bought: list[int], coupons: list[tuple[int, int]], data: st.DataObject
) -> None:
    world = shop([worth for worth, _ in coupons], [days for _, days in coupons])
    before = world.standing()
    world.order(*bought, show=tuple(before))
    for place in data.draw(st.permutations(range(len(bought))), label="order of return"):
        world.bring_back(0, ReturnedLine(place))
    assert world.standing() == before
    assert not any(one.worth for name, one in world.coupons.items() if name not in before)
    assert world.state.counters.earned.get("stars", 0) == 0


@given(orders, some, st.data())
def test_only_what_is_left_of_an_order_counts_not_how_it_came_to_that(
    bought: list[int], coupons: list[tuple[int, int]], data: st.DataObject
) -> None:
    gone = data.draw(st.lists(st.sampled_from(range(len(bought))), unique=True), label="gone")
    money, ends = [worth for worth, _ in coupons], [days for _, days in coupons]
    one_by_one, together = shop(money, ends), shop(money, ends)
    for world in (one_by_one, together):
        world.order(*bought, show=tuple(world.coupons))
    for place in gone:
        one_by_one.bring_back(0, ReturnedLine(place))
    if gone:
        together.bring_back(0, *(ReturnedLine(place) for place in gone))
    assert one_by_one.standing() == together.standing()


@given(orders, some, st.data())
def test_a_return_that_is_cancelled_leaves_every_coupon_as_it_was(
    bought: list[int], coupons: list[tuple[int, int]], data: st.DataObject
) -> None:
    world = shop([worth for worth, _ in coupons], [days for _, days in coupons])
    world.order(*bought, show=tuple(world.coupons))
    before = world.standing()
    parts = data.draw(st.lists(st.sampled_from(range(len(bought))), unique=True, min_size=1), label="returned")
    world.bring_back(0, *(ReturnedLine(place) for place in parts))
    decision = world.take_again(0, 0)
    assert world.standing() == before
    assert decision.outcome.refused == []


@given(st.integers(100, 9_000), st.integers(1, 5_000), st.integers(0, 5_000), st.integers(1, 99))
def test_what_others_use_meanwhile_is_neither_used_nor_given_twice(
    bought: int, worth: int, other: int, part: int
) -> None:
    world = CouponShop(COMPILED, Held("c", "share", worth))
    world.order(bought, show=("c",))
    world.bring_back(0, amount=max(1, bought * part // 100))
    if other:
        world.order(other, show=("c",))
    world.take_again(0, 0)
    # `_keep` asserts that nothing is ever spent beyond what a coupon holds.
    world.bring_back(0)
    if other:
        world.bring_back(1)
    assert world.coupons["c"].spent == world.coupons["c"].used == 0


@given(orders, some, st.data())
def test_what_was_given_back_by_hand_changes_no_return_and_no_return_changes_it(
    bought: list[int], coupons: list[tuple[int, int]], data: st.DataObject
) -> None:
    money, ends = [worth for worth, _ in coupons], [days for _, days in coupons]
    plain, mended = shop(money, ends), shop(money, ends)
    names = tuple(plain.coupons)
    for world in (plain, mended):
        world.order(*bought, show=names)
    mended.give_by_hand(0)
    for name in data.draw(st.lists(st.sampled_from(names), unique=True), label="used by others"):
        mended.order(100, show=(name,))
    before = {name: (mended.coupons[name].spent, mended.coupons[name].used) for name in names}
    parts = data.draw(st.lists(st.sampled_from(range(len(bought))), unique=True, min_size=1), label="returned")
    for place in parts:
        one, other = (world.bring_back(0, ReturnedLine(place)).outcome for world in (plain, mended))
        assert (one.refund, one.to_pay, one.counted) == (other.refund, other.to_pay, other.counted)
        assert not [change for change in other.coupons if change.coupon in names]
    again = mended.take_again(0, len(parts) - 1).outcome
    assert (again.refused, [change for change in again.coupons if change.coupon in names]) == ([], [])
    assert {name: (mended.coupons[name].spent, mended.coupons[name].used) for name in names} == before


def test_in_proportion_all_coupons_together_and_the_one_that_lasts_longest_first() -> None:
    day = dt.timedelta(days=1)
    soon, late = Held("soon", "share", 1000, ends=NOON + 10 * day), Held("late", "share", 2000, ends=NOON + 12 * day)
    world = CouponShop(COMPILED, soon, late)
    assert world.order(10_000, show=("soon", "late")).outcome.to_pay.total == 7000  # type: ignore[union-attr]  # priced before
    found = world.bring_back(0, amount=8500).outcome
    assert [(one.coupon, one.amount) for one in found.coupons if one.what == "restored"] == [
        ("late", 2000),
        ("soon", 550),
    ]
    assert found.to_pay is not None
    assert found.to_pay.total == 1500 - 450


def test_what_the_rest_of_an_order_does_not_need_comes_back_in_full() -> None:
    world = CouponShop(COMPILED, Held("c", "rest", 1500))
    world.order(line(2000), line(800), show=("c",))
    world.bring_back(0, ReturnedLine(1))
    assert world.coupons["c"].left == 0
    # Below 20.00 its promotion does not apply any more.
    world.bring_back(0, ReturnedLine(0, amount=100))
    assert (world.coupons["c"].left, world.coupons["c"].used) == (1500, 0)


def test_by_policy_nothing_comes_back() -> None:
    world = CouponShop(COMPILED, Held("c", "gone", 500))
    world.order(1000, show=("c",))
    assert world.bring_back(0).outcome.coupons[:1] != []
    assert (world.coupons["c"].left, world.coupons["c"].used) == (0, 1)


def test_what_was_spent_of_a_coupon_stays_spent_when_its_order_comes_back() -> None:
    world = CouponShop(COMPILED)
    world.order(4000)
    [granted] = world.coupons
    world.order(300, show=(granted,))
    [change] = [one for one in world.bring_back(0).outcome.coupons if one.coupon == granted]
    assert (change.what, change.amount, change.wanted, change.uses) == ("cancelled", -100, -400, 1)
    [again] = [one for one in world.take_again(0, 0).outcome.coupons if one.coupon == granted]
    assert (again.what, again.amount) == ("revived", 100)
    assert world.coupons[granted].left == 100


def test_a_use_comes_back_with_the_last_goods_and_a_coupon_is_worth_less_with_fewer() -> None:
    world = CouponShop(COMPILED, Held("t", "tenth", uses=1))
    world.order(line(3000), line(3000), show=("t",))
    gained = [name for name in world.coupons if name != "t"]
    assert [(world.coupons[name].campaign, world.coupons[name].worth) for name in gained] == [
        ("share", 540),
        ("tenth", None),
    ]
    first = world.bring_back(0, ReturnedLine(0)).outcome
    assert [(one.what, one.amount) for one in first.coupons] == [("changed", -270), ("cancelled", None)]
    last = world.bring_back(0, ReturnedLine(1)).outcome
    assert (last.coupons[0].what, last.coupons[0].coupon, last.coupons[0].uses) == ("restored", "t", 1)


def test_a_return_may_give_what_the_order_did_not() -> None:
    compiled = campaigns("""
        base: {on: purchase, earn: {stars: 1 per 1.00}}
        tenth: {on: purchase, discount: {percent: 10, coupon: true}}
        small: {on: purchase, when: event.gross < 20.0, coupon: {of: tenth}}
    """)
    world = CouponShop(compiled)
    world.order(line(1000), line(3000))
    assert world.coupons == {}
    assert [one.what for one in world.bring_back(0, ReturnedLine(1)).outcome.coupons] == ["granted"]
