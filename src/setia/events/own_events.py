"""Events that Setia makes itself, for members it locks: each once, for ever, decided and booked like any other."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import psycopg

from setia.db.ids import format_id, new_id
from setia.engine.occurrences import Occurrence
from setia.events.arrivals import OWN_SOURCE, Arrival
from setia.events.booked import Booked
from setia.events.budgets import Spending
from setia.events.deciding import Deciding
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay, lock_in_play
from setia.events.settling import Settling
from setia.events.time_entries import ACTOR
from setia.events.writing import Writing


class OwnEvents:
    """The events of one transaction. Lock all members at once, book, then write; the caller commits.

    Budgets are locked when they are read, after the members: nothing has to be decided again.
    """

    def __init__(self, connection: psycopg.Connection[Any], live: LiveProgram, now: dt.datetime) -> None:
        self._connection = connection
        self._live = live
        self._now = live.now(now)
        self._spending = Spending(connection, live.program_id)
        self._writing = Writing(connection, live.program_id, live.compiled.tracking)
        self._members: dict[UUID, InPlay] = {}
        self._deciding = Deciding(connection, live, self._now, self._spending, self._writing, self._members)

    @property
    def now(self) -> dt.datetime:
        """What time it is for the program."""
        return self._now

    def lock(self, members: Collection[UUID]) -> dict[UUID, InPlay]:
        """Lock members in the order of their ids, and book what is due of them; strangers are left out."""
        found = lock_in_play(self._connection, self._live.compiled, self._live.program_id, sorted(members))
        self._members.update(found)
        settling = Settling(self._connection, self._live, self._now, self._writing, self._members, self._spending)
        settling.lock_budgets()
        settling.settle(found.values())
        return found

    def book(
        self, member: InPlay, type_: str, external_id: str, occurred_at: dt.datetime, data: Mapping[str, Any]
    ) -> Booked:
        """Decide an event for a locked member. `external_id` can be booked once, for ever, among Setia's own."""
        identifier, program = new_id(), self._live.compiled
        event = Occurrence(
            id=format_id("evt", identifier),
            type=type_,
            source=OWN_SOURCE,
            external_id=external_id,
            occurred_at=occurred_at,
            data=dict(data),
        )
        self._spending.open(program, event)
        self._spending.ask(program, [event], locked=True)
        digest = hashlib.blake2b(external_id.encode(), digest_size=16).digest()
        return self._deciding.book(member, Arrival.of(identifier, event, None, digest, self._now), ACTOR)

    def write(self) -> None:
        """Write what was booked, and the budgets."""
        self._writing.write(self._members.values())
        self._spending.write()
