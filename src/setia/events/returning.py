"""Deciding and posting a return, within the transaction of its booking."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import psycopg

from setia.engine.decision import Decision
from setia.engine.occurrences import Occurrence
from setia.engine.returning import decide_return
from setia.engine.returns import TooMuchReturned
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.events.past_orders import booked_order, returned_order
from setia.events.postings import lots_of, postings_of
from setia.events.problems import InvalidEvent, PointsSpent, UnknownOrder
from setia.events.return_data import read_return, returned_of
from setia.events.taking_back import take_back
from setia.ledger.entries import Posting


class Returning:
    """Returns of one transaction."""

    def __init__(self, connection: psycopg.Connection[Any], live: LiveProgram) -> None:
        self._connection = connection
        self._live = live

    def decide(
        self, member: InPlay, event: Occurrence, booked_at: dt.datetime
    ) -> tuple[Decision, tuple[Posting, ...], dict[str, int | None]]:
        """The decision on a return, its postings, and the wallets to open. The member's balances move along.

        Everything the transaction has booked before must be written.

        Raises:
            UnknownOrder, InvalidEvent, PointsSpent: it cannot come back; nothing was changed.
        """
        program = self._live.compiled
        asked = read_return(event.data)
        named = self._connection, self._live, member, asked.source or event.source, asked.order
        order = booked_order(*named)
        if order is None and event.type == "cancel":
            order = returned_order(*named)
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
        return decision, postings + taken, opens
