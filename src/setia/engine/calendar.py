"""Time as the program's owner sees it: the local calendar, its periods, and lengths of time on it."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from setia.program.expiry import Expiry
from setia.program.limits import LimitPeriod
from setia.program.names import Period

Side = Literal["start", "end"]


def local(moment: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """`moment` on the program's clock."""
    return moment.astimezone(zone)


def period_key(period: LimitPeriod, day: dt.date) -> str:
    """The period of that kind in which a local day lies, as a text that sorts by time.

    `2026-01-31`, `2026-W05`, `2026-01`, `2026-Q1`, `2026`, `ever`.
    """
    match period:
        case "day":
            return day.isoformat()
        case "week":
            year, week, _ = day.isocalendar()
            return f"{year:04d}-W{week:02d}"
        case "month":
            return f"{day.year:04d}-{day.month:02d}"
        case "quarter":
            return f"{day.year:04d}-Q{(day.month + 2) // 3}"
        case "year":
            return f"{day.year:04d}"
        case _:
            return "ever"


def add_to_day(day: dt.date, period: Period, times: int = 1) -> dt.date:
    """`day` plus `times` a period (-1: minus it) in days, weeks, months or years.

    A month that is too short ends on its last day: 31 January plus one month is 28 or 29 February. Beyond the years
    that dates can hold, FIRST_DAY or LAST_DAY stands for it: who writes `9999y` means for ever, not an error at the
    till.
    """
    count = period.count * times
    match period.unit:
        case "days":
            return _add_days(day, count)
        case "weeks":
            return _add_days(day, 7 * count)
        case "months":
            return _add_months(day, count)
        case "years":
            return _add_months(day, 12 * count)
        case _:
            message = f"{period} is not counted in days"
            raise ValueError(message)


def after(moment: dt.datetime, period: Period, zone: ZoneInfo) -> dt.datetime:
    """The moment a period later, UTC: minutes and hours elapse, days and longer keep the local time of day.

    A local time that does not exist (clocks go forward) is read with the offset before the change, so it falls later by
    the clock; one that exists twice is the first of the two (PEP 495, fold 0).
    """
    if period.unit in {"minutes", "hours"}:
        seconds = period.count * (60 if period.unit == "minutes" else 3600)
        return moment.astimezone(dt.UTC) + dt.timedelta(seconds=seconds)
    if not period.count:
        return moment.astimezone(dt.UTC)
    here = moment.astimezone(zone)
    then = dt.datetime.combine(add_to_day(here.date(), period), here.time().replace(fold=0), tzinfo=zone)
    return then.astimezone(dt.UTC)


def after_day(moment: dt.datetime, period: Period, zone: ZoneInfo) -> dt.datetime:
    """The end of the local day that lies a period of days or longer after a moment's day, UTC."""
    return midnight(add_to_day(moment.astimezone(zone).date(), period) + dt.timedelta(days=1), zone)


def step_after(first: dt.datetime, every: Period, booked: dt.datetime | None, zone: ZoneInfo) -> dt.datetime:
    """The first of the moments `first`, `first` + `every`, `first` + 2 `every`, ... after `booked`; at the local time.

    Each step is counted from the first one: steps of a month from 31 January fall on the last days of months.
    """
    if booked is None or booked < first:
        return first
    here = first.astimezone(zone)
    longest = {"days": 1, "weeks": 7, "months": 31, "years": 366}[every.unit] * every.count
    steps = max(1, (booked - first).days // longest)
    while True:
        day = add_to_day(here.date(), every, steps)
        then = dt.datetime.combine(day, here.time().replace(fold=0), tzinfo=zone).astimezone(dt.UTC)
        if then > booked:
            return then
        steps += 1


@lru_cache(maxsize=4096)
def midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The beginning of a local day, UTC."""
    return dt.datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(dt.UTC)


def expires_at(
    earned_at: dt.datetime, expiry: Expiry, zone: ZoneInfo, levels: Mapping[str, str] | None = None
) -> dt.datetime | None:
    """When a lot earned at `earned_at` ends (exclusive), UTC; None where it does not end by the calendar.

    Lots end with a local day: points that are valid through 31 March end at the midnight after it. `levels` are those
    held then (tier set -> level), for an expiry by tier.
    """
    if not expiry.by_calendar:
        return None
    length = expiry.length_for(levels or {})
    if length is None and not expiry.on:
        return None
    if length is not None and length.unit in {"minutes", "hours"} and expiry.align == "none" and not expiry.on:
        return after(earned_at, length, zone)
    return _end_of(earned_at.astimezone(zone).date(), expiry, length, zone)


def _end_of(day: dt.date, expiry: Expiry, length: Period | None, zone: ZoneInfo) -> dt.datetime | None:
    last = day if length is None else add_to_day(day, _in_days(length))
    if expiry.first_day_counts and last > day:
        last -= dt.timedelta(days=1)
    if expiry.on:
        gone = expiry.on_is == "gone"
        # What is earned on the day on which points go stays until the next one: it cannot be gone before it came.
        found = next_end_day(expiry.on, max(last, day + dt.timedelta(days=1)) if gone else last)
        if found is None:
            return None
        last = found - dt.timedelta(days=1) if gone else found
    return midnight(aligned(last, expiry.align) + dt.timedelta(days=1), zone)


def _in_days(period: Period) -> Period:
    if period.unit in {"minutes", "hours"}:
        return Period(count=0, unit="days")
    return period


def aligned(day: dt.date, align: str) -> dt.date:
    """The last day of the month, quarter, half-year or year of a day; `none` leaves the day."""
    months = {"month_end": 1, "quarter_end": 3, "half_year_end": 6, "year_end": 12}.get(align)
    if months is None:
        return day
    month = (day.month + months - 1) // months * months
    return dt.date(day.year, month, monthrange(day.year, month)[1])


def next_day_of(days: tuple[str, ...], earliest: dt.date) -> dt.date:
    """The first of some days of the year (`MM-DD`) that is not before `earliest`; 29 February may be the 28th."""
    candidates = [
        dt.date(year, int(text[:2]), min(int(text[3:]), monthrange(year, int(text[:2]))[1]))
        for text in days
        for year in (earliest.year, earliest.year + 1)
    ]
    return min(candidate for candidate in candidates if candidate >= earliest)


def next_end_day(days: tuple[str, ...], earliest: dt.date) -> dt.date | None:
    """The first of days of the year (`MM-DD`) and dates (`YYYY-MM-DD`) not before `earliest`; None where all passed."""
    yearly = tuple(text for text in days if len(text) == _MONTH_AND_DAY)
    dates = (dt.date.fromisoformat(text) for text in days if len(text) != _MONTH_AND_DAY)
    found = [min(date, LAST_DAY) for date in dates if date >= earliest]
    if yearly:
        found.append(next_day_of(yearly, earliest))
    return min(found, default=None)


_MONTH_AND_DAY = len("12-31")
# A little less than dates can hold, so that what is aligned from here is still a moment in every time zone.
FIRST_DAY, LAST_DAY = dt.date(2, 1, 1), dt.date(9997, 12, 31)


def _add_days(day: dt.date, count: int) -> dt.date:
    return dt.date.fromordinal(min(max(day.toordinal() + count, FIRST_DAY.toordinal()), LAST_DAY.toordinal()))


def _add_months(day: dt.date, months: int) -> dt.date:
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not FIRST_DAY.year <= year <= LAST_DAY.year:
        return FIRST_DAY if year < FIRST_DAY.year else LAST_DAY
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def full_years(since: dt.date, day: dt.date) -> int:
    """How many whole years lie between two local days; 29 February falls on the 28th in years without it."""
    years = day.year - since.year
    return years if _add_months(since, 12 * years) <= day else years - 1


def anniversary_after(since: dt.date, day: dt.date) -> dt.date:
    """The first anniversary of `since` after `day`; of 29 February the 28th in years without it."""
    years = max(1, day.year - since.year)
    while (then := _add_months(since, 12 * years)) <= day:
        years += 1
    return then
