"""Members while a batch is decided: their state as the events before in the same batch have left it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from setia.db.exchange import Exchange
from setia.db.ids import format_id, parse_id
from setia.engine.compiled import CompiledProgram
from setia.engine.counting import count_return, recount
from setia.engine.decision import outcome_of
from setia.engine.merging import merge_counters, unmerge_counters
from setia.engine.moved import Moved
from setia.engine.state import Balance, Counters, MemberState
from setia.ledger.booking import earlier
from setia.ledger.entries import StateRow
from setia.ledger.states import LockedMember, ask_locked, ask_wallets, read_members
from setia.members.member import Facts
from setia.members.service import ask_facts, load_facts

_HISTORY = """
SELECT seq, kind, outcome::text, occurred_at, booked_at FROM journal
WHERE member_id = %b AND seq < %b AND kind IN (
    'event', 'review', 'level', 'adjustment', 'expiry', 'freeze', 'sale', 'household',
    'transfer', 'exchange', 'merge'
) ORDER BY seq
"""
_ENTRY = "SELECT outcome::text FROM journal WHERE member_id = %b AND seq = %b"
_FOR_EVER = 2**63 - 1
MERGED = "merged"
"""The status of who is part of another member, as decisions see it."""
_decode_counters = msgspec.json.Decoder(Counters).decode
_encode = msgspec.json.Encoder().encode


class InPlay(msgspec.Struct):
    """One locked member. `state` changes with each decision; `seq` is that of the newest entry, written or to be."""

    id: UUID
    seq: int
    state: MemberState
    updated_at: dt.datetime
    due_at: dt.datetime | None = None
    settled: bool = False
    """Whether what was due has been booked; `due_at` then is what is due next of what was there."""
    due_soonest: dt.datetime | None = None
    """When what has changed since, apart from new lots, is due."""
    facts_changed: bool = False
    booked: bool = False
    stale: bool = False
    """Whether its counters were made by other settings, and have been counted anew."""
    tracking: str = ""
    """The settings that its counters were made by."""
    merged_into: UUID | None = None
    """The member that stands for it; then nothing is booked for it."""

    def moment(self, now: dt.datetime) -> dt.datetime:
        """When to book: now, but never before the member's entry before."""
        return max(now, self.updated_at)

    def row(self, tracking: str) -> StateRow:
        """What the ledger saves of the member."""
        due_at = earlier(self.due_at if self.settled else None, self.due_soonest)
        return StateRow(self.id, self.seq, _encode(self.state.counters), tracking, self.settled, due_at)


def lock_in_play(
    connection: psycopg.Connection[Any], program: CompiledProgram, program_id: int, ids: Collection[UUID]
) -> dict[UUID, InPlay]:
    """Lock members and read everything that decisions about them need; members of other programs are left out."""
    exchange = Exchange(connection)
    read = ask_in_play(exchange, connection, program, program_id, ids)
    exchange.send()
    return read()


def ask_in_play(
    exchange: Exchange,
    connection: psycopg.Connection[Any],
    program: CompiledProgram,
    program_id: int,
    ids: Collection[UUID],
    *,
    free_only: bool = False,
) -> Callable[[], dict[UUID, InPlay]]:
    """Lock, and read what `lock_in_play` gives when the exchange is over, which carries the question with others.

    With `free_only` members whom another transaction has locked are left out, and nobody waits for them.
    """
    locked = ask_locked(exchange, ids, free_only=free_only)
    return _ask_rest(exchange, connection, program, program_id, ids, locked)


def ask_held(
    exchange: Exchange,
    connection: psycopg.Connection[Any],
    program: CompiledProgram,
    program_id: int,
    held: Sequence[LockedMember],
) -> Callable[[], dict[UUID, InPlay]]:
    """Read the same of members whose rows are locked already."""
    ids = [member.member_id for member in held]
    return _ask_rest(exchange, connection, program, program_id, ids, ask_wallets(exchange, held))


def _ask_rest(
    exchange: Exchange,
    connection: psycopg.Connection[Any],
    program: CompiledProgram,
    program_id: int,
    ids: Collection[UUID],
    locked: Callable[[], dict[UUID, LockedMember]],
) -> Callable[[], dict[UUID, InPlay]]:
    # Facts change under the same lock, and this statement begins when the lock is held: what it reads is true.
    facts = ask_facts(exchange, program_id, ids)

    def read() -> dict[UUID, InPlay]:
        rows, known = locked(), facts()
        return {
            member: _in_play(connection, program, row, found)
            for member, row in rows.items()
            if (found := known.get(member)) is not None
        }

    return read


def read_in_play(
    connection: psycopg.Connection[Any], program: CompiledProgram, program_id: int, member_id: UUID
) -> InPlay:
    """A member as it was booked last, without a lock: for answers that change nothing."""
    row = read_members(connection, [member_id])[member_id]
    known = load_facts(connection, program_id, [member_id])[member_id]
    return _in_play(connection, program, row, known)


def _in_play(connection: psycopg.Connection[Any], program: CompiledProgram, row: LockedMember, known: Facts) -> InPlay:
    stale = row.tracking != program.tracking and row.seq > 0
    state = _state(connection, program, row, known, stale=stale)
    return InPlay(
        row.member_id,
        row.seq,
        state,
        row.updated_at,
        row.due_at,
        stale=stale,
        tracking=row.tracking,
        merged_into=known.merged_into,
    )


def _state(
    connection: psycopg.Connection[Any], program: CompiledProgram, row: LockedMember, known: Facts, *, stale: bool
) -> MemberState:
    if stale:
        counters = count_again(connection, program, row.member_id, known.enrolled_at)
    else:
        counters = _decode_counters(row.counters)
    return state_of(row, known, counters)


def state_of(row: LockedMember, known: Facts, counters: Counters) -> MemberState:
    """A member's state of what was read, with counters that may have been counted anew."""
    return MemberState(
        id=format_id("mem", row.member_id),
        enrolled_at=known.enrolled_at,
        # Nothing happens to who was merged: everything is the other member's.
        status=known.status if known.merged_into is None else MERGED,
        attributes=known.attributes,
        registered_at=known.attributes_at,
        tags=tuple(known.tags),
        counters=counters,
        balances=row.balances,
    )


def count_again(
    connection: psycopg.Connection[Any],
    program: CompiledProgram,
    member_id: UUID,
    enrolled_at: dt.datetime,
    before: int = _FOR_EVER,
    without: frozenset[int] = frozenset(),
    elsewhere: frozenset[tuple[str, int]] = frozenset(),
) -> Counters:
    """A member's counters from its journal, those entries before `before`, as the given version counts (law 9).

    What a merged member had counted is counted again from that member's own entries. `without` are entries that have
    not happened: a merge that was undone, and what belongs to the other member since; `elsewhere` are such entries of
    further members, who stood for this one for a time.
    """
    history = connection.execute(_HISTORY, (member_id, before)).fetchall()
    absent = _Absent(without, elsewhere)
    counters, place = _parted(connection, program, member_id, enrolled_at, history, absent)
    for seq, kind, outcome, occurred_at, booked_at in history[place:]:
        if seq in without:
            continue
        told = outcome_of(outcome)
        merged = told.merged
        if merged is None:
            counters = recount(program, counters, kind, told, occurred_at, booked_at, enrolled_at)
            if told.moved is not None and (told.moved.returned or told.moved.returned_by):
                counters = count_returned(connection, program, counters, told.moved, enrolled_at, elsewhere)
        else:
            other = count_again(connection, program, parse_id("mem", merged.member), enrolled_at, merged.seq + 1)
            counters = merge_counters(program, counters, other, told, merged, booked_at)
    return counters


class _Absent(NamedTuple):
    """Entries that have not happened: of the member, and of others who stood for it."""

    without: frozenset[int]
    elsewhere: frozenset[tuple[str, int]]


def _parted(
    connection: psycopg.Connection[Any],
    program: CompiledProgram,
    member_id: UUID,
    enrolled_at: dt.datetime,
    history: Sequence[Any],
    absent: _Absent,
) -> tuple[Counters, int]:
    """The counters after the newest entry that undid a merge, and the place after it; without one those of nobody.

    Such an entry says anew what everything before it comes to, without that merge. So what the one before it came to
    is never asked for: to count it again at each of them would double the work with every merge that was undone.
    """
    for place in range(len(history), 0, -1):
        seq, kind, outcome, _, booked_at = history[place - 1]
        merged = outcome_of(outcome).merged if kind == "merge" else None
        if merged is not None and merged.undoes is not None:
            without = absent.without | {merged.undoes, *merged.returned}
            elsewhere = absent.elsewhere | frozenset(merged.returned_by)
            base = count_again(connection, program, member_id, enrolled_at, seq, without, elsewhere)
            return unmerge_counters(program, base, merged.levels, booked_at), place
    return Counters(), 0


def count_returned(
    connection: psycopg.Connection[Any],
    program: CompiledProgram,
    counters: Counters,
    moved: Moved,
    enrolled_at: dt.datetime,
    elsewhere: frozenset[tuple[str, int]] = frozenset(),
) -> Counters:
    """Count what came back of a member's orders while others stood for it: the entries are theirs.

    Those that are `elsewhere` count for somebody else.
    """
    entries = [*((moved.other or "", seq) for seq in moved.returned), *moved.returned_by]
    for other, seq in entries:
        if (other, seq) in elsewhere:
            continue
        [(told,)] = connection.execute(_ENTRY, (parse_id("mem", other), seq)).fetchall()
        outcome = outcome_of(told)
        if outcome.undoes is not None:
            counters = count_return(program, counters, outcome, outcome.undoes, enrolled_at)
    return counters


def balance_of(state: MemberState, points: str, floor: int | None) -> Balance:
    """The wallet of a point type, opened in the state if it was not there."""
    balance = state.balances.get(points)
    if balance is None:
        balance = state.balances[points] = Balance(floor=floor)
    return balance
