"""What events and people do to points that lie in lots already: pending lots are read, moves become postings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import psycopg

from setia.engine.decision import LotMove
from setia.engine.state import MemberState, Waiting
from setia.events.members_in_play import balance_of
from setia.ledger.entries import Account, LotKey, Posting
from setia.ledger.lots import Lot
from setia.velocity.queue import OPEN_REVIEW, REVIEWED_EVENT

# The event behind a lot is that of the entry which opened it; points given by hand have none. What was reviewed and
# waits on lies in a lot that its approval opened. Where the entry merged two members, it is the one that opened the lot
# of the other member, which may have come by a merge itself.
_WAITING = f"""
WITH RECURSIVE origin AS (
    SELECT l.seq, l.line, l.member_id, l.seq AS from_seq, l.line::int AS from_line, 0 AS step
    FROM lot l WHERE l.member_id = %b AND l.is_open AND l.pending
    UNION ALL
    SELECT o.seq, o.line, substr(j.outcome::jsonb -> 'merged' ->> 'member', 5)::uuid,
           (m.moved -> 'lot' ->> 0)::bigint, (m.moved -> 'lot' ->> 1)::int, o.step + 1
    FROM origin o
    JOIN journal j ON j.member_id = o.member_id AND j.seq = o.from_seq AND j.kind = 'merge'
    CROSS JOIN LATERAL jsonb_array_elements(j.outcome::jsonb -> 'merged' -> 'lots') AS m (moved)
    WHERE (m.moved ->> 'line')::int = o.from_line
), opened AS (
    SELECT DISTINCT ON (seq, line) seq, line, member_id, from_seq FROM origin ORDER BY seq, line, step DESC
)
SELECT l.point_type, coalesce(l.campaign, ''), l.remaining, l.seq, l.line, e.external_id,
       coalesce(e.occurred_at, j.occurred_at), {OPEN_REVIEW}
FROM lot l
JOIN opened o ON o.seq = l.seq AND o.line = l.line
JOIN journal j ON j.member_id = o.member_id AND j.seq = o.from_seq
LEFT JOIN event e ON e.id = coalesce(j.event_id, {REVIEWED_EVENT})
WHERE l.member_id = %b AND l.is_open AND l.pending
ORDER BY l.seq, l.line
"""


def waiting_lots(connection: psycopg.Connection[Any], member_id: UUID) -> list[Waiting]:
    """A member's pending lots, in the order in which they were earned."""
    rows = connection.execute(_WAITING, (member_id, member_id), binary=True)
    return [
        Waiting(points, campaign, amount, (seq, line), order, occurred_at, reviewed)
        for points, campaign, amount, seq, line, order, occurred_at, reviewed in rows
    ]


def move_balances(state: MemberState, moves: Iterable[LotMove]) -> None:
    """Let the balances follow what happened to lots that were pending."""
    for move in moves:
        balance = balance_of(state, move.points, None)
        if move.what in {"released", "cancelled"}:
            balance.pending -= move.amount
        if move.what == "released":
            balance.available += move.amount


def move_postings(moves: Sequence[LotMove]) -> tuple[Posting, ...]:
    """The postings of pending lots that are released or taken back, whole."""
    destinations: dict[str, Account] = {"released": "available", "cancelled": "issued"}
    return tuple(_posting(move, "pending", destinations[move.what]) for move in moves)


def expired_postings(lots: Iterable[Lot], moves: Sequence[LotMove]) -> tuple[Posting, ...]:
    """The postings of parts of lots that were ended by hand."""
    pending = {lot.key for lot in lots if lot.pending}
    return tuple(
        _posting(move, "pending" if LotKey(*move.lot) in pending else "available", "expired") for move in moves
    )


def extended_postings(lots: Iterable[Lot], moves: Sequence[LotMove]) -> tuple[Posting, ...]:
    """The postings that close parts of available lots and open them again with another end, earned when they were."""
    earned_at: dict[LotKey, dt.datetime] = {lot.key: lot.earned_at for lot in lots}
    postings = []
    for move in moves:
        postings += [
            _posting(move, "available", "adjusted"),
            Posting(
                point_type=move.points,
                source="adjusted",
                destination="available",
                amount=move.amount,
                campaign=move.campaign or None,
                opens_lot=True,
                earned_at=earned_at[LotKey(*move.lot)],
                expires_at=move.expires_at,
            ),
        ]
    return tuple(postings)


def _posting(move: LotMove, source: Account, destination: Account) -> Posting:
    return Posting(
        point_type=move.points,
        source=source,
        destination=destination,
        amount=move.amount,
        campaign=move.campaign or None,
        # Points of a type without lots are named by no lot.
        lot=LotKey(*move.lot) if move.lot[0] else None,
    )
