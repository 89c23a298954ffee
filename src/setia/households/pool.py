"""The pool: what each member has in it, under locks, and drawing from it for one who spends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from setia.db.ids import format_id, new_id
from setia.engine.counting import recount
from setia.engine.decision import Outcome
from setia.engine.households import PooledLot, Share, contribution, drawn
from setia.engine.moved import Moved
from setia.engine.state import Balance
from setia.events.acts import Acts, By, Part, moved
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.households import circle
from setia.households.circle import Move, MoveKind, Stay
from setia.households.problems import HouseholdClosed, NoHouseholds, NoSuchHousehold, NotInHousehold
from setia.ledger.entries import Kind, LotKey, Posting
from setia.ledger.wallets import OpenLot, all_open_lots
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.merges import main_of
from setia.program.households import Households
from setia.rewards import redemption

KIND: Kind = "household"
PREFIX = "hh"


class Inside(NamedTuple):
    """A member who is in the household, locked."""

    stay: Stay
    member: InPlay


class Pool:
    """A household and its members in one transaction, all of them locked."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        live: LiveProgram,
        household_id: UUID,
        now: dt.datetime,
        joining: UUID | None = None,
        *,
        leaving: bool = False,
    ) -> None:
        """Lock them all at once, with whoever is `joining`. Raises NoSuchHousehold, HouseholdClosed, NoHouseholds.

        A household can be left (`leaving`) where the definition has none any more, with what is one's own.
        """
        rules = live.compiled.definition.households or (Households() if leaving else None)
        if rules is None:
            raise NoHouseholds("Its definition has no `households`.")
        found = circle.lock_household(connection, live.program_id, household_id)
        if found is None:
            raise NoSuchHousehold
        if found.closed_at is not None:
            raise HouseholdClosed("Its last member has left it.", extra={"closed_at": found.closed_at.isoformat()})
        self.connection, self.live, self.rules, self.household = connection, live, rules, found
        self.stays = circle.stays_in(connection, household_id)
        self.acts = Acts(connection, live, now)
        also = set() if joining is None else {joining}
        self.members = self.acts.lock({stay.member_id for stay in self.stays} | also)

    @property
    def points(self) -> tuple[str, ...]:
        """The point types that are pooled."""
        types = self.live.compiled.definition.points
        own = self.rules.points or tuple(name for name, one in types.items() if one.spendable)
        return tuple(name for name in own if name in types)

    def inside(self, member: UUID) -> Inside:
        """A member of it, by its own id or that of who was merged into it; raises `NotInHousehold`."""
        member = main_of(self.connection, [member]).get(member, member)
        stay = next((one for one in self.stays if one.member_id == member), None)
        if stay is None:
            raise NotInHousehold
        return Inside(stay, self.members[member])

    def contributions(self) -> dict[str, dict[UUID, int]]:
        """Point type -> member -> what the member has in the pool."""
        moved_by = contributed(self.connection, self.stays)
        return {
            points: {stay.member_id: self._contribution(stay, points, moved_by) for stay in self.stays}
            for points in self.points
        }

    def _contribution(self, stay: Stay, points: str, moved_by: dict[tuple[UUID, str], int]) -> int:
        member = self.members[stay.member_id]
        # Whose points somebody else keeps a hand on does not spend them here either; who was merged into another
        # member is not who joined.
        usable = member.state.status == "active" and member.state.counters.frozen_at is None
        if not usable or member.id != stay.member_id:
            return 0
        moved = moved_by.get((stay.id, points), 0)
        return contribution(self.rules, member.state, points, stay.earned_before(points), moved)

    def draw(self, spender: Inside, points: str, amount: int, by: By, reference: str | None = None) -> int:
        """Move points of the others to the spender, as many as `amount` of the pool needs.

        Returns how many came from others. The moves are written; what the spender then spends is `spent`.

        Raises:
            ValueError: the pool has less.
        """
        shares = self._shares(points)
        parts = drawn(self.rules, shares, spender.stay.member_id, amount)
        others = {member: part for member, part in parts.items() if member != spender.stay.member_id}
        for member in sorted(others):
            self.hand_over(self.inside(member), spender, points, others[member], by, "drawn", reference)
        return sum(others.values())

    def _shares(self, points: str) -> list[Share]:
        own = self.contributions()[points]
        lots = all_open_lots(self.connection, list(own))
        return [
            Share(stay.member_id, place, own[stay.member_id], _pooled(lots[stay.member_id], points, self.acts.now))
            for place, stay in enumerate(self.stays)
        ]

    def hand_over(
        self,
        giver: Inside,
        receiver: Inside,
        points: str,
        amount: int,
        by: By,
        kind: MoveKind,
        reference: str | None = None,
    ) -> None:
        """Move points between members lot by lot, in the books of both, and in what both have in the pool."""
        lots = {one.lot.key: one for one in all_open_lots(self.connection, [giver.member.id])[giver.member.id]}
        parts = self.acts.take(giver.member, points, amount)
        public = format_id(PREFIX, self.household.id)
        gives = Moved("given", public, _name(receiver.member), receiver.member.seq + 1)
        gets = Moved("received", public, _name(giver.member), giver.member.seq + 1)
        out = self.acts.book(
            giver.member, KIND, moved(points, parts, "available", "transferred"), by, outcome=Outcome(moved=gives)
        )
        came = self.acts.book(
            receiver.member, KIND, _received(points, parts, lots), by, outcome=self._receiving(receiver, points, gets)
        )
        self.acts.write()
        self.note(giver.stay, points, -amount, kind, by, entry=out.id, reference=reference)
        self.note(receiver.stay, points, amount, "given", by, entry=came.id, reference=reference)

    def _receiving(self, receiver: Inside, points: str, gets: Moved) -> Outcome:
        """What the receiver's entry says: points that come to who had none begin their time without activity."""
        program, state = self.live.compiled, receiver.member.state
        balance = state.balances.get(points, Balance())
        anew = points in program.inactive and balance.available + balance.pending <= 0
        outcome = Outcome(moved=gets, extends=[points] if anew else [])
        booked_at = receiver.member.moment(self.acts.now)
        state.counters = recount(program, state.counters, KIND, outcome, self.acts.now, booked_at, state.enrolled_at)
        return outcome

    def note(
        self,
        stay: Stay,
        points: str,
        amount: int,
        kind: MoveKind,
        by: By,
        *,
        entry: UUID | None = None,
        reference: str | None = None,
    ) -> None:
        """Write what a stay has more, or less, in the pool."""
        move = Move(
            id=new_id(),
            stay_id=stay.id,
            entry_id=entry,
            at=self.acts.now,
            amount=amount,
            program_id=self.live.program_id,
            points=points,
            kind=kind,
            actor=by.actor,
            reference=reference,
        )
        circle.insert_moves(self.connection, [move])


def contributed(connection: psycopg.Connection[Any], stays: Sequence[Stay]) -> dict[tuple[UUID, str], int]:
    """What was given into the pool less what was drawn and is spent: (stay, point type) -> amount.

    Of a redemption that was cancelled or refunded, or confirmed in part, only what it still takes is spent.
    """
    ids = [stay.id for stay in stays]
    found = circle.sums_of(connection, ids)
    spent = circle.spent_by(connection, ids)
    if spent:
        taken = redemption.points_taken(connection, {one[3] for one in spent})
        for stay, points, amount, redeemed in spent:
            kept = min(amount, taken.get(redeemed, {}).get(points, 0))
            found[stay, points] = found.get((stay, points), 0) - kept
    return found


def _pooled(lots: Sequence[OpenLot], points: str, now: dt.datetime) -> list[PooledLot]:
    own = [one.lot for one in lots if one.point_type == points and one.lot.is_spendable(now)]
    return [PooledLot(lot.remaining, lot.expires_at, lot.earned_at) for lot in own]


def _received(points: str, parts: Sequence[Part], lots: dict[LotKey, OpenLot]) -> list[Posting]:
    """One lot of the receiver for each of the giver's, of the same origin, age and end."""
    return [
        Posting(
            point_type=points,
            source="transferred",
            destination="available",
            amount=part.amount,
            campaign=None if part.lot is None else lots[part.lot.key].campaign,
            opens_lot=part.lot is not None,
            earned_at=None if part.lot is None else part.lot.earned_at,
            expires_at=None if part.lot is None else part.lot.expires_at,
        )
        for part in parts
    ]


def _name(member: InPlay) -> str:
    return format_id(MEMBER_PREFIX, member.id)
