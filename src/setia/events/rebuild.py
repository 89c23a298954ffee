"""Counting all counters again from the journal: the proof that they are a snapshot (law 9), and the repair."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import sqlalchemy as sa

from setia.coupons.recounting import recount
from setia.db.engine import Database, driver_connection
from setia.engine.state import Counters
from setia.events.due_check import is_late, soonest
from setia.events.live import LiveProgram, LivePrograms
from setia.events.members_in_play import count_again, state_of
from setia.ledger.entries import StateRow
from setia.ledger.states import LockedMember, lock_members, members_after, move_due, read_members, replace_counters
from setia.ledger.wallets import all_open_lots
from setia.members.service import load_facts
from setia.velocity.judging import restore

_TOGETHER = 200
"""Members of one transaction. Their events wait meanwhile, so few of them."""
_SHOWN = 100
DUE_AT = "due_at"
"""Among the figures: the moment before which nothing is due for a member."""
_decode = msgspec.json.Decoder(Counters).decode
_encode = msgspec.json.Encoder().encode


class Difference(msgspec.Struct, frozen=True):
    """A figure of a member that is not what its history says."""

    member_id: UUID
    figure: str
    stored: Any
    counted: Any


class Rebuilt(msgspec.Struct):
    """What was found. `stale` members were counted under another version; the next event would count them again."""

    members: int = 0
    stale: int = 0
    different: int = 0
    differences: list[Difference] = []
    """The first of them."""
    coupons: int = 0
    """Coupons and their uses that were not what the journal says; `verify` names them."""


def rebuild_states(database: Database, program_id: int, *, check: bool = False, most_shown: int = _SHOWN) -> Rebuilt:
    """Count the counters of all members of a program again, as its live version counts, and save them.

    Where it is not known that something is due for a member, or known too late, that is mended too: `due_at` among the
    differences.

    With `check` nothing is changed, and what cannot be read differs. It may run while events flow: some members at a
    time are locked. Whoever has no row among the members has no counters; `setia verify` names them.

    Raises:
        NothingPublished: no version says what is counted.
    """
    programs = LivePrograms(database)
    found = Rebuilt()
    after: UUID | None = None

    def work(tx: sa.Connection) -> tuple[list[UUID], Rebuilt]:
        connection = driver_connection(tx)
        live = programs.live(connection, program_id)
        members = members_after(connection, program_id, after, _TOGETHER)
        # Without a lock the snapshot of the transaction sees rows and history of one moment.
        rows = read_members(connection, members) if check else lock_members(connection, members)
        return members, _rebuild(connection, live, rows, check=check)

    while True:
        members, part = database.run(work, isolation="REPEATABLE READ" if check else None)
        found.members += part.members
        found.stale += part.stale
        found.different += part.different
        found.differences += part.differences[: most_shown - len(found.differences)]
        if len(members) < _TOGETHER:
            break
        after = members[-1]
    if not check:
        found.coupons = database.run(lambda tx: recount(driver_connection(tx), program_id))
    return found


def _rebuild(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    rows: dict[UUID, LockedMember],
    *,
    check: bool,
) -> Rebuilt:
    program = live.compiled
    found = Rebuilt(members=len(rows))
    facts = load_facts(connection, live.program_id, list(rows))
    lots = all_open_lots(connection, list(rows))
    now = live.now(dt.datetime.now(dt.UTC))
    states: list[StateRow] = []
    late: dict[UUID, dt.datetime | None] = {}
    for member_id, row in rows.items():
        if member_id not in facts:
            continue
        try:
            counted = count_again(connection, program, member_id, facts[member_id].enrolled_at)
            is_stale = row.seq > 0 and row.tracking != program.tracking
            differences = [] if is_stale else _differences(member_id, row.counters, counted)
            due_at = None
            if facts[member_id].merged_into is None:
                state = state_of(row, facts[member_id], counted)
                due_at = soonest(program, state, lots[member_id], row.updated_at, now)
            if is_late(row.due_at, due_at, now):
                late[member_id] = due_at
                differences.append(Difference(member_id, DUE_AT, row.due_at, due_at))
            found.stale += is_stale
            found.different += bool(differences)
            found.differences += differences
        except msgspec.DecodeError as error:
            if not check:
                raise
            found.different += 1
            found.differences.append(Difference(member_id, "journal", "an outcome that cannot be read", str(error)))
            continue
        tracking = program.counted_anew(row.tracking) if is_stale else program.tracking
        states.append(StateRow(member_id, row.seq, _encode(counted), tracking))
    if not check:
        replace_counters(connection, states)
        if program.velocity:
            restore(connection, list(rows))
        move_due(connection, late)
    return found


def _differences(member_id: UUID, stored: str, counted: Counters) -> list[Difference]:
    after = msgspec.structs.asdict(counted)
    try:
        before = msgspec.structs.asdict(_decode(stored))
    except msgspec.DecodeError:
        return [Difference(member_id, "counters", stored, after)]
    return [Difference(member_id, name, before[name], after[name]) for name in before if before[name] != after[name]]
