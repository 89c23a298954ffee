"""Entries that a person asked for: each key books once, and a request that is repeated finds what it booked."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.ledger.refusals import IdempotencyKeyReused

KEY_INDEX = "uq_journal_program_id_idempotency_key"
_BY_KEY = """
SELECT member_id, id, seq, booked_at, outcome::text, input_digest FROM journal
WHERE program_id = %s AND idempotency_key = %s AND kind = 'adjustment'
"""


class Earlier(msgspec.Struct, frozen=True):
    """The entry that a key has booked. `outcome` is its JSON document."""

    member_id: UUID
    entry_id: UUID
    seq: int
    booked_at: dt.datetime
    outcome: str


def earlier_entry(connection: psycopg.Connection[Any], program_id: int, key: str, digest: bytes) -> Earlier | None:
    """What a key has booked in a program; None where it has not.

    Raises `IdempotencyKeyReused` when it did for another request.
    """
    found = connection.execute(_BY_KEY, (program_id, key)).fetchone()
    if found is None:
        return None
    if found[-1] != digest:
        raise reused(key)
    return Earlier(*found[:-1])


def reused(key: str) -> IdempotencyKeyReused:
    """The refusal of a key that belongs to another request."""
    return IdempotencyKeyReused(f"The key {key!r} was used for another adjustment. Use a new key for each one.")
