"""Settings without effect: they read well, and nothing they speak of can happen."""

from __future__ import annotations

from setia.program.campaigns import Campaign
from setia.program.events import RETURN_EVENTS, TIME_EVENTS
from setia.program.findings import Path
from setia.program.lint.report import Report
from setia.program.points import PointType
from setia.program.tiers import TierSet


def check(report: Report) -> None:
    """Check point types, tier sets and triggers for settings that wait for what never comes."""
    program = report.program
    for name, point_type in program.points.items():
        _check_points(report, name, point_type)
    for number, tier_set in enumerate(program.tiers):
        _check_levels(report, ("tiers", number), tier_set)
    for name, campaign in program.campaigns.items():
        waited = [event for event in campaign.triggers if event in TIME_EVENTS]
        if waited and not any(_is_reviewed(tier_set) for tier_set in program.tiers):
            message = f"{waited[0]!r} tells of levels that will be lost, and none ever is"
            hint = "add a tier set with a `validity` that ends, or start on another event"
            report.warning("never_matches", ("campaigns", name, "on"), message, hint)
    _check_returns(report)
    for name, trigger in program.triggers.items():
        if trigger.expiring is not None and trigger.expiring.points in program.points:
            points = trigger.expiring.points
            if program.points[points].in_lots and not _ends(report, points):
                message = f"{points!r} never end, so nobody is warned"
                where: Path = ("triggers", name, "expiring", "points")
                report.warning("never_matches", where, message, "give them an `expiry`, or remove the trigger")


def _check_returns(report: Report) -> None:
    """A return takes back what its order gave; nothing that waits for one ever hears of it."""
    program = report.program
    for name, campaign in program.campaigns.items():
        for event in dict.fromkeys(one for one in campaign.triggers if one in RETURN_EVENTS):
            message = f"a {event} takes back what its order gave, and starts no campaign"
            report.warning("never_matches", ("campaigns", name, "on"), message, "start on another event")
    waiting: list[tuple[Path, PointType | Campaign]] = [
        *((("points", name), one) for name, one in program.points.items()),
        *((("campaigns", name), one) for name, one in program.campaigns.items()),
    ]
    for path, part in waiting:
        if part.available_on in RETURN_EVENTS:
            message = f"points that wait for a {part.available_on} are never available: it takes them back"
            _say(report, (*path, "available_on"), message, "name an event by which the order is final, or remove it")
    for name, point_type in program.points.items():
        if point_type.cancel_on in RETURN_EVENTS:
            message = f"a {point_type.cancel_on} takes back what its order gave, whether pending or not, by itself"
            _say(report, ("points", name, "cancel_on"), message, "remove it")
        for place, event in enumerate(point_type.expiry.extended_by):
            if event in RETURN_EVENTS:
                message = f"a {event} is no activity, and lets no points live longer"
                _say(report, ("points", name, "expiry", "extended_by", place), message, "remove it")


def _check_points(report: Report, name: str, point_type: PointType) -> None:
    path: Path = ("points", name)
    expiry = point_type.expiry
    if expiry.extended_by and expiry.inactivity is None:
        message = "`extended_by` names what keeps points from ending by inactivity, and these do not"
        _say(report, (*path, "expiry", "extended_by"), message, "add `inactivity`, for example 12mo, or remove it")
    earning = [campaign for campaign in report.program.campaigns.values() if name in campaign.earn]
    parts: list[PointType | Campaign] = [point_type, *earning]
    waits = any(_is_pending(part) for part in parts)
    if point_type.cancel_on is not None and not waits:
        message = f"`cancel_on` takes pending {name!r} back, and they are never pending"
        _say(report, (*path, "cancel_on"), message, "add `available_after` or `available_on`, or remove it")


def _is_pending(part: PointType | Campaign) -> bool:
    return part.available_on is not None or bool(part.available_after and part.available_after.count)


def _ends(report: Report, points: str) -> bool:
    """Whether points of a type ever end by themselves."""
    expiry = report.program.points[points].expiry
    own = [c.expiry for c in report.program.campaigns.values() if points in c.earn and c.expiry is not None]
    return expiry.inactivity is not None or any(one.by_calendar for one in (expiry, *own))


def _check_levels(report: Report, path: Path, tier_set: TierSet) -> None:
    if _is_reviewed(tier_set):
        if tier_set.downgrade != "never":
            return
        why, hint = "with `downgrade: never` no level is lost", "remove it, or choose another `downgrade`"
    else:
        why, hint = "its levels are held for ever", "remove it, or add a `validity` that ends, such as calendar_year"
    if tier_set.grace is not None:
        _say(report, (*path, "grace"), f"`grace` has no effect: {why}", hint)
    for place, level in enumerate(tier_set.levels):
        where: Path = (*path, "levels", place)
        if level.keep_from is not None and level.keep_from != level.from_:
            _say(report, (*where, "keep_from"), f"`keep_from` has no effect: {why}", hint)
        for kind in ("any", "all"):
            for order, criterion in enumerate(getattr(level, kind)):
                if criterion.keep_from is not None and criterion.keep_from != criterion.from_:
                    own: Path = (*where, kind, order, "keep_from")
                    _say(report, own, f"`keep_from` has no effect: {why}", hint)


def _is_reviewed(tier_set: TierSet) -> bool:
    return tier_set.held_for.kind != "for_ever" or tier_set.on_change == "at_once"


def _say(report: Report, path: Path, message: str, hint: str) -> None:
    report.warning("without_effect", path, message, hint, key=True)
