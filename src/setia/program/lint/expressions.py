"""Expressions: their types, and the values they compare names with."""

from __future__ import annotations

import re

from setia.program.expression_language import ExpressionError, Node, Schema, Type, check, line_and_column
from setia.program.findings import Finding, Path
from setia.program.lint.conditions import Comparison, comparisons
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint

_ATTRIBUTE = re.compile(r"`(\w+)`")


def check_expression(report: Report, path: Path, source: str, schema: Schema, expects: Type | None) -> Node | None:
    """Check one expression and return its tree; None when it has errors, which are then reported."""
    try:
        root = check(source, schema, expects).root
    except ExpressionError as error:
        for issue in error.issues:
            code, message, hint = "expression", issue.message, issue.hint
            name = _personal(report, issue.message)
            if name is not None:
                code = "personal_attribute"
                message = f"the attribute {name!r} is personal, and decisions carry no personal data"
                hint = "set `personal: false` if it may be kept with every decision, or leave it out of conditions"
            report.inside(Finding("error", code, message, hint), path, issue.line, issue.column)
        return None
    for comparison in comparisons(root):
        _check_comparison(report, path, source, comparison)
    return root


def _personal(report: Report, message: str) -> str | None:
    """Return the personal attribute a complaint is about, if it is about one."""
    if "Attributes" not in message and "Dates" not in message:
        return None
    attributes = report.program.members.attributes
    return next((n for n in _ATTRIBUTE.findall(message) if n in attributes and attributes[n].personal), None)


def _check_comparison(report: Report, path: Path, source: str, comparison: Comparison) -> None:
    """Say when a name is compared with a text that it can never be."""
    if comparison.operator not in {"_==_", "_!=_"} or not isinstance(comparison.value, str):
        return
    found = _possible(report, comparison.path)
    if found is None:
        return
    kind, possible, finding_code = found
    if comparison.value in possible:
        return
    finding = Finding(
        "error" if finding_code == "unknown_level" else "warning",
        finding_code,
        f"{comparison.path} is never {comparison.value!r}",
        nearest_hint(comparison.value, possible, of=kind),
    )
    report.inside(finding, path, *line_and_column(source, comparison.literal.position))


def _possible(report: Report, path: str) -> tuple[str, list[str], str] | None:
    """Return what a name can be: the kind of values in the plural, the values, and the code to report others with."""
    program = report.program
    if path.startswith("member.tiers."):
        tier_set = next(t for t in program.tiers if t.id == path.removeprefix("member.tiers."))
        return "levels", [level.id for level in tier_set.levels], "unknown_level"
    if path.startswith("member.attributes."):
        values = program.members.attributes[path.removeprefix("member.attributes.")].values
        return ("values", list(values), "unknown_value") if values else None
    if program.locations:
        if path in {"event.location", "location.id"}:
            # An event may come without one.
            return "locations", [*program.locations, ""], "unknown_location"
        if path == "location.region":
            regions = {location.region or "": None for location in program.locations.values()}
            return "regions", [*regions, ""], "unknown_location"
    return None
