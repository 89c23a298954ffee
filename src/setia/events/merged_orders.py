"""Orders of members who were merged: whoever stands for them takes their returns."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg

from setia.db.ids import parse_id
from setia.engine.decision import outcome_of
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.merges import family_of, stood_for

# The returns of orders that are not the member's own: they were booked while it stood for others.
_RETURNED = """
SELECT j.seq FROM journal j
JOIN journal o ON o.id = substr(j.outcome::jsonb -> 'undoes' ->> 'event', 5)::uuid
WHERE j.member_id = %b AND j.seq > %b AND j.kind = 'event' AND j.outcome::jsonb ? 'undoes' AND o.member_id = ANY (%b)
ORDER BY j.seq
"""

_PARTED = """
SELECT outcome::text FROM journal WHERE member_id = %b AND seq > %b AND kind = 'merge'
AND outcome::jsonb -> 'moved' ->> 'kind' = 'unmerged_from' ORDER BY seq
"""
_OWNER = """
SELECT o.member_id FROM journal j JOIN journal o ON o.id = substr(j.outcome::jsonb -> 'undoes' ->> 'event', 5)::uuid
WHERE j.member_id = %b AND j.seq = %b
"""


def returned_since(connection: psycopg.Connection[Any], main: UUID, seq: int, other: UUID) -> list[int]:
    """The entries of a member after `seq` by which orders came back of another one, or of who is part of that one."""
    rows = connection.execute(_RETURNED, (main, seq, family_of(connection, other)))
    return [row[0] for row in rows]


def returned_elsewhere(connection: psycopg.Connection[Any], main: UUID, seq: int, other: UUID) -> list[tuple[str, int]]:
    """The entries of further members for the same, while `main` itself was part of those: (member, entry).

    They are named where `main` was parted from them.
    """
    family = set(family_of(connection, other))
    found = []
    for (told,) in connection.execute(_PARTED, (main, seq)):
        moved = outcome_of(told).moved
        if moved is not None:
            found += [*((moved.other or "", one) for one in moved.returned), *moved.returned_by]
    return [
        (member, entry)
        for member, entry in found
        if family & {row[0] for row in connection.execute(_OWNER, (parse_id(MEMBER_PREFIX, member), entry))}
    ]


def related(connection: psycopg.Connection[Any], member: UUID, owner: UUID) -> list[UUID]:
    """Everybody whose journal may tell of returns of an order: whoever has stood for its owner, and who does now."""
    return sorted({member, owner, *stood_for(connection, owner)})
