"""New terms: when a version says something else of referrals, those under way are looked at again, once."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from functools import partial
from uuid import UUID

import sqlalchemy as sa

from setia.db.engine import Database, driver_connection
from setia.events.live import LivePrograms

CHUNK = 1000
_KNOWN = "SELECT version, digest FROM referral_terms WHERE program_id = %b"
# In the order of their ids, as the triggers do that watch friends: who wakes the same ones waits, and none for ever.
_WAKE = """
WITH woken AS (
    SELECT id FROM referral WHERE program_id = %b AND friend_id IS NOT NULL AND ended_at IS NULL AND id > %b
    ORDER BY id LIMIT %b FOR UPDATE
), changed AS (
    UPDATE referral r SET due_at = least(r.due_at, %b) FROM woken w WHERE r.id = w.id
)
SELECT id FROM woken ORDER BY id
"""
_KEEP = """
INSERT INTO referral_terms (program_id, version, digest) VALUES (%b, %b, %b)
ON CONFLICT (program_id) DO UPDATE SET version = excluded.version, digest = excluded.digest
"""


def heed_new_terms(database: Database, programs: LivePrograms, program_id: int, now: dt.datetime) -> None:
    """Make every referral under way due, where the live version has other terms than those it was last looked at by.

    In chunks, each a transaction; the terms are written down behind the last one, so who is interrupted begins anew.
    """
    last: UUID | None = UUID(int=0)
    while last is not None:
        last = database.run(partial(_heed, programs, program_id, now, last))


def _heed(programs: LivePrograms, program_id: int, now: dt.datetime, after: UUID, tx: sa.Connection) -> UUID | None:
    """Wake the next chunk; gives the last one of it, and None when there is nothing more to be done."""
    connection = driver_connection(tx)
    live = programs.live(connection, program_id)
    version = live.compiled.version
    known = connection.execute(_KNOWN, (program_id,)).fetchone()
    if known is not None and known[0] == version:
        return None
    terms = {name: one.model_dump(mode="json") for name, one in live.compiled.definition.referrals.items()}
    digest = hashlib.sha256(json.dumps(terms, sort_keys=True).encode()).digest()
    if known is None or known[1] != digest:
        values = (program_id, after, CHUNK, live.now(now))
        woken = connection.execute(_WAKE, values, binary=True).fetchall()
        if len(woken) == CHUNK:
            last: UUID = woken[-1][0]
            return last
    connection.execute(_KEEP, (program_id, version, digest))
    return None
