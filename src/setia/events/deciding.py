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
from setia.events.arrivals import Arrival
from setia.events.booked import Booked, Status
from setia.events.budgets import Spending
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.events.postings import lots_of, postings_of
from setia.events.writing import Writing
from setia.ledger.entries import JournalEntry


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

    def store(self, arrival: Arrival, member: UUID | None, status: Status) -> Booked:
        """Gather an event that is kept, decided or a guest's."""
        event = arrival.event
        booked = Booked(
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
        self._writing.event(booked, arrival)
        return booked

    def decide(self, member: InPlay, booked: Booked, event: Occurrence, actor: str) -> None:
        """Decide an event that was stored; the member's state, the budgets and `booked` move along."""
        state = member.state
        booked_at = member.moment(self._now)
        decision = decide(self._program, state, event, booked_at, self._spending.budgets)
        if any(effect.amount < 0 for effect in decision.outcome.points):
            # What this batch has booked so far must be there before its lots can be read.
            self._writing.write(self._members.values())
        postings, opens = postings_of(
            self._program, state, decision.outcome, member.seq + 1, booked_at, lots_of(self._connection, member.id)
        )
        outcome = decision.outcome
        state.counters = decision.counters
        outcome.balances = {name: (b.available, b.pending, b.held) for name, b in state.balances.items()}
        outcome.levels = self._program.levels_of(decision.counters)
        self._spending.spend(decision.budget_uses)
        if outcome.attributes or outcome.tags_added or outcome.tags_removed:
            state.attributes = state.attributes | outcome.attributes
            tags = [tag for tag in state.tags if tag not in outcome.tags_removed]
            state.tags = (*tags, *outcome.tags_added)
            member.facts_changed = True
        item = next_due(self._program, state, booked_at)
        member.due_soonest = None if item is None else item.at
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
