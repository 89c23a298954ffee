"""Campaigns: what they refer to, their expressions, and whether they can ever match."""

from __future__ import annotations

from collections.abc import Iterable

from setia.program.campaigns import Campaign
from setia.program.expression_language import BOOL, DECIMAL, STRING, Literal, Node, Schema, Type
from setia.program.findings import Path
from setia.program.lint import multipliers, rates
from setia.program.lint.calendars import never_runs
from setia.program.lint.conditions import never
from setia.program.lint.expressions import check_expression
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint
from setia.program.vocabulary import attribute_type

_STATEMENT = "in statements and reports it names what no campaign has done"
_RESERVED = {"all": "`multiply: {of: all}` means every one"} | dict.fromkeys(
    (
        *("adjustment", "debt", "exchange", "expiry", "household", "merge"),
        *("redemption", "refund_grace", "sale", "transfer"),
    ),
    _STATEMENT,
)


def check(report: Report) -> None:
    """Check each campaign."""
    for name, campaign in report.program.campaigns.items():
        path: Path = ("campaigns", name)
        if name in _RESERVED:
            message = f"`{name}` cannot be a campaign: {_RESERVED[name]}"
            report.error("reserved_name", path, message, "choose another name", key=True)
        known = _check_triggers(report, path, campaign)
        _check_schedule(report, path, campaign)
        rates.check(report, path, campaign)
        multipliers.check(report, path, campaign)
        _check_targets(report, path, campaign)
        if campaign.lines is not None and any(trigger != "purchase" for trigger in campaign.triggers):
            message = "only purchases have lines"
            report.error("no_lines", (*path, "lines"), message, "remove `lines`, or use `on: purchase`", key=True)
        reasons: dict[str, list[str | None]] = {}
        for trigger in known:
            # What is wrong with an expression for one event is mostly wrong for the next one too; once is enough.
            if not _check_expressions(report, path, campaign, trigger, reasons):
                break
        for setting, found in reasons.items():
            # A condition may be meant for one of several events only.
            reason = found[0]
            if reason is not None and all(found) and len(found) == (len(known) if setting == "when" else 1):
                message = f"this never holds: {reason}"
                report.warning("never_matches", (*path, setting), message, "correct the condition")


def _check_triggers(report: Report, path: Path, campaign: Campaign) -> list[str]:
    """Return the triggers that exist."""
    events = report.program.event_names
    for number, trigger in enumerate(campaign.triggers):
        if trigger not in events:
            where = (*path, "on") if isinstance(campaign.on, str) else (*path, "on", number)
            hint = nearest_hint(trigger, events, of="events")
            report.error("unknown_event", where, f"there is no event {trigger!r}", hint)
    return [trigger for trigger in dict.fromkeys(campaign.triggers) if trigger in events]


def _check_schedule(report: Report, path: Path, campaign: Campaign) -> None:
    reason = never_runs(campaign.schedule) if campaign.schedule is not None else None
    if reason is not None:
        report.warning("never_matches", (*path, "schedule"), reason, "correct the schedule, or remove the campaign")


def _check_targets(report: Report, path: Path, campaign: Campaign) -> None:
    """Check the attributes, levels and groups a campaign names."""
    program = report.program
    for name in campaign.set:
        attribute = program.members.attributes.get(name)
        if attribute is None:
            hint = nearest_hint(name, program.members.attributes, of="attributes")
            report.error("unknown_attribute", (*path, "set", name), f"there is no attribute {name!r}", hint, key=True)
        elif attribute.personal:
            message = f"the attribute {name!r} is personal, and decisions carry no personal data"
            hint = "set it through the members' API, or mark it `personal: false`"
            report.error("personal_attribute", (*path, "set", name), message, hint, key=True)
    levels = {tier_set.id: [level.id for level in tier_set.levels] for tier_set in program.tiers}
    for name, level in campaign.tier.items():
        where = (*path, "tier", name)
        if name not in levels:
            hint = nearest_hint(name, levels, of="tier sets")
            report.error("unknown_tier_set", where, f"there is no tier set {name!r}", hint, key=True)
        elif level not in levels[name]:
            hint = nearest_hint(level, levels[name], of="levels")
            report.error("unknown_level", where, f"the tier set {name!r} has no level {level!r}", hint)
    if campaign.group is not None and campaign.group not in program.stacking.groups:
        hint = nearest_hint(campaign.group, program.stacking.groups, of="groups")
        if not program.stacking.groups:
            hint = f"declare it: `stacking: {{groups: {{{campaign.group}: {{}}}}}}`"
        report.error("unknown_group", (*path, "group"), f"there is no group {campaign.group!r}", hint)


def _check_expressions(
    report: Report, path: Path, campaign: Campaign, trigger: str, reasons: dict[str, list[str | None]]
) -> bool:
    """Check all expressions of a campaign for one trigger; return whether they have no errors.

    `reasons` gets, for each condition without errors, why it never holds for this trigger, or None.
    """
    schema = report.schema(trigger)
    has_lines = trigger == "purchase"
    of_lines = report.schema(trigger, with_line=True) if has_lines else schema
    conditions: list[tuple[str, str, Schema]] = []
    if campaign.when is not None:
        conditions.append(("when", campaign.when, schema))
    if campaign.lines is not None and has_lines:
        conditions.append(("lines", campaign.lines, of_lines))
    fine = True
    for name, source, names in conditions:
        root = check_expression(report, (*path, name), source, names, BOOL)
        fine = fine and root is not None
        if root is not None:
            reasons.setdefault(name, []).append(never([root], trigger))
    for where, source, expects in _values(report, path, campaign):
        names = of_lines if "earn" in where[2:3] or "deduct" in where[2:3] else schema
        root = check_expression(report, where, source, names, expects)
        fine = fine and root is not None
        if root is not None and where[2] == "set":
            _check_value(report, where, root)
    return fine


def _values(report: Report, path: Path, campaign: Campaign) -> Iterable[tuple[Path, str, Type | None]]:
    """Yield the expressions that compute something, with the type their place needs."""
    if campaign.multiply is not None and isinstance(campaign.multiply.by, str):
        yield (*path, "multiply", "by"), campaign.multiply.by, DECIMAL
    for kind, earned in (("earn", campaign.earn), ("deduct", campaign.deduct)):
        for point_type, rate in earned.items():
            if rate.expression is not None:
                yield (*path, kind, point_type, "expression"), rate.expression, DECIMAL
    attributes = report.program.members.attributes
    for name, source in campaign.set.items():
        if name in attributes:
            yield (*path, "set", name), source, attribute_type(attributes[name])
    if campaign.effect is not None:
        for name, source in campaign.effect.values.items():
            yield (*path, "effect", "values", name), source, None


def _check_value(report: Report, path: Path, root: Node) -> None:
    """Say when an attribute is set to a text it may not have."""
    attribute = report.program.members.attributes[str(path[-1])]
    if attribute.values and root.type == STRING and isinstance(root, Literal) and root.value not in attribute.values:
        hint = nearest_hint(str(root.value), attribute.values, of="values")
        report.error("unknown_value", path, f"{path[-1]!r} cannot be {root.value!r}", hint)
