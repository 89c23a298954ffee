"""Referrals that have to be looked at: something is due, their friends have done something, or the terms are others.

What friends do is seen by triggers of the database, in the transaction that books it: they set `due_at`. So nobody has
to tell it, nothing can be lost, and a look costs what is due and not what is open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import OperationalError

from setia.db.engine import Database, driver_connection
from setia.db.ids import format_id
from setia.events.live import LivePrograms
from setia.referrals.going_on import GoingOn
from setia.referrals.new_terms import heed_new_terms

REFERRAL_PREFIX = "ref"
CHUNK = 500
_PROGRAMS = """
SELECT p.id FROM program p LEFT JOIN referral_terms t ON t.program_id = p.id
WHERE p.live_version IS NOT NULL AND p.mode = 'live' AND (
    coalesce(t.version, 0) <> p.live_version
    OR EXISTS (SELECT FROM referral r WHERE r.program_id = p.id AND r.due_at <= %b)
) ORDER BY p.id
"""
_WAITING = """
SELECT due_at, id FROM referral
WHERE program_id = %b AND due_at <= %b AND referral = ANY (%b) AND (due_at, id) > (%b, %b)
ORDER BY due_at, id LIMIT %b
"""
_OF_FRIENDS = """
SELECT r.id, coalesce(m.merged_into, m.id) FROM referral r JOIN member m ON m.id = r.friend_id
WHERE r.program_id = %b AND m.id IN (SELECT unnest(%b::uuid[]) UNION SELECT id FROM member WHERE merged_into = ANY (%b))
  AND r.ended_at IS NULL ORDER BY r.id
"""
_EARLIEST = "SELECT min(due_at) FROM referral WHERE program_id = %b AND due_at IS NOT NULL"
_BEGINNING = dt.datetime.min.replace(tzinfo=dt.UTC), UUID(int=0)
_log = structlog.get_logger(__name__)


def of_friends(
    connection: psycopg.Connection[Any], program_id: int, friends: Collection[UUID]
) -> list[tuple[UUID, UUID]]:
    """The referrals under way of members who were referred, each with the member."""
    known = sorted(friends)
    return connection.execute(_OF_FRIENDS, (program_id, known, known), binary=True).fetchall()


def earliest_due(connection: psycopg.Connection[Any], program_id: int) -> dt.datetime | None:
    """Before it nothing is due for any referral of a program."""
    [(due_at,)] = connection.execute(_EARLIEST, (program_id,)).fetchall()
    found: dt.datetime | None = due_at
    return found


def go_on_due(database: Database, programs: LivePrograms, now: dt.datetime, program_id: int | None = None) -> int:
    """Let all referrals go on that have something to do, each in a transaction; gives how many changed.

    Late, repeated and parallel runs reward nobody twice: whoever comes second finds it done. Without a program, those
    of all live ones: a test program's time moves only by its clock.
    """
    if program_id is not None:
        return _go_on_all(database, programs, program_id, now)
    with database.transaction() as tx:
        found = [row[0] for row in driver_connection(tx).execute(_PROGRAMS, (now,))]
    return sum(_go_on_all(database, programs, one, now) for one in found)


def _go_on_all(database: Database, programs: LivePrograms, program_id: int, now: dt.datetime) -> int:
    heed_new_terms(database, programs, program_id, now)
    changed, last = 0, _BEGINNING
    while True:
        found = database.run(partial(_waiting, programs, program_id, now, last))
        changed += sum(go_on(database, programs, program_id, one, now) for _, one in found)
        if len(found) < CHUNK:
            return changed
        # Those that cannot go on stay due: whoever is behind them has a turn all the same.
        last = found[-1]


def _waiting(
    programs: LivePrograms, program_id: int, now: dt.datetime, last: tuple[dt.datetime, UUID], tx: sa.Connection
) -> list[tuple[dt.datetime, UUID]]:
    connection = driver_connection(tx)
    live = programs.live(connection, program_id)
    known = list(live.compiled.definition.referrals)
    values = (program_id, live.now(now), known, *last, CHUNK)
    return connection.execute(_WAITING, values, binary=True).fetchall()


def go_on(database: Database, programs: LivePrograms, program_id: int, identifier: UUID, now: dt.datetime) -> bool:
    """Let one referral go on; whether it changed. One that cannot holds up no other: it is named in the log."""

    def work(tx: sa.Connection) -> bool:
        connection = driver_connection(tx)
        return GoingOn(connection, programs.live(connection, program_id), now).go_on(identifier)

    try:
        return database.run(work)
    except (psycopg.OperationalError, OperationalError):
        raise
    except Exception:  # noqa: BLE001 - whatever it is about one referral, the others are not to wait for it
        _log.exception("referral_stuck", program_id=program_id, referral=format_id(REFERRAL_PREFIX, identifier))
        return False
