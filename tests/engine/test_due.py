"""What is due next: the earliest of everything, and in which order where several are due at one moment."""

from __future__ import annotations

from engine.shop_world import at, member, program
from engine.tier_world import Life, ladder
from setia.engine.due import next_due
from setia.engine.state import Balance, Counters, TierPeriod

LEVELS = "[{id: green, from: 0}, {id: gold, from: 100}]"


def test_nothing_is_due_for_somebody_who_has_nothing() -> None:
    assert next_due(ladder("window: calendar_year"), member(), at("2026-03-01T12:00Z")) is None


def test_points_end_before_levels_are_judged() -> None:
    compiled = program(
        f"tiers: [{{id: t, metric: spend, window: calendar_year, levels: {LEVELS}}}]\ncampaigns: {{}}",
        points="{stars: {expiry: {inactivity: 30d}}}",
    )
    counters = Counters(
        tiers={"t": "gold"},
        periods={"t": TierPeriod(at("2026-03-01T12:00Z"))},
        active_at={"stars": at("2026-12-01T12:00Z")},
    )
    state = member(counters=counters)
    state.balances["stars"] = Balance(available=1)
    item = next_due(compiled, state, at("2026-12-02T12:00Z"))
    assert item is not None
    assert (item.at, item.kind, item.subject) == (at("2027-01-01T00:00+01:00"), "inactivity", "stars")
    state.balances["stars"] = Balance()
    item = next_due(compiled, state, at("2026-12-02T12:00Z"))
    assert item is not None
    assert (item.at, item.kind, item.subject) == (at("2027-01-01T00:00+01:00"), "review", "t")


def test_of_several_tier_sets_the_one_that_comes_first() -> None:
    compiled = program(
        f"tiers:\n  - {{id: year, metric: spend, window: calendar_year, levels: {LEVELS}}}\n"
        f"  - {{id: month, metric: spend, validity: 1mo, levels: {LEVELS}}}\ncampaigns: {{}}"
    )
    since = TierPeriod(at("2026-03-01T12:00Z"))
    counters = Counters(tiers={"year": "gold", "month": "gold"}, periods={"year": since, "month": since})
    item = next_due(compiled, member(counters=counters), at("2026-03-02T12:00Z"))
    assert item is not None
    assert (item.at, item.subject) == (at("2026-04-02T00:00+02:00"), "month")


def test_what_was_due_long_ago_is_due_at_its_own_moment() -> None:
    life = Life(ladder("window: calendar_year"))
    life.buy("2025-06-01T12:00Z", 100)
    item = next_due(life.program, life.state, at("2029-01-01T12:00Z"))
    assert item is not None
    assert item.at == at("2025-12-31T23:00Z")
