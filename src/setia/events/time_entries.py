"""Journal entries for what time does: points that become available or end, and levels that are judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal
from uuid import UUID

from setia.db.ids import new_ids
from setia.engine.decision import Explanation, Outcome, PointsEffect, as_json
from setia.engine.state import Balance
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.ledger.debts import debts_paid
from setia.ledger.entries import Account, JournalEntry, Kind, LotKey, Posting
from setia.ledger.lots import Lot
from setia.ledger.wallets import OpenLot

ACTOR = "setia"
_MOST_TOGETHER = 100
"""For how many entries ids are made at once; those that are left over are lost."""
_UNEXPLAINED = as_json(Explanation())
NO_ENTRY = 0
"""The entry of points that lie in no lot: real ones are numbered from 1."""


class TimeEntries:
    """Makes the entries of one transaction; the member's number, time and balances move along with each."""

    def __init__(self, live: LiveProgram, now: dt.datetime) -> None:
        self._live = live
        self._now = now
        self._ids: list[UUID] = []
        self._together = 1

    def expect(self, members: int) -> None:
        """Entries of so many members: then ids are made for several at once."""
        self._together = min(members, _MOST_TOGETHER)

    def of_lots(
        self,
        member: InPlay,
        kind: Literal["release", "expiry"],
        lots: Sequence[OpenLot],
        at: dt.datetime,
        outcome: Outcome | None = None,
    ) -> JournalEntry:
        """The entry by which what remains of lots becomes available or ends at a moment.

        `outcome` is what else the entry says; what ended is added to it.
        """
        outcome = outcome or Outcome()
        is_release, balances = kind == "release", member.state.balances
        destination: Account = "available" if is_release else "expired"
        postings = []
        taken: dict[str, int] = {}
        for points, campaign, _, lot in lots:
            amount, balance = lot.remaining, balances[points]
            if lot.pending:
                balance.pending -= amount
            else:
                balance.available -= amount
            if is_release:
                balance.available += amount
            taken[points] = taken.get(points, 0) + amount
            postings.append(
                Posting(
                    point_type=points,
                    source="pending" if lot.pending else "available",
                    destination=destination,
                    amount=amount,
                    campaign=campaign,
                    lot=None if lot.seq == NO_ENTRY else lot.key,
                )
            )
        if is_release:
            postings += debts_paid(member.seq + 1, postings, balances)
        else:  # what ends brings nothing in that could pay a debt
            outcome.points = [PointsEffect(points, -amount, kind) for points, amount in taken.items()]
        return self._entry(member, kind, outcome, _UNEXPLAINED, at, tuple(postings))

    def of_outcome(
        self, member: InPlay, kind: Kind, outcome: Outcome, explanation: Explanation, at: dt.datetime
    ) -> JournalEntry:
        """The entry of an outcome without postings."""
        outcome.levels = self._live.compiled.levels_of(member.state.counters)
        return self._entry(member, kind, outcome, as_json(explanation), at, ())

    def _entry(
        self,
        member: InPlay,
        kind: Kind,
        outcome: Outcome,
        explanation: bytes,
        at: dt.datetime,
        postings: tuple[Posting, ...],
    ) -> JournalEntry:
        member.seq += 1
        member.updated_at = booked_at = member.moment(self._now)
        member.booked = True
        return JournalEntry(
            member_id=member.id,
            seq=member.seq,
            id=self._id(),
            program_id=self._live.program_id,
            program_version=self._live.compiled.version,
            kind=kind,
            occurred_at=at,
            booked_at=booked_at,
            actor=ACTOR,
            outcome=as_json(outcome),
            explanation=explanation,
            postings=postings,
        )

    def _id(self) -> UUID:
        if not self._ids:
            self._ids = new_ids(self._together)
            self._ids.reverse()
        return self._ids.pop()


def lots_after(lots: Iterable[OpenLot], entry: JournalEntry) -> list[OpenLot]:
    """The lots that are open after an entry of `TimeEntries.of_lots`."""
    gone: dict[LotKey | None, int] = {}
    released: set[LotKey | None] = set()
    for posting in entry.postings:
        if posting.destination != "available":
            gone[posting.lot] = gone.get(posting.lot, 0) + posting.amount
        elif posting.source == "pending":
            released.add(posting.lot)
    left = []
    for one in lots:
        lot, key = one.lot, one.lot.key
        if key not in gone and key not in released:
            left.append(one)
        elif remaining := lot.remaining - gone.get(key, 0):
            moved = lot._replace(remaining=remaining, pending=lot.pending and key not in released)
            left.append(one._replace(lot=moved))
    return left


def in_no_lot(member: InPlay, points: str, lots: Iterable[OpenLot]) -> list[OpenLot]:
    """The points of a type that lie in none of the open lots, as lots: they were earned while the type had no end."""
    balance = member.state.balances.get(points, Balance())
    own = [one.lot for one in lots if one.point_type == points]
    loose = []
    for line, (pending, there) in enumerate(((False, balance.available), (True, balance.pending))):
        amount = there - sum(lot.remaining for lot in own if lot.pending == pending)
        if amount > 0:
            lot = Lot(NO_ENTRY, line, amount, pending, member.state.enrolled_at, None)
            loose.append(OpenLot(points, None, None, lot))
    return loose
