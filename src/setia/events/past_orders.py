"""Orders that were booked before, with everything a return decides by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import psycopg

from setia.engine.decision import LotMove, explanation_of, outcome_of
from setia.engine.occurrences import Occurrence
from setia.engine.returned import Returned
from setia.engine.returning import PastOrder
from setia.engine.state import MemberState
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay, count_again
from setia.ledger.wallets import wallets_after

_ORDER = """
SELECT j.seq, j.program_version, j.booked_at, e.body::text, j.outcome::text, j.explanation::text
FROM event e JOIN journal j ON j.id = e.id
WHERE e.program_id = %b AND e.source = %b AND e.external_id = %b AND e.type = 'purchase' AND j.member_id = %b
"""
_RETURNS = """
SELECT j.outcome::text, j.explanation::text FROM journal j JOIN event e ON e.id = j.id
WHERE j.member_id = %b AND j.seq > %b AND e.type IN ('return', 'cancel')
  AND j.outcome::jsonb -> 'undoes' ->> 'event' = %b
ORDER BY j.seq
"""
_LOTS = """
SELECT line, point_type, campaign, remaining, pending, expired FROM lot
WHERE member_id = %b AND seq = %b ORDER BY line
"""
_CANCELLED = """
SELECT j.outcome::text FROM journal j
WHERE j.member_id = %b AND j.seq > %b AND j.outcome::jsonb @? '$.moves[*] ? (@.what == "cancelled")' ORDER BY j.seq
"""
_decode_order = msgspec.json.Decoder(Occurrence, float_hook=Decimal).decode


class OrderLot(msgspec.Struct):
    """A lot that an order opened: what is left of it, and what of it ended before it was used."""

    line: int
    point_type: str
    campaign: str | None
    remaining: int
    pending: bool
    expired: int


class BookedOrder(msgspec.Struct, frozen=True):
    """An order with its place in the member's journal, what came back of it before, and its lots."""

    seq: int
    past: PastOrder
    returns: Sequence[Returned]
    lots: list[OrderLot]


def booked_order(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    member: InPlay,
    source: str,
    external_id: str,
) -> BookedOrder | None:
    """An order of a locked member, everything of the transaction before being written; None where there is none."""
    row = connection.execute(_ORDER, (live.program_id, source, external_id, member.id)).fetchone()
    if row is None:
        return None
    seq, version, booked_at, body, outcome, explanation = row
    event = _decode_order(body)
    returns = connection.execute(_RETURNS, (member.id, seq, event.id)).fetchall()
    outcomes = [outcome_of(outcome), *(outcome_of(one) for one, _ in returns)]
    outcomes[0].moves = _cancelled(connection, member, seq)
    program = live.version(version).compiled
    told = explanation_of(explanation)
    state = member.state
    before = MemberState(
        id=state.id,
        enrolled_at=state.enrolled_at,
        attributes=told.attributes,
        tags=tuple(told.tags),
        counters=count_again(connection, program, member.id, state.enrolled_at, before=seq),
        balances=wallets_after(connection, member.id, seq - 1),
    )
    lots = [OrderLot(*lot) for lot in connection.execute(_LOTS, (member.id, seq))]
    parts = [part for one in outcomes[1:] if one.undoes is not None and (part := one.undoes.returned) is not None]
    return BookedOrder(seq, PastOrder(event, program, before, _moment(booked_at), outcomes), parts, lots)


def _cancelled(connection: psycopg.Connection[Any], member: InPlay, seq: int) -> list[LotMove]:
    """The order's pending points that were taken back since, by an event or by hand."""
    rows = connection.execute(_CANCELLED, (member.id, seq))
    moves = (move for (outcome,) in rows for move in outcome_of(outcome).moves)
    return [move for move in moves if move.what == "cancelled" and move.lot[0] == seq]


def _moment(value: dt.datetime) -> dt.datetime:
    return value.astimezone(dt.UTC)
