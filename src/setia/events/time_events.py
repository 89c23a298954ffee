"""Events that time makes: a birthday, points that will end, a level that will be lost. Booked like any other event."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from setia.db.ids import format_id, new_id
from setia.engine.occurrences import Occurrence
from setia.engine.triggers import Occasion, PointsEnd, Reach, data_of, is_for, mark_of, type_of
from setia.events.arrivals import OWN_SOURCE, Arrival
from setia.events.budgets import Spending
from setia.events.deciding import Deciding
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.events.time_entries import ACTOR
from setia.ledger.entries import Posting
from setia.ledger.lots import Lot
from setia.ledger.wallets import OpenLot


class TimeEvents:
    """Books what triggers of time come to, in the transaction of whoever settles.

    `read_again` gives the open lots of a member after everything so far is written; `locked` says that the budgets are
    locked when they are read, so that they cannot move meanwhile.
    """

    def __init__(
        self,
        live: LiveProgram,
        now: dt.datetime,
        spending: Spending,
        deciding: Deciding,
        read_again: Callable[[UUID], list[OpenLot]],
        *,
        locked: bool,
    ) -> None:
        self._live = live
        self._now = now
        self._spending = spending
        self._deciding = deciding
        self._read_again = read_again
        self.locked = locked

    def happen(self, member: InPlay, occasion: Occasion, reach: Reach, lots: list[OpenLot]) -> list[OpenLot]:
        """Book the event of an occasion, if the member is in its audience; returns the lots that are open after it."""
        program, identifier = self._live.compiled, new_id()
        event = Occurrence(
            id=format_id("evt", identifier),
            type=type_of(occasion),
            source=OWN_SOURCE,
            # It can be stored once, for ever, whatever becomes of the mark in the member's counters.
            external_id=f"{occasion.subject}:{member.id.hex}:{occasion.key}",
            occurred_at=occasion.at,
            data=data_of(program, member.state, occasion, reach),
            fired={occasion.subject: mark_of(program, member.state, occasion)},
        )
        if not is_for(program, member.state, event):
            return lots
        if self.locked:
            self._spending.open(program, event)
        self._spending.ask(program, [event], locked=self.locked)
        digest = hashlib.blake2b(event.external_id.encode(), digest_size=16).digest()
        arrival = Arrival.of(identifier, event, None, digest, self._now)
        booked = self._deciding.store(arrival, member.id, "decided")
        postings = self._deciding.decide(member, booked, event, ACTOR)
        if all(posting.opens_lot for posting in postings):
            return [*lots, *_opened(member.seq, postings)]
        return self._read_again(member.id)


def _opened(seq: int, postings: Sequence[Posting]) -> list[OpenLot]:
    """The lots that an entry opens, as they will be read."""
    return [
        OpenLot(
            one.point_type,
            one.campaign,
            one.available_at,
            Lot(seq, line, one.amount, one.destination == "pending", one.earned_at, one.expires_at),
        )
        for line, one in enumerate(postings)
        if one.earned_at is not None
    ]


def points_ends(lots: Iterable[OpenLot]) -> tuple[PointsEnd, ...]:
    """When the points of lots end, as triggers see it."""
    return tuple(
        PointsEnd(one.point_type, one.lot.remaining, one.lot.earned_at, one.lot.expires_at)
        for one in lots
        if one.lot.expires_at is not None
    )
