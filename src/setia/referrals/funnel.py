"""The funnel: how many referrals of each period are in which state, how far they came, and what they have cost."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import psycopg

from setia.program.definition import Program
from setia.program.rewards import RewardPeriod

# As `engine.calendar.period_key` writes them.
_FORMATS: dict[RewardPeriod, str] = {
    "day": "YYYY-MM-DD",
    "week": 'IYYY-"W"IW',
    "month": "YYYY-MM",
    "quarter": 'YYYY-"Q"Q',
    "year": "YYYY",
    "ever": '"ever"',
}
_CHOSEN = """
    SELECT r.*, to_char(r.created_at AT TIME ZONE %b, %b) AS period FROM referral r
    WHERE r.program_id = %b AND (%b::text IS NULL OR r.referral = %b::text)
      AND (%b::timestamptz IS NULL OR r.created_at >= %b::timestamptz)
      AND (%b::timestamptz IS NULL OR r.created_at < %b::timestamptz)
"""
_COUNTS = f"""
SELECT period, state, count(*), count(joined_at), count(qualified_at) FROM ({_CHOSEN}) r
GROUP BY period, state ORDER BY period, state
"""
_COST = f"""
SELECT r.period, r.state, p.key, sum(p.value::bigint)::bigint FROM ({_CHOSEN}) r
JOIN referral_step s ON s.referral_id = r.id CROSS JOIN LATERAL json_each_text(s.points) p
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


class Group(msgspec.Struct):
    """Referrals that are in one state. `points` are what all their steps gave, in smallest units."""

    count: int = 0
    points: dict[str, int] = {}


class PeriodOf(msgspec.Struct):
    """The referrals that began in one period: where they are, and how many came so far."""

    period: str
    began: int = 0
    joined: int = 0
    qualified: int = 0
    states: dict[str, Group] = {}

    @property
    def points(self) -> dict[str, int]:
        """What all of them gave."""
        found: dict[str, int] = {}
        for group in self.states.values():
            for name, amount in group.points.items():
                found[name] = found.get(name, 0) + amount
        return found


class Which(msgspec.Struct, frozen=True, kw_only=True):
    """Which referrals are counted: of a kind, begun from `since` on and before `until`, gathered by `every`."""

    every: RewardPeriod = "month"
    referral: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def funnel(connection: psycopg.Connection[Any], program_id: int, zone: str, which: Which) -> list[PeriodOf]:
    """The periods in which referrals began, in order, on the calendar of a time zone."""
    twice = [value for one in (which.referral, which.since, which.until) for value in (one, one)]
    values = (zone, _FORMATS[which.every], program_id, *twice)
    periods: dict[str, PeriodOf] = {}
    for period, state, count, joined, qualified in connection.execute(_COUNTS, values):
        found = periods.setdefault(period, PeriodOf(period))
        found.began += count
        found.joined += joined
        found.qualified += qualified
        found.states[state] = Group(count)
    for period, state, points, amount in connection.execute(_COST, values):
        periods[period].states[state].points[points] = amount
    return list(periods.values())


def worth_of(definition: Program, points: dict[str, int]) -> Decimal | None:
    """What points are worth in money by today's value; None where one of their types has no value."""
    worth = Decimal(0)
    for name, amount in points.items():
        kind = definition.points.get(name)
        if kind is None or kind.value is None:
            return None
        worth += Decimal(amount).scaleb(-kind.decimals) * kind.value
    return worth
