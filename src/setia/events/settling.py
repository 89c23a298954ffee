"""Settling: booking what time has done to a member's points, before anything else is decided about the member."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import psycopg

from setia.db.arrays import moments, uuids
from setia.db.engine import Database, driver_connection
from setia.db.ids import new_id
from setia.engine.decision import Outcome, PointsEffect, as_json
from setia.events.live import LivePrograms
from setia.events.members_in_play import InPlay, lock_in_play
from setia.events.writing import Writing
from setia.ledger.due import due, judged
from setia.ledger.entries import Account, JournalEntry, Posting
from setia.ledger.wallets import OpenLot, all_open_lots

ACTOR = "setia"
CHUNK = 200
_DUE = """
SELECT member_id FROM member_state WHERE program_id = %b AND due_at <= %b ORDER BY due_at, member_id LIMIT %b
"""
_MOVE = """
UPDATE member_state m SET due_at = d.due_at FROM unnest(%t::uuid[], %t::timestamptz[]) AS d (member_id, due_at)
WHERE m.member_id = d.member_id
"""


def settle(
    connection: psycopg.Connection[Any], program_id: int, version: int, member: InPlay, now: dt.datetime
) -> list[JournalEntry]:
    """The entries for what is due of a locked member: one that releases, one that expires, or none.

    The member's balances, `seq` and `due_at` are moved along; the caller books the entries.
    """
    found = due(all_open_lots(connection, member.id), now)
    entries = []
    steps: tuple[tuple[Literal["release", "expiry"], list[OpenLot]], ...] = (
        ("release", found.released),
        ("expiry", found.expired),
    )
    for kind, lots in steps:
        if lots:
            member.seq += 1
            member.updated_at = member.moment(now)
            entries.append(_entry(program_id, version, member, kind, lots))
    member.state.balances = judged(member.state.balances, found)
    member.settled, member.due_at = True, found.next_at
    member.booked = member.booked or bool(entries)
    return entries


def _entry(
    program_id: int, version: int, member: InPlay, kind: Literal["release", "expiry"], lots: Sequence[OpenLot]
) -> JournalEntry:
    source: Account = "pending" if kind == "release" else "available"
    destination: Account = "available" if kind == "release" else "expired"
    taken: dict[str, int] = {}
    for one in lots:
        taken[one.point_type] = taken.get(one.point_type, 0) + one.lot.remaining
    effects = [PointsEffect(points, -amount, kind) for points, amount in taken.items()] if kind == "expiry" else []
    moments = [one.available_at if kind == "release" else one.lot.expires_at for one in lots]
    return JournalEntry(
        member_id=member.id,
        seq=member.seq,
        id=new_id(),
        program_id=program_id,
        program_version=version,
        kind=kind,
        occurred_at=max(moment for moment in moments if moment is not None),
        booked_at=member.updated_at,
        actor=ACTOR,
        outcome=as_json(Outcome(points=effects)),
        postings=tuple(
            Posting(
                point_type=one.point_type,
                source=source,
                destination=destination,
                amount=one.lot.remaining,
                campaign=one.campaign,
                lot=one.lot.key,
            )
            for one in lots
        ),
    )


def settle_due(database: Database, programs: LivePrograms, program_id: int, now: dt.datetime) -> int:
    """Book everything that is due in a program, in chunks of members, each in a transaction of its own.

    Late, repeated and parallel runs book nothing twice: what was booked is not due any more. Returns how many members
    had something due.
    """
    settled = 0
    while True:
        members = database.run(lambda tx: _settle_chunk(driver_connection(tx), programs, program_id, now))
        settled += members
        if members < CHUNK:
            return settled


def _settle_chunk(
    connection: psycopg.Connection[Any], programs: LivePrograms, program_id: int, now: dt.datetime
) -> int:
    rows = connection.execute(_DUE, (program_id, now, CHUNK)).fetchall()
    wanted: list[UUID] = [row[0] for row in rows]
    if not wanted:
        return 0
    live = programs.live(connection, program_id)
    members = lock_in_play(connection, live.compiled, program_id, wanted)
    writing = Writing(connection, program_id, live.compiled.tracking)
    for member in members.values():
        if member.due_at is not None and member.due_at <= now:
            for entry in settle(connection, program_id, live.compiled.version, member, now):
                writing.entry(entry)
    idle = [member for member in members.values() if not member.booked]
    writing.write(members.values())
    if idle:
        # Nothing was due after all: the points had been used before they ended. Only the next moment moves.
        arrays = uuids([member.id for member in idle]), moments([member.due_at for member in idle])
        connection.execute(_MOVE, arrays)
    return len(wanted)
