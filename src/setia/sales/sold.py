"""Point sales as they are kept, and how they are read and written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

KEY_INDEX = "uq_point_sale_program_id_idempotency_key"


class PointSale(msgspec.Struct, frozen=True, kw_only=True):
    """Points that a member has bought. `money` is in the smallest unit of the currency.

    `refunded_id` is who gave them back: the member, or who stood for it then.
    """

    id: UUID
    member_id: UUID
    bought_at: dt.datetime
    refunded_at: dt.datetime | None
    refunded_id: UUID | None
    seq: int
    refunded_seq: int | None
    amount: int
    money: int
    refunded: int
    money_back: int
    program_id: int
    program_version: int
    sale: str
    points: str
    source: str
    reference: str | None
    idempotency_key: str | None
    digest: bytes
    actor: str
    refunded_by: str | None
    reason: str | None


_NAMES = tuple(field.name for field in msgspec.structs.fields(PointSale))
_COLUMNS = ", ".join(_NAMES)
_INSERT = f"INSERT INTO point_sale ({_COLUMNS}) VALUES ({', '.join(['%b'] * len(_NAMES))})"
_REFUND = """
UPDATE point_sale SET refunded_at = %b, refunded_id = %b, refunded_seq = %b, refunded = %b, money_back = %b,
                      refunded_by = %b, reason = %b
WHERE id = %b AND refunded_at IS NULL
"""
_BOUGHT = """
SELECT coalesce(sum(amount - refunded), 0)::bigint FROM point_sale
WHERE member_id = ANY (%b) AND sale = %b AND bought_at >= %b AND bought_at < %b
"""
_NEVER, _FOR_EVER = dt.datetime(1, 1, 2, tzinfo=dt.UTC), dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


def insert(connection: psycopg.Connection[Any], row: PointSale) -> None:
    """Write a new one; the member is locked."""
    connection.execute(_INSERT, [getattr(row, name) for name in _NAMES])


def refund(connection: psycopg.Connection[Any], row: PointSale) -> None:
    """Write that it was refunded; the member is locked."""
    by = row.refunded_by, row.reason
    values = row.refunded_at, row.refunded_id, row.refunded_seq, row.refunded, row.money_back, *by, row.id
    connection.execute(_REFUND, values)


def find(connection: psycopg.Connection[Any], program_id: int, sale: UUID) -> PointSale | None:
    """One point sale of a program."""
    return _one(connection, "program_id = %b AND id = %b", (program_id, sale))


def find_by_key(
    connection: psycopg.Connection[Any], program_id: int, key: str | None, source: str, reference: str | None
) -> PointSale | None:
    """The point sale of a request that was made before: by its key, or by its source's reference."""
    where = "program_id = %b AND (idempotency_key = %b::text OR source = %b AND reference = %b::text)"
    return _one(connection, where, (program_id, key, source, reference))


def of_member(
    connection: psycopg.Connection[Any], members: Collection[UUID], *, before: UUID | None, most: int
) -> list[PointSale]:
    """A member's point sales, the newest first."""
    where, last = "member_id = ANY (%b) AND id < %b ORDER BY id DESC LIMIT %b", before or UUID(int=2**128 - 1)
    return _all(connection, where, (list(members), last, most))


def bought(
    connection: psycopg.Connection[Any],
    members: Collection[UUID],
    sale: str,
    since: dt.datetime | None,
    until: dt.datetime | None,
) -> int:
    """How many points of a sale a locked member has bought in a period, and not given back."""
    values = list(members), sale, since or _NEVER, until or _FOR_EVER
    [(amount,)] = connection.execute(_BOUGHT, values).fetchall()
    found: int = amount
    return found


def _one(connection: psycopg.Connection[Any], where: str, values: Sequence[Any]) -> PointSale | None:
    return next(iter(_all(connection, where, values)), None)


def _all(connection: psycopg.Connection[Any], where: str, values: Sequence[Any]) -> list[PointSale]:
    rows = connection.execute(f"SELECT {_COLUMNS} FROM point_sale WHERE {where}", values)
    return [
        PointSale(**{**row, "digest": bytes(row["digest"])})
        for row in (dict(zip(_NAMES, one, strict=True)) for one in rows)
    ]
