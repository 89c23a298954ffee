"""Counting the budgets again: what campaigns have used over all members, by the versions that decided."""

from __future__ import annotations

from typing import Any, NamedTuple

import psycopg

from setia.engine.calendar import period_key
from setia.engine.compiled import CompiledProgram
from setia.program.limits import Limit

# What the journal says was used: one row per limit and quarter of an hour, since every time zone's day begins with one
# (as it has since 1972), and the program's time zone is Python's to know. An outcome that is no such thing counts as 0.
_USED = """
SELECT l.place, date_bin('15 minutes', j.occurred_at, '2000-01-01 00:00:00Z'), sum(n.amount)::bigint
FROM unnest(%(programs)s::int[], %(versions)s::int[], %(campaigns)s::text[], %(points)s::text[], %(units)s::bool[])
     WITH ORDINALITY AS l (program_id, version, campaign, points, units, place)
JOIN journal j ON j.program_id = l.program_id AND j.program_version = l.version AND j.kind = 'event'
CROSS JOIN LATERAL (SELECT j.outcome::jsonb AS said OFFSET 0) o
CROSS JOIN LATERAL (
    SELECT CASE WHEN l.units THEN (
        SELECT coalesce(sum((d ->> 'units')::bigint), 0) FROM jsonb_path_query(o.said, '$.discounts[*]') d
        WHERE d ->> 'campaign' = l.campaign AND jsonb_typeof(d -> 'units') = 'number'
    ) WHEN l.points IS NULL THEN (
        -- An offer that one event completes several times is used as often.
        SELECT count(*) FROM jsonb_array_elements_text(o.said -> 'uses') u WHERE u = l.campaign
    ) ELSE (
        SELECT coalesce(sum(greatest((e -> 'amount')::numeric, 0)), 0) FROM jsonb_path_query(o.said, '$.points[*]') e
        WHERE e ->> 'campaign' = l.campaign AND e ->> 'points' = l.points AND jsonb_typeof(e -> 'amount') = 'number'
    ) END AS amount
) n
WHERE o.said -> 'uses' ? l.campaign AND NOT o.said ? 'undoes' AND n.amount > 0
GROUP BY 1, 2
UNION ALL
-- A return gives back what the version of its order took, on the order's day: all that the order does not give any more
-- (`wanted`), whether it could be taken or had been spent.
SELECT l.place, date_bin('15 minutes', r.moment, '2000-01-01 00:00:00Z'), sum(n.amount)::bigint
FROM (
    SELECT j.program_id, o.said, (o.said -> 'undoes' ->> 'version')::int AS version,
           (o.said -> 'undoes' ->> 'occurred_at')::timestamptz AS moment
    FROM journal j CROSS JOIN LATERAL (SELECT j.outcome::jsonb AS said OFFSET 0) o
    WHERE j.kind = 'event' AND j.outcome::text LIKE '%%"undoes"%%' AND o.said ? 'undoes'
) r
JOIN unnest(%(programs)s::int[], %(versions)s::int[], %(campaigns)s::text[], %(points)s::text[], %(units)s::bool[])
     WITH ORDINALITY AS l (program_id, version, campaign, points, units, place)
     ON l.program_id = r.program_id AND l.version = r.version
CROSS JOIN LATERAL (
    SELECT CASE WHEN l.units THEN (
        SELECT -coalesce(sum((d.value #>> '{}')::bigint), 0) FROM jsonb_each(r.said #> '{undoes,units}') d
        WHERE d.key = l.campaign AND jsonb_typeof(d.value) = 'number'
    ) WHEN l.points IS NULL THEN (
        SELECT count(*) FROM jsonb_array_elements_text(r.said -> 'uses') u WHERE u = l.campaign
    ) - (
        SELECT count(*) FROM jsonb_array_elements_text(r.said -> 'undoes' -> 'uses') u WHERE u = l.campaign
    ) ELSE (
        SELECT coalesce(sum(coalesce(e -> 'wanted', e -> 'amount')::numeric), 0)
        FROM jsonb_path_query(r.said, '$.points[*]') e
        WHERE e ->> 'campaign' = l.campaign AND e ->> 'points' = l.points
    ) END AS amount
) n
WHERE n.amount <> 0
GROUP BY 1, 2
"""
_STORED = "SELECT program_id, key, period, used FROM budget"


class BudgetDifference(NamedTuple):
    """A budget in one period that is not what the journal says."""

    program_id: int
    key: str
    period: str
    counted: int
    stored: int | None


class _Budget(NamedTuple):
    program_id: int
    program: CompiledProgram
    campaign: str
    key: str
    limit: Limit


def check_budgets(
    connection: psycopg.Connection[Any], programs: dict[tuple[int, int], CompiledProgram]
) -> list[BudgetDifference]:
    """Compare all budgets with the journal. `programs`: every version (program, number) that has budgets."""
    budgets = [
        _Budget(program_id, program, campaign, key, limit)
        for (program_id, _), program in programs.items()
        for key, (campaign, limit) in program.limits.items()
        if limit.per == "all"
    ]
    counted: dict[tuple[int, str, str], int] = {}
    arrays = {
        "programs": [budget.program_id for budget in budgets],
        "versions": [budget.program.version for budget in budgets],
        "campaigns": [budget.campaign for budget in budgets],
        "points": [None if budget.limit.earn is None else budget.limit.earn.points for budget in budgets],
        "units": [budget.limit.units is not None for budget in budgets],
    }
    for place, moment, amount in connection.execute(_USED, arrays) if budgets else ():
        budget = budgets[place - 1]
        period = period_key(budget.limit.every, moment.astimezone(budget.program.zone).date())
        name = budget.program_id, budget.key, period
        counted[name] = counted.get(name, 0) + amount
    stored = {(program_id, key, period): used for program_id, key, period, used in connection.execute(_STORED)}
    return [
        BudgetDifference(name[0], name[1], name[2], counted.get(name, 0), stored.get(name))
        for name in sorted(counted.keys() | stored.keys())
        if counted.get(name, 0) != stored.get(name)
    ]
