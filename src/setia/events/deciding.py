"""Deciding one event of a locked member within a transaction, and gathering what that writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import psycopg

from setia.engine.decide import decide
from setia.engine.decision import as_json
from setia.engine.due import next_due
from setia.engine.occurrences import Occurrence
from setia.engine.state import Waiting
from setia.events.arrivals import Arrival
from setia.events.booked import Booked, Status
from setia.events.budgets import Spending
from setia.events.live import LiveProgram
from setia.events.lot_moves import move_balances, move_postings, waiting_lots
from setia.events.members_in_play import InPlay
from setia.events.postings import lots_of, postings_of
from setia.events.returning import Returning
from setia.events.warned import due_with
from setia.events.writing import Writing
from setia.ledger.debts import debts_paid
from setia.ledger.entries import JournalEntry, Posting
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
        self._returning = Returning(connection, live)

    def book(self, member: InPlay, arrival: Arrival, actor: str) -> Booked:
        """Decide an event and gather it; what its decision refuses is not stored.

        Raises:
            A `Problem` that the decision found, such as a return of an order that is not there.
        """
        booked = self._made(arrival, member.id, "decided")
        self.decide(member, booked, arrival.event, actor)
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

    def decide(self, member: InPlay, booked: Booked, event: Occurrence, actor: str) -> tuple[Posting, ...]:
        """Decide an event that was stored; the member's state, the budgets and `booked` move along.

        Returns the postings of its entry.
        """
        state = member.state
        booked_at = member.moment(self._now)
        state.waiting = self._waiting(member, event)
        if event.type in RETURN_EVENTS:
            self._writing.write(self._members.values())
            decision, postings, opens = self._returning.decide(member, event, booked_at)
        else:
            decision = decide(self._program, state, event, booked_at, self._spending.budgets)
            if any(effect.amount < 0 for effect in decision.outcome.points):
                # What this batch has booked so far must be there before its lots can be read.
                self._writing.write(self._members.values())
            postings, opens = postings_of(
                self._program, state, decision.outcome, member.seq + 1, booked_at, lots_of(self._connection, member.id)
            )
        outcome = decision.outcome
        postings += move_postings(outcome.moves)
        move_balances(state, outcome.moves)
        postings += debts_paid(member.seq + 1, postings, state.balances)
        state.counters = decision.counters
        outcome.balances = {name: (b.available, b.pending, b.held) for name, b in state.balances.items()}
        outcome.levels = self._program.levels_of(decision.counters)
        self._spending.spend(decision.budget_uses)
        if outcome.attributes or outcome.tags_added or outcome.tags_removed:
            changed = [name for name, value in outcome.attributes.items() if state.attributes.get(name) != value]
            state.registered_at = state.registered_at | dict.fromkeys(changed, booked_at)
            state.attributes = state.attributes | outcome.attributes
            tags = [tag for tag in state.tags if tag not in outcome.tags_removed]
            state.tags = (*tags, *outcome.tags_added)
            member.facts_changed = True
        item = next_due(self._program, state, booked_at)
        member.due_soonest = due_with(self._program, None if item is None else item.at, postings, booked_at)
        member.seq += 1
        member.booked = True
        member.updated_at = booked_at
        booked.version = decision.program_version
        booked.outcome = outcome
        booked.explanation = decision.explanation
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
                outcome=as_json(outcome),
                explanation=as_json(decision.explanation),
                postings=postings,
                opens=opens,
            )
        )
        return postings

    def _waiting(self, member: InPlay, event: Occurrence) -> list[Waiting]:
        """The pending lots of a member, for an event that may release them or take them back."""
        if event.type not in self._program.watched:
            return []
        # What this batch has booked so far must be there before its lots can be read.
        self._writing.write(self._members.values())
        return waiting_lots(self._connection, member.id)
