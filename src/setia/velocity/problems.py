"""What velocity rules refuse, as callers are told."""

from __future__ import annotations

from setia.engine.decision import Hurried
from setia.problems import Conflict, NotFound


class VelocityExceeded(Conflict):
    """Too much within too short a time, by a rule of the program; nothing of it was kept."""

    code = "velocity_exceeded"
    title = "Too much within too short a time"

    def __init__(self, broken: Hurried, every: str) -> None:
        what = "times" if broken.points is None else broken.points
        super().__init__(
            f"The rule {broken.rule!r} allows {broken.most} {what} within {every} per {broken.per}; "
            f"with this one it would be {broken.counted}.",
            extra={
                "rule": broken.rule,
                "per": broken.per,
                "most": broken.most,
                "counted": broken.counted,
                "every": every,
            },
        )


class NoSuchReview(NotFound):
    """The program has no such review."""

    code = "review_not_found"
    title = "There is no such review"
