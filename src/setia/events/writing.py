"""What a booking writes: events, kept events, journal entries with postings, member states and changed facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import psycopg

from setia.db.columns import beside, binaries, documents, moments, texts, uuids
from setia.db.exchange import Exchange, Value
from setia.events.arrivals import Arrival
from setia.events.booked import Booked
from setia.events.members_in_play import InPlay
from setia.ledger.booking import post
from setia.ledger.entries import JournalEntry
from setia.ledger.refusals import refusals_named
from setia.members.member import FactsChange
from setia.members.service import save_facts

_EVENTS = """
INSERT INTO event (id, member_id, occurred_at, received_at, program_id, type, status, source, external_id, digest, body)
SELECT unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::timestamptz[]), unnest($5::timestamptz[]), $1::int,
       unnest($6::text[]), unnest($7::text[]), unnest($8::text[]), unnest($9::text[]), unnest($10::bytea[]),
       unnest($11::json[])
"""
_KEPT = """
INSERT INTO kept_event (program_id, kind, value, event_id)
SELECT * FROM unnest(%b::int[], %b::text[], %b::text[], %b::uuid[]) ON CONFLICT DO NOTHING
"""


_COLUMNS: tuple[Callable[[Any], bytes], ...] = (
    uuids,
    uuids,
    moments,
    moments,
    texts,
    texts,
    texts,
    texts,
    binaries,
    documents,
)


class Writing:
    """Gathers what a transaction writes, and writes it in few statements."""

    def __init__(self, connection: psycopg.Connection[Any], program_id: int, tracking: str) -> None:
        self._connection = connection
        self._program_id = program_id
        self._tracking = tracking
        self._events: list[tuple[Any, ...]] = []
        self._kept: list[tuple[int, str, str, UUID]] = []
        self._entries: list[JournalEntry] = []
        self._beside: list[tuple[str, tuple[Value, ...]]] = []

    def beside(self, statement: str, *values: Value) -> None:
        """A statement that is sent with the entries, behind them: what else an act writes, in the same round trip."""
        self._beside.append((statement, values))

    def event(self, booked: Booked, arrival: Arrival) -> None:
        """An event to store; with one that is kept, who it waits for."""
        self._events.append(
            (
                booked.id,
                booked.member_id,
                booked.occurred_at,
                booked.received_at,
                booked.type,
                booked.status,
                booked.source,
                booked.external_id,
                booked.digest,
                arrival.body,
            )
        )
        if booked.status == "kept" and arrival.reference is not None:
            self._kept += [(self._program_id, kind, value, booked.id) for kind, value in arrival.reference.identifiers]

    def entry(self, entry: JournalEntry) -> None:
        """A journal entry to book. A member's entries are given in order."""
        self._entries.append(entry)

    def write(self, members: Iterable[InPlay]) -> None:
        """Write what was gathered so far, and the states of the members it is about."""
        booked = [member for member in members if member.booked]
        changed = [member for member in booked if member.facts_changed]
        exchange = Exchange(self._connection)
        if self._events:
            columns = zip(*self._events, strict=True)
            arrays = [beside(write, column) for write, column in zip(_COLUMNS, columns, strict=True)]
            exchange.ask(_EVENTS, str(self._program_id), *arrays)
        check = post(exchange, self._entries, [member.row(self._tracking) for member in booked])
        for statement, values in self._beside:
            exchange.ask(statement, *values)
        with refusals_named():
            exchange.send()
        check()
        if self._kept:
            self._connection.execute(_KEPT, [list(column) for column in zip(*self._kept, strict=True)])
        if changed:
            facts = [
                FactsChange(
                    member.id,
                    member.state.attributes,
                    member.state.tags,
                    member.updated_at,
                    member.state.registered_at,
                )
                for member in changed
            ]
            save_facts(self._connection, self._program_id, facts)
        for member in booked:
            member.booked = member.facts_changed = member.settled = False
        self._events, self._kept, self._entries, self._beside = [], [], [], []
