"""`tier_ending`: who is told that a level will be lost, and when."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.shop_world import at, decided, member, purchase
from engine.time_world import Passing, timely
from setia.engine.state import Counters, Floor, TierPeriod
from setia.engine.triggers import next_occasions, reach_after

BEGIN, NEW_YEAR = "2026-01-01T12:00+01:00", "2027-01-01T00:00+01:00"

# -------------------------------------------------------------------------------------------------------- ending levels

LEVELS = "[{id: green, from: 0}, {id: gold, from: 100}, {id: black, from: 500}]"
TOLD = "campaigns: {told: {on: tier_ending, tag: [told]}}"


def _gold(
    window: str = "calendar_year", more: str = "", trigger: str = "{schedule: {every: year}, late_by: 1d}"
) -> Any:
    tiers = f"tiers: [{{id: status, metric: spend, window: {window}, levels: {LEVELS}{more}}}]\n{TOLD}"
    return timely("{schedule: {every: year}, late_by: 1d}", rest=tiers)


def _endings(passing: Passing) -> list[Any]:
    return [one for one in passing.happened if one.type == "tier_ending"]


def _holder(compiled: Any, *buys: tuple[str, int], **more: Any) -> Any:
    state = member(enrolled_at=at("2024-01-01T12:00+01:00"), **more)
    for moment, euros in buys:
        state = msgspec.structs.replace(
            state, counters=decided(compiled, purchase(euros * 100, at=at(moment)), state).counters
        )
    return state


def _next_tier(compiled: Any, state: Any, now: str) -> tuple[str, str] | None:
    found = [one for one in next_occasions(compiled, state, reach_after(at(now), at(now))) if "." in one.subject]
    return (found[0].at.astimezone(compiled.zone).strftime("%Y-%m-%d %H:%M"), found[0].key) if found else None


def test_a_level_that_will_be_lost_is_told_thirty_days_before() -> None:
    compiled = _gold()
    state = _holder(compiled, ("2025-06-01T12:00+02:00", 120), ("2026-02-01T12:00+01:00", 30))
    assert state.counters.tiers == {"status": "gold"}
    state.counters.periods = {"status": TierPeriod(at("2026-01-01T00:00+01:00"))}
    assert _next_tier(compiled, state, "2026-02-01T12:00+01:00") == ("2026-12-02 00:00", "2026-12-31")

    passing = Passing(compiled, state, "2026-02-01T12:00+01:00")
    passing.look(at("2026-12-02T08:00+01:00"))
    [told] = _endings(passing)
    assert (told.at, told.data | {"missing": str(told.data["missing"])}) == (
        "2026-12-02 00:00",
        {
            "tier_set": "status",
            "level": "gold",
            "falls_to": "green",
            "on": "2026-12-31",
            "metric": "spend",
            "missing": "70.00",
        },
    )
    # Once in a period.
    assert _next_tier(compiled, passing.state, "2026-12-02T00:00+01:00") is None


def test_who_keeps_the_level_is_told_nothing() -> None:
    compiled = _gold()
    state = _holder(compiled, ("2026-02-01T12:00+01:00", 130))
    state.counters.periods = {"status": TierPeriod(at("2026-01-01T00:00+01:00"))}
    assert _next_tier(compiled, state, "2026-02-01T12:00+01:00") is None
    assert _next_tier(compiled, member(), "2026-02-01T12:00+01:00") is None


def test_without_a_campaign_or_with_no_time_before_nobody_is_told() -> None:
    compiled = _gold(more=", warn_before: 0d")
    state = _holder(compiled, ("2025-06-01T12:00+02:00", 120))
    assert _next_tier(compiled, state, "2026-02-01T12:00+01:00") is None
    silent = timely("{anniversary: {}}", rest=f"tiers: [{{id: status, metric: spend, levels: {LEVELS}}}]")
    assert not silent.time.tells_tiers


def test_a_review_that_is_due_is_not_warned_of() -> None:
    compiled = _gold()
    state = _holder(compiled, ("2025-06-01T12:00+02:00", 120))
    assert _next_tier(compiled, state, "2026-02-01T12:00+01:00") is None


@pytest.mark.parametrize(("grace", "expected"), [("2mo", "2026-01-30 00:00"), ("10d", "2026-01-01 00:00")])
def test_a_grace_is_told_before_it_ends_or_when_it_begins(grace: str, expected: str) -> None:
    compiled = _gold(more=f", grace: {grace}")
    state = _holder(compiled, ("2024-06-01T12:00+02:00", 120))
    state.counters.periods = {"status": TierPeriod(at("2025-01-01T00:00+01:00"))}
    # Before the review nothing is lost: a grace comes.
    assert _next_tier(compiled, state, "2025-11-01T12:00+01:00") is None
    ends = {"2mo": "2026-03-01T00:00+01:00", "10d": "2026-01-11T00:00+01:00"}[grace]
    state.counters.periods = {"status": TierPeriod(at("2025-01-01T00:00+01:00"), at(ends))}
    found = _next_tier(compiled, state, "2025-12-31T23:00+01:00")
    assert found is not None
    assert found[0] == expected


def test_a_grace_of_a_level_that_follows_its_metrics() -> None:
    compiled = _gold(window="rolling 90d", more=", grace: 10d")
    state = _holder(compiled, ("2026-01-10T12:00+01:00", 120))
    state.counters.periods = {"status": TierPeriod(at("2026-01-10T12:00+01:00"), at("2026-04-20T00:00+02:00"))}
    # At the end of the grace the purchase has left the window, and the level goes; before that nothing is lost.
    assert _next_tier(compiled, state, "2026-03-01T00:00+01:00") == ("2026-03-21 00:00", "2026-04-19")
    state.counters.periods = {"status": TierPeriod(at("2026-01-10T12:00+01:00"))}
    assert _next_tier(compiled, state, "2026-03-01T00:00+01:00") is None


def test_a_level_that_never_falls_is_not_looked_for_for_ever() -> None:
    levels = "[{id: green, from: 0}, {id: gold, from: 100, keep_from: 0}]"
    tier_set = f"{{id: status, metric: spend, window: calendar_year, validity: current, levels: {levels}}}"
    compiled = timely("{schedule: {every: year}, late_by: 1d}", rest=f"tiers: [{tier_set}]\n{TOLD}")
    state = _holder(compiled, ("2026-01-05T12:00+01:00", 120))
    assert state.counters.tiers == {"status": "gold"}
    assert _next_tier(compiled, state, "2026-03-01T00:00+01:00") is None


def test_a_level_that_follows_its_metrics_is_told_of_the_day_it_really_falls() -> None:
    compiled = _gold(window="rolling 90d")
    # The small purchase leaves the window first, and the level is kept all the same.
    state = _holder(compiled, ("2026-01-05T12:00+01:00", 20), ("2026-01-20T12:00+01:00", 120))
    assert _next_tier(compiled, state, "2026-01-20T12:00+01:00") == ("2026-03-21 00:00", "2026-04-19")


def test_any_of_several_criteria() -> None:
    levels = (
        "[{id: green, from: 0}, {id: gold, any: ["
        "{metric: spend, window: calendar_year, from: 100}, {metric: visits, window: calendar_year, from: 3}]}]"
    )
    rest = f"tiers: [{{id: status, levels: {levels}}}]\n{TOLD}"
    compiled = timely("{schedule: {every: year}, late_by: 1d}", rest=rest)
    state = _holder(compiled, ("2025-06-01T12:00+02:00", 120))
    state.counters.periods = {"status": TierPeriod(at("2026-01-01T00:00+01:00"))}
    passing = Passing(compiled, state, "2026-02-01T12:00+01:00")
    passing.look(at("2026-12-02T08:00+01:00"))
    [told] = _endings(passing)
    assert (told.data["metric"], str(told.data["missing"])) == ("visits", "3")


def test_a_level_given_by_hand_that_ends() -> None:
    compiled = _gold()
    floors = {"status": Floor("gold", at("2026-08-01T00:00+02:00"))}
    counters = Counters(tiers={"status": "gold"}, floors=floors, beneath={"status": "green"})
    state = member(enrolled_at=at("2026-01-01T12:00+01:00"), counters=counters)
    assert _next_tier(compiled, state, "2026-02-01T12:00+01:00") == ("2026-07-02 00:00", "2026-07-31")


# ----------------------------------------------------------------------------------------------- for whom, and how late
