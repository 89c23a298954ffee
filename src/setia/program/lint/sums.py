"""Sums: points that exist."""

from __future__ import annotations

from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint


def check(report: Report) -> None:
    """Check the metric of each sum."""
    for name, one in report.program.sums.items():
        if one.metric.startswith("points.") and (points := one.metric.split(".")[1]) not in report.program.points:
            hint = nearest_hint(points, report.program.points, of="point types")
            message = f"there is no point type {points!r}"
            report.error("unknown_point_type", ("sums", name, "metric"), message, hint)
