"""Until when a level is held: the end of its period of validity."""

from __future__ import annotations

import datetime as dt

from setia.engine.calendar import add_to_day, aligned, anniversary_after, midnight, next_day_of
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_tiers import CompiledTierSet
from setia.program.names import Period

_DAY = dt.timedelta(days=1)
_MOMENT = dt.timedelta(microseconds=1)
_MOST_REMEMBERED = 4096


def period_end(
    program: CompiledProgram, tier_set: CompiledTierSet, since: dt.datetime, enrolled_at: dt.datetime
) -> dt.datetime | None:
    """The moment (UTC, exclusive) at which a period that began at `since` ends and the level is judged.

    None where it does not end: for ever, or by no calendar.
    """
    # A review asks for it four times and more, and time zones are the dearest arithmetic here.
    known, key = program.period_ends, (tier_set.id, since, enrolled_at)
    ends = known.get(key, since)
    if ends is since:
        if len(known) >= _MOST_REMEMBERED:
            known.clear()
        day = _first_day_after(program, tier_set, since, enrolled_at)
        ends = known[key] = None if day is None else midnight(day, program.zone)
    return ends


def _first_day_after(
    program: CompiledProgram, tier_set: CompiledTierSet, since: dt.datetime, enrolled_at: dt.datetime
) -> dt.date | None:
    validity = tier_set.validity
    day = since.astimezone(program.zone).date()
    match validity.kind:
        case "calendar_year":
            return dt.date(day.year + 1, 1, 1)
        case "anniversary":
            return anniversary_after(enrolled_at.astimezone(program.zone).date(), day)
        case "after" if validity.after is not None:
            last = add_to_day(day, validity.after) - _DAY
            if not validity.first_day_counts:
                # A period that begins with a day follows one that ended with the day before, and is counted from there:
                # else each would be a day longer than the one before it, and an aligned one a month or a year.
                last = add_to_day((since - _MOMENT).astimezone(program.zone).date(), validity.after)
            return aligned(last, validity.align) + _DAY
        case "every" if validity.every is not None:
            return _step_after(enrolled_at.astimezone(program.zone).date(), validity.every, day)
        case "on":
            return next_day_of(validity.on, day + _DAY)
        case _:
            return None


def _step_after(start: dt.date, every: Period, day: dt.date) -> dt.date:
    """The first of the days `start` + n x `every` after `day`."""
    longest = {"days": 1, "weeks": 7, "months": 31, "years": 366}[every.unit] * every.count
    steps = max(1, (day - start).days // longest)
    while (then := add_to_day(start, every, steps)) <= day:
        steps += 1
    return then
