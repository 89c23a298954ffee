"""When the events of a case happen, on one calendar (UTC)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from cases.published import Case, Data

TODAY = dt.date(2026, 3, 4)
"""The day of a case that names none: a Wednesday far from the ends of months and years."""
_NOON = dt.time(12)
_RELATIVE = re.compile(r"^today(?:\s*([+-])\s*(\d+)\s*days?)?$")
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_STEP = dt.timedelta(minutes=1)
_LENGTHS = {"hours": dt.timedelta(hours=1), "days": dt.timedelta(days=1), "weeks": dt.timedelta(weeks=1)}
"""For how long nothing happens before somebody looks."""


def day_of(text: str) -> dt.date:
    """A day as cases write it: 2026-03-04, or `today-10 days`."""
    relative = _RELATIVE.match(text)
    if relative is None:
        return dt.date.fromisoformat(text[:10])
    days = int(relative[2] or 0)
    return TODAY + dt.timedelta(days=-days if relative[1] == "-" else days)


def moment_of(text: str) -> dt.datetime:
    """A moment as cases write it; of a day alone, its noon."""
    if _DAY.match(text) or _RELATIVE.match(text):
        return dt.datetime.combine(day_of(text), _NOON, dt.UTC)
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)


class Timeline:
    """The moments of a case's events, in order."""

    def __init__(self, case: Case) -> None:
        dated = [moment for event in case.events if (moment := _written(event, None)) is not None]
        relative = any(_of_days(event) for event in case.events)
        self.start = (
            dt.datetime.combine(min(dated).date(), dt.time(), dt.UTC)
            if dated
            else dt.datetime.combine(TODAY, dt.time(0 if relative else 9), dt.UTC)
        )
        if any(event["type"] == "birthday_run" and "birthday" in event for event in case.events):
            # What a birthday gives is for those who told it some time before.
            self.start -= dt.timedelta(days=90)
        ago = [int(event["days_ago"]) for event in case.events if "days_ago" in event]
        self._today = self.start + dt.timedelta(days=max(ago, default=0))
        self._now = self.start

    def at(self, event: Data) -> dt.datetime:
        """When an event happens; a minute after the one before, where it does not say."""
        written = _written(event, self.start)
        if "days_ago" in event:
            written = self._today - dt.timedelta(days=int(event["days_ago"])) + dt.timedelta(hours=12)
        for word, unit in _LENGTHS.items():
            if event["type"] == "query" and word in event:
                written = self._now + unit * int(event[word])
        self._now = written if written is not None and written > self._now else self._now + _STEP
        return self._now if written is None else written


def _of_days(event: Data) -> bool:
    return "day" in event or "days_ago" in event


def _written(event: Data, start: dt.datetime | None) -> dt.datetime | None:
    text: Any = event.get("at", event.get("date", event.get("earned_on")))
    if text is not None and event.get("type") != "query_earned_since":
        return moment_of(str(text))
    if "day" in event and start is not None:
        # What a case says of a day holds at its beginning: a review on that day sees it.
        early = 0 if event["type"] == "state_at_day" else 12
        return start + dt.timedelta(days=int(event["day"]), hours=early) - dt.timedelta(hours=1 if not early else 0)
    return None
