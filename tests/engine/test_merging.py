"""Two members' counters become one's, and levels are those that either holds or both reach."""

import datetime as dt
from typing import Any

import pytest

from engine.shop_world import NOON, member, program
from setia.engine.decision import Outcome, TierChange
from setia.engine.merging import merge_counters, merge_levels, unmerge_counters, unmerge_levels
from setia.engine.moved import Merged
from setia.engine.state import Counters, Floor, OfferState, TierPeriod

DAY = dt.timedelta(days=1)
LATER = NOON + DAY
CLUB = program("""
tiers:
  - {id: status, metric: spend, window: lifetime,
     levels: [{id: green, from: 0}, {id: silver, from: 100}, {id: gold, from: 200}]}
  - {id: fans, metric: spend, window: period, validity: 12mo, levels: [{id: one, from: 0}, {id: two, from: 50}]}
campaigns:
  card: {on: purchase, offer: {for: everybody, progress: {orders: 5}}, earn: {stars: 1}}
  set: {on: purchase, offer: {for: everybody, progress: {items: [a, b, c]}}, earn: {stars: 1}}
triggers:
  soon: {expiring: {points: stars, before: 7d}}
  born: {birthday: {attribute: born}}
members: {attributes: {born: {type: date}}}
points: {stars: {expiry: {after: 1y}}}
""")
[SPEND] = [key for key, measure in CLUB.measures.items() if measure.window.kind == "lifetime"]
[PERIOD] = [key for key, measure in CLUB.measures.items() if measure.window.kind == "period"]


def spent(cents: int, **more: Any) -> Counters:
    return Counters(lifetime={"spend": cents}, windows={SPEND: {"ever": cents}}, **more)


def merged(one: Counters, other: Counters) -> tuple[Counters, Outcome]:
    outcome, periods = merge_levels(CLUB, member(counters=one), other, NOON)
    return merge_counters(CLUB, one, other, outcome, Merged("mem_x", 1, periods=periods), NOON), outcome


def test_sums_are_added_and_moments_are_the_later_or_the_earlier() -> None:
    one = Counters(
        lifetime={"spend": 5, "orders": 1},
        limits={"a": {"2026-03": 1}},
        first_purchase_at=NOON,
        newest_at=NOON,
        active_at={"stars": NOON},
        seen_at={"x": LATER},
        frozen_at=LATER,
    )
    other = Counters(
        lifetime={"spend": 7},
        earned={"stars": 3},
        limits={"a": {"2026-03": 2, "2026-04": 1}},
        first_purchase_at=NOON - DAY,
        active_at={"stars": LATER, "miles": NOON},
        seen_at={"x": NOON},
    )
    found, _ = merged(one, other)
    assert found.lifetime == {"spend": 12, "orders": 1}
    assert (found.earned, found.limits) == ({"stars": 3}, {"a": {"2026-03": 3, "2026-04": 1}})
    assert (found.first_purchase_at, found.newest_at, found.frozen_at) == (NOON - DAY, NOON, LATER)
    assert (found.active_at, found.seen_at) == ({"stars": LATER, "miles": NOON}, {"x": LATER})
    assert found.last_purchase_at is None


def test_the_higher_level_wins_with_its_period() -> None:
    silver = TierPeriod(NOON - 9 * DAY)
    found, outcome = merged(spent(10), spent(50, tiers={"status": "silver"}, periods={"status": silver}))
    assert (found.tiers, found.periods) == ({"status": "silver"}, {"status": silver})
    assert outcome.tiers == [TierChange("status", "green", "silver")]
    found, outcome = merged(spent(50, tiers={"status": "silver"}, periods={"status": silver}), spent(10))
    assert (found.tiers, found.periods, outcome.tiers) == ({"status": "silver"}, {"status": silver}, [])


def test_what_both_reach_together_counts() -> None:
    found, outcome = merged(spent(12_000, tiers={"status": "silver"}), spent(9_000))
    assert found.tiers == {"status": "gold"}
    assert found.periods["status"].since == NOON
    assert [change.after for change in outcome.tiers] == ["gold"]


def test_a_level_without_a_period_begins_one() -> None:
    found, _ = merged(Counters(), Counters(tiers={"status": "gold"}))
    assert found.periods == {"status": TierPeriod(NOON, risen=(("green", None),))}


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        (None, Floor("silver"), Floor("silver")),
        (Floor("gold", LATER), Floor("silver"), Floor("gold", LATER)),
        (Floor("silver"), Floor("gold", LATER), Floor("gold", LATER)),
        (Floor("gold", NOON), Floor("gold", LATER), Floor("gold", LATER)),
        (Floor("gold", LATER), Floor("gold", NOON), Floor("gold", LATER)),
        (Floor("gold"), Floor("gold", NOON), Floor("gold")),
        (Floor("gold", NOON), Floor("gold"), Floor("gold")),
    ],
)
def test_of_two_levels_given_by_hand_the_higher_or_the_longer_one(
    one: Floor | None, other: Floor | None, wanted: Floor
) -> None:
    def standing(floor: Floor | None) -> Counters:
        if floor is None:
            return Counters()
        return Counters(tiers={"status": floor.level}, floors={"status": floor}, beneath={"status": "green"})

    found, _ = merged(standing(one), standing(other))
    assert (found.floors, found.tiers) == ({"status": wanted}, {"status": wanted.level})
    assert found.beneath == {"status": "green"}


def test_what_was_counted_in_a_period_belongs_to_it() -> None:
    fan = TierPeriod(NOON - 9 * DAY)
    two = Counters(tiers={"fans": "two"}, periods={"fans": fan}, windows={PERIOD: {"period": 900}})
    found, _ = merged(Counters(windows={PERIOD: {"period": 300}}), two)
    assert (found.windows[PERIOD], found.periods["fans"]) == ({"period": 900}, fan)
    found, _ = merged(two, Counters(windows={PERIOD: {"period": 300}}))
    assert (found.windows[PERIOD], found.periods["fans"]) == ({"period": 1200}, fan)
    # Together they reach a level that none had: its period begins with nothing.
    found, _ = merged(Counters(windows={PERIOD: {"period": 3000}}), Counters(windows={PERIOD: {"period": 2500}}))
    assert (found.tiers["fans"], found.windows) == ("two", {})


def test_offers_stand_side_by_side_or_are_one() -> None:
    one = Counters(
        offers={
            "card": OfferState("card", progress=3, completions=1, completed_at=NOON),
            "set": OfferState("set", items=("c",)),
            "gone": OfferState("gone", items=("y",)),
        }
    )
    other = Counters(
        offers={
            "card": OfferState("card", progress=4, activated_at=LATER),
            "set": OfferState("set", items=("a",)),
            "gone": OfferState("gone", items=("x",)),
            "evt_1": OfferState("own"),
        }
    )
    found, _ = merged(one, other)
    card = found.offers["card"]
    assert (card.progress, card.completions, card.completed_at, card.activated_at) == (7, 1, NOON, LATER)
    assert (found.offers["set"].items, found.offers["gone"].items) == (("a", "c"), ("x", "y"))
    assert found.offers["evt_1"] == OfferState("own")


def test_what_either_has_had_is_not_had_again() -> None:
    one = Counters(fired={"soon": "2026-01-01,2026-02-01", "born": "2025-05-01"})
    other = Counters(fired={"soon": "2026-01-15", "born": "2026-05-01", "other": "x"})
    found, _ = merged(one, other)
    assert found.fired == {"soon": "2026-01-01,2026-01-15,2026-02-01", "born": "2026-05-01", "other": "x"}


def test_parted_a_member_holds_what_it_held_and_what_it_has_reached() -> None:
    base = spent(15_000, tiers={"status": "green"}, floors={"fans": Floor("two")})
    now = spent(40_000, tiers={"status": "gold"}, floors={"status": Floor("silver")})
    outcome, levels = unmerge_levels(CLUB, member(counters=now), base, NOON)
    assert levels == {"status": ("silver", "silver"), "fans": ("one", "two")}
    assert outcome.floors == {"status": None, "fans": Floor("two")}
    assert outcome.tiers == [TierChange("status", "gold", "silver"), TierChange("fans", "one", "two")]
    found = unmerge_counters(CLUB, base, levels, NOON)
    assert (found.tiers, found.beneath) == ({"status": "silver", "fans": "two"}, {"fans": "one"})
    assert found.periods == {"status": TierPeriod(NOON, risen=(("green", None),))}


def test_parted_at_once_nothing_changes() -> None:
    base = spent(10, tiers={"status": "silver"}, periods={"status": TierPeriod(NOON - DAY)})
    now, _ = merged(base, Counters(tiers={"status": "gold"}))
    _, levels = unmerge_levels(CLUB, member(counters=now), base, NOON)
    assert unmerge_counters(CLUB, base, levels, NOON) == base
    # A tier set that there was not yet is left alone.
    assert unmerge_counters(CLUB, base, {}, NOON) == base
