"""What limits and budgets leave of a campaign, by the period in which the event occurred."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from setia.engine.calendar import period_key
from setia.program.limits import Limit


class Allowance:
    """What the limits of one campaign still allow for one event.

    Member limits read the member's counters, budgets the shared ones; both have the shape limit key -> period -> used.
    """

    __slots__ = ("_day", "_granted", "_limits", "_member", "_shared")

    def __init__(
        self,
        limits: Sequence[tuple[str, Limit]],
        day: dt.date,
        member: Mapping[str, Mapping[str, int]],
        shared: Mapping[str, Mapping[str, int]],
    ) -> None:
        self._limits = limits
        self._day = day
        self._member = member
        self._shared = shared
        self._granted: dict[str, int] = {}

    def exhausted(self) -> str | None:
        """The key of a limit on uses that allows no further use; None where the campaign may be used."""
        for key, limit in self._limits:
            if limit.uses is not None and self._used(key, limit) >= limit.uses:
                return key
        return None

    def points(self, points: str, unit: int, wanted: int) -> tuple[int, str | None]:
        """Grant as many of `wanted` (smallest unit) as the limits leave, and name the limit that cut, if any.

        What was granted for the same event before counts. `unit` is how many smallest units one whole point has.
        """
        if self is UNLIMITED:
            return wanted, None
        granted, cut_by = wanted, None
        for key, limit in self._limits:
            if limit.earn is not None and limit.earn.points == points:
                left = int(limit.earn.amount * unit) - self._used(key, limit) - self._granted.get(points, 0)
                if left < granted:
                    granted, cut_by = max(0, left), key
        self._granted[points] = self._granted.get(points, 0) + granted
        return granted, cut_by

    def left(self, points: str, unit: int) -> int | None:
        """How many smallest units of a point type its limits still allow; None where none limits them."""
        lefts = [
            max(0, int(limit.earn.amount * unit) - self._used(key, limit) - self._granted.get(points, 0))
            for key, limit in self._limits
            if limit.earn is not None and limit.earn.points == points
        ]
        return min(lefts, default=None)

    def _used(self, key: str, limit: Limit) -> int:
        counts = self._shared if limit.per == "all" else self._member
        periods = counts.get(key)
        return periods.get(period_key(limit.every, self._day), 0) if periods else 0


UNLIMITED = Allowance((), dt.date.min, {}, {})
"""What a campaign without limits may do."""


def count_uses(
    limits: Sequence[tuple[str, Limit]],
    day: dt.date,
    granted: Mapping[str, int],
    per: str,
    uses: int = 1,
) -> dict[str, dict[str, int]]:
    """What one use of a campaign, which granted `granted` points by type, adds to its limits per `member` or `all`."""
    added: dict[str, dict[str, int]] = {}
    for key, limit in limits:
        if limit.per == per:
            amount = uses if limit.earn is None else granted.get(limit.earn.points, 0)
            if amount:
                added[key] = {period_key(limit.every, day): amount}
    return added
