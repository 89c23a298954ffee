"""The postings of a return: points of the order first, pending ones before others, then what else the member has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Outcome, PointsEffect
from setia.engine.state import Balance, MemberState
from setia.events.members_in_play import balance_of
from setia.events.past_orders import BookedOrder
from setia.events.postings import Lots, floor_moves
from setia.events.problems import PointsSpent
from setia.ledger.entries import Account, LotKey, Posting
from setia.ledger.lots import Lot, burn
from setia.program.points import PointType


class Taken(NamedTuple):
    """The postings of what a return takes, and the wallets that have another floor from now on.

    `elsewhere` are the point types of which the order had too few left: they came from others, or are owed or missing.
    """

    postings: tuple[Posting, ...]
    opens: Mapping[str, int | None]
    elsewhere: frozenset[str]


def take_back(
    program: CompiledProgram, state: MemberState, outcome: Outcome, order: BookedOrder, now: dt.datetime, lots: Lots
) -> Taken:
    """The postings for the points a return takes; `outcome.points` become what can be taken (`wanted`: what should be).

    Points of the order that have ended meanwhile are gone already, and are not taken from others. `lots` and the
    balances in `state` are those after what the return gives, which pays first; the balances are moved along.

    Raises:
        PointsSpent: they were spent, and the point type refuses such a return.
    """
    taking = _Taking(program, state, order, now, lots)
    outcome.points = [taking.take(effect) if effect.amount < 0 else effect for effect in outcome.points]
    return Taken(tuple(taking.made), taking.opens, frozenset(taking.elsewhere))


def type_of(program: CompiledProgram, order: BookedOrder, points: str) -> PointType:
    """What a point type says today; one that the program no longer has as the order's version said.

    Those points are moved, and never owed: nobody could pay them back.
    """
    known = program.definition.points.get(points)
    if known is not None:
        return known
    then = order.past.program.definition.points[points]
    return then.model_copy(update={"negative": "block", "clawback": "clamp"})


class _Taking:
    def __init__(
        self, program: CompiledProgram, state: MemberState, order: BookedOrder, now: dt.datetime, lots: Lots
    ) -> None:
        self._program = program
        self._state = state
        self._order = order
        self._now = now
        self._lots = lots
        self._others: dict[str, list[Lot]] = {}
        self._expired: dict[tuple[str, str | None], int] = {}
        for lot in order.lots:
            key = lot.point_type, lot.campaign
            self._expired[key] = self._expired.get(key, 0) + lot.expired
        # What had expired excuses once: the returns before have had their part of it.
        for effect in (effect for outcome in order.past.outcomes[1:] for effect in outcome.points):
            if effect.wanted is not None:
                key = effect.points, effect.campaign
                self._expired[key] = self._expired.get(key, 0) - (effect.amount - effect.wanted)
        self.made: list[Posting] = []
        self.opens: dict[str, int | None] = {}
        self.elsewhere: set[str] = set()

    def take(self, effect: PointsEffect) -> PointsEffect:
        """Take one effect's points; returns it as it could be done."""
        wanted = -effect.amount
        point_type = type_of(self._program, self._order, effect.points)
        known = self._state.balances.get(effect.points)
        balance = balance_of(self._state, effect.points, point_type.floor)
        if known is None or floor_moves(balance, point_type):
            self.opens[effect.points] = balance.floor = point_type.floor
        if not point_type.in_lots:
            taken = self._without_lots(effect, balance, wanted)
        else:
            taken = self._of_order(effect, balance, wanted)
            gone = min(wanted - taken, max(0, self._expired.get((effect.points, effect.campaign), 0)))
            if taken + gone < wanted:
                self.elsewhere.add(effect.points)
            taken += self._of_others(effect, balance, wanted - taken - gone)
            short = wanted - taken - gone
            if short and balance.floor is None:
                # The balance goes below zero by what no lot can give; the next points pay it.
                self._post(effect, "available", "adjusted", short, None, balance)
                taken += short
            elif short and point_type.clawback == "refuse":
                message = f"{short} of the {wanted} {effect.points} that the order gave have been spent."
                raise PointsSpent(message, extra={"points": effect.points, "missing": short})
        return msgspec.structs.replace(effect, amount=-taken, wanted=None if taken == wanted else -wanted)

    def _without_lots(self, effect: PointsEffect, balance: Balance, wanted: int) -> int:
        # Only a review keeps points waiting that lie in no lot.
        waiting = 0 if self._order.review is None else min(wanted, balance.pending)
        if waiting:
            self._post(effect, "pending", "issued", waiting, None, balance)
        left = wanted - waiting
        part = left if balance.floor is None else min(left, max(0, balance.available - balance.floor))
        if part:
            self._post(effect, "available", "issued", part, None, balance)
        return waiting + part

    def _of_order(self, effect: PointsEffect, balance: Balance, wanted: int) -> int:
        own = [lot for lot in self._order.lots if lot.point_type == effect.points and lot.remaining]
        # What this campaign gave comes before what others of the same order gave; what is pending comes first.
        own.sort(key=lambda lot: (lot.campaign != effect.campaign, not lot.pending, lot.line))
        taken = 0
        for lot in own:
            part = min(lot.remaining, wanted - taken)
            if part:
                bucket: Account = "pending" if lot.pending else "available"
                self._post(effect, bucket, "issued", part, self._order.key_of(lot), balance)
                lot.remaining -= part
                taken += part
        return taken

    def _of_others(self, effect: PointsEffect, balance: Balance, wanted: int) -> int:
        if wanted <= 0:
            return 0
        if effect.points not in self._others:
            # Those of the order are left out: what it still has belongs to what was not returned.
            own = {self._order.key_of(lot) for lot in self._order.lots}
            self._others[effect.points] = [lot for lot in self._lots(effect.points) if lot.key not in own]
        there = self._others[effect.points]
        part = min(wanted, sum(lot.remaining for lot in there if lot.is_spendable(self._now)))
        if not part:
            return 0
        gives = burn(there, part, self._now)
        for lot, amount in gives:
            self._post(effect, "available", "adjusted", amount, lot.key, balance)
        left = {lot.key: amount for lot, amount in gives}
        self._others[effect.points] = [lot._replace(remaining=lot.remaining - left.get(lot.key, 0)) for lot in there]
        return part

    def _post(
        self,
        effect: PointsEffect,
        source: Account,
        destination: Account,
        amount: int,
        lot: LotKey | None,
        balance: Balance,
    ) -> None:
        setattr(balance, source, getattr(balance, source) - amount)
        self.made.append(
            Posting(
                point_type=effect.points,
                source=source,
                destination=destination,
                amount=amount,
                campaign=effect.campaign,
                lot=lot,
            )
        )
