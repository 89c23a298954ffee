"""Holds that end by themselves: judged whenever they are looked at, booked by a job and before their member acts."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import psycopg

from setia.db.engine import Database, driver_connection
from setia.events.acts import Acts
from setia.events.live import LivePrograms
from setia.rewards.ending import expire_holds
from setia.rewards.redemption import overdue

CHUNK = 100
# Locked first, so that two workers share what is due, and passed over where somebody is at work for the member.
_DUE = """
SELECT m.member_id, m.program_id FROM member_state m
WHERE m.member_id IN (
    SELECT r.member_id FROM redemption r JOIN program p ON p.id = r.program_id
    WHERE r.state = 'held' AND r.hold_until <= coalesce(p.clock, %b) AND p.live_version IS NOT NULL
      AND (%b::int IS NULL OR r.program_id = %b::int)
    ORDER BY r.hold_until LIMIT %b
)
ORDER BY m.member_id FOR UPDATE OF m SKIP LOCKED
"""


def earliest_hold(connection: psycopg.Connection[Any], program_id: int) -> dt.datetime | None:
    """When the first hold of a program ends; None where nothing is held."""
    query = "SELECT min(hold_until) FROM redemption WHERE program_id = %s AND state = 'held'"
    [(until,)] = connection.execute(query, (program_id,)).fetchall()
    found: dt.datetime | None = until
    return found


def expire_due(database: Database, programs: LivePrograms, now: dt.datetime, program_id: int | None = None) -> int:
    """Book the end of every hold whose time has passed, in chunks; gives how many.

    Late, repeated and parallel runs book nothing twice: a hold that has ended is not held any more.
    """
    ended = 0
    while True:
        found = database.run(lambda tx: _expire_chunk(driver_connection(tx), programs, now, program_id))
        ended += found
        if not found:
            return ended


def _expire_chunk(
    connection: psycopg.Connection[Any], programs: LivePrograms, now: dt.datetime, program_id: int | None
) -> int:
    due = connection.execute(_DUE, (now, program_id, program_id, CHUNK)).fetchall()
    ended = 0
    by_program: dict[int, list[UUID]] = {}
    for member, program in due:
        by_program.setdefault(program, []).append(member)
    for program, members in sorted(by_program.items()):
        live = programs.live(connection, program)
        acts = Acts(connection, live, now)
        locked = acts.lock(members)
        rows = overdue(connection, list(locked), acts.now)
        expire_holds(connection, live, acts, locked, rows)
        acts.write()
        ended += len(rows)
    return ended
