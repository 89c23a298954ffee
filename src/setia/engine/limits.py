"""What limits and budgets leave of a campaign, by the period in which the event occurred."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from setia.engine.calendar import period_key
from setia.engine.decision import DiscountEffect
from setia.program.limits import Limit


class Allowance:
    """What the limits of one campaign still allow for one event.

    Member limits read the member's counters, budgets the shared ones; both have the shape limit key -> period -> used.
    `granted` (limit key -> points) is what the event was granted so far: campaigns that share a limit share it.
    """

    __slots__ = ("_day", "_granted", "_limits", "_member", "_shared", "_uses")

    def __init__(
        self,
        limits: Sequence[tuple[str, Limit]],
        day: dt.date,
        member: Mapping[str, Mapping[str, int]],
        shared: Mapping[str, Mapping[str, int]],
        granted: dict[str, int] | None = None,
    ) -> None:
        self._limits = limits
        self._day = day
        self._member = member
        self._shared = shared
        self._granted = {} if granted is None else granted
        self._uses = 0

    def exhausted(self) -> str | None:
        """The key of a limit on uses or units that allows no further one; None where the campaign may be used."""
        for key, limit in self._limits:
            most = limit.units if limit.uses is None else limit.uses
            if most is not None and self._used(key, limit) >= most:
                return key
        return None

    def units(self) -> tuple[int | None, str | None]:
        """How many units the limits still let be discounted, and the limit that says so; None where none does."""
        lefts = [
            (max(0, limit.units - self._used(key, limit)), key)
            for key, limit in self._limits
            if limit.units is not None
        ]
        return min(lefts, key=lambda one: one[0], default=(None, None))

    def use(self, wanted: int) -> tuple[int, str | None]:
        """Take as many of `wanted` uses as the limits on uses leave, and name the limit that cut, if any.

        For what one event may use several times: uses that were taken before count.
        """
        taken, cut_by = wanted, None
        if self is UNLIMITED:  # it serves everybody, and remembers nothing
            return taken, cut_by
        for key, limit in self._limits:
            if limit.uses is not None:
                left = max(0, limit.uses - self._used(key, limit) - self._uses)
                if left < taken:
                    taken, cut_by = left, key
        self._uses += taken
        return taken, cut_by

    def points(self, points: str, unit: int, wanted: int) -> tuple[int, str | None]:
        """Grant as many of `wanted` (smallest unit) as the limits leave, and name the limit that cut, if any.

        What was granted for the same event before counts. `unit` is how many smallest units one whole point has.
        """
        if self is UNLIMITED:
            return wanted, None
        granted, cut_by = wanted, None
        for key, limit in self._limits:
            left = self._left(key, limit, points, unit)
            if left is not None and left < granted:
                granted, cut_by = left, key
        for key, limit in self._limits:
            if limit.earn is not None and limit.earn.points == points:
                self._granted[key] = self._granted.get(key, 0) + granted
        return granted, cut_by

    def left(self, points: str, unit: int) -> int | None:
        """How many smallest units of a point type its limits still allow; None where none limits them."""
        lefts = (self._left(key, limit, points, unit) for key, limit in self._limits)
        return min((left for left in lefts if left is not None), default=None)

    def _left(self, key: str, limit: Limit, points: str, unit: int) -> int | None:
        """What one limit leaves; None where it limits other points, or lets the award that crosses it through."""
        if limit.earn is None or limit.earn.points != points:
            return None
        left = int(limit.earn.amount * unit) - self._used(key, limit) - self._granted.get(key, 0)
        return None if left > 0 and limit.crossing == "whole" else max(0, left)

    def _used(self, key: str, limit: Limit) -> int:
        if limit.every == "event":
            return 0
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
    units: int = 0,
) -> dict[str, dict[str, int]]:
    """What one use of a campaign adds to its limits per `member` or `all`.

    It granted `granted` points by type, and discounted so many `units`.
    """
    added: dict[str, dict[str, int]] = {}
    for key, limit in limits:
        if limit.per == per and limit.every != "event":
            amount = uses if limit.earn is None else granted.get(limit.earn.points, 0)
            if limit.units is not None:
                amount = units
            if amount:
                added[key] = {period_key(limit.every, day): amount}
    return added


def units_by_campaign(effects: Iterable[DiscountEffect]) -> dict[str, int]:
    """How many units each promotion discounted."""
    units: dict[str, int] = {}
    for effect in effects:
        if effect.units:
            units[effect.campaign] = units.get(effect.campaign, 0) + effect.units
    return units
