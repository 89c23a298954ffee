"""Point types and member attributes: names that expressions and limits could not tell apart, and expiry."""

from __future__ import annotations

import datetime as dt
import re

from setia.program.campaigns import Campaign
from setia.program.expiry import Expiry
from setia.program.findings import Path
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint
from setia.program.points import PointType

_KEYWORDS = frozenset({"true", "false", "null", "in"})
_MONTH_AND_DAY = re.compile(r"\d\d-\d\d")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def check(report: Report) -> None:
    """Check point types, and the names of everything that expressions name."""
    program = report.program
    for name, point_type in program.points.items():
        if name in {"uses", "units"}:
            counts = "how often" if name == "uses" else "what a promotion discounts"
            message = f"`{name}` cannot be a point type: a limit `in_all: 100 {name}` counts {counts}"
            report.error("reserved_name", ("points", name), message, "choose another name", key=True)
        _check_keyword(report, ("points", name), name)
        _check_expiry(report, ("points", name, "expiry"), point_type.expiry)
        _check_waiting(report, ("points", name), point_type)
    for name, campaign in program.campaigns.items():
        if campaign.expiry is not None:
            _check_expiry(report, ("campaigns", name, "expiry"), campaign.expiry)
        _check_waiting(report, ("campaigns", name), campaign)
    for name in program.members.attributes:
        _check_keyword(report, ("members", "attributes", name), name)
    for number, tier_set in enumerate(program.tiers):
        if tier_set.id in _KEYWORDS:
            path = ("tiers", number, "id")
            report.error("reserved_name", path, f"{tier_set.id!r} is a word of the expression language", "rename it")


def _check_keyword(report: Report, path: tuple[str, ...], name: str) -> None:
    if name in _KEYWORDS:
        report.error("reserved_name", path, f"{name!r} is a word of the expression language", "rename it", key=True)


def _check_expiry(report: Report, path: tuple[str, ...], expiry: Expiry) -> None:
    for number, day in enumerate(expiry.on):
        if not _is_day(day):
            hint = 'write it as "MM-DD", such as "12-31", or as a date, such as "2026-12-31"'
            report.error("bad_date", (*path, "on", number), f"{day!r} is not a day of the year", hint)
    for number, event in enumerate(expiry.extended_by):
        _check_event(report, (*path, "extended_by", number), event)
    levels = {tier_set.id: [level.id for level in tier_set.levels] for tier_set in report.program.tiers}
    for tier_set, lengths in expiry.by_tier.items():
        place: tuple[str, ...] = (*path, "by_tier", tier_set)
        if tier_set not in levels:
            hint = nearest_hint(tier_set, levels, of="tier sets")
            report.error("unknown_tier_set", place, f"there is no tier set {tier_set!r}", hint, key=True)
            continue
        for level in lengths:
            if level not in levels[tier_set]:
                message = f"{tier_set!r} has no level {level!r}"
                hint = nearest_hint(level, levels[tier_set], of="levels")
                report.error("unknown_level", (*place, level), message, hint, key=True)


def _check_waiting(report: Report, path: tuple[str, ...], part: PointType | Campaign) -> None:
    """Points that wait need lots: nothing else remembers what they wait for."""
    if part.available_on is not None:
        _check_event(report, (*path, "available_on"), part.available_on)
    if isinstance(part, PointType):
        if part.cancel_on is not None:
            _check_event(report, (*path, "cancel_on"), part.cancel_on)
        if part.available_on is not None and not part.in_lots:
            message = "points that only count cannot wait for an event"
            report.error("not_spendable", (*path, "available_on"), message, "remove it, or make the points spendable")


def _check_event(report: Report, path: Path, event: str) -> None:
    events = report.program.event_names
    if event not in events:
        report.error("unknown_event", path, f"there is no event {event!r}", nearest_hint(event, events, of="events"))


def _is_day(text: str) -> bool:
    try:
        # A leap year, so that 02-29 is a day.
        if _MONTH_AND_DAY.fullmatch(text):
            dt.date(2024, int(text[:2]), int(text[3:]))
            return True
        return bool(_DATE.fullmatch(text)) and dt.date.fromisoformat(text) >= dt.date(2, 1, 1)
    except ValueError:
        return False
