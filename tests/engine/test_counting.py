"""Counters: what each outcome adds, what is forgotten, and that a rebuild from the journal gives the same."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from engine.shop_world import ENROLLED, NOON, at, counted, decided, happening, member, program, purchase, verdicts
from setia.engine.decision import Outcome, PointsEffect
from setia.engine.state import Counters
from setia.engine.tiers import standings

DAY = dt.timedelta(days=1)


def test_a_purchase_counts_orders_spend_and_points() -> None:
    compiled = program(
        "points: {stars: {}, cash: {decimals: 2}}\ncampaigns: {a: {on: purchase, earn: {stars: 10, cash: 0.50}}}"
    )
    first = decided(compiled, purchase(1250)).counters
    assert first == Counters(
        lifetime={"orders": 1, "spend": 1250},
        earned={"stars": 10, "cash": 50},
        first_purchase_at=NOON,
        last_purchase_at=NOON,
        newest_at=NOON,
    )
    second = decided(compiled, purchase(1000, at=NOON + DAY), member(counters=first)).counters
    assert second.lifetime == {"orders": 2, "spend": 2250}
    assert second.earned == {"stars": 20, "cash": 100}
    assert (second.first_purchase_at, second.last_purchase_at, second.newest_at) == (NOON, NOON + DAY, NOON + DAY)


def test_late_purchases_move_the_first_and_not_the_last() -> None:
    compiled = program("campaigns: {}")
    counters = decided(compiled, purchase(100)).counters
    late = decided(compiled, purchase(100, at=NOON - DAY), member(counters=counters)).counters
    assert (late.first_purchase_at, late.last_purchase_at, late.newest_at) == (NOON - DAY, NOON, NOON)


def test_other_events_are_no_purchases() -> None:
    compiled = program("events: {game: {}}\ncampaigns: {a: {on: game, earn: {stars: 3}}}")
    visited = decided(compiled, happening("visit")).counters
    assert visited == Counters(lifetime={"visits": 1}, newest_at=NOON)
    played = decided(compiled, happening("game"), member(counters=visited)).counters
    assert played == Counters(lifetime={"visits": 1}, earned={"stars": 3}, newest_at=NOON)


def test_points_taken_lower_nothing_that_was_earned() -> None:
    compiled = program("campaigns: {a: {on: visit, deduct: {stars: 5}}}")
    decision = decided(
        compiled, happening("visit"), member(balances={"stars": 9}, counters=Counters(earned={"stars": 9}))
    )
    assert [effect.amount for effect in decision.outcome.points] == [-5]
    assert decision.counters.earned == {"stars": 9}


def test_the_counters_given_stay_as_they_were() -> None:
    compiled = program(
        """
tiers: [{id: t, metric: spend, window: rolling 30d, levels: [{id: a, from: 0}, {id: b, from: 10}]}]
campaigns: {a: {on: purchase, earn: {stars: 1 per 1.00}, limits: [{every: day, uses: 5}]}}
"""
    )
    before = decided(compiled, purchase(100)).counters
    kept = msgspec.json.encode(before)
    after = decided(compiled, purchase(5000), member(counters=before)).counters
    assert msgspec.json.encode(before) == kept
    assert after.tiers == {"t": "b"}


ROLLING = """
late: {accept_within: 10d}
tiers: [{id: t, metric: spend, window: rolling 30d, levels: [{id: a, from: 0}, {id: b, from: 100000}]}]
campaigns: {a: {on: purchase, earn: {stars: 1}, limits: [{every: day, uses: 1}, {every: month,
    earn: 20 stars}, {uses: 1000}]}}
"""


def test_a_long_history_keeps_only_what_can_still_be_read() -> None:
    compiled = program(ROLLING)
    counters = Counters()
    for number in range(400):
        moment = NOON + number * DAY
        counters = decided(compiled, purchase(100, at=moment), member(counters=counters)).counters
        [standing] = standings(compiled, counters, {}, moment.date(), ENROLLED)
        assert standing.value == 100 * min(number + 1, 30)
    [window] = counters.windows.values()
    assert 30 <= len(window) <= 30 + 10 + 3
    assert len(counters.limits["a#0"]) <= 10 + 3
    assert len(counters.limits["a#1"]) <= 2
    assert len(counters.limits["a#2"]) == 1
    assert counters.lifetime == {"orders": 400, "spend": 40000}


@pytest.mark.parametrize("days", range(11))
def test_whatever_is_late_but_accepted_is_judged_on_what_was_kept(days: int) -> None:
    # given a member with a purchase on each of the last 60 days
    compiled = program(ROLLING)
    counters = Counters()
    for number in range(60):
        counters = decided(compiled, purchase(100, at=NOON + number * DAY), member(counters=counters)).counters
    # when another of some days ago comes in
    moment = NOON + (59 - days) * DAY
    decision = decided(compiled, purchase(100, at=moment), member(counters=counters), now=NOON + 59 * DAY)
    # then its day's limit and its window are still known
    assert verdicts(decision) == {"a": "limit"}
    [standing] = standings(compiled, decision.counters, {}, moment.date(), ENROLLED)
    assert standing.value == 3100


@pytest.mark.parametrize("within", ["12h", "30min", "9000y", "99999mo"])
def test_late_events_may_be_accepted_for_hours_or_for_ever(within: str) -> None:
    compiled = program(ROLLING.replace("10d", within))
    counters = Counters()
    for number in range(70):
        counters = decided(compiled, purchase(100, at=NOON + number * DAY), member(counters=counters)).counters
    [standing] = standings(compiled, counters, {}, (NOON + 69 * DAY).date(), ENROLLED)
    assert standing.value == 3000
    [window] = counters.windows.values()
    assert len(window) == 70 if within in {"9000y", "99999mo"} else len(window) <= 34


def test_a_rebuild_reads_only_the_journal() -> None:
    compiled = program(
        """
tiers: [{id: t, metric: points.stars.earned, window: anniversary, levels: [{id: a, from: 0}, {id: b, from: 30}]}]
campaigns:
  base: {on: purchase, earn: {stars: 1 per 1.00}, limits: [{every: day, earn: 25 stars}]}
  double: {on: purchase, schedule: {days: [wed]}, multiply: {of: base, by: 2}, limits: [{every: week, uses: 1}]}
  seen: {on: visit, tag: [regular], deduct: {stars: 1}, limits: [{uses: 2}]}
"""
    )
    events = [
        purchase(1000),
        happening("visit", at=NOON + DAY),
        purchase(4000, at=NOON + DAY),
        purchase(2000, at=NOON - 3 * DAY),
        happening("visit", at=at("2027-01-01T12:00Z")),
        purchase(99, at=at("2027-01-01T12:00Z")),
    ]
    counters = rebuilt = Counters()
    for event in events:
        decision = decided(compiled, event, member(counters=counters))
        counters = decision.counters
        journal = msgspec.json.decode(msgspec.json.encode(decision.outcome), type=Outcome)
        rebuilt = counted(compiled, rebuilt, journal, event.occurred_at)
        assert rebuilt == counters
    assert counters.tiers == {"t": "b"}


def test_an_outcome_under_another_version_is_counted_as_far_as_it_can_be() -> None:
    # given an outcome of campaigns and points that this version does not have
    outcome = Outcome(points=[PointsEffect("old", 7, "gone")], uses=["gone"], counted={"orders": 1, "spend": 100})
    counters = counted(program(ROLLING), Counters(), outcome, NOON)
    assert counters.earned == {"old": 7}
    assert counters.limits == {}
    assert counters.lifetime == {"orders": 1, "spend": 100}
