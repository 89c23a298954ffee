"""Climbing: what an event does to levels, beside what time does to them."""

from __future__ import annotations

import pytest

from engine.shop_world import at, decided, happening, member, program, purchase
from engine.tier_world import Life, ladder
from setia.engine.decision import TierChange
from setia.engine.state import Counters, Floor, TierPeriod

VIP = "campaigns: {vip: {on: visit, tier: {t: gold}}}"


def test_an_event_on_a_floor_rises_above_it_only_with_the_metric() -> None:
    compiled = ladder("window: lifetime")
    counters = Counters(tiers={"t": "gold"}, beneath={"t": "green"}, floors={"t": Floor("gold")})
    first = decided(compiled, purchase(10000), member(counters=counters))
    # the member is gold by right now, and nothing shows of it
    assert (first.outcome.tiers, first.outcome.beneath) == ([], {"t": None})
    assert (first.counters.tiers, first.counters.beneath) == ({"t": "gold"}, {})
    assert first.counters.periods["t"].since == at("2026-03-04T12:00Z")
    second = decided(compiled, purchase(40000), member(counters=first.counters))
    assert second.outcome.tiers == [TierChange("t", "gold", "black")]


def test_a_campaign_cannot_push_below_the_floor() -> None:
    compiled = ladder("window: lifetime", rest=VIP)
    counters = Counters(tiers={"t": "black"}, floors={"t": Floor("black")})
    decision = decided(compiled, happening("visit"), member(counters=counters))
    assert decision.outcome.tiers == []
    assert decision.counters.beneath == {"t": "gold"}


def test_a_campaign_may_push_down_who_stands_on_nothing() -> None:
    compiled = ladder("window: lifetime", rest=VIP)
    decision = decided(compiled, happening("visit"), member(counters=Counters(tiers={"t": "black"})))
    assert decision.outcome.tiers == [TierChange("t", "black", "gold", "vip")]


def test_a_new_level_begins_a_new_period_and_its_sums_anew() -> None:
    compiled = ladder("window: period, validity: 12mo")
    decision = decided(compiled, purchase(10000))
    assert decision.counters.windows == {}
    assert decision.counters.periods == {"t": TierPeriod(at("2026-03-04T12:00Z"), risen=(("green", None),))}


@pytest.mark.parametrize(("extend", "since"), [("at_once", "2025-05-01T12:00Z"), ("at_review", "2025-03-01T12:00Z")])
def test_points_earned_extend_too(extend: str, since: str) -> None:
    compiled = program(
        "tiers: [{id: t, metric: points.stars.earned, validity: 12mo, "
        f"extend: {extend}, levels: [{{id: green, from: 0}}, {{id: gold, from: 100}}]}}]\n"
        "campaigns: {a: {on: purchase, earn: {stars: 1 per 1.00}}}"
    )
    life = Life(compiled)
    life.buy("2025-03-01T12:00Z", 100)
    life.visit("2025-04-01T12:00Z")
    life.buy("2025-05-01T12:00Z", 1)
    assert life.state.counters.periods["t"].since == at(since)


def test_arrival_and_not_the_event_tells_what_a_level_follows() -> None:
    compiled = ladder("window: rolling 30d")
    # 60 of today and 60 that come late, from 40 days ago: the window of today never held both
    first = decided(compiled, purchase(6000, at=at("2026-03-04T12:00Z")))
    late = decided(
        compiled,
        purchase(6000, at=at("2026-01-23T12:00Z")),
        member(counters=first.counters),
        now=at("2026-03-05T12:00Z"),
    )
    assert late.outcome.tiers == []
    # and one that is late for today's window, though it was enough on its own day
    alone = decided(compiled, purchase(20000, at=at("2026-01-23T12:00Z")), now=at("2026-03-05T12:00Z"))
    assert alone.outcome.tiers == []
