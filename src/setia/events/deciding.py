"""Deciding one event of a locked member within a transaction, and gathering what that writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.coupons.codes import ShownCode
from setia.coupons.using import PREFIX as COUPON
from setia.coupons.using import Booking as CouponBooking
from setia.coupons.using import find_shown, lock
from setia.db.ids import format_id, new_id, parse_id
from setia.engine.decide import decide
from setia.engine.decision import Decision, Outcome, as_json
from setia.engine.due import next_due
from setia.engine.occurrences import Occurrence
from setia.engine.payment import Payment
from setia.engine.state import Waiting
from setia.events.arrivals import OWN_SOURCE, Arrival
from setia.events.booked import Booked, Status
from setia.events.budgets import Spending
from setia.events.card_tenders import payment_of, tender, terms_of
from setia.events.cart import (
    REDEMPTION_PREFIX,
    Cart,
    CartRedemption,
    LotPart,
    check_granted,
    named,
    parts_of,
)
from setia.events.live import LiveProgram
from setia.events.lot_moves import move_balances, move_postings, waiting_lots
from setia.events.members_in_play import InPlay
from setia.events.postings import lots_of, postings_and_ends
from setia.events.returning import Returning
from setia.events.warned import due_with
from setia.events.watching import Watch, Watched
from setia.events.writing import Writing
from setia.events.wrong_codes import check_codes, wrong_codes
from setia.gift_cards.tendering import ShownCard, Tendering
from setia.ledger.booking import earlier
from setia.ledger.debts import debts_paid
from setia.ledger.entries import JournalEntry, LotKey, Posting
from setia.ledger.freezing import refuse_frozen
from setia.program.events import RETURN_EVENTS


class Deciding:
    """The decisions of one transaction. Members, budgets and writing are shared with whoever made it."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        live: LiveProgram,
        now: dt.datetime,
        spending: Spending,
        writing: Writing,
        members: Mapping[UUID, InPlay],
    ) -> None:
        self._connection = connection
        self._live = live
        self._program = live.compiled
        self._now = now
        self._spending = spending
        self._writing = writing
        self._members = members
        self._cart = Cart(connection, live.compiled, live.program_id, live.rewards)
        self._tendering = Tendering(connection, terms_of(live, now))
        self._returning = Returning(connection, live)
        self._watch = Watch(connection, live.compiled, live.program_id)
        self._wrong: dict[str, set[bytes]] = {}
        """Actor -> the wrong codes of its events so far; they are counted after the commit."""

    def book(self, member: InPlay, arrival: Arrival, actor: str) -> Booked:
        """Decide an event and gather it; what its decision refuses is not stored.

        Raises:
            A `Problem` that the decision found, such as a return of an order that is not there.
        """
        booked = self._made(arrival, member.id, "decided")
        if arrival.shown:
            wrong = self._wrong.setdefault(actor, set())
            check_codes(self._connection, self._program, self._live.program_id, arrival.shown, actor, len(wrong))
            member.state.coupons = find_shown(self._connection, self._live.program_id, member.id, arrival.shown)
        try:
            pay: Callable[[], Payment] | None = None
            if arrival.cards:
                arrival, pay = self._tender(member, arrival, actor)
            self.decide(member, booked, arrival.event, actor, pay, stored=False)
        finally:
            member.state.coupons = []
        if arrival.shown:
            shown = {one.kept.casefold(): one for one in arrival.shown}
            self._wrong[actor].update(wrong_codes(shown, booked.outcome))
        self._writing.event(booked, arrival)
        return booked

    def store(self, arrival: Arrival, member: UUID | None, status: Status) -> Booked:
        """Gather an event that is kept, decided or a guest's."""
        booked = self._made(arrival, member, status)
        self._writing.event(booked, arrival)
        return booked

    def _made(self, arrival: Arrival, member: UUID | None, status: Status) -> Booked:
        event = arrival.event
        return Booked(
            id=arrival.id,
            program_id=self._live.program_id,
            member_id=member,
            status=status,
            type=event.type,
            source=event.source,
            external_id=event.external_id,
            digest=arrival.digest,
            occurred_at=event.occurred_at,
            received_at=arrival.received_at,
        )

    def decide(
        self,
        member: InPlay,
        booked: Booked,
        event: Occurrence,
        actor: str,
        pay: Callable[[], Payment] | None = None,
        *,
        stored: bool = True,
    ) -> tuple[Posting, ...]:
        """Decide an event, `stored` before or only now; the member's state, the budgets and `booked` move along.

        Returns the postings of its entry. `pay` takes what gift cards pay, when nothing can be refused any more.
        """
        state = member.state
        booked_at = member.moment(self._now)
        state.waiting = self._waiting(member, event)
        refilled: dt.datetime | None = None
        ends: dict[LotKey, dt.datetime | None] = {}
        watched: Watched = None
        reason: str | None = None
        if event.type in RETURN_EVENTS:
            self._writing.write(self._members.values())
            decision, postings, opens, refilled, reason = self._returning.decide(
                member, event, booked_at, stored=stored
            )
        else:
            used = None
            if event.redeem:
                # What this batch has booked so far must be there before what is taken of rewards can be read.
                self._writing.write(self._members.values())
                used = self._cart.used(member.id, event, booked_at)
            decision = decide(self._program, state, event, booked_at, self._spending.budgets, used)
            check_granted(decision)
            watched = self._watch.event(member.id, event, actor, decision, refuses=not stored)
            if any(effect.amount < 0 for effect in decision.outcome.points):
                if event.source != OWN_SOURCE:  # what time and the program take by themselves goes on
                    refuse_frozen(state.id, state.counters)
                # What this batch has booked so far must be there before its lots can be read.
                self._writing.write(self._members.values())
            postings, opens, ends = postings_and_ends(
                self._program, state, decision.outcome, member.seq + 1, booked_at, lots_of(self._connection, member.id)
            )
        outcome = decision.outcome
        postings += move_postings(outcome.moves)
        move_balances(state, outcome.moves)
        postings += debts_paid(member.seq + 1, postings, state.balances)
        state.counters = decision.counters
        outcome.balances = {name: (b.available, b.pending, b.held) for name, b in state.balances.items()}
        outcome.levels = self._program.levels_of(decision.counters)
        if outcome.coupons:
            self._book_coupons(member, event, outcome, actor, booked_at)
        self._spending.spend(decision.budget_uses)
        if outcome.attributes or outcome.tags_added or outcome.tags_removed:
            _change_facts(member, outcome, booked_at)
        if outcome.redeemed:
            self._keep(member, event, actor, booked_at, outcome, parts_of(outcome, postings, ends))
        item = next_due(self._program, state, booked_at)
        member.due_soonest = due_with(self._program, None if item is None else item.at, postings, booked_at)
        member.due_soonest = earlier(member.due_soonest, refilled)
        member.seq += 1
        member.booked = True
        member.updated_at = booked_at
        # What a return brings back to cards is there already.
        outcome.payment = outcome.payment if pay is None else pay()
        _tell(booked, decision)
        self._writing.entry(
            JournalEntry(
                member_id=member.id,
                seq=member.seq,
                id=booked.id,
                program_id=self._live.program_id,
                program_version=decision.program_version,
                kind="event",
                occurred_at=event.occurred_at,
                booked_at=booked_at,
                actor=actor,
                reason=reason,
                outcome=as_json(outcome),
                explanation=as_json(decision.explanation),
                postings=postings,
                opens=opens,
            )
        )
        self._watch.keep(watched, booked.id, member.seq, booked_at, outcome.points)
        self._returning.keep(booked.id, member.id, member.seq, booked_at, outcome)
        return postings

    def lock_coupons(self, shown: Iterable[ShownCode]) -> None:
        """Lock the coupons that may be used, when the members are locked: everybody does it in this order."""
        lock(self._connection, self._live.program_id, shown)

    def lock_cards(self, shown: Iterable[ShownCard]) -> None:
        """Lock the gift cards that may pay, after members and coupons: everybody does it in this order."""
        self._tendering.lock([one.hash for one in shown])

    def _tender(self, member: InPlay, arrival: Arrival, actor: str) -> tuple[Arrival, Callable[[], Payment]]:
        """A purchase as gift cards pay for it, and what takes their money."""
        event, booked_at, real = arrival.event, member.moment(self._now), dt.datetime.now(dt.UTC)
        self._tendering.check_guesses(actor, real)
        used = None
        if event.redeem:
            # What this batch has booked so far must be there before what is taken of rewards can be read.
            self._writing.write(self._members.values())
            used = self._cart.used(member.id, event, booked_at)
        standings = self._tendering.standings(arrival.cards)
        tendered = tender(
            event,
            standings,
            lambda paid: decide(self._program, member.state, paid, booked_at, self._spending.budgets, used),
        )

        def pay() -> Payment:
            paid = {
                place: self._tendering.pay(standings[place], amount, arrival.id, place, actor)
                for place, amount in enumerate(tendered.amounts)
                if amount
            }
            self._tendering.count_guesses(standings, actor, real)
            return payment_of(tendered, standings, paid)

        return arrival.paid(tendered.event), pay

    def lock_watched(self, events: Iterable[tuple[Occurrence, str]]) -> None:
        """Lock whom events (with their actors) are counted for by velocity rules; after the members."""
        self._watch.lock(events)

    def _book_coupons(self, member: InPlay, event: Occurrence, outcome: Outcome, actor: str, at: dt.datetime) -> None:
        """Write what was done to coupons; those that were granted have their ids afterwards."""
        outcome.coupons = [
            msgspec.structs.replace(one, coupon=format_id(COUPON, new_id())) if not one.coupon else one
            for one in outcome.coupons
        ]
        order, undone, version = event.id, outcome.undoes, self._live
        if undone is not None:
            # What an order gives when it is decided again is a coupon of its own version: the live one may know none.
            order, version = undone.event, self._of_version(undone.version)
        booking = CouponBooking(self._connection, self._live.program_id, member.id, parse_id("evt", order), at)
        booking.book(outcome.coupons, version.compiled.definition.coupon_uses, actor)

    def _of_version(self, number: int) -> LiveProgram:
        return self._live if number == self._program.version else self._live.version(number)

    def finish(self) -> None:
        """Take the stock of what was redeemed; after everything else, for others wait for it. Raises `StockMoved`."""
        self._cart.finish()

    def _keep(
        self,
        member: InPlay,
        event: Occurrence,
        actor: str,
        at: dt.datetime,
        outcome: Outcome,
        parts: Sequence[list[LotPart]],
    ) -> None:
        """Write the redemptions of an order; `outcome` then knows their ids."""
        named(outcome)
        made = [
            CartRedemption(
                id=parse_id(REDEMPTION_PREFIX, effect.redemption or ""),
                member_id=member.id,
                event_id=parse_id("evt", event.id),
                source=event.source,
                actor=actor,
                seq=member.seq + 1,
                at=at,
                effect=effect,
                parts=taken,
            )
            for effect, taken in zip(outcome.redeemed, parts, strict=True)
        ]
        self._cart.keep(made)

    def _waiting(self, member: InPlay, event: Occurrence) -> list[Waiting]:
        """The pending lots of a member, for an event that may release them or take them back."""
        if event.type not in self._program.watched:
            return []
        # What this batch has booked so far must be there before its lots can be read.
        self._writing.write(self._members.values())
        return waiting_lots(self._connection, member.id)


def _tell(booked: Booked, decision: Decision) -> None:
    """Let an event know its decision."""
    booked.version, booked.outcome, booked.explanation = (
        decision.program_version,
        decision.outcome,
        decision.explanation,
    )


def _change_facts(member: InPlay, outcome: Outcome, at: dt.datetime) -> None:
    """Let what is said of a member follow an outcome that was booked at a moment."""
    state = member.state
    changed = [name for name, value in outcome.attributes.items() if state.attributes.get(name) != value]
    state.registered_at = state.registered_at | dict.fromkeys(changed, at)
    state.attributes = state.attributes | outcome.attributes
    tags = [tag for tag in state.tags if tag not in outcome.tags_removed]
    state.tags = (*tags, *outcome.tags_added)
    member.facts_changed = True
