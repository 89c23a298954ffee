"""The members' rows: made at enrolment, locked in order before anything is decided about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.db.columns import moment, uuids
from setia.db.exchange import Exchange, Reply
from setia.engine.state import Balance
from setia.ledger.entries import StateRow
from setia.ledger.refusals import StaleState, UnknownMember
from setia.ledger.wallets import WALLETS

_OPEN = """
INSERT INTO member_state (member_id, program_id, updated_at)
SELECT m.member_id, m.program_id, m.at
FROM unnest(%b::uuid[], %b::int[], %b::timestamptz[]) AS m (member_id, program_id, at)
ORDER BY m.member_id
ON CONFLICT DO NOTHING
"""
# A session keeps the plan it made first. Made while a table was still small, that plan reads the whole table for ever.
_BY_INDEX = """
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
       set_config('enable_mergejoin', 'off', true)
"""
_READ = """
SELECT member_id, program_id, seq, tracking, counters::text, updated_at, due_at
FROM member_state WHERE member_id = ANY ($1::uuid[])
"""
_AFTER = "SELECT member_id FROM member_state WHERE program_id = %s AND member_id > %s ORDER BY member_id LIMIT %s"
_REPLACE = """
UPDATE member_state m SET tracking = s.tracking, counters = s.counters
FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::json[]) AS s (member_id, seq, tracking, counters)
WHERE m.member_id = s.member_id AND m.seq = s.seq
"""
_WAKE = """
UPDATE member_state SET due_at = %(now)s
WHERE program_id = %(program)s AND member_id = %(member)s AND (due_at IS NULL OR due_at > %(now)s)
"""
# In the order of their ids, as everybody locks members.
_WAKE_SOME = """
WITH chosen AS (
    SELECT s.member_id FROM member m JOIN member_state s ON s.member_id = m.id
    WHERE m.program_id = %b AND m.id > %b ORDER BY m.id LIMIT %b FOR UPDATE OF s
), woken AS (
    UPDATE member_state m SET due_at = %b FROM chosen s
    WHERE m.member_id = s.member_id AND (m.due_at IS NULL OR m.due_at > %b)
)
SELECT member_id FROM chosen ORDER BY member_id
"""
_MOVE = """
UPDATE member_state m SET due_at = d.due_at FROM unnest(%s::uuid[], %s::timestamptz[]) AS d (member_id, due_at)
WHERE m.member_id = d.member_id
"""
_LOCK = _READ + " ORDER BY member_id FOR UPDATE"
_LOCK_FREE = _LOCK + " SKIP LOCKED"
# Not ordered by member: at the end of a month a million are due at one moment, and each chunk would sort them all. Who
# is locked is passed over: another worker settles the member now, or an event does before it is decided.
_LOCK_DUE = """
SELECT member_id, program_id, seq, tracking, counters::text, updated_at, due_at
FROM member_state WHERE program_id = $1::int AND due_at <= $2::timestamptz ORDER BY due_at LIMIT $3::int
FOR UPDATE SKIP LOCKED
"""


class LockedMember(msgspec.Struct):
    """A member's row, locked until the end of the transaction, and its wallets: point type -> balance.

    `seq` is that of its newest journal entry, 0 before the first; `counters` the JSON document last saved.
    """

    member_id: UUID
    program_id: int
    seq: int
    tracking: str
    counters: str
    updated_at: dt.datetime
    due_at: dt.datetime | None = None
    """Nothing of the member's ends or becomes available before it."""
    balances: dict[str, Balance] = {}

    def moment(self, now: dt.datetime) -> dt.datetime:
        """When to book: now, but never before the member's entry before, though clocks differ and are set back."""
        return max(now, self.updated_at)


def open_members(connection: psycopg.Connection[Any], members: Sequence[tuple[UUID, int, dt.datetime]]) -> None:
    """Make the rows of new members: (member, program, now). One that is there already stays as it is."""
    if members:
        connection.execute(_OPEN, [list(column) for column in zip(*members, strict=True)])


def lock_members(connection: psycopg.Connection[Any], members: Collection[UUID]) -> dict[UUID, LockedMember]:
    """Lock members' rows in the order of their ids, and read them with their wallets. Unknown members are left out.

    Whoever books for a member holds this lock; that is what makes balances read here true until the commit. The rest of
    the transaction finds its rows by index: it is about few members, however small their tables look to the planner.
    """
    exchange = Exchange(connection)
    by_index(exchange)
    read = ask_locked(exchange, members)
    exchange.send()
    return read()


def by_index(exchange: Exchange) -> None:
    """Let the rest of a transaction find its rows by index."""
    exchange.ask(_BY_INDEX)


def ask_locked(
    exchange: Exchange, members: Collection[UUID], *, free_only: bool = False
) -> Callable[[], dict[UUID, LockedMember]]:
    """Lock, and read what `lock_members` gives when the exchange is over, which carries the question with others.

    With `free_only` nobody is waited for: members whom another transaction has locked are left out. The caller sees to
    it that rows are found by index: `Database.wire`, for a connection that only books.
    """
    wanted = uuids(list(members))
    # Two statements, because the second must see what was committed while the first one waited.
    rows = exchange.ask(_LOCK_FREE if free_only else _LOCK, wanted)
    wallets = exchange.ask(WALLETS, wanted)
    return lambda: _locked(_members(rows), wallets.rows)


def lock_due(connection: psycopg.Connection[Any], program_id: int, now: dt.datetime, most: int) -> list[LockedMember]:
    """Lock up to `most` members of whom something may be due, and read them without their wallets (`ask_wallets`).

    Who is locked by somebody else is passed over.
    """
    exchange = Exchange(connection)
    found = exchange.ask(_LOCK_DUE, str(program_id), moment(now), str(most))
    exchange.send()
    return _members(found)


def ask_wallets(exchange: Exchange, members: Sequence[LockedMember]) -> Callable[[], dict[UUID, LockedMember]]:
    """Ask now for the wallets of locked members, and give the members with them when the exchange is over."""
    wallets = exchange.ask(WALLETS, uuids([member.member_id for member in members]))
    return lambda: _locked(members, wallets.rows)


def _members(reply: Reply) -> list[LockedMember]:
    return [LockedMember(*row) for row in reply.rows]


def _locked(members: Iterable[LockedMember], wallets: Iterable[tuple[Any, ...]]) -> dict[UUID, LockedMember]:
    locked = {member.member_id: member for member in members}
    for member, point_type, available, pending, held, floor in wallets:
        if (row := locked.get(member)) is not None:
            row.balances[point_type] = Balance(available, pending, held, floor)
    return locked


def read_members(connection: psycopg.Connection[Any], members: Collection[UUID]) -> dict[UUID, LockedMember]:
    """What `lock_members` reads, without the lock: for answers that change nothing."""
    wanted = uuids(list(members))
    exchange = Exchange(connection)
    rows, wallets = exchange.ask(_READ, wanted), exchange.ask(WALLETS, wanted)
    exchange.send()
    return _locked(_members(rows), wallets.rows)


def members_after(connection: psycopg.Connection[Any], program_id: int, after: UUID | None, most: int) -> list[UUID]:
    """The members of a program in the order of their ids, those after `after`."""
    rows = connection.execute(_AFTER, (program_id, after or UUID(int=0), most))
    return [row[0] for row in rows]


def replace_counters(connection: psycopg.Connection[Any], states: Sequence[StateRow]) -> None:
    """Write counters that were counted anew for locked members whose newest entry is still `seq`.

    Raises `StaleState` when one has another newest entry.
    """
    rows = [(state.member_id, state.seq, state.tracking, state.counters.decode()) for state in states]
    if rows:
        done = connection.execute(_REPLACE, [list(column) for column in zip(*rows, strict=True)])
        if done.rowcount != len(rows):
            raise StaleState(f"{len(rows) - done.rowcount} of {len(rows)} members were booked for meanwhile: lock them")


def due_of(connection: psycopg.Connection[Any], member: UUID) -> dt.datetime | None:
    """Before it nothing is due for a member; None where nothing ever is, or there is no such member."""
    row = connection.execute("SELECT due_at FROM member_state WHERE member_id = %s", (member,)).fetchone()
    return None if row is None else row[0]


def levels_held(connection: psycopg.Connection[Any], member: UUID) -> dict[str, str]:
    """Tier set -> level, as counted for a member; without the sets in which the member has never been judged."""
    query = "SELECT counters -> 'tiers' FROM member_state WHERE member_id = %s"
    row = connection.execute(query, (member,)).fetchone()
    held: dict[str, str] | None = None if row is None else row[0]
    return held or {}


def wake(connection: psycopg.Connection[Any], program_id: int, now: dt.datetime, member: UUID) -> None:
    """Let a member be looked at: what is due may have changed."""
    connection.execute(_WAKE, {"program": program_id, "now": now, "member": member})


def wake_some(
    connection: psycopg.Connection[Any], program_id: int, now: dt.datetime, after: UUID, most: int
) -> UUID | None:
    """Let the members of a program be looked at, the next ones after `after`; the last of them, None with no more."""
    # Some thousands of a million: the planner would read the whole table for each chunk.
    connection.execute(_BY_INDEX)
    values = (program_id, after, most, now, now)
    found = connection.execute(_WAKE_SOME, values, binary=True).fetchall()
    last: UUID | None = found[-1][0] if len(found) == most else None
    return last


def move_due(connection: psycopg.Connection[Any], due: Mapping[UUID, dt.datetime | None]) -> None:
    """Set the moments before which nothing is due for locked members."""
    if due:
        connection.execute(_MOVE, (list(due), list(due.values())))


def earliest_due(connection: psycopg.Connection[Any], program_id: int) -> dt.datetime | None:
    """Before it nothing is due for any member of a program; None where nothing ever is, as far as is known."""
    [(due_at,)] = connection.execute(
        "SELECT min(due_at) FROM member_state WHERE program_id = %s", (program_id,)
    ).fetchall()
    found: dt.datetime | None = due_at
    return found


def program_of(connection: psycopg.Connection[Any], member: UUID) -> int:
    """The program of a member; raises `UnknownMember`."""
    row = connection.execute("SELECT program_id FROM member_state WHERE member_id = %s", (member,)).fetchone()
    if row is None:
        raise UnknownMember("The ledger knows no member with this id.")
    program: int = row[0]
    return program
