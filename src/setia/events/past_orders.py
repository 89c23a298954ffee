"""Orders that were booked before, with everything a return decides by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import psycopg

from setia.db.ids import format_id, parse_id
from setia.engine.decision import LotMove, Outcome, explanation_of, outcome_of
from setia.engine.occurrences import Occurrence
from setia.engine.returned import Returned
from setia.engine.returning import CancelledReturn, PastOrder
from setia.engine.state import MemberState
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay, count_again
from setia.ledger.wallets import wallets_after

_ORDER = """
SELECT j.seq, j.program_version, j.booked_at, e.body::text, j.outcome::text, j.explanation::text
FROM event e JOIN journal j ON j.id = e.id
WHERE {named} AND e.type = 'purchase' AND j.member_id = %b
"""
_BY_NAME = _ORDER.format(named="e.program_id = %b AND e.source = %b AND e.external_id = %b")
_BY_ID = _ORDER.format(named="e.id = %b")
_RETURN = """
SELECT e.id, j.outcome::jsonb -> 'undoes' ->> 'event' FROM event e JOIN journal j ON j.id = e.id
WHERE e.program_id = %b AND e.source = %b AND e.external_id = %b AND e.type IN ('return', 'cancel')
  AND j.member_id = %b AND j.outcome::jsonb -> 'undoes' ? 'returned'
"""
_RETURNS = """
SELECT j.id, j.outcome::text FROM journal j JOIN event e ON e.id = j.id
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
    """An order with its place in the member's journal, what came back of it before, and its lots.

    `cancelled` is the return that was named and not the order: what came back is then without it.
    """

    seq: int
    past: PastOrder
    returns: Sequence[Returned]
    lots: list[OrderLot]
    cancelled: CancelledReturn | None = None


def booked_order(
    connection: psycopg.Connection[Any], live: LiveProgram, member: InPlay, source: str, external_id: str
) -> BookedOrder | None:
    """An order of a locked member, everything of the transaction before being written; None where there is none."""
    row = connection.execute(_BY_NAME, (live.program_id, source, external_id, member.id)).fetchone()
    return None if row is None else _booked(connection, live, member, row)


def returned_order(
    connection: psycopg.Connection[Any], live: LiveProgram, member: InPlay, source: str, external_id: str
) -> BookedOrder | None:
    """The order of a return that is named to be cancelled; None where there is none, or it has been cancelled."""
    found = connection.execute(_RETURN, (live.program_id, source, external_id, member.id)).fetchone()
    if found is None:
        return None
    row = connection.execute(_BY_ID, (parse_id("evt", found[1]), member.id)).fetchone()
    return None if row is None else _booked(connection, live, member, row, format_id("evt", found[0]))


def _booked(
    connection: psycopg.Connection[Any], live: LiveProgram, member: InPlay, row: Any, cancels: str | None = None
) -> BookedOrder | None:
    seq, version, booked_at, body, outcome, explanation = row
    event = _decode_order(body)
    returns = {
        format_id("evt", identifier): outcome_of(told)
        for identifier, told in connection.execute(_RETURNS, (member.id, seq, event.id))
    }
    outcomes = [outcome_of(outcome), *returns.values()]
    outcomes[0].moves = _cancelled(connection, member, seq)
    stand = _standing(returns)
    cancelled = None
    if cancels is not None:
        if stand.pop(cancels, None) is None:
            return None
        cancelled = CancelledReturn(cancels, returns[cancels])
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
    past = PastOrder(event, program, before, _moment(booked_at), outcomes)
    return BookedOrder(seq, past, list(stand.values()), lots, cancelled)


def _standing(returns: Mapping[str, Outcome]) -> dict[str, Returned]:
    """What came back by each return that has not been cancelled."""
    undone = {name: one.undoes for name, one in returns.items() if one.undoes is not None}
    gone = {one.cancels for one in undone.values()}
    return {name: one.returned for name, one in undone.items() if one.returned is not None and name not in gone}


def _cancelled(connection: psycopg.Connection[Any], member: InPlay, seq: int) -> list[LotMove]:
    """The order's pending points that were taken back since, by an event or by hand."""
    rows = connection.execute(_CANCELLED, (member.id, seq))
    moves = (move for (outcome,) in rows for move in outcome_of(outcome).moves)
    return [move for move in moves if move.what == "cancelled" and move.lot[0] == seq]


def _moment(value: dt.datetime) -> dt.datetime:
    return value.astimezone(dt.UTC)
