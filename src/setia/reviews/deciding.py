"""Approving or voiding what waits for a person, in the caller's transaction."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any, Literal
from uuid import UUID

import msgspec
import psycopg

from setia.db.ids import format_id
from setia.engine.counting import recount
from setia.engine.decision import Explanation, LotMove, Outcome, PointsEffect, outcome_of
from setia.engine.state import Balance
from setia.engine.voiding import fall_by_void
from setia.events.acts import Acts, By
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.ledger.entries import LotKey, Posting
from setia.ledger.lots import Lot
from setia.ledger.wallets import OpenLot, all_open_lots
from setia.problems import Conflict, Forbidden
from setia.program.velocity import BY_HAND
from setia.velocity import queue
from setia.velocity.problems import NoSuchReview
from setia.velocity.queue import Review

PREFIX = "rev"
SYSTEM = "setia"
Choice = Literal["approved", "voided"]
_OUTCOME = "SELECT outcome::text FROM journal WHERE member_id = %b AND seq = %b"
_HAPPENED = """
SELECT EXISTS (
    SELECT FROM event e WHERE e.member_id = %b AND e.program_id = %b AND e.type = %b AND e.status = 'decided'
      AND e.received_at >= %b
      AND (e.body -> 'data' ->> 'order' IS NULL
           OR e.body -> 'data' ->> 'order' = (SELECT o.external_id FROM event o WHERE o.id = %b))
)
"""


class ReviewDecided(Conflict):
    """The review was decided otherwise."""

    code = "review_decided"
    title = "This review has been decided otherwise"


class OwnReview(Forbidden):
    """Who gave the points does not approve them."""

    code = "own_review"
    title = "Somebody else has to approve this"


class Decided(msgspec.Struct, frozen=True):
    """A review after a decision. `replayed`: it was so before."""

    review: Review
    replayed: bool = False


def decide_review(
    connection: psycopg.Connection[Any], live: LiveProgram, review_id: UUID, choice: Choice, by: By, now: dt.datetime
) -> Decided:
    """Approve or void what waits; the same choice again gives the first answer. `by` needs a reason.

    Raises:
        NoSuchReview, ReviewDecided, OwnReview.
    """
    found = queue.find(connection, live.program_id, review_id)
    if found is None:
        raise NoSuchReview
    acts = Acts(connection, live, now)
    member = acts.lock([found.member_id])[found.member_id]
    # Read again: it may have been decided while the lock was waited for, and under the lock nobody decides it.
    review = queue.find(connection, live.program_id, review_id) or found
    if review.state != "open":
        if review.state != choice:
            raise ReviewDecided(f"It was {review.state} by {review.decided_by}.", extra={"state": review.state})
        return Decided(review, replayed=True)
    if choice == "approved" and review.watched == BY_HAND and review.actor == by.actor:
        raise OwnReview("Whoever gave points by hand does not approve them. Let a colleague do it.")
    work = _Deciding(connection, live, acts, member, review)
    seq = work.book(choice, by)
    decided = msgspec.structs.replace(
        review, state=choice, decided_at=acts.now, decided_seq=seq, decided_by=by.actor, reason=by.reason
    )
    acts.write()
    queue.decide(connection, decided)
    return Decided(decided)


class _Deciding:
    """What a decision does to the points of one review; its member is locked."""

    def __init__(
        self, connection: psycopg.Connection[Any], live: LiveProgram, acts: Acts, member: InPlay, review: Review
    ) -> None:
        self._connection, self._live, self._acts = connection, live, acts
        self._member, self._review = member, review

    def book(self, choice: Choice, by: By) -> int:
        """Book it; returns the number of the entry."""
        moves: list[LotMove] = []
        postings: list[Posting] = []
        effects = self._effects()
        for lot in self._waiting(effects):
            effect = next(
                (one for one in effects if (one.points, one.campaign) == (lot.point_type, lot.campaign)), None
            )
            self._move(lot, effect, choice, moves, postings)
        member, program = self._member, self._live.compiled
        outcome, state = Outcome(moves=moves), member.state
        booked_at = member.moment(self._acts.now)
        state.counters = recount(
            program, state.counters, "adjustment", outcome, self._acts.now, booked_at, state.enrolled_at
        )
        told = Explanation()
        if any(move.what == "cancelled" for move in moves):
            earned = self._review.occurred_at, self._review.opened_at
            told.tiers = fall_by_void(program, state, state.counters, outcome, earned, booked_at)
        key = f"review:{format_id(PREFIX, self._review.id)}"
        digest = hashlib.sha256(f"{key} {choice}".encode()).digest()
        by = By(by.actor, by.reason, key, digest)
        entry = self._acts.book(member, "adjustment", postings, by, outcome=outcome, explanation=told)
        return entry.seq

    def _effects(self) -> list[PointsEffect]:
        """What the entry under review gave, of what waits."""
        row = self._connection.execute(_OUTCOME, (self._review.member_id, self._review.seq)).fetchone()
        return [] if row is None else [one for one in outcome_of(row[0]).points if one.review is not None]

    def _waiting(self, effects: list[PointsEffect]) -> list[OpenLot]:
        """What is left of its points: its lots, and those of types that lie in none."""
        open_lots = all_open_lots(self._connection, [self._member.id])[self._member.id]
        if self._member.id != self._review.member_id:
            return []  # the member was merged into another one, and the points went along in lots of other numbers
        lots = [one for one in open_lots if one.lot.seq == self._review.seq and one.lot.pending]
        types = self._live.compiled.definition.points
        for effect in effects:
            balance = self._member.state.balances.get(effect.points, Balance())
            if effect.points in types and not types[effect.points].in_lots:
                amount = min(
                    effect.amount,
                    balance.pending
                    - sum(
                        one.lot.remaining
                        for one in [*open_lots, *lots]
                        if one.point_type == effect.points and one.lot.pending
                    ),
                )
                if amount > 0:
                    lots.append(_loose(effect, amount, self._acts.now))
        return lots

    def _move(
        self,
        lot: OpenLot,
        effect: PointsEffect | None,
        choice: Choice,
        moves: list[LotMove],
        postings: list[Posting],
    ) -> None:
        by_hand = self._review.watched == BY_HAND
        key = LotKey(lot.lot.seq, lot.lot.line) if lot.lot.seq else None
        out = Posting(
            point_type=lot.point_type,
            source="pending",
            destination="available",
            amount=lot.lot.remaining,
            campaign=lot.campaign,
            lot=key,
        )
        what: Literal["released", "cancelled", "kept", "voided"]
        if choice == "voided":
            what = "voided" if by_hand else "cancelled"
            postings.append(msgspec.structs.replace(out, destination="adjusted" if by_hand else "issued"))
        elif effect is not None and key is not None and self._waits_on(effect):
            what = "kept"
            postings += [
                msgspec.structs.replace(out, destination="adjusted"),
                Posting(
                    point_type=lot.point_type,
                    source="adjusted",
                    destination="pending",
                    amount=lot.lot.remaining,
                    campaign=lot.campaign,
                    opens_lot=True,
                    earned_at=lot.lot.earned_at,
                    available_at=effect.available_at,
                    expires_at=lot.lot.expires_at,
                ),
            ]
        else:
            what = "released"
            postings.append(out)
        moves.append(
            LotMove(
                what,
                lot.point_type,
                lot.lot.remaining,
                lot.campaign or "",
                (lot.lot.seq, lot.lot.line) if key else (0, 0),
                # Points given by hand were never counted as earned.
                occurred_at=None if by_hand else self._review.occurred_at,
            )
        )

    def _waits_on(self, effect: PointsEffect) -> bool:
        """Whether approved points still wait for their day or their event."""
        if effect.available_at is not None and effect.available_at <= self._acts.now:
            return False
        if effect.waits_for is None:
            return effect.available_at is not None
        asked = (
            *(self._member.id, self._live.program_id, effect.waits_for),
            *(self._review.opened_at, self._review.entry_id),
        )
        [(happened,)] = self._connection.execute(_HAPPENED, asked).fetchall()
        return not happened


def _loose(effect: PointsEffect, amount: int, now: dt.datetime) -> OpenLot:
    """Points that lie in no lot, as a lot without a number."""
    from_none = Lot(0, 0, amount, True, now, None)
    return OpenLot(effect.points, effect.campaign, None, from_none)
