"""Cards and holds that end by themselves: judged whenever they are looked at, booked by a job."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg

from setia.db.engine import Database, driver_connection
from setia.gift_cards.accounts import Accounts, Terms
from setia.program.definition import Program

CHUNK, SEEN = 100, 1000
# Locked first, so that two workers share what is due, and passed over where somebody is at work on the card. What is
# due is found by its indexes, some of it: joined at once, every card there is would be read each minute.
_DUE = """
WITH due AS MATERIALIZED (
    SELECT d.id FROM program p CROSS JOIN LATERAL (
        SELECT c.id FROM gift_card c
        WHERE c.program_id = p.id AND c.balance > 0 AND c.expires_at <= coalesce(p.clock, %b)
        UNION ALL
        SELECT u.card_id FROM gift_card_use u
        WHERE u.program_id = p.id AND u.held > 0 AND u.hold_until <= coalesce(p.clock, %b)
    ) d WHERE p.live_version IS NOT NULL AND (%b::int IS NULL OR p.id = %b::int) LIMIT %b
)
SELECT c.id, c.program_id, coalesce(p.clock, %b) FROM gift_card c JOIN program p ON p.id = c.program_id
WHERE c.id IN (SELECT id FROM due) ORDER BY c.id LIMIT %b FOR UPDATE OF c SKIP LOCKED
"""
_EARLIEST = """
SELECT least(
    (SELECT min(c.expires_at) FROM gift_card c WHERE c.program_id = %b AND c.balance > 0),
    (SELECT min(u.hold_until) FROM gift_card_use u WHERE u.program_id = %b AND u.held > 0)
)
"""
Definitions = Callable[[psycopg.Connection[Any], int], Program]
"""Gives the live definition of a program."""


def earliest_end(connection: psycopg.Connection[Any], program_id: int) -> dt.datetime | None:
    """When a card or a hold of a program next ends; None where none does."""
    [(found,)] = connection.execute(_EARLIEST, (program_id, program_id)).fetchall()
    return None if found is None else found.astimezone(dt.UTC)


def expire_due(database: Database, definitions: Definitions, now: dt.datetime, program_id: int | None = None) -> int:
    """Book the end of every card and hold whose time has passed, in chunks; gives how many cards there were.

    In one program, or in all that are published (None).

    Late, repeated and parallel runs book nothing twice: what has ended is not there any more.
    """
    ended = 0
    while True:
        found = database.run(lambda tx: _expire_chunk(driver_connection(tx), definitions, now, program_id))
        ended += found
        if not found:
            return ended


def _expire_chunk(
    connection: psycopg.Connection[Any], definitions: Definitions, now: dt.datetime, program_id: int | None
) -> int:
    values = (now, now, program_id, program_id, SEEN, now, CHUNK)
    due: list[tuple[UUID, int, dt.datetime]] = connection.execute(_DUE, values).fetchall()
    for card, program, moment in due:
        Accounts(connection, Terms(program, definitions(connection, program), moment)).lock(card)
    return len(due)
