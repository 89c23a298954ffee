"""Exclusive groups: used at all, and never left to the order of the file."""

from __future__ import annotations

from itertools import combinations

from setia.program.campaigns import Campaign
from setia.program.events import BUILT_IN_EVENTS
from setia.program.expression_language import BOOL, ExpressionError
from setia.program.expression_language import check as check_text
from setia.program.lint.calendars import can_meet
from setia.program.lint.conditions import never
from setia.program.lint.report import Report
from setia.program.vocabulary import vocabulary


def check(report: Report) -> None:
    """Check the exclusive groups, and the campaigns that exclude all others."""
    campaigns = report.program.campaigns
    for name, group in report.program.stacking.groups.items():
        members = {key: campaign for key, campaign in campaigns.items() if campaign.group == name}
        if not members:
            path = ("stacking", "groups", name)
            report.warning("unused_group", path, f"no campaign is in the group {name!r}", "remove it", key=True)
        elif group.choose == "priority":
            _check_order(report, members, "group")
    _check_order(report, {key: campaign for key, campaign in campaigns.items() if campaign.exclusive}, "exclusive")


def _check_order(report: Report, campaigns: dict[str, Campaign], setting: str) -> None:
    """Warn of pairs of which only one may apply, when nothing says which."""
    for (first, one), (second, other) in combinations(campaigns.items(), 2):
        if one.priority == other.priority and one.enabled and other.enabled and _meet(report, one, other):
            message = f"{first!r} and {second!r} can match at once, and have the same priority ({one.priority})"
            hint = "give them different priorities, so that the order of the file does not decide"
            report.warning("same_priority", ("campaigns", second, setting), message, hint)


def _meet(report: Report, one: Campaign, other: Campaign) -> bool:
    """Whether two campaigns may match the same event."""
    events = (*BUILT_IN_EVENTS, *report.program.events)
    common = [trigger for trigger in one.triggers if trigger in other.triggers and trigger in events]
    if not common or not can_meet(one, other):
        return False
    conditions = [campaign.when for campaign in (one, other) if campaign.when is not None]
    for trigger in common:
        schema = vocabulary(report.program, trigger)
        try:
            roots = [check_text(condition, schema, BOOL).root for condition in conditions]
        except ExpressionError:
            return True
        if never(roots) is None:
            return True
    return False
