"""Moments that callers may give: with an offset, and within what calendars can hold in every time zone."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

EARLIEST, LATEST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(9000, 1, 1, tzinfo=dt.UTC)


def _within(moment: dt.datetime) -> dt.datetime:
    if moment >= LATEST:
        message = f"a moment lies before the year {LATEST.year}; leave it out for never"
        raise ValueError(message)
    if moment < EARLIEST:
        message = f"a moment lies in the year {EARLIEST.year} or later"
        raise ValueError(message)
    return moment


GivenMoment = Annotated[AwareDatetime, AfterValidator(_within)]
"""A moment to come: others would leave the calendar as soon as something is added to them, or in UTC."""
