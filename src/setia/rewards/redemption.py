"""Redemptions as they are kept, and how they are read and written."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

import msgspec
import psycopg

from setia.db.columns import texts, uuids
from setia.db.exchange import Exchange

REDEMPTION_PREFIX = "red"
State = Literal["held", "confirmed", "partly", "cancelled", "expired", "refunded"]
ENDED: frozenset[State] = frozenset({"cancelled", "expired", "refunded"})


class Taken(msgspec.Struct, frozen=True, omit_defaults=True):
    """Points of one lot (None: of no lot) that are held or redeemed; the lot ends at `expires_at`."""

    points: str
    amount: int
    lot: tuple[int, int] | None = None
    expires_at: dt.datetime | None = None


class Redemption(msgspec.Struct, frozen=True, kw_only=True):
    """One redemption. `cost` is what one costs (point type -> smallest units), `money` that of all together.

    `event_id` is the purchase that it was redeemed with, `draw_id` the draw that its raffle tickets were in, if any.
    """

    id: UUID
    member_id: UUID
    event_id: UUID | None = None
    draw_id: UUID | None = None
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
_THEIRS = ", ".join(f"r.{name}" for name in _NAMES)
# One probe of an index for each request and way. OFFSET 0 keeps it so: without it the planner makes joins of the three,
# and what it finds best while the table is small, to read it whole, stays with the connection while the table grows.
_KNOWN = " UNION ALL ".join(
    f"SELECT {why}, w.place, {_THEIRS} "
    f"FROM unnest({given}) WITH ORDINALITY AS w ({names}, place) CROSS JOIN LATERAL ("
    f"SELECT * FROM redemption r WHERE {where} OFFSET 0) r"
    for why, given, names, where in (
        (1, "$2::text[]", "key", "r.program_id = $1::int AND r.idempotency_key = w.key"),
        (
            *(2, "$3::text[], $4::text[]", "till, reference"),
            "r.program_id = $1::int AND r.till = w.till AND r.reference = w.reference",
        ),
        (3, "$5::uuid[]", "member", "r.member_id = w.member AND r.state = 'held' AND r.hold_until <= $6::timestamptz"),
    )
)
_INSERT_ALL = (
    f"INSERT INTO redemption ({_COLUMNS}) SELECT {_COLUMNS} FROM json_populate_recordset(NULL::redemption, $1::json)"
)
_encode = msgspec.json.Encoder().encode


def insert(connection: psycopg.Connection[Any], row: Redemption) -> None:
    """Write a new one; the member is locked."""
    values = [_encode(value).decode() if name in _JSON else value for name, value in _fields(row)]
    connection.execute(_INSERT, values, prepare=True)


def insertion(rows: Sequence[Redemption]) -> tuple[str, bytes]:
    """The statement that writes several, for an exchange, and its value."""
    return _INSERT_ALL, _encode([_plain(row) for row in rows])


def _plain(row: Redemption) -> dict[str, Any]:
    return {**msgspec.structs.asdict(row), "digest": f"\\x{row.digest.hex()}"}


def save(connection: psycopg.Connection[Any], row: Redemption) -> None:
    """Write what became of one; the member is locked."""
    values = [getattr(row, name) for name in _MOVES]
    connection.execute(_UPDATE, [*values, _encode(row.parts).decode(), row.id], prepare=True)


def find(connection: psycopg.Connection[Any], program_id: int, redemption: UUID) -> Redemption | None:
    """One redemption of a program."""
    return _one(connection, "program_id = %b AND id = %b", (program_id, redemption))


def in_draw(connection: psycopg.Connection[Any], redemption: UUID) -> bool:
    """Whether the tickets of a redemption were drawn from; until the transaction ends no draw takes them."""
    row = connection.execute("SELECT draw_id FROM redemption WHERE id = %b FOR UPDATE", (redemption,)).fetchone()
    return row is not None and row[0] is not None


def find_by_reference(
    connection: psycopg.Connection[Any], program_id: int, till: str, reference: str
) -> Redemption | None:
    """The redemption that a till made under its own reference."""
    return _one(connection, "program_id = %b AND till = %b AND reference = %b", (program_id, till, reference))


def made_before(
    connection: psycopg.Connection[Any], program_id: int, key: str | None, till: str, reference: str | None
) -> Redemption | None:
    """The redemption of a request that was made before: by its key, or by its till's reference."""
    where = "program_id = %b AND (idempotency_key = %b::text OR till = %b AND reference = %b::text)"
    return _one(connection, where, (program_id, key, till, reference))


class Known(NamedTuple):
    """What is known when somebody asks for a reward: the same request before, and the member's holds that are over."""

    by_key: Redemption | None
    by_reference: Redemption | None
    overdue: list[Redemption]


Look: TypeAlias = tuple[UUID, tuple[str | None, str, str | None]]
"""A member, and the Idempotency-Key, the till and its reference of a request."""


def ask_known(
    exchange: Exchange, program_id: int, looks: Sequence[Look], now: dt.datetime
) -> Callable[[], list[Known]]:
    """Ask what is known for each of several requests, whose members are locked; read it when the exchange is over."""
    members, named = [look[0] for look in looks], [look[1] for look in looks]
    reply = exchange.ask(
        _KNOWN,
        str(program_id),
        texts([key for key, _, _ in named]),
        texts([till for _, till, _ in named]),
        texts([reference for _, _, reference in named]),
        uuids(members),
        now.isoformat(),
    )

    def read() -> list[Known]:
        found = [Known(None, None, []) for _ in looks]
        for why, place, *row in reply.rows:
            one, before = _read(dict(zip(_NAMES, row, strict=True))), found[place - 1]
            if why == _BY_KEY:
                found[place - 1] = before._replace(by_key=one)
            elif why == _BY_REFERENCE:
                found[place - 1] = before._replace(by_reference=one)
            else:
                before.overdue.append(one)
        for look in found:
            look.overdue.sort(key=lambda row: row.id)
        return found

    return read


_BY_KEY, _BY_REFERENCE = 1, 2


def of_member(connection: psycopg.Connection[Any], member: UUID, *, before: UUID | None, most: int) -> list[Redemption]:
    """A member's redemptions, the newest first."""
    where, values = "member_id = %b AND id < %b", (member, before or UUID(int=2**128 - 1))
    return all_of(connection, f"{where} ORDER BY id DESC LIMIT %b", (*values, most))


def overdue(connection: psycopg.Connection[Any], members: Collection[UUID], now: dt.datetime) -> list[Redemption]:
    """The holds of locked members whose time has passed, in order."""
    where = "member_id = ANY (%b) AND state = 'held' AND hold_until <= %b ORDER BY member_id, id"
    return all_of(connection, where, (list(members), now))


def points_taken(connection: psycopg.Connection[Any], ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """What redemptions still hold or have taken: redemption -> point type -> smallest units; of ended ones nothing."""
    return {row.id: cost_of(row, row.counts) for row in all_of(connection, "id = ANY (%b)", (list(ids),))}


def _one(connection: psycopg.Connection[Any], where: str, values: Sequence[Any]) -> Redemption | None:
    return next(iter(all_of(connection, where, values)), None)


def all_of(connection: psycopg.Connection[Any], where: str, values: Sequence[Any]) -> list[Redemption]:
    """The redemptions for which a condition in SQL holds."""
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
