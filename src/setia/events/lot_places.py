"""Where the points of lots lie whose member was merged into another one, by the entries of the merges."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import psycopg

from setia.engine.decision import outcome_of
from setia.ledger.entries import LotKey
from setia.members.merges import Merge, standing_merge

_ENTRY = "SELECT outcome::text FROM journal WHERE member_id = %b AND seq = %b"


def lots_now(
    connection: psycopg.Connection[Any], owner: UUID, lots: Iterable[LotKey], member: UUID
) -> dict[LotKey, LotKey]:
    """Lots of `owner`, each with the lot of `member` that its points are in now: the same, or a merge has moved them.

    A lot that was used up before a merge has not moved: there was nothing left of it, and it is left out.
    """
    found = {lot: lot for lot in lots}
    while owner != member:
        merge = standing_merge(connection, owner)
        if merge is None:
            return {}
        moved = moved_by(connection, merge)
        found = {first: moved[now] for first, now in found.items() if now in moved}
        owner = merge.main_id
    return found


def moved_by(connection: psycopg.Connection[Any], merge: Merge) -> dict[LotKey, LotKey]:
    """The lots of a duplicate that a merge has moved, each with the one of the main member that its points went to."""
    [(told,)] = connection.execute(_ENTRY, (merge.main_id, merge.seq)).fetchall()
    entry = outcome_of(told).merged
    return {} if entry is None else {LotKey(*one.lot): LotKey(merge.seq, one.line) for one in entry.lots}
