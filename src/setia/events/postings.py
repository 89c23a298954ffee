"""From a decision to ledger postings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Literal
from uuid import UUID

import psycopg

from setia.engine.compiled import CompiledProgram
from setia.engine.decision import REDEMPTION, Outcome, PointsEffect
from setia.engine.state import Balance, MemberState
from setia.events.members_in_play import balance_of
from setia.ledger.entries import LotKey, Posting
from setia.ledger.lots import Lot, LotsExhausted, burn
from setia.ledger.wallets import open_lots
from setia.program.points import PointType

Lots = Callable[[str], list[Lot]]


def lots_of(connection: psycopg.Connection[Any], member_id: UUID) -> Lots:
    """The open lots of a member's wallets, read when they are needed."""
    return lambda points: open_lots(connection, member_id, points)


def postings_of(
    program: CompiledProgram, state: MemberState, outcome: Outcome, seq: int, now: dt.datetime, lots: Lots
) -> tuple[tuple[Posting, ...], dict[str, int | None]]:
    """The postings an outcome wants, and the wallets to open or to give another floor.

    `seq` is that of the entry they belong to. The balances in `state` are moved along.
    """
    made, opens, _ = postings_and_ends(program, state, outcome, seq, now, lots)
    return made, opens


def postings_and_ends(
    program: CompiledProgram, state: MemberState, outcome: Outcome, seq: int, now: dt.datetime, lots: Lots
) -> tuple[tuple[Posting, ...], dict[str, int | None], dict[LotKey, dt.datetime | None]]:
    """The same, and when the lots end that something was taken of."""
    postings = _Postings(seq, now, lots)
    opens: dict[str, int | None] = {}
    for effect in outcome.points:
        if effect.amount:
            point_type = program.definition.points[effect.points]
            known = state.balances.get(effect.points)
            balance = balance_of(state, effect.points, point_type.floor)
            if known is None or floor_moves(balance, point_type):
                opens[effect.points] = balance.floor = point_type.floor
            postings.add(effect, balance, in_lots=point_type.in_lots)
    return tuple(postings.made), opens, postings.ends


def floor_moves(balance: Balance, point_type: PointType) -> bool:
    """Whether the wallet still has the floor of an earlier version; one that is below zero keeps its own until then."""
    floor = point_type.floor
    return balance.floor != floor and (floor is None or balance.available >= floor)


class _Postings:
    """The postings of one entry, in the order of its effects."""

    def __init__(self, seq: int, now: dt.datetime, lots: Lots) -> None:
        self._seq = seq
        self._now = now
        self._lots = lots
        self._open: dict[str, list[Lot]] = {}
        """Point type -> the open lots, once somebody asked, as the postings so far have left them."""
        self._new: dict[str, list[Lot]] = {}
        self.made: list[Posting] = []
        self.ends: dict[LotKey, dt.datetime | None] = {}

    def add(self, effect: PointsEffect, balance: Balance, *, in_lots: bool) -> None:
        """Post one effect and move the balance."""
        if effect.amount < 0:
            self._take(effect.points, -effect.amount, effect.campaign, in_lots=in_lots)
            balance.available += effect.amount
        elif effect.is_pending:
            self._grant(effect, "pending", in_lots=in_lots)
            balance.pending += effect.amount
        else:
            self._grant(effect, "available", in_lots=in_lots)
            balance.available += effect.amount

    def _grant(self, effect: PointsEffect, bucket: Literal["available", "pending"], *, in_lots: bool) -> None:
        if in_lots and bucket == "available":
            lot = Lot(self._seq, len(self.made), effect.amount, False, self._now, effect.expires_at)
            self._new.setdefault(effect.points, []).append(lot)
            if effect.points in self._open:
                self._open[effect.points].append(lot)
        self.made.append(
            Posting(
                point_type=effect.points,
                source="issued",
                destination=bucket,
                amount=effect.amount,
                campaign=effect.campaign,
                opens_lot=in_lots,
                earned_at=self._now if in_lots else None,
                # What a person has to approve becomes available by nobody else.
                available_at=effect.available_at if in_lots and effect.review is None else None,
                expires_at=effect.expires_at if in_lots else None,
            )
        )

    def _take(self, points: str, wanted: int, campaign: str, *, in_lots: bool) -> None:
        parts: list[tuple[Lot | None, int]] = []
        if in_lots:
            if points not in self._open:
                self._open[points] = [*self._lots(points), *self._new.get(points, ())]
            there = self._open[points]
            try:
                parts += burn(there, wanted, self._now)
            except LotsExhausted as short:
                # The balance goes below zero, where the point type allows it: what no lot can give names none.
                parts += burn(there, short.available, self._now) if short.available else []
                parts.append((None, wanted - short.available))
            taken = {lot.key: amount for lot, amount in parts if lot is not None}
            self._open[points] = [lot._replace(remaining=lot.remaining - taken.get(lot.key, 0)) for lot in there]
        else:
            parts.append((None, wanted))
        redeemed = campaign == REDEMPTION
        self.ends |= {lot.key: lot.expires_at for lot, _ in parts if lot is not None}
        for lot, amount in parts:
            self.made.append(
                Posting(
                    point_type=points,
                    source="available",
                    destination="redeemed" if redeemed else "adjusted",
                    amount=amount,
                    campaign=None if redeemed else campaign,
                    lot=None if lot is None else lot.key,
                )
            )
