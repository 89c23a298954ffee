"""The periods in which rewards are counted: where they begin and end on the program's calendar."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from setia.engine.calendar import midnight
from setia.program.rewards import RewardPeriod

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def period_bounds(
    every: RewardPeriod, moment: dt.datetime, zone: ZoneInfo
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """When the period in which a moment lies begins and ends (exclusive), UTC; None: never."""
    if every == "ever":
        return None, None
    day = moment.astimezone(zone).date()
    if every == "day":
        first, following = day, day + dt.timedelta(days=1)
    elif every == "week":
        first = day - dt.timedelta(days=day.weekday())
        following = first + dt.timedelta(days=7)
    else:
        months = _MONTHS[every]
        month = (day.month - 1) // months * months
        first = day.replace(month=month + 1, day=1)
        following = dt.date(day.year + (month + months) // 12, (month + months) % 12 + 1, 1)
    return midnight(first, zone), midnight(following, zone)
