"""Where a member stands on the ladders: the metric in its window, its level, and what is missing to the next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from setia.engine.calendar import add_to_day
from setia.engine.compiled import CompiledProgram, CompiledTierSet
from setia.engine.counting import bucket_of
from setia.engine.state import Counters


class Standing(msgspec.Struct, frozen=True):
    """A member's place in one tier set, with amounts in the metric's smallest unit."""

    tier_set: str
    level: str
    value: int
    next_level: str | None
    missing: int
    digits: int


def metric_value(
    program: CompiledProgram,
    tier_set: CompiledTierSet,
    counters: Counters,
    available: Mapping[str, int],
    day: dt.date,
    enrolled_at: dt.datetime,
) -> int:
    """The metric of a tier set in the window that holds the local `day`; `available` are the balances by point type."""
    metric = tier_set.definition.metric
    if metric.endswith(".balance"):
        return available.get(metric.split(".")[1], 0)
    buckets = counters.windows.get(tier_set.window_key, {})
    length = tier_set.definition.window.length
    if length is not None:
        first = add_to_day(day, length, -1).isoformat()
        last = day.isoformat()
        return sum(amount for bucket, amount in buckets.items() if first < bucket <= last)
    bucket = bucket_of(program, tier_set, day, enrolled_at)
    return buckets.get(bucket, 0) if bucket is not None else 0


def standings(
    program: CompiledProgram,
    counters: Counters,
    available: Mapping[str, int],
    day: dt.date,
    enrolled_at: dt.datetime,
) -> list[Standing]:
    """The member's place and progress in every tier set on a local day."""
    found = []
    for tier_set in program.tier_sets:
        value = metric_value(program, tier_set, counters, available, day, enrolled_at)
        held = tier_set.index(counters.tiers.get(tier_set.definition.id))
        following = tier_set.levels[held + 1] if held + 1 < len(tier_set.levels) else None
        found.append(
            Standing(
                tier_set=tier_set.definition.id,
                level=tier_set.levels[held].id,
                value=value,
                next_level=following.id if following else None,
                missing=max(0, following.threshold - value) if following else 0,
                digits=tier_set.digits,
            )
        )
    return found


def reached_by(tier_set: CompiledTierSet, value: int) -> int:
    """The place on the ladder of the highest level that a value of the metric reaches."""
    reached = 0
    for place, level in enumerate(tier_set.levels):
        if value >= level.threshold:
            reached = place
    return reached
