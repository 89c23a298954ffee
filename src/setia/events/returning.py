"""Deciding and posting a return, within the transaction of its booking."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg

from setia.db.ids import parse_id
from setia.engine.basis import gross
from setia.engine.decision import REDEMPTION, Decision, Outcome
from setia.engine.occurrences import Occurrence
from setia.engine.payment import Payment
from setia.engine.returned import Returned
from setia.engine.returned_rewards import Staying
from setia.engine.returning import decide_return
from setia.engine.returns import TooMuchReturned, remaining
from setia.engine.state import MemberState
from setia.events.card_tenders import refund_of, terms_of
from setia.events.cart import Cart, GivenBack
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay, balance_of
from setia.events.past_orders import BookedOrder, booked_order, returned_order
from setia.events.postings import lots_of, postings_of
from setia.events.problems import InvalidEvent, PointsSpent, UnknownOrder
from setia.events.return_data import read_return, returned_of
from setia.events.taking_back import take_back
from setia.gift_cards.tendering import refund_order
from setia.ledger.entries import Posting


class Returning:
    """Returns of one transaction."""

    def __init__(self, connection: psycopg.Connection[Any], live: LiveProgram, *, keeps: bool = True) -> None:
        """`keeps`: whether what is decided is booked; else it is only asked."""
        self._connection = connection
        self._live = live
        self._keeps = keeps

    def decide(
        self, member: InPlay, event: Occurrence, booked_at: dt.datetime
    ) -> tuple[Decision, tuple[Posting, ...], dict[str, int | None], dt.datetime | None]:
        """The decision on a return, its postings, the wallets to open, and when the first lot ends that it refills.

        The member's balances move along.

        Everything the transaction has booked before must be written.

        Raises:
            UnknownOrder, InvalidEvent, PointsSpent: it cannot come back; nothing was changed.
        """
        program = self._live.compiled
        asked = read_return(event.data)
        named = self._connection, self._live, member, asked.source or event.source, asked.order
        order = booked_order(*named, lock=self._keeps)
        if order is None and event.type == "cancel":
            order = returned_order(*named, lock=self._keeps)
        if order is None:
            what = "no order" if event.type == "return" else "no order, nor a return that stands,"
            message = f"The member has {what} {asked.order!r} of source {asked.source or event.source!r}."
            raise UnknownOrder(message)
        parts = list(order.returns)
        if order.cancelled is None:
            parts.append(returned_of(asked, event.type, order.past.event, parts, program.currency_digits))
        try:
            decision = decide_return(program, member.state, order.past, parts, booked_at, order.cancelled)
        except TooMuchReturned as problem:
            where = "" if problem.place is None else f"/lines/{problem.place}"
            raise InvalidEvent.at(f"#/data{where}", f"More comes back than is left: {problem}.") from problem
        lots = lots_of(self._connection, member.id)
        state = member.state
        back = self._rewards_back(order, decision.staying, booked_at)
        for posting in back.postings:
            _move(state, order, posting)
        known = {name: msgspec.structs.replace(balance) for name, balance in state.balances.items()}
        try:
            taken = take_back(program, state, decision.outcome, order, booked_at, lots)
        except PointsSpent:
            state.balances = known
            raise
        given = msgspec.structs.replace(
            decision.outcome, points=[effect for effect in decision.outcome.points if effect.amount > 0]
        )
        postings, opens = postings_of(program, state, given, member.seq + 1, booked_at, lots)
        decision.outcome.points += back.effects
        decision.outcome.payment = self._to_cards(order, parts, decision.outcome, booked_at)
        # What rewards had cost comes first: of what the order earned, a part may have paid for them.
        return decision, (*back.postings, *postings, *taken), opens, back.ends

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
        before = sum(-(told.payment.total if told.payment else 0) for told in order.past.outcomes[1:])
        in_all = max(0, first.total - costs)
        back = refund_order(
            self._connection,
            terms_of(self._live, now),
            parse_id("evt", event.id),
            in_all,
            event.external_id,
            keep=self._keeps,
        )
        return refund_of(in_all - before, back)

    def _rewards_back(self, order: BookedOrder, staying: Staying, now: dt.datetime) -> GivenBack:
        """What the order's rewards had cost, and what is left of it does not need by their policies."""
        nothing = GivenBack([], [], None)
        if not order.past.outcomes[0].redeemed:
            return nothing
        if order.cancelled is not None:
            if any(effect.campaign == REDEMPTION for effect in order.cancelled.outcome.points):
                message = "The points of the order's rewards have gone back, so its return cannot be cancelled."
                raise InvalidEvent.at("#/data/order", message, "Send the order again, as a new one.")
            return nothing
        cart = Cart(self._connection, self._live.compiled, self._live.program_id, self._live.rewards)
        return cart.give_back(staying, now, keep=self._keeps)


def _move(state: MemberState, order: BookedOrder, posting: Posting) -> None:
    """Move the balance, and what is left of the order's own lots, by points that come back."""
    amount = posting.amount if posting.destination == "available" else -posting.amount
    balance_of(state, posting.point_type, None).available += amount
    for lot in order.lots:
        if posting.lot == order.key_of(lot):
            lot.remaining += amount
