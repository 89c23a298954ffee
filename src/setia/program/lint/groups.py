"""Exclusive groups: used at all, and never left to the order of the file."""

from __future__ import annotations

from setia.program.campaigns import Campaign
from setia.program.expression_language import Node
from setia.program.lint.calendars import can_meet
from setia.program.lint.conditions import never
from setia.program.lint.report import Report

_MOST_COMPARISONS = 20_000
"""Pairs of campaigns looked at in one group: all of 200 campaigns. Beyond it a warning may be missing, no error."""


def check(report: Report) -> None:
    """Check the exclusive groups, and the campaigns that exclude all others."""
    campaigns = report.program.campaigns
    for name, group in report.program.stacking.groups.items():
        members = {key: campaign for key, campaign in campaigns.items() if campaign.group == name}
        if not members:
            path = ("stacking", "groups", name)
            report.warning("unused_group", path, f"no campaign is in the group {name!r}", "remove it", key=True)
        elif 1 < group.most >= len(members):
            message = f"the group {name!r} lets {group.most} apply and has {len(members)}: it never has to choose"
            hint = "lower `most`, or remove the group"
            report.warning("without_effect", ("stacking", "groups", name, "most"), message, hint, key=True)
        elif group.choose == "priority":
            rivals = {key: campaign for key, campaign in members.items() if not campaign.exclusive}
            _check_order(report, rivals, "group")
        for key in (key for key, campaign in members.items() if campaign.exclusive):
            message = f"{key!r} is `exclusive`: it keeps all others out, so its group never has to choose"
            hint = "remove `group`, or `exclusive`"
            report.warning("without_effect", ("campaigns", key, "group"), message, hint, key=True)
    exclusive = {key: campaign for key, campaign in campaigns.items() if campaign.exclusive}
    _check_order(report, exclusive, "exclusive")
    for key in (key for key, campaign in campaigns.items() if campaign.always and not exclusive):
        message = f"no campaign is `exclusive`, so nothing could keep {key!r} out"
        report.warning("without_effect", ("campaigns", key, "always"), message, "remove `always`", key=True)


def _check_order(report: Report, campaigns: dict[str, Campaign], setting: str) -> None:
    """Warn of campaigns of which only one may apply, when nothing says which; once for each is enough."""
    by_priority: dict[int, list[str]] = {}
    left = _MOST_COMPARISONS
    for name, campaign in campaigns.items():
        if not campaign.enabled:
            continue
        before = by_priority.setdefault(campaign.priority, [])
        compared = before[:left]
        left -= len(compared)
        rival = next((other for other in compared if _meet(report, campaigns[other], campaign)), None)
        before.append(name)
        if rival is not None:
            message = f"{rival!r} and {name!r} can match at once, and have the same priority ({campaign.priority})"
            hint = "give them different priorities, so that the order of the file does not decide"
            report.warning("same_priority", ("campaigns", name, setting), message, hint)


def _meet(report: Report, one: Campaign, other: Campaign) -> bool:
    """Whether two campaigns may match the same event."""
    events = report.program.event_names
    common = [trigger for trigger in one.triggers if trigger in other.triggers and trigger in events]
    if not common or not can_meet(one, other):
        return False
    return any(never(_conditions(report, trigger, one, other), trigger) is None for trigger in common)


def _conditions(report: Report, trigger: str, *campaigns: Campaign) -> list[Node]:
    """Return the trees of the campaigns' conditions; one that has errors is no condition."""
    roots: list[Node] = []
    for campaign in campaigns:
        if campaign.when is not None:
            root = report.condition(campaign.when, trigger)
            roots += [] if root is None else [root]
    return roots
