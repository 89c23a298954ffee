"""Where a clock stops on its way: at the local midnights at which something has come due. Pure."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from setia.engine.calendar import midnight

_INSTANT = dt.timedelta(microseconds=1)


def midnight_from(moment: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The first beginning of a local day at `moment` or after it, UTC.

    Days have 23, 24 or 25 hours, and begin at 01:00 where the clocks skip midnight; a day that the calendar of a
    place skipped begins when the next one does.
    """
    today = moment.astimezone(zone).date()
    starts = (midnight(today + dt.timedelta(days=days), zone) for days in range(4))
    return next(start for start in starts if start >= moment)


def next_stop(now: dt.datetime, due_at: dt.datetime | None, target: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Where to stop next on the way from `now` to `target`, when something is due at `due_at`, and nothing before.

    What was due at `now` or before waits for the next midnight, so that each step goes on, whatever comes in meanwhile.
    """
    if due_at is None or due_at > target:
        return target
    return min(target, midnight_from(max(due_at, now + _INSTANT), zone))
