"""Reviews: when the level that a member holds is judged, and what comes of it."""

from __future__ import annotations

import datetime as dt

import msgspec

from setia.engine.calendar import add_to_day, after, anniversary_after, midnight
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_tiers import CompiledTierSet, Measure
from setia.engine.counting import bucket_of
from setia.engine.decision import Explanation, Outcome, TierChange, Weighed
from setia.engine.periods import period_end
from setia.engine.state import Counters, MemberState
from setia.engine.tiers import Need, Values, kept, needs_of, reached, values_on

_DAY = dt.timedelta(days=1)
_MOMENT = dt.timedelta(microseconds=1)


def review_due(
    program: CompiledProgram, tier_set: CompiledTierSet, state: MemberState, now: dt.datetime
) -> dt.datetime | None:
    """When the level held has to be judged next, or nothing. A moment that is not later than `now` is due.

    For a level that follows its metrics it may be too early, never too late: `review` then finds that it is kept.
    """
    counters = state.counters
    held = tier_set.index(counters.tiers.get(tier_set.id))
    floor = counters.floors.get(tier_set.id)
    moments = [] if floor is None or floor.until is None else [floor.until]
    resets = tier_set.definition.reset_points
    if (held or resets) and (tier_set.definition.downgrade != "never" or resets):
        period = counters.periods.get(tier_set.id)
        if period is not None and period.grace_until is not None:
            moments.append(period.grace_until)
        elif tier_set.is_current:
            moments += [] if (falls := _next_change(program, tier_set, state, held, now)) is None else [falls]
        else:
            since = state.enrolled_at if period is None else period.since
            ends = period_end(program, tier_set, since, state.enrolled_at)
            moments += [] if ends is None else [ends]
    return min(moments, default=None)


def _next_change(
    program: CompiledProgram, tier_set: CompiledTierSet, state: MemberState, held: int, now: dt.datetime
) -> dt.datetime | None:
    """When a level that follows its metrics may fall: now, or when the next of the days that count leaves a window."""
    today = now.astimezone(program.zone).date()
    counters = state.counters
    if (
        _judged(tier_set, held, counters, values_on(program, counters, _available(state), today, state.enrolled_at))
        < held
    ):
        return now
    days = [_next_loss(program, measure, counters, today, state.enrolled_at) for measure in tier_set.measures]
    first = min((day for day in days if day is not None), default=None)
    return None if first is None else midnight(first, program.zone)


def _next_loss(
    program: CompiledProgram, measure: Measure, counters: Counters, today: dt.date, enrolled_at: dt.datetime
) -> dt.date | None:
    """The first local day after `today` on which a measure loses something of what it counts today."""
    window = measure.window
    if measure.of_balance or window.kind in {"lifetime", "period"} or not counters.windows.get(measure.key):
        return None
    if window.length is not None:
        first = add_to_day(today, window.length, -1).isoformat()
        inside = [bucket for bucket in counters.windows[measure.key] if bucket > first]
        return max(today + _DAY, add_to_day(dt.date.fromisoformat(min(inside)), window.length)) if inside else None
    if window.ends is not None:
        return window.ends + _DAY if window.ends >= today else None
    if window.kind == "calendar_year":
        return dt.date(today.year + 1, 1, 1)
    return anniversary_after(enrolled_at.astimezone(program.zone).date(), today)


def _available(state: MemberState) -> dict[str, int]:
    return {points: balance.available for points, balance in state.balances.items()}


def _floor(tier_set: CompiledTierSet, counters: Counters) -> int:
    floor = counters.floors.get(tier_set.id)
    return 0 if floor is None else tier_set.index(floor.level)


def _judged(tier_set: CompiledTierSet, held: int, counters: Counters, values: Values) -> int:
    return max(kept(tier_set, held, values), reached(tier_set, values), _floor(tier_set, counters))


def fallen_to(tier_set: CompiledTierSet, held: int, counters: Counters, values: Values) -> int:
    """Where somebody comes whose level follows the metrics and who may not keep it: to `held`, or below."""
    judged = min(held, _judged(tier_set, held, counters, values))
    return max(judged, held - 1) if tier_set.definition.downgrade == "one_level" else judged


def review(
    program: CompiledProgram, tier_set: CompiledTierSet, state: MemberState, moment: dt.datetime
) -> tuple[Outcome, Explanation] | None:
    """Judge the level that a member holds at a moment at which that was due; None where there is nothing to book.

    A level that ends with a period is judged by what was counted until its last day; after a grace also by what was
    counted in it. One that follows its metrics is judged by what they are then.
    """
    name = tier_set.id
    counters = state.counters
    outcome = Outcome()
    floor, period = counters.floors.get(name), counters.periods.get(name)
    if floor is not None and floor.until is not None and floor.until <= moment:
        outcome.floors = {name: None}
        counters = Counters(tiers=counters.tiers, windows=counters.windows, periods=counters.periods)
    held = tier_set.index(counters.tiers.get(name))
    grace_over = period is not None and period.grace_until is not None and period.grace_until <= moment
    values = _values_at(program, tier_set, state, moment, after_grace=grace_over)
    judged = _judged(tier_set, held, counters, values)
    weighed = [
        Weighed(tier_set.levels[held].id, need.metric, need.value, need.needed)
        for need in needs_of(tier_set.levels[held], values, keep=True)
    ]
    definition = tier_set.definition
    if judged >= held:
        if tier_set.is_current and not grace_over and not outcome.floors:
            return None
        outcome.renewed = [] if outcome.floors or judged > held else [name]
    elif outcome.floors:
        pass  # what was given by hand has ended: the level becomes at once what the member has earned
    elif definition.downgrade == "never":
        judged, outcome.renewed = held, [name]
    elif definition.grace is not None and not grace_over:
        judged, outcome.graced = held, {name: after(moment, definition.grace, program.zone)}
    elif definition.downgrade == "one_level":
        judged = max(judged, held - 1)
    if judged != held:
        outcome.tiers = [TierChange(name, tier_set.levels[held].id, tier_set.levels[judged].id)]
    return outcome, Explanation(weighed=weighed)


def rejudge(
    program: CompiledProgram, tier_set: CompiledTierSet, state: MemberState, moment: dt.datetime
) -> tuple[Outcome, Explanation] | None:
    """Judge the level by settings that have just changed: to what the metrics give now; None where that is the same."""
    held = tier_set.index(state.counters.tiers.get(tier_set.id))
    day = moment.astimezone(program.zone).date()
    values = values_on(program, state.counters, _available(state), day, state.enrolled_at)
    judged = _judged(tier_set, held, state.counters, values)
    if judged == held:
        return None
    change = TierChange(tier_set.id, tier_set.levels[held].id, tier_set.levels[judged].id)
    return Outcome(tiers=[change]), Explanation()


def _values_at(
    program: CompiledProgram, tier_set: CompiledTierSet, state: MemberState, moment: dt.datetime, *, after_grace: bool
) -> Values:
    available = _available(state)
    last = moment if tier_set.is_current else moment - _MOMENT
    day = last.astimezone(program.zone).date()
    today = values_on(program, state.counters, available, day, state.enrolled_at)
    period = state.counters.periods.get(tier_set.id)
    if not after_grace or period is None or tier_set.is_current:
        return today
    ends = period_end(program, tier_set, period.since, state.enrolled_at)
    if ends is None:
        return today
    before = (ends - _MOMENT).astimezone(program.zone).date()
    then = values_on(program, state.counters, available, before, state.enrolled_at)

    def together(measure: Measure) -> int:
        # A year's window that ended with the period is added to the one that the grace lies in; others reach over both.
        if measure.window.kind in {"calendar_year", "anniversary"} and _bucket(before) != _bucket(day):
            return then(measure) + today(measure)
        return max(then(measure), today(measure))

    def _bucket(on: dt.date) -> tuple[str | None, ...]:
        return tuple(bucket_of(program, measure, on, state.enrolled_at) for measure in tier_set.measures)

    return together


class Outlook(msgspec.Struct, frozen=True):
    """What will become of the level that a member holds, as things are now."""

    tier_set: str
    level: str
    valid_until: dt.datetime | None
    """When it is judged next; None where nothing ends it."""
    falls_to: str | None
    """The level it would fall to then; None if it would be kept."""
    keep: list[Need]
    """What keeping it asks for."""
    keep_any_of: bool
    floor: str | None
    floor_until: dt.datetime | None
    in_grace: bool


def outlook(program: CompiledProgram, tier_set: CompiledTierSet, state: MemberState, now: dt.datetime) -> Outlook:
    """Until when the level is held, and what it would come to if nothing more happened."""
    counters = state.counters
    held = tier_set.index(counters.tiers.get(tier_set.id))
    level = tier_set.levels[held]
    period, floor = counters.periods.get(tier_set.id), counters.floors.get(tier_set.id)
    ends = review_due(program, tier_set, state, now) if held else None
    found = review(program, tier_set, state, max(ends, now)) if ends is not None else None
    changes = found[0].tiers if found is not None else []
    falls = changes[0].after if changes and tier_set.index(changes[0].after) < held else None
    day = now.astimezone(program.zone).date()
    values = values_on(program, counters, _available(state), day, state.enrolled_at)
    renewed = found is not None and not falls and not found[0].graced and not tier_set.is_current
    if ends is not None and renewed:
        # It is kept at the next review already: it holds to the end of the period after that.
        later = period_end(program, tier_set, ends, state.enrolled_at)
        ends = ends if later is None else later
    return Outlook(
        tier_set=tier_set.id,
        level=level.id,
        valid_until=ends if not tier_set.is_current or falls is not None else None,
        falls_to=falls,
        keep=needs_of(level, values, keep=True),
        keep_any_of=level.any_of,
        floor=None if floor is None else floor.level,
        floor_until=None if floor is None else floor.until,
        in_grace=period is not None and period.grace_until is not None,
    )
