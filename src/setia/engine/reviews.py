"""Reviews: when the level that a member holds is judged, and what comes of it."""

from __future__ import annotations

import datetime as dt

from setia.engine.calendar import LAST_DAY, add_to_day, after, anniversary_after, midnight
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_tiers import CompiledTierSet, Measure
from setia.engine.counting import bucket_of
from setia.engine.decision import Explanation, Outcome, Weighed
from setia.engine.holding import hold, own_level
from setia.engine.periods import period_end
from setia.engine.state import Counters, MemberState, TierPeriod
from setia.engine.tiers import Values, counted_since, kept, metric_value, needs_of, reached

_DAY = dt.timedelta(days=1)
_MOMENT = dt.timedelta(microseconds=1)


def review_due(
    program: CompiledProgram, tier_set: CompiledTierSet, state: MemberState, now: dt.datetime
) -> dt.datetime | None:
    """When the level held has to be judged next, or nothing. A moment that is not later than `now` is due.

    For a level that follows its metrics it may be too early, never too late: `review` then finds that it is kept.
    """
    counters, name = state.counters, tier_set.id
    if tier_set.is_lost(counters.tiers.get(name)):
        return now
    own = own_level(tier_set, counters)
    floor, period = counters.floors.get(name), counters.periods.get(name)
    moments = [] if floor is None or floor.until is None else [floor.until]
    if tier_set.by_balance and reached(tier_set, _values_on_day_of(program, state, now)) > own:
        moments.append(now)  # points that became available, or were given by hand
    resets = tier_set.definition.reset_points
    if (own or resets) and (tier_set.definition.downgrade != "never" or resets):
        if period is not None and period.grace_until is not None:
            moments.append(period.grace_until)
        elif tier_set.is_current:
            moments += [] if (falls := _next_change(program, tier_set, state, own, now)) is None else [falls]
        else:
            moments += [] if (ends := period_ends(program, tier_set, state)) is None else [ends]
    return min(moments, default=None)


def period_ends(program: CompiledProgram, tier_set: CompiledTierSet, state: MemberState) -> dt.datetime | None:
    """The end of the period that the member's own level is in; None where it does not end."""
    period = state.counters.periods.get(tier_set.id)
    since = state.enrolled_at if period is None else period.since
    return period_end(program, tier_set, since, state.enrolled_at)


def _next_change(
    program: CompiledProgram, tier_set: CompiledTierSet, state: MemberState, own: int, now: dt.datetime
) -> dt.datetime | None:
    """When a level that follows its metrics may fall: now, or when the next of the days that count leaves a window."""
    today = now.astimezone(program.zone).date()
    counters = state.counters
    if _judged(tier_set, own, _values_on_day_of(program, state, now)) < own:
        return now if may_fall(program, tier_set, counters, today) else midnight(today + _DAY, program.zone)
    days = [_next_loss(program, measure, counters, today, state.enrolled_at) for measure in tier_set.measures]
    first = min((day for day in days if day is not None), default=None)
    return None if first is None else midnight(first, program.zone)


def may_fall(program: CompiledProgram, tier_set: CompiledTierSet, counters: Counters, today: dt.date) -> bool:
    """Whether a level that follows its metrics may fall today.

    Where it falls one level at a time, a day lies between two of them: else all would fall at one moment.
    """
    period = counters.periods.get(tier_set.id)
    if tier_set.definition.downgrade != "one_level" or period is None:
        return True
    return period.since.astimezone(program.zone).date() < today


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
        lost = add_to_day(dt.date.fromisoformat(min(inside)), window.length) if inside else LAST_DAY
        # Beyond the calendar nothing is lost: `rolling 9000y` means for ever.
        return max(today + _DAY, lost) if lost < LAST_DAY else None
    if bucket_of(program, measure, today, enrolled_at) not in counters.windows[measure.key]:
        return None
    if window.ends is not None:
        return min(window.ends, LAST_DAY) + _DAY
    if window.kind == "calendar_year":
        return dt.date(today.year + 1, 1, 1)
    return anniversary_after(enrolled_at.astimezone(program.zone).date(), today)


def _available(state: MemberState) -> dict[str, int]:
    return {points: balance.available for points, balance in state.balances.items()}


def _values_on_day_of(program: CompiledProgram, state: MemberState, moment: dt.datetime) -> Values:
    day = moment.astimezone(program.zone).date()
    counters, available, enrolled_at = state.counters, _available(state), state.enrolled_at
    known: dict[str, int] = {}

    def value(measure: Measure) -> int:
        # Every level of a ladder asks for it, mostly of one and the same measure.
        key = measure.key
        if key not in known:
            known[key] = metric_value(program, measure, counters, available, day, enrolled_at)
        return known[key]

    return value


def _judged(tier_set: CompiledTierSet, own: int, values: Values) -> int:
    return max(kept(tier_set, own, values), reached(tier_set, values))


def fallen_to(tier_set: CompiledTierSet, own: int, values: Values) -> int:
    """Where somebody comes whose level follows the metrics and who may not keep it: to `own`, or below."""
    judged = min(own, _judged(tier_set, own, values))
    return max(judged, own - 1) if tier_set.definition.downgrade == "one_level" else judged


def review(
    program: CompiledProgram, tier_set: CompiledTierSet, state: MemberState, moment: dt.datetime
) -> tuple[Outcome, Explanation] | None:
    """Judge the level that a member holds at a moment at which that was due; None where there is nothing to book.

    A level that ends with a period is judged by what was counted until its last day; after a grace also by what was
    counted in it. One that follows its metrics is judged by what they are then. A level given by hand that ends leaves
    the one that the member has held beneath it.
    """
    name, counters = tier_set.id, state.counters
    if tier_set.is_lost(counters.tiers.get(name)):
        return rejudge(program, tier_set, state, moment)
    own = own_level(tier_set, counters)
    floor, period = counters.floors.get(name), counters.periods.get(name)
    if floor is not None and floor.until is not None and floor.until <= moment:
        outcome = Outcome(floors={name: None})
        hold(tier_set, counters, own, outcome, floor=0)
        return outcome, Explanation()
    grace_over = period is not None and period.grace_until is not None and period.grace_until <= moment
    ends = period_ends(program, tier_set, state)
    if not tier_set.is_current and not grace_over and (ends is None or ends > moment):
        values = _values_on_day_of(program, state, moment)
        return _risen(tier_set, counters, max(own, reached(tier_set, values)), values)
    values = _values_at(program, tier_set, state, moment, after_grace=grace_over)
    judged = _judged(tier_set, own, values)
    if judged > own:
        return _risen(tier_set, counters, judged, values)
    if tier_set.is_current and not grace_over and (judged == own or _is_graced(period)):
        return None
    outcome = Outcome()
    definition = tier_set.definition
    if judged == own or definition.downgrade == "never":
        outcome.renewed = [name]
    elif definition.grace is not None and not grace_over:
        outcome.graced = {name: after(moment, definition.grace, program.zone)}
    else:
        hold(tier_set, counters, fallen_to(tier_set, own, values), outcome)
    return outcome, _weighed(tier_set, own, values)


def ends_period(program: CompiledProgram, tier_set: CompiledTierSet, state: MemberState, moment: dt.datetime) -> bool:
    """Whether a period ends at a moment, or its grace where it has begun: what `reset_points` waits for."""
    period = state.counters.periods.get(tier_set.id)
    graced = None if period is None else period.grace_until
    ends = period_ends(program, tier_set, state) if graced is None else graced
    return ends is not None and ends <= moment


def _is_graced(period: TierPeriod | None) -> bool:
    return period is not None and period.grace_until is not None


def _risen(
    tier_set: CompiledTierSet, counters: Counters, level: int, values: Values
) -> tuple[Outcome, Explanation] | None:
    own = own_level(tier_set, counters)
    outcome = Outcome()
    if level > own:
        hold(tier_set, counters, level, outcome)
    return (outcome, _weighed(tier_set, own, values)) if level > own else None


def _weighed(tier_set: CompiledTierSet, own: int, values: Values) -> Explanation:
    level = tier_set.levels[own]
    needs = needs_of(level, values, keep=True)
    return Explanation(weighed=[Weighed(level.id, need.metric, need.value, need.needed) for need in needs])


def rejudge(
    program: CompiledProgram, tier_set: CompiledTierSet, state: MemberState, moment: dt.datetime
) -> tuple[Outcome, Explanation] | None:
    """Judge the level by settings that have just changed; None where that changes nothing.

    It is judged by what the metrics are now, or were when the level was reached or kept last, whichever is more: as if
    the settings had been these already. What a window over the period had come to is not known any more, so that a
    level which hangs on one only rises. A level that there is no more is replaced by what the metrics give.
    """
    counters = state.counters
    own = own_level(tier_set, counters)
    present = _values_on_day_of(program, state, moment)
    period = counters.periods.get(tier_set.id)
    # A review that kept a level at midnight judged the day before.
    then = present if period is None else _values_on_day_of(program, state, period.since - _MOMENT)

    def values(measure: Measure) -> int:
        return max(present(measure), then(measure))

    judged = _judged(tier_set, own, present if tier_set.is_current else values)
    outcome = Outcome()
    hold(tier_set, counters, max(judged, own) if tier_set.period_keys else judged, outcome)
    changes = bool(outcome.tiers or outcome.beneath)
    return (outcome, _weighed(tier_set, own, values)) if changes else None


def _values_at(
    program: CompiledProgram, tier_set: CompiledTierSet, state: MemberState, moment: dt.datetime, *, after_grace: bool
) -> Values:
    if tier_set.is_current:
        return _values_on_day_of(program, state, moment)
    last = moment - _MOMENT
    lately = _values_on_day_of(program, state, last)
    ends = period_ends(program, tier_set, state)
    if not after_grace or ends is None:
        return lately
    then = _values_on_day_of(program, state, ends - _MOMENT)
    before, day = ((one - _MOMENT).astimezone(program.zone).date() for one in (ends, moment))

    def together(measure: Measure) -> int:
        # What was counted in the grace is added to the window that ended with the period.
        kind, length = measure.window.kind, measure.window.length
        if length is not None:
            return counted_since(measure, state.counters, add_to_day(before, length, -1), day)
        of_other_days = bucket_of(program, measure, before, state.enrolled_at) != bucket_of(
            program, measure, day, state.enrolled_at
        )
        if kind in {"calendar_year", "anniversary"} and of_other_days:
            return then(measure) + lately(measure)
        return max(then(measure), lately(measure))

    return together
