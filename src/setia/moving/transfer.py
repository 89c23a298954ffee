"""Transfers as they are kept, and how they are read, written and counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import psycopg

from setia.engine.compiled_moving import CompiledQuota
from setia.engine.moving import Usage
from setia.engine.reward_periods import period_bounds
from setia.program.rewards import RewardPeriod


class TransferPart(msgspec.Struct, frozen=True):
    """What one lot of the giver (`lot`) gave into one lot of the receiver (`into`); `back` of it came back."""

    lot: tuple[int, int]
    into: tuple[int, int]
    amount: int
    back: int = 0


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer. Its fields are the columns of the table."""

    id: UUID
    giver_id: UUID
    receiver_id: UUID
    created_at: dt.datetime
    giver_seq: int
    receiver_seq: int
    amount: int
    reversed: int
    program_id: int
    gift: bool
    points: str
    source: str
    reference: str | None
    actor: str
    digest: bytes
    parts: list[TransferPart]


_NAMES = tuple(field.name for field in msgspec.structs.fields(Transfer))
_COLUMNS = ", ".join(_NAMES)
_INSERT = f"INSERT INTO transfer ({_COLUMNS}) VALUES ({', '.join('%b' for _ in _NAMES[:-1])}, %b::json)"
_REVERSE = "UPDATE transfer SET reversed = %b, parts = %b::json WHERE id = %b"
# What was given and came back was given all the same: a limit is about moving, and a reversal is an operator's.
_USED = """
SELECT w.every, count(t.id), coalesce(sum(t.amount), 0)::bigint
FROM unnest(%b::text[], %b::timestamptz[]) AS w (every, since)
JOIN transfer t ON t.{side} = ANY (%b) AND t.points = %b AND t.created_at >= w.since
GROUP BY w.every
"""
USED_BY_GIVER = _USED.format(side="giver_id")
USED_BY_RECEIVER = _USED.format(side="receiver_id")
_EVER = dt.datetime(1, 1, 2, tzinfo=dt.UTC)
_encode = msgspec.json.Encoder().encode


def insert(connection: psycopg.Connection[Any], row: Transfer) -> None:
    """Write a new one; both members are locked."""
    values = [getattr(row, name) for name in _NAMES[:-1]]
    connection.execute(_INSERT, [*values, _encode(row.parts).decode()])


def save_reversal(connection: psycopg.Connection[Any], row: Transfer) -> None:
    """Write how much of one came back; both members are locked."""
    connection.execute(_REVERSE, (row.reversed, _encode(row.parts).decode(), row.id))


def find(connection: psycopg.Connection[Any], program_id: int, transfer_id: UUID) -> Transfer | None:
    """One transfer of a program."""
    return next(iter(_all(connection, "program_id = %b AND id = %b", (program_id, transfer_id))), None)


def find_by_reference(
    connection: psycopg.Connection[Any], program_id: int, source: str, reference: str | None
) -> Transfer | None:
    """The transfer that a system made under its own reference."""
    if reference is None:
        return None
    where = "program_id = %b AND source = %b AND reference = %b"
    return next(iter(_all(connection, where, (program_id, source, reference))), None)


def of_members(
    connection: psycopg.Connection[Any], members: Collection[UUID], *, before: UUID | None, most: int
) -> list[Transfer]:
    """What members gave and were given, the newest first."""
    known, least = list(members), before or UUID(int=2**128 - 1)
    # One branch for each side, so that each finds its rows by its index.
    sides = " UNION ".join(f"SELECT * FROM transfer WHERE {side} = ANY (%b) AND id < %b" for side in _SIDES)
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM ({sides.replace('*', _PLAIN)}) AS t ORDER BY id DESC LIMIT %b",
        (known, least, known, least, most),
    )
    return [_read(row) for row in rows]


_SIDES = ("giver_id", "receiver_id")
# JSON has no equality, which UNION asks for; as text it has.
_PLAIN = _COLUMNS.replace("parts", "parts::text AS parts")


def used(
    connection: psycopg.Connection[Any],
    query: str,
    members: Collection[UUID],
    what: str,
    quotas: Iterable[CompiledQuota],
    now: dt.datetime,
    zone: ZoneInfo,
) -> Mapping[str, Usage]:
    """What members have moved in the current periods of some quotas; without quotas nothing is read.

    `query` takes periods with their beginnings, members, and `what`: the point type or the exchange.
    """
    periods: list[RewardPeriod] = sorted({quota.definition.every for quota in quotas})
    if not periods:
        return {}
    since = [period_bounds(every, now, zone)[0] or _EVER for every in periods]
    rows = connection.execute(query, (list(periods), since, list(members), what))
    return {every: Usage(times, points) for every, times, points in rows}


def _all(connection: psycopg.Connection[Any], where: str, values: Sequence[Any]) -> list[Transfer]:
    rows = connection.execute(f"SELECT {_COLUMNS} FROM transfer WHERE {where}", values)
    return [_read(row) for row in rows]


def _read(row: Sequence[Any]) -> Transfer:
    found = dict(zip(_NAMES, row, strict=True))
    parts = msgspec.json.decode(found["parts"]) if isinstance(found["parts"], str) else found["parts"]
    return Transfer(**{**found, "digest": bytes(found["digest"]), "parts": msgspec.convert(parts, list[TransferPart])})
