"""Moments as files write them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from setia.imports.mapping import Moment


def moments(form: Moment) -> Callable[[Any], tuple[str, bool]]:
    """How to read a moment, as RFC 3339, and whether its local time is one that the clocks skip."""
    pattern = form.format
    zone = ZoneInfo(form.timezone) if form.timezone else None

    def moment(value: Any) -> tuple[str, bool]:
        if isinstance(value, dt.datetime):
            found = value
        elif not isinstance(value, str):
            raise TypeError("a text or a timestamp is needed")
        elif pattern is not None:
            found = dt.datetime.strptime(value.strip(), pattern)  # noqa: DTZ007 - the zone follows
        else:
            found = dt.datetime.fromisoformat(value.strip())
        if found.tzinfo is None:
            if zone is None:
                raise ValueError("it has no offset; name the timezone in the map")
            found = found.replace(tzinfo=zone)
            at = found.astimezone(dt.UTC)
            # A time that was comes back from UTC as it went; one that the clocks skipped comes back as another.
            return at.isoformat(), at.astimezone(zone).replace(tzinfo=None) != found.replace(tzinfo=None)
        return found.astimezone(dt.UTC).isoformat(), False

    return moment
