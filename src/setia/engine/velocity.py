"""Velocity: whether something is one too many within a stretch of time."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from setia.engine.calendar import after
from setia.engine.decision import REDEMPTION as REDEEMED
from setia.engine.decision import PointsEffect
from setia.program.definition import Program
from setia.program.names import Period
from setia.program.velocity import BY_HAND, REDEMPTION, Velocity

_LONGEST = {
    "minutes": dt.timedelta(minutes=1),
    "hours": dt.timedelta(hours=1),
    "days": dt.timedelta(days=1),
    "weeks": dt.timedelta(days=7),
    "months": dt.timedelta(days=31),
    "years": dt.timedelta(days=366),
}
_FAR = dt.timedelta(days=366 * 200)


class Rule(NamedTuple):
    """One rule of a version; `most` is what is still fine, in events or in the smallest unit of `points`."""

    id: str
    definition: Velocity
    points: str | None
    most: int

    @property
    def per(self) -> Literal["member", "operator", "location"]:
        """Whom it counts apart."""
        return self.definition.per


class Use(NamedTuple):
    """So much of something at a moment."""

    at: dt.datetime
    amount: int


def compile_velocity(program: Program, units: dict[str, int]) -> dict[str, tuple[Rule, ...]]:
    """The rules of a program by what they count: an event's type, `by_hand` or `redemption`."""
    found: dict[str, list[Rule]] = {}
    for name, rule in program.velocity.items():
        limit = rule.more_than
        most, points = limit.events or 0, None
        if limit.points is not None:
            points = limit.points.points
            most = int(limit.points.amount * units.get(points, 1))
        for watched in dict.fromkeys(rule.watched) if rule.enabled else ():
            found.setdefault(watched, []).append(Rule(name, rule, points, most))
    return {watched: tuple(rules) for watched, rules in found.items()}


def measured(rule: Rule, watched: Iterable[str], effects: Sequence[PointsEffect]) -> int:
    """What counts of something: once, or the points it brings, and for `redemption` those that it takes.

    `watched` is all that it is for the rule: an order with which rewards are redeemed may be both.
    """
    if rule.points is None:
        return 1
    own = [effect for effect in effects if effect.points == rule.points]
    taken = -sum(effect.amount for effect in own if effect.campaign == REDEEMED and effect.amount < 0)
    brought = sum(effect.amount for effect in own if effect.amount > 0)
    return sum(taken if one == REDEMPTION else brought for one in watched)


def reach(every: Period) -> dt.timedelta:
    """How far away something can lie that falls into one stretch with it; a little more, never less."""
    return min(_LONGEST[every.unit] * every.count + dt.timedelta(days=2), _FAR)


def most_within(every: Period, zone: ZoneInfo, use: Use, others: Sequence[Use]) -> int:
    """The largest sum of any stretch of that length which holds `use`, it included.

    However late something comes, it is seen: a stretch may lie before it, around it or after it.
    """
    found = sorted([*others, use])
    moments = [one.at for one in found]
    before = [0, *accumulate(one.amount for one in found)]
    most = 0
    for place in range(bisect_right(moments, use.at)):
        ends = after(moments[place], every, zone)
        if use.at < ends:
            most = max(most, before[bisect_left(moments, ends)] - before[place])
    return most


__all__ = ["BY_HAND", "REDEMPTION", "Rule", "Use", "compile_velocity", "measured", "most_within", "reach"]
