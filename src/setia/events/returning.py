"""Deciding and posting a return, within the transaction of its booking."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from setia.db.ids import new_id, parse_id
from setia.db.savepoint import undone_if
from setia.engine.basis import gross
from setia.engine.decision import Decision, Outcome, PointsEffect
from setia.engine.occurrences import Occurrence
from setia.engine.payment import Payment
from setia.engine.returned import Returned
from setia.engine.returning import decide_nothing, decide_return
from setia.engine.returns import TooMuchReturned, remaining
from setia.engine.state import MemberState
from setia.events.brought import with_brought
from setia.events.card_tenders import refund_of, terms_of
from setia.events.cart import Cart, GivenBack
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay, balance_of
from setia.events.past_orders import BookedOrder, booked_order, has_happened, returned_order
from setia.events.postings import postings_of
from setia.events.problems import InvalidEvent, UnknownOrder
from setia.events.return_data import read_return, returned_of
from setia.events.taking_back import take_back
from setia.gift_cards.tendering import refund_order
from setia.ledger.entries import Posting
from setia.problems import Problem
from setia.velocity import queue


class Back(NamedTuple):
    """The decision on a return, its postings, the wallets to open, and when the first lot ends that it refills.

    `reason`: why it brought nothing back, where it had been accepted before anybody could say so.
    """

    decision: Decision
    postings: tuple[Posting, ...]
    opens: dict[str, int | None]
    refilled: dt.datetime | None
    reason: str | None = None


class Returning:
    """Returns of one transaction."""

    def __init__(self, connection: psycopg.Connection[Any], live: LiveProgram, *, keeps: bool = True) -> None:
        """`keeps`: whether what is decided is booked; else it is only asked."""
        self._connection = connection
        self._live = live
        self._keeps = keeps
        self._review: queue.Review | None = None

    def decide(self, member: InPlay, event: Occurrence, booked_at: dt.datetime, *, stored: bool = False) -> Back:
        """The decision on a return; the member's balances move along.

        Everything the transaction has booked before must be written. One that was `stored` until somebody came is no
        reason to keep anybody out: it brings nothing back, where nothing can come back of it.

        Raises:
            UnknownOrder, InvalidEvent, PointsSpent: it cannot come back; nothing was changed.
        """
        state = member.state
        known = {name: msgspec.structs.replace(balance) for name, balance in state.balances.items()}
        try:
            # Its neighbours in the batch commit, and nothing may be left of what is refused half way.
            with undone_if(Problem, self._connection) if self._keeps else nullcontext():
                return self._decide(member, event, booked_at)
        except Problem as problem:
            state.balances = known
            if not stored:
                raise
            decision = decide_nothing(self._live.compiled, state, event)
            return Back(decision, (), {}, None, f"{problem.code}: {problem}")

    def keep(self, entry_id: UUID, member: UUID, seq: int, at: dt.datetime, outcome: Outcome) -> None:
        """Put what the last return gave under the review that its order waits for: it would have waited too."""
        points: dict[str, int] = {}
        for effect in outcome.points:
            if effect.review is not None and outcome.undoes is not None:
                points[effect.points] = points.get(effect.points, 0) + effect.amount
        if self._review is not None and points:
            anew = {"id": new_id(), "entry_id": entry_id, "member_id": member, "seq": seq, "opened_at": at}
            queue.insert(self._connection, msgspec.structs.replace(self._review, points=points, **anew))

    def _decide(self, member: InPlay, event: Occurrence, booked_at: dt.datetime) -> Back:
        program, state = self._live.compiled, member.state
        asked = read_return(event.data)
        order = self._order(member, event, asked.source or event.source, asked.order)
        self._review = order.review
        parts = list(order.returns)
        if order.cancelled is None:
            parts.append(returned_of(asked, event.type, order.past.event, parts, program.currency_digits))
        try:
            decision = decide_return(program, state, order.past, parts, booked_at, order.cancelled)
        except TooMuchReturned as problem:
            where = "" if problem.place is None else f"/lines/{problem.place}"
            raise InvalidEvent.at(f"#/data{where}", f"More comes back than is left: {problem}.") from problem
        outcome = decision.outcome
        outcome.points = [self._as_it_waits(order, member.id, effect, booked_at) for effect in outcome.points]
        back = self._rewards_back(order, member, decision, booked_at)
        for posting in back.postings:
            _move(state, order, posting)
        gives, opens = self._give(order, member, outcome, booked_at)
        # What rewards had cost, and what the order gives instead, comes first: of what it had earned, a part may have
        # paid for them, and what is missing is there again.
        brought = (*back.postings, *gives)
        lots = with_brought(self._connection, member.id, member.seq + 1, brought, booked_at)
        taken = take_back(program, state, outcome, order, booked_at, lots)
        if taken.elsewhere:
            lots_of_it = {order.key_of(lot) for lot in order.lots if lot.point_type in taken.elsewhere}
            outcome.bought = self._cart().bought_with(member.id, parse_id("evt", order.past.event.id), lots_of_it)
        outcome.points += back.effects
        outcome.payment = self._to_cards(order, parts, outcome, booked_at)
        return Back(decision, (*brought, *taken.postings), {**opens, **taken.opens}, back.ends)

    def _order(self, member: InPlay, event: Occurrence, source: str, name: str) -> BookedOrder:
        """The order that is named; by a `cancel` perhaps one of its returns. Raises `UnknownOrder`."""
        named = self._connection, self._live, member, source, name
        order = booked_order(*named, lock=self._keeps)
        if order is None and event.type == "cancel":
            order = returned_order(*named, lock=self._keeps)
        if order is None:
            what = "no order" if event.type == "return" else "no order, nor a return that stands,"
            raise UnknownOrder(f"The member has {what} {name!r} of source {source!r}.")
        return order

    def _as_it_waits(self, order: BookedOrder, member: UUID, effect: PointsEffect, now: dt.datetime) -> PointsEffect:
        """Points that a return gives wait for what the order's still wait for, and for nothing that has happened."""
        if effect.amount <= 0:
            return effect
        waits_for = effect.waits_for
        over = effect.available_at is not None and effect.available_at <= now
        if over or (waits_for is not None and has_happened(self._connection, self._live, member, order, waits_for)):
            effect = msgspec.structs.replace(effect, waits_for=None, available_at=None)
        return effect if order.review is None else msgspec.structs.replace(effect, review=order.review.rule)

    def _give(
        self, order: BookedOrder, member: InPlay, outcome: Outcome, now: dt.datetime
    ) -> tuple[tuple[Posting, ...], dict[str, int | None]]:
        """The postings of what a return gives. Point types that there are no more give as the order's version says."""
        program = self._live.compiled
        gives = [effect for effect in outcome.points if effect.amount > 0]
        made: list[Posting] = []
        opens: dict[str, int | None] = {}
        for terms, points in (
            (program, [one for one in gives if one.points in program.definition.points]),
            (order.past.program, [one for one in gives if one.points not in program.definition.points]),
        ):
            given = msgspec.structs.replace(outcome, points=points)
            postings, opened = postings_of(terms, member.state, given, member.seq + 1, now, _no_lots)
            made += postings
            opens |= opened
        return tuple(made), opens

    def _to_cards(
        self, order: BookedOrder, parts: Sequence[Returned], outcome: Outcome, now: dt.datetime
    ) -> Payment | None:
        """Bring back to the gift cards that paid for the order what came back of it; None where none did.

        A cancelled return takes nothing from them again: what came back to a card may be spent.
        """
        first = order.past.outcomes[0].payment
        if first is None or not any(one.amount for one in first.cards) or order.cancelled is not None:
            return None
        event, left = order.past.event, remaining(order.past.event, parts)
        costs = 0 if left is None else gross(left)
        if outcome.to_pay is not None and left is not None:
            costs = outcome.to_pay.total
        in_all = max(0, first.total - costs)
        back = refund_order(
            self._connection,
            terms_of(self._live, now),
            parse_id("evt", event.id),
            in_all,
            event.external_id,
            keep=self._keeps,
        )
        return refund_of(in_all - order.paid_back, back)

    def _rewards_back(self, order: BookedOrder, member: InPlay, decision: Decision, now: dt.datetime) -> GivenBack:
        """What the order's rewards had cost, and what is left of it does not need by their policies.

        A cancelled return pays for them again.
        """
        if not order.past.outcomes[0].redeemed:
            return GivenBack([], [], None)
        if order.cancelled is None:
            return self._cart().give_back(decision.staying, now, keep=self._keeps)
        return self._cart().pay_again(member.state, decision.staying, now, keep=self._keeps)

    def _cart(self) -> Cart:
        return Cart(self._connection, self._live.compiled, self._live.program_id, self._live.rewards)


def _no_lots(points: str) -> list[Any]:
    """What is given is taken of no lot."""
    raise LookupError(points)


def _move(state: MemberState, order: BookedOrder, posting: Posting) -> None:
    """Move the balance, and what is left of the order's own lots, by points that come back, or are spent again."""
    amount = posting.amount if posting.destination == "available" else -posting.amount
    balance_of(state, posting.point_type, None).available += amount
    for lot in order.lots:
        if posting.lot == order.key_of(lot):
            lot.remaining += amount
