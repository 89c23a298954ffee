"""Exchanges as they are kept, and how they are read and written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg


class Exchanged(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange that was made. Its fields are the columns of the table."""

    id: UUID
    member_id: UUID
    created_at: dt.datetime
    seq: int
    given: int
    got: int
    program_id: int
    exchange: str
    given_points: str
    got_points: str
    source: str
    reference: str | None
    actor: str
    digest: bytes


_NAMES = tuple(field.name for field in msgspec.structs.fields(Exchanged))
_COLUMNS = ", ".join(_NAMES)
_INSERT = f"INSERT INTO exchange ({_COLUMNS}) VALUES ({', '.join('%b' for _ in _NAMES)})"
USED = """
SELECT w.every, count(e.id), coalesce(sum(e.given), 0)::bigint
FROM unnest(%b::text[], %b::timestamptz[]) AS w (every, since)
JOIN exchange e ON e.member_id = ANY (%b) AND e.exchange = %b AND e.created_at >= w.since
GROUP BY w.every
"""


def insert(connection: psycopg.Connection[Any], row: Exchanged) -> None:
    """Write a new one; the member is locked."""
    connection.execute(_INSERT, [getattr(row, name) for name in _NAMES])


def find(connection: psycopg.Connection[Any], program_id: int, exchange_id: UUID) -> Exchanged | None:
    """One exchange of a program."""
    return _one(connection, "program_id = %b AND id = %b", (program_id, exchange_id))


def find_by_reference(
    connection: psycopg.Connection[Any], program_id: int, source: str, reference: str | None
) -> Exchanged | None:
    """The exchange that a system made under its own reference."""
    if reference is None:
        return None
    return _one(connection, "program_id = %b AND source = %b AND reference = %b", (program_id, source, reference))


def _one(connection: psycopg.Connection[Any], where: str, values: Sequence[Any]) -> Exchanged | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM exchange WHERE {where}", values).fetchone()
    if row is None:
        return None
    found = dict(zip(_NAMES, row, strict=True))
    return Exchanged(**{**found, "digest": bytes(found["digest"])})
