"""Households: points that there are and that can be spent."""

from __future__ import annotations

from setia.program.findings import Path
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint


def check(report: Report) -> None:
    """Check what is pooled."""
    program = report.program
    pooled = () if program.households is None else program.households.points
    for number, name in enumerate(pooled):
        path: Path = ("households", "points", number)
        if name not in program.points:
            hint = nearest_hint(name, program.points, of="point types")
            report.error("unknown_point_type", path, f"there is no point type {name!r}", hint)
        elif not program.points[name].spendable:
            message = f"{name!r} cannot be spent, by nobody and by no household"
            report.error("not_spendable", path, message, "name points that can, or remove it")
