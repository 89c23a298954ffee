"""Schedules as stretches of days: whether two can meet, and whether one has any moment at all."""

from __future__ import annotations

import datetime as dt

from setia.program.campaigns import Campaign, Schedule

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def first_day(schedule: Schedule | None) -> dt.date:
    """Return the first day a schedule may have a moment on, a day early where its time zone may matter."""
    starts = None if schedule is None else schedule.starts
    if isinstance(starts, dt.datetime):
        return starts.date() - dt.timedelta(days=1) if starts.date() > dt.date.min else dt.date.min
    return starts or dt.date.min


def last_day(schedule: Schedule | None) -> dt.date:
    """Return the last day a schedule may have a moment on, a day late where its time zone may matter."""
    ends = None if schedule is None else schedule.ends
    if isinstance(ends, dt.datetime):
        return ends.date() + dt.timedelta(days=1) if ends.date() < dt.date.max else dt.date.max
    return ends or dt.date.max


def never_runs(schedule: Schedule) -> str | None:
    """Say why a schedule has no moment at all, or None."""
    starts, ends = schedule.starts, schedule.ends
    if isinstance(starts, dt.datetime) and isinstance(ends, dt.datetime) and ends <= starts:
        return f"the campaign ends ({ends.isoformat()}) before it starts ({starts.isoformat()})"
    if last_day(schedule) < first_day(schedule):
        return f"the campaign ends ({ends}) before it starts ({starts})"
    if schedule.days is not None and not schedule.days:
        return "the list of days is empty"
    if schedule.days is not None and not _has_day(first_day(schedule), last_day(schedule), set(schedule.days)):
        return f"none of its days lies between {starts} and {ends}"
    return None


def _has_day(first: dt.date, last: dt.date, days: set[str]) -> bool:
    if (last - first).days >= 6:
        return True
    span = (first + dt.timedelta(days=number) for number in range((last - first).days + 1))
    return any(_WEEKDAYS[day.weekday()] in days for day in span)


def can_meet(one: Campaign, other: Campaign) -> bool:
    """Whether two campaigns' schedules may have a moment in common; times of day are not compared."""
    first = max(first_day(one.schedule), first_day(other.schedule))
    last = min(last_day(one.schedule), last_day(other.schedule))
    if last < first:
        return False
    days = set(_WEEKDAYS)
    for campaign in (one, other):
        if campaign.schedule is not None and campaign.schedule.days is not None:
            days &= set(campaign.schedule.days)
    return bool(days) and _has_day(first, last, days)
