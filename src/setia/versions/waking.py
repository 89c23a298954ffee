"""Waking: after a version that moves time, all members are looked at; first a few, the others by jobs, in chunks.

One statement over a million members takes ten seconds, in which every one of them waits for its lock. So a program says
how far it is: members behind `after` are still as the version before has left them, and are due since `at`, whatever
their rows say.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from setia.db.exchange import Exchange
from setia.ledger.states import wake_some

CHUNK = 2_000
"""How many are woken in a transaction: some hundredths of a second, for which one of them may wait."""
_BEGINNING = UUID(int=0)
# Not for update: the rows of members name their program, and are not to wait for it. Who finds it locked leaves the
# work to whoever has it.
_CLAIM = """
SELECT wakes_at, wakes_after FROM program WHERE id = $1::int AND wakes_at IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED
"""
_MOVE = "UPDATE program SET wakes_at = %b, wakes_after = %b WHERE id = %b"


class Waking(NamedTuple):
    """How far a program is: who is behind `after` is due since `at`."""

    at: dt.datetime
    after: UUID

    def is_of(self, member: UUID) -> bool:
        """Whether the member has not been woken yet."""
        return member > self.after


def begin(connection: psycopg.Connection[Any], program_id: int, now: dt.datetime) -> None:
    """Wake the first chunk, in the transaction that publishes and has locked the program; jobs wake the others."""
    _go_on(connection, program_id, Waking(now, _BEGINNING))


def go_on(connection: psycopg.Connection[Any], program_id: int) -> bool:
    """Wake the next chunk, in a transaction of its own; whether there may be more to wake."""
    exchange = Exchange(connection)
    claim = exchange.ask(_CLAIM, str(program_id))
    exchange.send()
    return bool(claim.rows) and _go_on(connection, program_id, Waking(*claim.rows[0]))


def _go_on(connection: psycopg.Connection[Any], program_id: int, waking: Waking) -> bool:
    last = wake_some(connection, program_id, waking.at, waking.after, CHUNK)
    connection.execute(_MOVE, (None if last is None else waking.at, last, program_id))
    return last is not None
