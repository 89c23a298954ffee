"""How many are taken of each reward: counted over all members, never more than there are.

The rows are changed last in a transaction and in order: whoever wants the same reward waits for one commit, and for
nothing that is computed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg

from setia.engine.compiled import CompiledProgram
from setia.engine.reward_periods import period_bounds
from setia.engine.rewards import Used, all_stock_keys
from setia.program.rewards import RewardPeriod

_TAKE = """
INSERT INTO reward_stock AS s (program_id, reward, key, used)
SELECT %b::int, %b::text, %b::text, %b::bigint WHERE %b::bigint <= %b::bigint
ON CONFLICT (program_id, reward, key) DO UPDATE SET used = s.used + excluded.used
WHERE s.used + excluded.used <= %b::bigint
RETURNING 1
"""
_GIVE = "UPDATE reward_stock SET used = used - %b::bigint WHERE program_id = %b AND reward = %b AND key = %b"
_READ = """
SELECT s.reward, s.key, s.used FROM unnest(%b::text[], %b::text[]) AS w (reward, key)
JOIN reward_stock s ON s.program_id = %b AND s.reward = w.reward AND s.key = w.key
"""
_OF_MEMBER = """
SELECT w.reward, w.every,
       coalesce(sum(CASE r.state WHEN 'held' THEN r.quantity ELSE r.confirmed END), 0)::bigint
FROM unnest(%b::text[], %b::text[], %b::timestamptz[]) AS w (reward, every, since)
JOIN redemption r ON r.member_id = %b AND r.reward = w.reward AND r.created_at >= w.since
 AND (r.state IN ('confirmed', 'partly') OR r.state = 'held' AND r.hold_until > %b)
GROUP BY w.reward, w.every
"""
# Nobody needs to know more than that there are many.
_POOLS = """
SELECT p.pool, (SELECT count(*) FROM (
    SELECT FROM reward_code c WHERE c.program_id = %b AND c.pool = p.pool AND c.redemption_id IS NULL
      AND c.link_id IS NULL LIMIT 1000
) AS free)
FROM unnest(%b::text[]) AS p (pool)
"""
_EVER = dt.datetime(1, 1, 2, tzinfo=dt.UTC)


class StockExhausted(Exception):  # noqa: N818 - says what happened
    """Others have taken what was left, between the look and the taking. Nothing may be kept of the transaction."""


def take(
    connection: psycopg.Connection[Any], program_id: int, reward: str, limits: Mapping[str, int], quantity: int
) -> None:
    """Count a redemption under its keys, in their order; raises `StockExhausted` where one of them has not so many."""
    for key in sorted(limits):
        most = limits[key]
        values = (program_id, reward, key, quantity, quantity, most, most)
        if connection.execute(_TAKE, values, prepare=True).fetchone() is None:
            raise StockExhausted(key)


def give_back(
    connection: psycopg.Connection[Any], program_id: int, reward: str, keys: Iterable[str], quantity: int
) -> None:
    """Count so many no more, under the keys under which they were counted."""
    for key in sorted(keys):
        connection.execute(_GIVE, (quantity, program_id, reward, key), prepare=True)


def used_of(
    connection: psycopg.Connection[Any],
    program: CompiledProgram,
    program_id: int,
    member: UUID | None,
    rewards: Collection[str],
    now: dt.datetime,
) -> dict[str, Used]:
    """What is taken of some rewards, by a member (None: nobody) and by all: reward -> figures.

    Without quotas nothing is read.
    """
    found = {reward: Used() for reward in rewards}
    definitions = {reward: program.rewards[reward].definition for reward in rewards}
    wanted: list[tuple[str, RewardPeriod]] = [
        (name, quota.every) for name, reward in definitions.items() for quota in reward.member_quotas
    ]
    if wanted and member is not None:
        since = [period_bounds(every, now, program.zone)[0] or _EVER for _, every in wanted]
        names, periods = [name for name, _ in wanted], [every for _, every in wanted]
        for reward, every, uses in connection.execute(_OF_MEMBER, (names, periods, since, member, now), prepare=True):
            found[reward].member[every] = uses
    # Those of the present periods: each day, week and month of the past has left a row.
    counted = [(name, key) for name in definitions for key in all_stock_keys(program, program.rewards[name], now)]
    if counted:
        values = [name for name, _ in counted], [key for _, key in counted], program_id
        for reward, key, uses in connection.execute(_READ, values, prepare=True):
            found[reward].stock[key] = uses
    _count_pools(connection, program_id, {name: one.code.pool for name, one in definitions.items() if one.code}, found)
    return found


def _count_pools(
    connection: psycopg.Connection[Any], program_id: int, pools: Mapping[str, str | None], found: dict[str, Used]
) -> None:
    wanted: Sequence[str] = sorted({pool for pool in pools.values() if pool is not None})
    if wanted:
        left = dict(connection.execute(_POOLS, (program_id, list(wanted)), prepare=True).fetchall())
        for reward, pool in pools.items():
            if pool is not None:
                found[reward].codes_left = left.get(pool, 0)
