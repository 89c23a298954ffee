"""Point types and member attributes: names that expressions and limits could not tell apart, and expiry."""

from __future__ import annotations

import datetime as dt
import re

from setia.program.events import BUILT_IN_EVENTS
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint

_KEYWORDS = frozenset({"true", "false", "null", "in"})
_MONTH_AND_DAY = re.compile(r"\d\d-\d\d")


def check(report: Report) -> None:
    """Check point types, and the names of everything that expressions name."""
    program = report.program
    for name in program.points:
        if name == "uses":
            message = "`uses` cannot be a point type: a limit `in_all: 100 uses` counts how often"
            report.error("reserved_name", ("points", name), message, "choose another name", key=True)
        _check_keyword(report, ("points", name), name)
        _check_expiry(report, name)
    for name in program.members.attributes:
        _check_keyword(report, ("members", "attributes", name), name)
    for number, tier_set in enumerate(program.tiers):
        if tier_set.id in _KEYWORDS:
            path = ("tiers", number, "id")
            report.error("reserved_name", path, f"{tier_set.id!r} is a word of the expression language", "rename it")


def _check_keyword(report: Report, path: tuple[str, ...], name: str) -> None:
    if name in _KEYWORDS:
        report.error("reserved_name", path, f"{name!r} is a word of the expression language", "rename it", key=True)


def _check_expiry(report: Report, name: str) -> None:
    expiry = report.program.points[name].expiry
    for number, day in enumerate(expiry.on):
        if not _is_day(day):
            path = ("points", name, "expiry", "on", number)
            report.error("bad_date", path, f"{day!r} is not a day of the year", 'write it as "MM-DD", such as "12-31"')
    events = (*BUILT_IN_EVENTS, *report.program.events)
    for number, event in enumerate(expiry.extended_by):
        if event not in events:
            path = ("points", name, "expiry", "extended_by", number)
            report.error(
                "unknown_event", path, f"there is no event {event!r}", nearest_hint(event, events, of="events")
            )


def _is_day(text: str) -> bool:
    if not _MONTH_AND_DAY.fullmatch(text):
        return False
    try:
        # A leap year, so that 02-29 is a day.
        dt.date(2024, int(text[:2]), int(text[3:]))
    except ValueError:
        return False
    return True
