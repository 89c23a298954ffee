"""The lots in which the points of an order lie: those that it and its returns opened, wherever they have gone since."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.engine.decision import LotMove, outcome_of
from setia.events.lot_places import moved_by
from setia.ledger.entries import LotKey
from setia.members.merges import standing_merge

_GIVEN = """
SELECT l.member_id, l.seq, l.line FROM unnest(%b::uuid[], %b::bigint[]) AS e (member_id, seq)
JOIN lot l ON l.member_id = e.member_id AND l.seq = e.seq WHERE l.campaign = ANY (%b)
"""
_OPENED = "SELECT line FROM lot WHERE member_id = %b AND seq = %b ORDER BY line"
_LOTS = """
SELECT line, point_type, campaign, remaining, pending, expired, seq FROM lot
WHERE member_id = %b AND (seq, line) IN (SELECT * FROM unnest(%b::bigint[], %b::int[])) ORDER BY seq, line
"""
# Points that were taken back, and those that somebody approved or gave another end: these lie in a lot of their own.
_MOVED = """
SELECT j.seq, j.outcome::text FROM journal j
WHERE j.member_id = %b AND j.seq > %b
  AND j.outcome::jsonb @? '$.moves[*] ? (@.what == "cancelled" || @.what == "kept" || @.what == "extended")'
ORDER BY j.seq
"""


class OrderLot(msgspec.Struct):
    """A lot with points of an order: what is left of it, and what of it ended before it was used."""

    line: int
    point_type: str
    campaign: str | None
    remaining: int
    pending: bool
    expired: int
    seq: int | None = None
    """The entry that opened it, where that is not the order's."""


class OrderLots(msgspec.Struct, frozen=True):
    """All of an order's lots, and its pending points that were taken back by an event or a person."""

    lots: list[OrderLot]
    cancelled: list[LotMove]


def lots_of_order(
    connection: psycopg.Connection[Any],
    member: UUID,
    entries: Sequence[tuple[UUID, int]],
    campaigns: Collection[str],
) -> OrderLots:
    """The lots that entries (whose, and which) opened for an order, and those their points went to since.

    Only what campaigns gave is the order's: a return opens lots for what it gives back of rewards, too. `member` is the
    one who has the points now, whoever had them when they were earned.

    Of lots that a merge has emptied only what had expired of them is told: nothing is left to take there.
    """
    found = OrderLots([], [])
    seen: set[tuple[UUID, LotKey]] = set()
    given: dict[UUID, set[LotKey]] = {}
    owners, seqs = [owner for owner, _ in entries], [seq for _, seq in entries]
    for owner, seq, line in connection.execute(_GIVEN, (owners, seqs, list(campaigns))):
        given.setdefault(owner, set()).add(LotKey(seq, line))
    waiting = list(given.items())
    while waiting:
        owner, lots = waiting.pop(0)
        lots -= {lot for known, lot in seen if known == owner}
        if not lots:
            continue
        lots = _followed(connection, owner, lots, found.cancelled)
        seen |= {(owner, lot) for lot in lots}
        for lot in _read(connection, owner, lots):
            if owner != member:
                lot.remaining = 0
            found.lots.append(lot)
        merge = None if owner == member else standing_merge(connection, owner)
        if merge is not None:
            moved = moved_by(connection, merge)
            waiting.append((merge.main_id, {moved[lot] for lot in lots if lot in moved}))
    return found


def _read(connection: psycopg.Connection[Any], owner: UUID, lots: Collection[LotKey]) -> list[OrderLot]:
    rows = connection.execute(_LOTS, (owner, [lot.seq for lot in lots], [lot.line for lot in lots]))
    return [OrderLot(*row) for row in rows]


def _followed(
    connection: psycopg.Connection[Any], owner: UUID, lots: set[LotKey], cancelled: list[LotMove]
) -> set[LotKey]:
    """The lots with those that entries of their owner moved their points to; what was taken back of them is noted."""
    followed = set(lots)
    for seq, told in connection.execute(_MOVED, (owner, min(lot.seq for lot in lots))):
        moves = outcome_of(told).moves
        cancelled += [move for move in moves if move.what == "cancelled" and LotKey(*move.lot) in followed]
        anew: Sequence[LotMove] = [move for move in moves if move.what in {"kept", "extended"} and move.lot[0]]
        if any(LotKey(*move.lot) in followed for move in anew):
            # Each of them has opened one lot, in their order.
            opened = [LotKey(seq, line) for (line,) in connection.execute(_OPENED, (owner, seq))]
            followed |= {lot for move, lot in zip(anew, opened, strict=True) if LotKey(*move.lot) in followed}
    return followed
