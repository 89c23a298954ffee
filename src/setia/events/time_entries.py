"""Journal entries for what time does: points that become available or end, and levels that are judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

from setia.db.ids import new_id
from setia.engine.decision import Explanation, Outcome, PointsEffect, as_json
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.ledger.entries import Account, JournalEntry, Kind, Posting
from setia.ledger.wallets import OpenLot

ACTOR = "setia"


def lots_entry(
    live: LiveProgram,
    member: InPlay,
    kind: Literal["release", "expiry"],
    lots: Sequence[OpenLot],
    at: dt.datetime,
    now: dt.datetime,
) -> JournalEntry:
    """The entry by which whole lots become available or end at a moment. The member's balances move along."""
    outcome = Outcome()
    postings = []
    taken: dict[str, int] = {}
    for one in lots:
        bucket: Account = "pending" if one.lot.pending else "available"
        destination: Account = "available" if kind == "release" else "expired"
        amount = one.lot.remaining
        balance = member.state.balances[one.point_type]
        setattr(balance, bucket, getattr(balance, bucket) - amount)
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
                lot=one.lot.key,
            )
        )
    if kind == "expiry":
        outcome.points = [PointsEffect(points, -amount, kind) for points, amount in taken.items()]
    return _entry(live, member, kind, outcome, Explanation(), at, now, tuple(postings))


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
    return _entry(live, member, kind, outcome, explanation, at, now, ())


def _entry(  # noqa: PLR0913, PLR0917 - the parts of an entry
    live: LiveProgram,
    member: InPlay,
    kind: Kind,
    outcome: Outcome,
    explanation: Explanation,
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
        explanation=as_json(explanation),
        postings=postings,
    )
