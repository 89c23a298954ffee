"""Moments and spans of time, to the microsecond.

Timestamps are `datetime` with a time zone; everything made here is in UTC. What CEL writes with nanoseconds is cut off
to microseconds. Reading the calendar in another time zone uses the time zone database, read once per zone.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from setia.expressions.numeric import OperationError

_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))\Z"
)
_DURATION = re.compile(r"([+-]?)((?:(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(?:ns|us|ms|h|m|s))+)\Z")
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|ms|h|m|s)")
_NANOSECONDS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_OFFSET = re.compile(r"([+-]?)([0-9]{1,2}):([0-9]{2})\Z")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECOND = dt.timedelta(seconds=1)
_MICROSECOND = dt.timedelta(microseconds=1)


def timestamp_of_text(text: str) -> dt.datetime:
    """`timestamp("2026-01-31T18:00:00Z")`, as RFC 3339 writes it."""
    found = _TIMESTAMP.match(text)
    if not found:
        raise OperationError(f'{text[:40]!r} is not a timestamp like "2026-01-31T18:00:00Z"')
    *numbers, fraction, sign, hours, minutes = found.groups()
    year, month, day, hour, minute, second = map(int, numbers)
    microsecond = int((fraction or "").ljust(6, "0")[:6])
    try:
        local = dt.datetime(year, month, day, hour, minute, second, microsecond, tzinfo=dt.UTC)
        offset = dt.timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        return local + offset if sign == "-" else local - offset
    except (ValueError, OverflowError):
        raise OperationError(f"{text[:40]!r} is not a moment in the calendar") from None


def timestamp_of_seconds(seconds: int) -> dt.datetime:
    """`timestamp(1767225600)`: seconds since 1970."""
    try:
        return _EPOCH + dt.timedelta(seconds=seconds)
    except OverflowError:
        raise OperationError("the moment is outside the years 1 to 9999") from None


def seconds_of_timestamp(moment: dt.datetime) -> int:
    """`int(timestamp)`: whole seconds since 1970, rounded down."""
    return (moment - _EPOCH) // _SECOND


def text_of_timestamp(moment: dt.datetime) -> str:
    """`string(timestamp)`, in UTC with as many digits of a second as needed."""
    utc = _zoned(moment, "UTC")
    fraction = f".{utc.microsecond:06}".rstrip("0") if utc.microsecond else ""
    return f"{utc.year:04}-{utc:%m-%dT%H:%M:%S}{fraction}Z"


def duration_of_text(text: str) -> dt.timedelta:
    """`duration("1h30m")`; units h, m, s, ms, us, ns. A day is "24h"."""
    if text in {"0", "+0", "-0"}:
        return dt.timedelta(0)
    found = _DURATION.match(text)
    if not found:
        raise OperationError(f'{text[:40]!r} is not a duration like "36h" or "1h30m"; a day is "24h"')
    nanoseconds = 0
    for whole, fraction, unit in _PART.findall(found[2]):
        scale = 10 ** len(fraction)
        nanoseconds += int(f"{whole}{fraction}" or "0") * _NANOSECONDS[unit] // scale
    try:
        span = dt.timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        raise OperationError(f"{text[:40]!r} is too long a time") from None
    return -span if found[1] == "-" else span


def text_of_duration(span: dt.timedelta) -> str:
    """`string(duration)` in seconds: "5400s", "1.500s"."""
    sign = "-" if span < dt.timedelta(0) else ""
    seconds, rest = divmod(abs(span), _SECOND)
    digits = f"{rest // _MICROSECOND:06}"
    # The official evaluator writes 0, 3, or 6 digits.
    fraction = "" if digits == "000000" else f".{digits[:3] if digits.endswith('000') else digits}"
    return f"{sign}{seconds}{fraction}s"


def add(a: dt.datetime, b: dt.timedelta) -> dt.datetime:
    """`timestamp + duration`."""
    try:
        return a + b
    except OverflowError:
        raise OperationError("the moment is outside the years 1 to 9999") from None


def add_to_duration(a: dt.timedelta, b: dt.datetime) -> dt.datetime:
    """`duration + timestamp`."""
    return add(b, a)


def add_durations(a: dt.timedelta, b: dt.timedelta) -> dt.timedelta:
    """`duration + duration`."""
    try:
        return a + b
    except OverflowError:
        raise OperationError("too long a time") from None


def subtract(a: dt.datetime, b: dt.timedelta) -> dt.datetime:
    """`timestamp - duration`."""
    return add(a, -b)


def subtract_durations(a: dt.timedelta, b: dt.timedelta) -> dt.timedelta:
    """`duration - duration`."""
    return add_durations(a, -b)


def between(a: dt.datetime, b: dt.datetime) -> dt.timedelta:
    """`timestamp - timestamp`."""
    return a - b


def days_between(start: dt.datetime, end: dt.datetime) -> int:
    """Whole days of 24 hours from one moment to another, cut off toward zero; negative when `end` is earlier."""
    days = abs(end - start).days
    return days if end >= start else -days


def year(moment: dt.datetime, zone: str = "UTC") -> int:
    """`getFullYear()`: 2026."""
    return _zoned(moment, zone).year


def month(moment: dt.datetime, zone: str = "UTC") -> int:
    """`getMonth()`: January is 0."""
    return _zoned(moment, zone).month - 1


def date(moment: dt.datetime, zone: str = "UTC") -> int:
    """`getDate()`: the first of the month is 1."""
    return _zoned(moment, zone).day


def day_of_month(moment: dt.datetime, zone: str = "UTC") -> int:
    """`getDayOfMonth()`: the first of the month is 0."""
    return _zoned(moment, zone).day - 1


def day_of_week(moment: dt.datetime, zone: str = "UTC") -> int:
    """`getDayOfWeek()`: Sunday is 0."""
    return _zoned(moment, zone).isoweekday() % 7


def day_of_year(moment: dt.datetime, zone: str = "UTC") -> int:
    """`getDayOfYear()`: the first of January is 0."""
    return _zoned(moment, zone).timetuple().tm_yday - 1


def hours(moment: dt.datetime, zone: str = "UTC") -> int:
    """`getHours()`: 0 to 23."""
    return _zoned(moment, zone).hour


def minutes(moment: dt.datetime, zone: str = "UTC") -> int:
    """`getMinutes()`: 0 to 59."""
    return _zoned(moment, zone).minute


def seconds(moment: dt.datetime, zone: str = "UTC") -> int:
    """`getSeconds()`: 0 to 59."""
    return _zoned(moment, zone).second


def milliseconds(moment: dt.datetime, zone: str = "UTC") -> int:
    """`getMilliseconds()`: 0 to 999."""
    return _zoned(moment, zone).microsecond // 1000


def whole_hours(span: dt.timedelta) -> int:
    """`getHours()` of a duration: all of them."""
    return _whole(span, dt.timedelta(hours=1))


def whole_minutes(span: dt.timedelta) -> int:
    """`getMinutes()` of a duration: all of them."""
    return _whole(span, dt.timedelta(minutes=1))


def whole_seconds(span: dt.timedelta) -> int:
    """`getSeconds()` of a duration: all of them."""
    return _whole(span, _SECOND)


def rest_milliseconds(span: dt.timedelta) -> int:
    """`getMilliseconds()` of a duration: those beyond its whole seconds."""
    rest = abs(span) % _SECOND // dt.timedelta(milliseconds=1)
    return rest if span >= dt.timedelta(0) else -rest


def _whole(span: dt.timedelta, unit: dt.timedelta) -> int:
    count = abs(span) // unit
    return count if span >= dt.timedelta(0) else -count


def _zoned(moment: dt.datetime, zone: str) -> dt.datetime:
    if moment.tzinfo is None:
        # `astimezone` would silently take the time zone of the machine.
        raise OperationError("the timestamp has no time zone")
    try:
        return moment.astimezone(zone_of(zone))
    except OverflowError:
        raise OperationError("the moment is outside the years 1 to 9999") from None


@lru_cache(maxsize=256)
def zone_of(name: str) -> dt.tzinfo:
    """A zone of the time zone database, or an offset like `+02:00`."""
    if name in {"UTC", ""}:
        return dt.UTC
    if found := _OFFSET.match(name):
        offset = dt.timedelta(hours=int(found[2]), minutes=int(found[3]))
        if offset < dt.timedelta(hours=24):
            return dt.timezone(-offset if found[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise OperationError(f"there is no time zone {name[:40]!r}") from None
