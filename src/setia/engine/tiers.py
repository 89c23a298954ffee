"""Where a member stands on the ladders: metrics in their windows, levels reached and kept, and what is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from fractions import Fraction

import msgspec

from setia.engine.calendar import add_to_day
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_tiers import CompiledLevel, CompiledTierSet, Measure
from setia.engine.counting import bucket_of
from setia.engine.state import Counters

Values = Callable[[Measure], int]
"""What a measure comes to for one member on one day, in its smallest unit."""


class Need(msgspec.Struct, frozen=True):
    """What one criterion of a level asks for, and what there is: amounts in the smallest unit of the metric."""

    metric: str
    window: str
    value: int
    needed: int
    digits: int


class Standing(msgspec.Struct, frozen=True):
    """A member's place in one tier set, with amounts in the metric's smallest unit.

    `value` and `missing` are those of the next level's criterion that is nearest to its end where any of several is
    enough, and farthest from it where all are needed; `needs` lists them all.
    """

    tier_set: str
    level: str
    value: int
    next_level: str | None
    missing: int
    digits: int
    needs: list[Need] = []
    any_of: bool = False


def metric_value(
    program: CompiledProgram,
    measure: Measure,
    counters: Counters,
    available: Mapping[str, int],
    day: dt.date,
    enrolled_at: dt.datetime,
) -> int:
    """A measure in the window that holds the local `day`; `available` are the balances by point type."""
    if measure.of_balance:
        return available.get(measure.points, 0)
    buckets = counters.windows.get(measure.key)
    if not buckets:
        return 0
    length = measure.window.length
    if length is not None:
        return counted_since(measure, counters, add_to_day(day, length, -1), day)
    bucket = bucket_of(program, measure, day, enrolled_at)
    return buckets.get(bucket, 0) if bucket is not None else 0


def counted_since(measure: Measure, counters: Counters, after: dt.date, last: dt.date) -> int:
    """What a rolling measure has counted on the local days after one, up to another."""
    buckets = counters.windows.get(measure.key, {})
    before, until = after.isoformat(), last.isoformat()
    return sum(amount for bucket, amount in buckets.items() if before < bucket <= until)


def values_on(
    program: CompiledProgram,
    counters: Counters,
    available: Mapping[str, int],
    day: dt.date,
    enrolled_at: dt.datetime,
) -> Values:
    """The values of all measures for one member on one local day."""
    return lambda measure: metric_value(program, measure, counters, available, day, enrolled_at)


def reached(tier_set: CompiledTierSet, values: Values) -> int:
    """The place on the ladder of the highest level that the values reach."""
    levels = tier_set.levels
    place = len(levels) - 1
    while not _met(levels[place], values):
        place -= 1
    return place


def kept(tier_set: CompiledTierSet, held: int, values: Values) -> int:
    """The highest level, of the one held and those below it, that the values keep."""
    return next(place for place in range(held, -1, -1) if _met(tier_set.levels[place], values, keep=True))


def _met(level: CompiledLevel, values: Values, *, keep: bool = False) -> bool:
    # The first level has no criteria, or criteria that ask for nothing: it is everybody's.
    if not level.criteria:
        return True
    for one in level.criteria:
        met = values(one.measure) >= (one.keep_threshold if keep else one.threshold)
        if met is level.any_of:
            return met
    return not level.any_of


def needs_of(level: CompiledLevel, values: Values, *, keep: bool = False) -> list[Need]:
    """What a level asks for, and what there is of it."""
    return [
        Need(
            one.measure.metric,
            one.measure.window_text,
            values(one.measure),
            one.keep_threshold if keep else one.threshold,
            one.measure.digits,
        )
        for one in level.criteria
    ]


def standings(
    program: CompiledProgram,
    counters: Counters,
    available: Mapping[str, int],
    day: dt.date,
    enrolled_at: dt.datetime,
) -> list[Standing]:
    """The member's place and progress in every tier set on a local day."""
    values = values_on(program, counters, available, day, enrolled_at)
    return [
        _standing(tier_set, tier_set.index(counters.tiers.get(tier_set.id)), values) for tier_set in program.tier_sets
    ]


def _share_missing(need: Need) -> Fraction:
    # Money and orders have no common unit, so that what is left is compared as a share of what is needed.
    return Fraction(max(0, need.needed - need.value), max(1, need.needed))


def _standing(tier_set: CompiledTierSet, held: int, values: Values) -> Standing:
    level = tier_set.levels[held]
    if held + 1 == len(tier_set.levels):
        # At the top there is nothing to reach: what counts for the level itself is shown.
        first = next(iter(needs_of(level, values)), None)
        own = tier_set.measures[0] if tier_set.measures else None
        value = first.value if first else values(own) if own else 0
        return Standing(tier_set.id, level.id, value, None, 0, own.digits if own else 0)
    following = tier_set.levels[held + 1]
    needs = needs_of(following, values)
    choose = min if following.any_of else max
    nearest = choose(needs, key=_share_missing)
    return Standing(
        tier_set=tier_set.id,
        level=level.id,
        value=nearest.value,
        next_level=following.id,
        missing=max(0, nearest.needed - nearest.value),
        digits=nearest.digits,
        needs=needs,
        any_of=following.any_of,
    )
