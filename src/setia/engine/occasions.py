"""The days of triggers by the calendar: birthdays, anniversaries, schedules, and dates that members have.

Each gives moments with keys, the earliest first, of occasions that the mark of those before does not rule out.
"""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Iterator
from typing import TypeAlias

from setia.engine.calendar import LAST_DAY, add_to_day
from setia.engine.compiled import CompiledProgram
from setia.engine.dates import at_clock, date_of
from setia.engine.state import MemberState
from setia.program.names import Period
from setia.program.triggers import Anniversary, AttributeDate, Birthday, Recurrence

Found: TypeAlias = Iterator[tuple[dt.datetime, str]]
_DAY = dt.timedelta(days=1)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_YEARS_AHEAD = 4
_FEBRUARY, _LEAP_DAY, _DECEMBER = 2, 29, 12
_MONTHS_OF = {"month": 1, "quarter": 3}


def birthdays(program: CompiledProgram, birthday: Birthday, state: MemberState, start: dt.date, mark: str) -> Found:
    """Birthdays from `start` on, one a year at most: that of a year in which one was counted does not come again."""
    born = date_of(state.attributes.get(birthday.attribute))
    if born is None:
        return
    registered_at = state.registered_at.get(birthday.attribute, state.enrolled_at)
    registered = max(registered_at, state.enrolled_at).astimezone(program.zone).date()
    in_time = add_to_day(registered, birthday.registered)
    # One of last year that was registered too late may come now.
    for year in range(max(start.year - 2, 1), min(start.year + _YEARS_AHEAD, LAST_DAY.year)):
        day = _in_year(born, year, birthday.leap_day)
        key = day.isoformat()
        if key[:4] <= mark[:4] or day <= born or day < registered:
            continue
        if day >= in_time:
            yield at_clock(day, birthday.at, program.zone), key
        elif birthday.late == "after_lead" and not mark:
            yield at_clock(in_time, birthday.at, program.zone), key


def _in_year(born: dt.date, year: int, leap_day: str) -> dt.date:
    if (born.month, born.day) == (_FEBRUARY, _LEAP_DAY) and monthrange(year, _FEBRUARY)[1] < _LEAP_DAY:
        return dt.date(year, int(leap_day[:2]), int(leap_day[3:]))
    return born.replace(year=year)


def anniversaries(
    program: CompiledProgram, anniversary: Anniversary, state: MemberState, start: dt.date, mark: str
) -> Found:
    """The days so many periods after the day of enrolment, from about `start` on."""
    enrolled = state.enrolled_at.astimezone(program.zone).date()
    longest = {"days": 1, "weeks": 7, "months": 31, "years": 366}[anniversary.every.unit] * anniversary.every.count
    number = max(1, (start - enrolled).days // longest)
    while (day := add_to_day(enrolled, anniversary.every, number)) < LAST_DAY:
        if (key := day.isoformat()) > mark:
            yield at_clock(day, anniversary.at, program.zone), key
        number += 1


def recurrences(program: CompiledProgram, schedule: Recurrence, start: dt.date, mark: str) -> Found:
    """The days of a schedule, from `start` on."""
    for day in _days(schedule, start):
        if (key := day.isoformat()) > mark:
            yield at_clock(day, schedule.at, program.zone), key


def _days(schedule: Recurrence, start: dt.date) -> Iterator[dt.date]:
    match schedule.every:
        case "day":
            return _steps(start, Period(count=1, unit="days"))
        case "week":
            ahead = (_WEEKDAYS.index(schedule.weekday) - start.weekday()) % 7
            return _steps(start + ahead * _DAY, Period(count=1, unit="weeks"))
        case "year":
            month_and_day = schedule.on or "01-01"
            first = dt.date(start.year, int(month_and_day[:2]), 1)
            return _on_days(first, Period(count=1, unit="years"), int(month_and_day[3:]), start)
        case _:
            months = _MONTHS_OF[schedule.every]
            month = (start.month - 1) // months * months + 1 + (months - 1 if schedule.on == "last" else 0)
            wanted = 31 if schedule.on == "last" else int(schedule.on or "1")
            return _on_days(dt.date(start.year, month, 1), Period(count=months, unit="months"), wanted, start)


def _steps(first: dt.date, step: Period) -> Iterator[dt.date]:
    day = first
    while day < LAST_DAY:
        yield day
        day = add_to_day(day, step)


def _on_days(first: dt.date, step: Period, wanted: int, start: dt.date) -> Iterator[dt.date]:
    """A day of the month, in that of `first` and every `step` after; the last one where the month is too short."""
    month = first
    while month < LAST_DAY.replace(day=1):
        day = month.replace(day=min(wanted, monthrange(month.year, month.month)[1]))
        if day >= start:
            yield day
        month = add_to_day(month, step)


def date_occasions(program: CompiledProgram, wanted: AttributeDate, state: MemberState, mark: str) -> Found:
    """The day that a member attribute says, or so long before or after it; once for each day it may say."""
    date = date_of(state.attributes.get(wanted.attribute))
    if date is None or date.isoformat() in mark.split(","):
        return
    day = date
    if wanted.before is not None:
        day = add_to_day(date, wanted.before, -1)
    elif wanted.after is not None:
        day = add_to_day(date, wanted.after)
    yield at_clock(day, wanted.at, program.zone), date.isoformat()
