"""Orders of members who were merged: whoever stands for them takes their returns, out of the lots that moved along."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg

from setia.engine.decision import outcome_of
from setia.ledger.entries import LotKey
from setia.members.merges import family_of, merges_of, standing_merge

_OPENED = "SELECT line FROM lot WHERE member_id = %b AND seq = %b ORDER BY line"
_ENTRY = "SELECT outcome::text FROM journal WHERE member_id = %b AND seq = %b"
# The returns of orders that are not the member's own: they were booked while it stood for others.
_RETURNED = """
SELECT j.seq FROM journal j
JOIN journal o ON o.id = substr(j.outcome::jsonb -> 'undoes' ->> 'event', 5)::uuid
WHERE j.member_id = %b AND j.seq > %b AND j.kind = 'event' AND j.outcome::jsonb ? 'undoes' AND o.member_id = ANY (%b)
ORDER BY j.seq
"""


def lots_of_order(connection: psycopg.Connection[Any], member: UUID, owner: UUID, seq: int) -> dict[LotKey, LotKey]:
    """The lots that an order opened, and where their points are now: `owner` booked it, and `member` has them."""
    found = {LotKey(seq, row[0]): LotKey(seq, row[0]) for row in connection.execute(_OPENED, (owner, seq))}
    while owner != member:
        merge = standing_merge(connection, owner)
        if merge is None:
            return {}
        [(told,)] = connection.execute(_ENTRY, (merge.main_id, merge.seq)).fetchall()
        entry = outcome_of(told).merged
        moved = {} if entry is None else {LotKey(*one.lot): LotKey(merge.seq, one.line) for one in entry.lots}
        # What was used up before the merge has not moved, and there is nothing left of it to take.
        found = {first: moved[now] for first, now in found.items() if now in moved}
        owner = merge.main_id
    return found


def returned_since(connection: psycopg.Connection[Any], main: UUID, seq: int, other: UUID) -> list[int]:
    """The entries of a member after `seq` by which orders came back of another one, or of who is part of that one."""
    rows = connection.execute(_RETURNED, (main, seq, family_of(connection, other)))
    return [row[0] for row in rows]


def related(connection: psycopg.Connection[Any], member: UUID, owner: UUID) -> list[UUID]:
    """Everybody whose journal may tell of returns of an order: whoever has stood for its owner, and who does now."""
    return sorted({member, owner, *(merge.main_id for merge in merges_of(connection, owner))})
