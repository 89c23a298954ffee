"""Velocity rules: events that callers can send, and points that there are."""

from __future__ import annotations

from setia.program.findings import Path
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint
from setia.program.velocity import ACTS


def check(report: Report) -> None:
    """Check each rule."""
    program = report.program
    # What Setia makes by itself nobody does too often.
    sent = ["purchase", "visit", *program.events, *sorted(ACTS)]
    for name, rule in program.velocity.items():
        for number, watched in enumerate(rule.watched):
            place: Path = ("velocity", name, "on") if isinstance(rule.on, str) else ("velocity", name, "on", number)
            if watched not in sent:
                message = f"{watched!r} is no event that is sent, nor `by_hand` or `redemption`"
                report.error("unknown_event", place, message, nearest_hint(watched, sent, of="events"))
        points = rule.more_than.points
        if points is not None and points.points not in program.points:
            message = f"there is no point type {points.points!r}"
            hint = nearest_hint(points.points, program.points, of="point types")
            report.error("unknown_point_type", ("velocity", name, "more_than", "points"), message, hint)
