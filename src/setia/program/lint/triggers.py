"""Triggers of time: attributes and points that exist, audiences that can be asked, and whether anything uses them."""

from __future__ import annotations

from setia.program.expression_language import BOOL
from setia.program.findings import Path
from setia.program.lint.conditions import never
from setia.program.lint.expressions import check_expression
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint
from setia.program.triggers import Trigger
from setia.program.vocabulary import audience_vocabulary


def check(report: Report) -> None:
    """Check each trigger."""
    program = report.program
    used = {event for campaign in program.campaigns.values() for event in campaign.triggers}
    schema = audience_vocabulary(program) if program.triggers else None
    for name, trigger in program.triggers.items():
        path: Path = ("triggers", name)
        _check_attribute(report, path, trigger)
        _check_points(report, path, trigger)
        _check_activity(report, path, trigger)
        _check_offers(report, path, trigger)
        if trigger.for_ is not None and schema is not None:
            root = check_expression(report, (*path, "for"), trigger.for_, schema, BOOL)
            reason = None if root is None else never([root])
            if reason is not None:
                report.warning("never_matches", (*path, "for"), f"this never holds: {reason}", "correct the condition")
        if name not in used:
            message = f"no campaign uses the trigger {name!r}"
            report.warning("unused_trigger", path, message, f"add a campaign with `on: {name}`", key=True)


def _check_attribute(report: Report, path: Path, trigger: Trigger) -> None:
    wanted = trigger.birthday or trigger.date
    if wanted is None:
        return
    where: Path = (*path, trigger.kind, "attribute")
    attributes = report.program.members.attributes
    attribute = attributes.get(wanted.attribute)
    if attribute is None:
        dates = [name for name, one in attributes.items() if one.type == "date"]
        hint = nearest_hint(wanted.attribute, dates, of="attributes of type date")
        if not dates:
            hint = f"declare it: `members: {{attributes: {{{wanted.attribute}: {{type: date}}}}}}`"
        report.error("unknown_attribute", where, f"there is no attribute {wanted.attribute!r}", hint)
    elif attribute.type != "date":
        message = f"the attribute {wanted.attribute!r} is a {attribute.type}, and no date"
        report.error("no_date", where, message, "write `type: date` there, or name another attribute")


def _check_points(report: Report, path: Path, trigger: Trigger) -> None:
    points = report.program.points
    if trigger.expiring is None:
        return
    where: Path = (*path, "expiring", "points")
    name = trigger.expiring.points
    if name not in points:
        hint = nearest_hint(name, points, of="point types")
        report.error("unknown_point_type", where, f"there is no point type {name!r}", hint)
    elif not points[name].in_lots:
        message = f"{name!r} never end, so nobody is warned"
        report.warning("never_matches", where, message, "give them an `expiry`, or remove the trigger")


def _check_activity(report: Report, path: Path, trigger: Trigger) -> None:
    events = report.program.event_names
    for number, event in enumerate(trigger.inactive.counting if trigger.inactive is not None else ()):
        if event not in events:
            where: Path = (*path, "inactive", "counting", number)
            hint = nearest_hint(event, events, of="events")
            report.error("unknown_event", where, f"there is no event {event!r}", hint)


def _check_offers(report: Report, path: Path, trigger: Trigger) -> None:
    offers = [name for name, campaign in report.program.campaigns.items() if campaign.offer is not None]
    for number, name in enumerate(trigger.offer_ending.offers if trigger.offer_ending is not None else ()):
        if name not in offers:
            where: Path = (*path, "offer_ending", "offers", number)
            report.error("unknown_offer", where, f"there is no offer {name!r}", nearest_hint(name, offers, of="offers"))
