"""Local days and times of day: what members' dates and the clock settings of a definition mean."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo


def date_of(value: object) -> dt.date | None:
    """A text as a date; None where it is none, such as a member attribute that had another type before."""
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def at_clock(day: dt.date, clock: str, zone: ZoneInfo) -> dt.datetime:
    """A time of day (`HH:MM`) on a local day, UTC.

    One that does not exist (clocks go forward) is read with the offset before the change; of one that exists twice it
    is the first, as everywhere in `calendar`.
    """
    return dt.datetime.combine(day, dt.time(int(clock[:2]), int(clock[3:])), tzinfo=zone).astimezone(dt.UTC)
