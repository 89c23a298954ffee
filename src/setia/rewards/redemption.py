"""Redemptions as they are kept, and how they are read and written."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

import msgspec
import psycopg

State = Literal["held", "confirmed", "partly", "cancelled", "expired", "refunded"]
ENDED: frozenset[State] = frozenset({"cancelled", "expired", "refunded"})


class Taken(msgspec.Struct, frozen=True, omit_defaults=True):
    """Points of one lot (None: of no lot) that are held or redeemed; the lot ends at `expires_at`."""

    points: str
    amount: int
    lot: tuple[int, int] | None = None
    expires_at: dt.datetime | None = None


class Redemption(msgspec.Struct, frozen=True, kw_only=True):
    """One redemption. `cost` is what one costs (point type -> smallest units), `money` that of all together."""

    id: UUID
    member_id: UUID
    created_at: dt.datetime
    hold_until: dt.datetime | None
    confirmed_at: dt.datetime | None
    ended_at: dt.datetime | None
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
    seq: int
    quantity: int
    confirmed: int
    money: int
    worth: int | None
    program_id: int
    program_version: int
    state: State
    reward: str
    date: str | None
    fulfilment: str | None
    till: str
    reference: str | None
    idempotency_key: str | None
    digest: bytes
    actor: str
    stock_keys: list[str]
    cost: dict[str, int]
    parts: list[Taken]

    def state_at(self, now: dt.datetime) -> State:
        """The state at a moment: a hold whose time has passed has expired, whether or not that is booked."""
        if self.state == "held" and self.hold_until is not None and self.hold_until <= now:
            return "expired"
        return self.state

    @property
    def counts(self) -> int:
        """How many of it count against stock and limits."""
        if self.state in ENDED:
            return 0
        return self.quantity if self.state == "held" else self.confirmed


_NAMES = tuple(field.name for field in msgspec.structs.fields(Redemption))
_COLUMNS = ", ".join(_NAMES)
_JSON = {"cost", "parts"}
_VALUES = ", ".join("%b::json" if name in _JSON else "%b" for name in _NAMES)
_INSERT = f"INSERT INTO redemption ({_COLUMNS}) VALUES ({_VALUES})"
_MOVES = ("state", "confirmed", "confirmed_at", "ended_at", "valid_from", "valid_until", "worth", "money", "fulfilment")
_UPDATE = f"UPDATE redemption SET {', '.join(f'{name} = %b' for name in _MOVES)}, parts = %b::json WHERE id = %b"
_KNOWN = " UNION ALL ".join(
    f"SELECT %b::text, {_COLUMNS} FROM redemption WHERE {where}"
    for where in (
        "program_id = %b AND idempotency_key = %b::text",
        "program_id = %b AND till = %b AND reference = %b::text",
        "member_id = %b AND state = 'held' AND hold_until <= %b",
    )
)
_encode = msgspec.json.Encoder().encode


def insert(connection: psycopg.Connection[Any], row: Redemption) -> None:
    """Write a new one; the member is locked."""
    values = [_encode(value).decode() if name in _JSON else value for name, value in _fields(row)]
    connection.execute(_INSERT, values, prepare=True)


def save(connection: psycopg.Connection[Any], row: Redemption) -> None:
    """Write what became of one; the member is locked."""
    values = [getattr(row, name) for name in _MOVES]
    connection.execute(_UPDATE, [*values, _encode(row.parts).decode(), row.id], prepare=True)


def find(connection: psycopg.Connection[Any], program_id: int, redemption: UUID) -> Redemption | None:
    """One redemption of a program."""
    return _one(connection, "program_id = %b AND id = %b", (program_id, redemption))


def find_by_reference(
    connection: psycopg.Connection[Any], program_id: int, till: str, reference: str
) -> Redemption | None:
    """The redemption that a till made under its own reference."""
    return _one(connection, "program_id = %b AND till = %b AND reference = %b", (program_id, till, reference))


class Known(NamedTuple):
    """What is known when somebody asks for a reward: the same request before, and the member's holds that are over."""

    by_key: Redemption | None
    by_reference: Redemption | None
    overdue: list[Redemption]


Look: TypeAlias = tuple[UUID, tuple[str | None, str, str | None]]
"""A member, and the Idempotency-Key, the till and its reference of a request."""


def known(connection: psycopg.Connection[Any], program_id: int, looks: Sequence[Look], now: dt.datetime) -> list[Known]:
    """What is known for each of several requests, whose members are locked."""
    with connection.pipeline():
        cursors = [
            connection.execute(
                _KNOWN,
                ("key", program_id, key, "reference", program_id, till, reference, "overdue", member, now),
                prepare=True,
            )
            for member, (key, till, reference) in looks
        ]
    return [_known(cursor) for cursor in cursors]


def _known(cursor: psycopg.Cursor[Any]) -> Known:
    found: dict[str, list[Redemption]] = {"key": [], "reference": [], "overdue": []}
    for why, *row in cursor:
        found[why].append(_read(dict(zip(_NAMES, row, strict=True))))
    first = {why: next(iter(rows), None) for why, rows in found.items()}
    return Known(first["key"], first["reference"], sorted(found["overdue"], key=lambda row: row.id))


def of_member(connection: psycopg.Connection[Any], member: UUID, *, before: UUID | None, most: int) -> list[Redemption]:
    """A member's redemptions, the newest first."""
    where, values = "member_id = %b AND id < %b", (member, before or UUID(int=2**128 - 1))
    return _all(connection, f"{where} ORDER BY id DESC LIMIT %b", (*values, most))


def overdue(connection: psycopg.Connection[Any], members: Collection[UUID], now: dt.datetime) -> list[Redemption]:
    """The holds of locked members whose time has passed, in order."""
    where = "member_id = ANY (%b) AND state = 'held' AND hold_until <= %b ORDER BY member_id, id"
    return _all(connection, where, (list(members), now))


def _one(connection: psycopg.Connection[Any], where: str, values: Sequence[Any]) -> Redemption | None:
    return next(iter(_all(connection, where, values)), None)


def _all(connection: psycopg.Connection[Any], where: str, values: Sequence[Any]) -> list[Redemption]:
    rows = connection.execute(f"SELECT {_COLUMNS} FROM redemption WHERE {where}", values, prepare=True)
    return [_read(dict(zip(_NAMES, row, strict=True))) for row in rows]


def _read(row: dict[str, Any]) -> Redemption:
    parts = msgspec.convert(row["parts"], list[Taken])
    return Redemption(**{**row, "digest": bytes(row["digest"]), "parts": parts})


def _fields(row: Redemption) -> list[tuple[str, Any]]:
    return [(name, getattr(row, name)) for name in _NAMES]


def cost_of(row: Redemption, quantity: int) -> dict[str, int]:
    """What so many of it cost."""
    return {points: amount * quantity for points, amount in row.cost.items()}


def plain_reason(reason: msgspec.Struct) -> dict[str, Any]:
    """A reason as plain values."""
    found: dict[str, Any] = json.loads(_encode(reason))
    return found
