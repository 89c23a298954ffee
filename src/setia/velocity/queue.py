"""The review queue: what waits for a person, and what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec
import psycopg

State = Literal["open", "approved", "voided"]


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One review, of the journal entry `seq` of a member. `points` came with it (point type -> smallest units).

    `rule` counted `counted` for `subject`, where `most` is fine. `decided_seq` is the entry by which it was decided.
    """

    id: UUID
    member_id: UUID
    entry_id: UUID
    opened_at: dt.datetime
    occurred_at: dt.datetime
    decide_by: dt.datetime | None
    decided_at: dt.datetime | None
    seq: int
    decided_seq: int | None
    counted: int
    most: int
    program_id: int
    program_version: int
    state: State
    rule: str
    per: str
    subject: str
    watched: str
    otherwise: str
    actor: str
    decided_by: str | None
    reason: str | None
    points: dict[str, int]


class Overdue(NamedTuple):
    """A review that was to be decided by then: its program, and what is to become of it."""

    id: UUID
    program_id: int
    otherwise: str
    decide_by: dt.datetime


_BEGINNING = dt.datetime.min.replace(tzinfo=dt.UTC), UUID(int=0)
_NAMES = tuple(field.name for field in msgspec.structs.fields(Review))
_COLUMNS = ", ".join(_NAMES)
_INSERT = (
    f"INSERT INTO velocity_review ({_COLUMNS}) "
    f"VALUES ({', '.join('%b::json' if name == 'points' else '%b' for name in _NAMES)})"
)
_DECIDE = """
UPDATE velocity_review SET state = %b, decided_at = %b, decided_seq = %b, decided_by = %b, reason = %b
WHERE id = %b AND state = 'open'
"""
_DUE = """
SELECT r.id, r.program_id, r.otherwise, r.decide_by FROM velocity_review r JOIN program p ON p.id = r.program_id
WHERE r.state = 'open' AND r.decide_by <= coalesce(p.clock, %b) AND p.live_version IS NOT NULL
  AND (%b::int IS NULL OR r.program_id = %b::int) AND (r.decide_by, r.id) > (%b, %b)
ORDER BY r.decide_by, r.id LIMIT %b
"""


OPEN_REVIEW = """EXISTS (
    SELECT FROM velocity_review r WHERE r.member_id = l.member_id AND r.seq = l.seq AND r.state = 'open'
)"""
"""SQL: whether the points of the lot `l` wait for a person."""
REVIEWED_EVENT = """(
    SELECT r.entry_id FROM velocity_review r WHERE r.member_id = l.member_id AND r.decided_seq = l.seq LIMIT 1
)"""
"""SQL: the event that had earned the points of a lot `l` which was opened when they were approved."""


def insert(connection: psycopg.Connection[Any], review: Review) -> None:
    """Open one; the member is locked."""
    values = msgspec.structs.asdict(review) | {"points": msgspec.json.encode(review.points).decode()}
    connection.execute(_INSERT, [values[name] for name in _NAMES], prepare=True)


def decide(connection: psycopg.Connection[Any], review: Review) -> None:
    """Write what was decided; the member is locked."""
    values = review.state, review.decided_at, review.decided_seq, review.decided_by, review.reason, review.id
    connection.execute(_DECIDE, values, prepare=True)


def find(connection: psycopg.Connection[Any], program_id: int, review: UUID) -> Review | None:
    """One review of a program."""
    return next(iter(_all(connection, "program_id = %b AND id = %b", (program_id, review))), None)


def of_entries(connection: psycopg.Connection[Any], entries: Sequence[tuple[UUID, int]]) -> list[Review]:
    """The reviews of journal entries (whose, and which), in any state, the oldest first."""
    where = "(member_id, seq) IN (SELECT * FROM unnest(%b::uuid[], %b::bigint[])) ORDER BY id"
    return _all(connection, where, ([member for member, _ in entries], [seq for _, seq in entries]))


def waits(connection: psycopg.Connection[Any], member: UUID) -> bool:
    """Whether points of a member wait for a person; the member is locked."""
    query = "SELECT EXISTS (SELECT FROM velocity_review WHERE member_id = %s AND state = 'open')"
    [(found,)] = connection.execute(query, (member,)).fetchall()
    return bool(found)


def listed(
    connection: psycopg.Connection[Any], program_id: int, *, state: State | None, before: UUID | None, most: int
) -> list[Review]:
    """The reviews of a program, the newest first; those in one state, or all."""
    last = before or UUID(int=2**128 - 1)
    # The state stands in the text, so that the queue is found by an index of its own, however many were decided.
    of = "" if state is None else f" AND state = '{state}'"
    where = f"program_id = %b AND id < %b{of} ORDER BY id DESC LIMIT %b"
    return _all(connection, where, (program_id, last, most))


def overdue(
    connection: psycopg.Connection[Any], now: dt.datetime, program_id: int | None, after: Overdue | None, most: int
) -> list[Overdue]:
    """Reviews that nobody has decided in time, those behind `after`."""
    last = _BEGINNING if after is None else (after.decide_by, after.id)
    rows = connection.execute(_DUE, (now, program_id, program_id, *last, most))
    return [Overdue(*row) for row in rows]


def earliest(connection: psycopg.Connection[Any], program_id: int) -> dt.datetime | None:
    """When the next review of a program is decided by itself; None where none is."""
    query = "SELECT min(decide_by) FROM velocity_review WHERE program_id = %s AND state = 'open'"
    [(found,)] = connection.execute(query, (program_id,)).fetchall()
    at: dt.datetime | None = found
    return at


def _all(connection: psycopg.Connection[Any], where: str, values: tuple[Any, ...]) -> list[Review]:
    rows = connection.execute(f"SELECT {_COLUMNS} FROM velocity_review WHERE {where}", values, prepare=True)
    return [Review(**dict(zip(_NAMES, row, strict=True))) for row in rows]
