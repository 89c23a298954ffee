"""Sums over a program's journal, for reports: how often what was booked, and how members changed their levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

_BY_KIND = "SELECT kind, count(*) FROM journal WHERE program_id = %s GROUP BY kind ORDER BY kind"
_LEVELS = """
SELECT c.change ->> 'tier_set', c.change ->> 'before', c.change ->> 'after', count(*)
FROM journal j CROSS JOIN LATERAL json_array_elements(j.outcome -> 'tiers') AS c (change)
WHERE j.program_id = %s AND j.outcome -> 'tiers' IS NOT NULL
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_BY_CAMPAIGN = """
SELECT e.effect ->> 'campaign', e.effect ->> 'points', sum((e.effect ->> 'amount')::bigint)::bigint
FROM journal j CROSS JOIN LATERAL json_array_elements(j.outcome -> 'points') AS e (effect)
WHERE j.program_id = %s AND j.outcome -> 'points' IS NOT NULL AND e.effect ->> 'campaign' = ANY (%s)
GROUP BY 1, 2 ORDER BY 1, 2
"""


class LevelMoves(NamedTuple):
    """How often members of a program came from one level of a tier set into another."""

    tier_set: str
    before: str
    after: str
    times: int


def entries_by_kind(connection: psycopg.Connection[Any], program_id: int) -> dict[str, int]:
    """How many entries of each kind a program has. It reads all of them."""
    return dict(connection.execute(_BY_KIND, (program_id,)).fetchall())


def points_of_campaigns(
    connection: psycopg.Connection[Any], program_id: int, campaigns: Sequence[str]
) -> dict[str, dict[str, int]]:
    """What campaigns gave, less what they took, by point type, in smallest units. It reads the whole journal."""
    found: dict[str, dict[str, int]] = {}
    for campaign, points, amount in connection.execute(_BY_CAMPAIGN, (program_id, list(campaigns))):
        found.setdefault(campaign, {})[points] = amount
    return found


def level_moves(connection: psycopg.Connection[Any], program_id: int) -> list[LevelMoves]:
    """Every change of levels in a program, counted. It reads the whole journal of the program."""
    return [LevelMoves(*row) for row in connection.execute(_LEVELS, (program_id,))]
