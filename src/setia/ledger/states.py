"""The members' rows: made at enrolment, locked in order before anything is decided about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.db.columns import uuids
from setia.db.exchange import Exchange
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
WHERE program_id = %(program)s AND (%(member)s::uuid IS NULL OR member_id = %(member)s::uuid)
  AND (due_at IS NULL OR due_at > %(now)s)
"""
_MOVE = """
UPDATE member_state m SET due_at = d.due_at FROM unnest(%s::uuid[], %s::timestamptz[]) AS d (member_id, due_at)
WHERE m.member_id = d.member_id
"""
_LOCK = _READ + " ORDER BY member_id FOR UPDATE"
_LOCK_FREE = _LOCK + " SKIP LOCKED"


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


def find_by_index(connection: psycopg.Connection[Any]) -> None:
    """Let a connection find its rows by index for as long as it lives; for one that only books."""
    connection.execute(_BY_INDEX.replace("true", "false"))


def by_index(exchange: Exchange) -> None:
    """Let the rest of a transaction find its rows by index."""
    exchange.ask(_BY_INDEX)


def ask_locked(
    exchange: Exchange, members: Collection[UUID], *, free_only: bool = False
) -> Callable[[], dict[UUID, LockedMember]]:
    """Lock, and read what `lock_members` gives when the exchange is over, which carries the question with others.

    With `free_only` nobody is waited for: members whom another transaction has locked are left out. The caller sees to
    it that rows are found by index: `find_by_index` once, for a connection that only books.
    """
    wanted = uuids(list(members))
    # Two statements, because the second must see what was committed while the first one waited.
    rows = exchange.ask(_LOCK_FREE if free_only else _LOCK, wanted)
    wallets = exchange.ask(WALLETS, wanted)
    return lambda: _locked(rows.rows, wallets.rows)


def _locked(rows: Iterable[tuple[Any, ...]], wallets: Iterable[tuple[Any, ...]]) -> dict[UUID, LockedMember]:
    locked = {row[0]: LockedMember(*row) for row in rows}
    balances: dict[UUID, dict[str, Balance]] = {}
    for member, point_type, *figures in wallets:
        balances.setdefault(member, {})[point_type] = Balance(*figures)
    for member, row in locked.items():
        row.balances = balances.get(member, row.balances)
    return locked


def read_members(connection: psycopg.Connection[Any], members: Collection[UUID]) -> dict[UUID, LockedMember]:
    """What `lock_members` reads, without the lock: for answers that change nothing."""
    wanted = uuids(list(members))
    exchange = Exchange(connection)
    rows, wallets = exchange.ask(_READ, wanted), exchange.ask(WALLETS, wanted)
    exchange.send()
    return _locked(rows.rows, wallets.rows)


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


def wake(connection: psycopg.Connection[Any], program_id: int, now: dt.datetime, member: UUID | None = None) -> None:
    """Let the members of a program, or one of them, be looked at: what is due for them may have changed."""
    connection.execute(_WAKE, {"program": program_id, "now": now, "member": member})


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
