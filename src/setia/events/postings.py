"""From a decision to ledger postings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg

from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Outcome, PointsEffect
from setia.engine.state import MemberState
from setia.events.members_in_play import balance_of
from setia.ledger.entries import Posting
from setia.ledger.lots import Lot, LotsExhausted, burn
from setia.ledger.wallets import open_lots
from setia.program.points import PointType

Lots = Callable[[str], list[Lot]]


def keeps_lots(point_type: PointType) -> bool:
    """Whether points of this type lie in lots: those that can be spent, or end."""
    expiry = point_type.expiry
    return point_type.spendable or expiry.after is not None or bool(expiry.on) or expiry.inactivity is not None


def floor_of(point_type: PointType) -> int | None:
    """How low the available balance may go: not below zero, unless the policy takes back more than there is."""
    return 0 if point_type.negative == "block" else None


def lots_of(connection: psycopg.Connection[Any], member_id: UUID) -> Lots:
    """The open lots of a member's wallets, read when they are needed."""
    return lambda points: open_lots(connection, member_id, points)


def postings_of(
    program: CompiledProgram, state: MemberState, outcome: Outcome, now: dt.datetime, lots: Lots
) -> tuple[tuple[Posting, ...], dict[str, int | None]]:
    """The postings an outcome wants, and the wallets to open; the balances in `state` are moved along."""
    postings: list[Posting] = []
    opens: dict[str, int | None] = {}
    for effect in outcome.points:
        if not effect.amount:
            continue
        point_type = program.definition.points[effect.points]
        if effect.points not in state.balances:
            opens[effect.points] = floor_of(point_type)
        balance = balance_of(state, effect.points, floor_of(point_type))
        if effect.amount > 0:
            bucket = "available" if effect.available_at is None else "pending"
            in_lot = keeps_lots(point_type)
            postings.append(
                Posting(
                    point_type=effect.points,
                    source="issued",
                    destination="available" if bucket == "available" else "pending",
                    amount=effect.amount,
                    campaign=effect.campaign,
                    opens_lot=in_lot,
                    earned_at=now if in_lot else None,
                    available_at=effect.available_at if in_lot else None,
                    expires_at=effect.expires_at if in_lot else None,
                )
            )
            setattr(balance, bucket, getattr(balance, bucket) + effect.amount)
        else:
            postings += _deducted(effect, keeps_lots(point_type), now, lots)
            balance.available += effect.amount
    return tuple(postings), opens


def _deducted(effect: PointsEffect, in_lots: bool, now: dt.datetime, lots: Lots) -> list[Posting]:  # noqa: FBT001 - one of two cases
    wanted = -effect.amount
    parts: list[tuple[Lot | None, int]] = []
    if in_lots:
        there = lots(effect.points)
        try:
            parts += burn(there, wanted, now)
        except LotsExhausted as short:
            # The balance goes below zero, where the point type allows it: what no lot can give names none.
            parts += burn(there, short.available, now) if short.available else []
            parts.append((None, wanted - short.available))
    else:
        parts.append((None, wanted))
    return [
        Posting(
            point_type=effect.points,
            source="available",
            destination="adjusted",
            amount=amount,
            campaign=effect.campaign,
            lot=lot.key if lot is not None else None,
        )
        for lot, amount in parts
    ]
