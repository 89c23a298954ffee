"""Journal entries for what time does: points that become available or end, and levels that are judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal

from setia.db.ids import new_id
from setia.engine.decision import Explanation, Outcome, PointsEffect, as_json
from setia.engine.state import Balance
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.ledger.debts import debts_paid
from setia.ledger.entries import Account, JournalEntry, Kind, LotKey, Posting
from setia.ledger.lots import Lot
from setia.ledger.wallets import OpenLot

ACTOR = "setia"
_UNEXPLAINED = as_json(Explanation())
NO_ENTRY = 0
"""The entry of points that lie in no lot: real ones are numbered from 1."""


def lots_entry(
    live: LiveProgram,
    member: InPlay,
    kind: Literal["release", "expiry"],
    lots: Sequence[OpenLot],
    at: dt.datetime,
    now: dt.datetime,
    outcome: Outcome | None = None,
) -> JournalEntry:
    """The entry by which what remains of lots becomes available or ends at a moment. The member's balances move along.

    `outcome` is what else the entry says; what ended is added to it.
    """
    outcome = outcome or Outcome()
    postings = []
    taken: dict[str, int] = {}
    for one in lots:
        bucket: Account = "pending" if one.lot.pending else "available"
        destination: Account = "available" if kind == "release" else "expired"
        amount = one.lot.remaining
        balance = member.state.balances[one.point_type]
        if bucket == "pending":
            balance.pending -= amount
        else:
            balance.available -= amount
        if kind == "release":
            balance.available += amount
        taken[one.point_type] = taken.get(one.point_type, 0) + amount
        postings.append(
            Posting(
                point_type=one.point_type,
                source=bucket,
                destination=destination,
                amount=amount,
                campaign=one.campaign,
                lot=None if one.lot.seq == NO_ENTRY else one.lot.key,
            )
        )
    if kind == "expiry":
        outcome.points = [PointsEffect(points, -amount, kind) for points, amount in taken.items()]
    postings += debts_paid(member.seq + 1, postings, member.state.balances)
    return _entry(live, member, kind, outcome, _UNEXPLAINED, at, now, tuple(postings))


def lots_after(lots: Iterable[OpenLot], entry: JournalEntry) -> list[OpenLot]:
    """The lots that are open after an entry of `lots_entry`."""
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


def outcome_entry(
    live: LiveProgram,
    member: InPlay,
    kind: Kind,
    outcome: Outcome,
    explanation: Explanation,
    at: dt.datetime,
    now: dt.datetime,
) -> JournalEntry:
    """The entry of an outcome without postings."""
    outcome.levels = live.compiled.levels_of(member.state.counters)
    return _entry(live, member, kind, outcome, as_json(explanation), at, now, ())


def _entry(  # noqa: PLR0913, PLR0917 - the parts of an entry
    live: LiveProgram,
    member: InPlay,
    kind: Kind,
    outcome: Outcome,
    explanation: bytes,
    at: dt.datetime,
    now: dt.datetime,
    postings: tuple[Posting, ...],
) -> JournalEntry:
    member.seq += 1
    member.updated_at = member.moment(now)
    member.booked = True
    return JournalEntry(
        member_id=member.id,
        seq=member.seq,
        id=new_id(),
        program_id=live.program_id,
        program_version=live.compiled.version,
        kind=kind,
        occurred_at=at,
        booked_at=member.updated_at,
        actor=ACTOR,
        outcome=as_json(outcome),
        explanation=explanation,
        postings=postings,
    )
