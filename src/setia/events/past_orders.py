"""Orders that were booked before, with everything a return decides by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.coupons.using import granted_by, used_by
from setia.db.ids import format_id, parse_id
from setia.engine.decision import LotMove, Outcome, explanation_of, outcome_of
from setia.engine.occurrences import Occurrence
from setia.engine.returned import Returned
from setia.engine.returning import CancelledReturn, PastOrder
from setia.engine.state import MemberState
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay, count_again
from setia.events.merged_orders import related
from setia.events.order_lots import OrderLot, lots_of_order
from setia.ledger.entries import LotKey
from setia.ledger.wallets import wallets_after
from setia.members.merges import family_of
from setia.members.service import load_facts
from setia.velocity.queue import Review, of_entries

_ORDER = """
SELECT j.seq, j.program_version, j.booked_at, e.body::text, j.outcome::text, j.explanation::text, j.member_id
FROM event e JOIN journal j ON j.id = e.id
WHERE {named} AND e.type = 'purchase' AND j.member_id = ANY (%b)
"""
_BY_NAME = _ORDER.format(named="e.program_id = %b AND e.source = %b AND e.external_id = %b")
_BY_ID = _ORDER.format(named="e.id = %b")
_RETURN = """
SELECT e.id, j.outcome::jsonb -> 'undoes' ->> 'event' FROM event e JOIN journal j ON j.id = e.id
WHERE e.program_id = %b AND e.source = %b AND e.external_id = %b AND e.type IN ('return', 'cancel')
  AND j.member_id = ANY (%b) AND j.outcome::jsonb -> 'undoes' ? 'returned'
"""
_RETURNS = """
SELECT j.id, j.outcome::text, j.member_id, j.seq FROM journal j JOIN event e ON e.id = j.id
WHERE j.member_id = ANY (%b) AND (j.member_id <> %b OR j.seq > %b) AND e.type IN ('return', 'cancel')
  AND j.outcome::jsonb -> 'undoes' ->> 'event' = %b
ORDER BY j.booked_at, j.seq
"""
_HAPPENED = """
SELECT EXISTS (
    SELECT FROM event e WHERE e.member_id = ANY (%b) AND e.program_id = %b AND e.type = %b AND e.status = 'decided'
      AND e.received_at >= %b
      AND (e.body -> 'data' ->> 'order' IS NULL OR e.body -> 'data' ->> 'order' = %b)
)
"""
_decode_order = msgspec.json.Decoder(Occurrence, float_hook=Decimal).decode


class BookedOrder(msgspec.Struct, frozen=True):
    """An order with its place in the member's journal, what came back of it before, and its lots.

    `cancelled` is the return that was named and not the order: what came back is then without it. `review` is the one
    that its points wait for.
    """

    seq: int
    past: PastOrder
    returns: Sequence[Returned]
    lots: list[OrderLot]
    cancelled: CancelledReturn | None = None
    review: Review | None = None
    paid_back: int = 0
    """What the returns that stand have brought back of an order that gift cards paid for."""

    def key_of(self, lot: OrderLot) -> LotKey:
        """How postings name a lot of the order."""
        return LotKey(self.seq if lot.seq is None else lot.seq, lot.line)


def booked_order(
    connection: psycopg.Connection[Any], live: LiveProgram, member: InPlay, source: str, external_id: str, *, lock: bool
) -> BookedOrder | None:
    """An order of a locked member, everything of the transaction before being written; None where there is none.

    `lock` keeps others away from its coupons.
    """
    family = family_of(connection, member.id)
    row = connection.execute(_BY_NAME, (live.program_id, source, external_id, family)).fetchone()
    return None if row is None else _booked(connection, live, member, row, lock=lock)


def returned_order(
    connection: psycopg.Connection[Any], live: LiveProgram, member: InPlay, source: str, external_id: str, *, lock: bool
) -> BookedOrder | None:
    """The order of a return that is named to be cancelled; None where there is none, or it has been cancelled."""
    family = family_of(connection, member.id)
    found = connection.execute(_RETURN, (live.program_id, source, external_id, family)).fetchone()
    if found is None:
        return None
    row = connection.execute(_BY_ID, (parse_id("evt", found[1]), family)).fetchone()
    return None if row is None else _booked(connection, live, member, row, format_id("evt", found[0]), lock=lock)


def _booked(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    member: InPlay,
    row: Any,
    cancels: str | None = None,
    *,
    lock: bool,
) -> BookedOrder | None:
    seq, version, booked_at, body, outcome, explanation, owner = row
    event = _decode_order(body)
    program = live.version(version).compiled
    returns: dict[str, Outcome] = {}
    entries = [(owner, seq)]
    family = related(connection, member.id, owner)
    for identifier, told, who, place in connection.execute(_RETURNS, (family, owner, seq, event.id)):
        returns[format_id("evt", identifier)] = outcome_of(told)
        entries.append((who, place))
    outcomes = [outcome_of(outcome), *returns.values()]
    lots = lots_of_order(connection, member.id, entries, program.definition.campaigns)
    reviews = of_entries(connection, entries)
    outcomes[0].moves = lots.cancelled + _voided(outcomes[0], reviews, owner, seq)
    stand = _standing(returns)
    cancelled = None
    if cancels is not None:
        if stand.pop(cancels, None) is None:
            return None
        cancelled = CancelledReturn(cancels, returns[cancels])
    told = explanation_of(explanation)
    enrolled_at = load_facts(connection, live.program_id, [owner])[owner].enrolled_at
    before = MemberState(
        id=format_id("mem", owner),
        enrolled_at=enrolled_at,
        attributes=told.attributes,
        tags=tuple(told.tags),
        counters=count_again(connection, program, owner, enrolled_at, before=seq),
        balances=wallets_after(connection, owner, seq - 1),
    )
    codes = {one.coupon: one.code or "" for one in outcomes[0].discounts if one.coupon is not None}
    order = parse_id("evt", event.id)
    used = used_by(connection, order, codes, lock=lock) if codes else []
    grants = any(one.what == "granted" for outcome in outcomes for one in outcome.coupons)
    granted = granted_by(connection, order, lock=lock) if grants else []
    past = PastOrder(event, program, before, _moment(booked_at), outcomes, used, granted)
    review = next((one for one in reviews if one.state == "open"), None)
    paid_back = -sum(payment.total for name in stand if (payment := returns[name].payment) is not None)
    return BookedOrder(seq, past, list(stand.values()), lots.lots, cancelled, review, paid_back)


def has_happened(
    connection: psycopg.Connection[Any], live: LiveProgram, member: UUID, order: BookedOrder, event_type: str
) -> bool:
    """Whether the event that points of an order wait for has come since: it does not come again."""
    past = order.past
    whose = [member, parse_id("mem", past.before.id)]
    asked = whose, live.program_id, event_type, past.booked_at, past.event.external_id
    [(happened,)] = connection.execute(_HAPPENED, asked).fetchall()
    return bool(happened)


def _standing(returns: Mapping[str, Outcome]) -> dict[str, Returned]:
    """What came back by each return that has not been cancelled."""
    undone = {name: one.undoes for name, one in returns.items() if one.undoes is not None}
    gone = {one.cancels for one in undone.values()}
    return {name: one.returned for name, one in undone.items() if one.returned is not None and name not in gone}


def _voided(outcome: Outcome, reviews: Iterable[Review], owner: UUID, seq: int) -> list[LotMove]:
    """Points that a person has not approved do not come again: not even those that a return had taken before."""
    if not any(one.state == "voided" and (one.member_id, one.seq) == (owner, seq) for one in reviews):
        return []
    effects = (effect for effect in outcome.points if effect.review is not None)
    return [LotMove("cancelled", effect.points, 0, effect.campaign, (0, 0)) for effect in effects]


def _moment(value: dt.datetime) -> dt.datetime:
    return value.astimezone(dt.UTC)
