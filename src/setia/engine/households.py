"""Households: what a member has in the pool, and from whom the points of a spending come. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple
from uuid import UUID

from setia.engine.state import Balance, MemberState
from setia.program.households import Households

_LAST = dt.datetime.max.replace(tzinfo=dt.UTC)


class PooledLot(NamedTuple):
    """Points of one lot, with their end (None: never)."""

    amount: int
    expires_at: dt.datetime | None
    earned_at: dt.datetime


class Share(NamedTuple):
    """What a member has in the pool, of one point type: `amount`, and the member's lots, those first that end first."""

    member: UUID
    joined: int
    """The place in the order of joining."""
    amount: int
    lots: Sequence[PooledLot]


def contribution(rules: Households, state: MemberState, points: str, earned_before: int, moved: int) -> int:
    """What a member has in the pool of one point type, in its smallest unit.

    The share of what was earned since joining, and can be used by now, and what was `moved` into the pool besides
    (given, less what was drawn from it); never more than the member has available. A return lowers what was earned.
    """
    balance = state.balances.get(points, Balance())
    earned = state.counters.earned.get(points, 0) - earned_before - balance.pending
    shared = (max(0, earned) * rules.share / Decimal(100)).to_integral_value(ROUND_FLOOR)
    return min(max(0, int(shared) + moved), max(0, balance.available))


def drawn(rules: Households, shares: Sequence[Share], spender: UUID, amount: int) -> dict[UUID, int]:
    """How much of `amount` each member gives, those who give nothing left out; `shares` come to it at least.

    Raises:
        ValueError: the pool has less.
    """
    if sum(share.amount for share in shares) < amount:
        message = f"{amount} wanted, {sum(share.amount for share in shares)} in the pool"
        raise ValueError(message)
    if rules.order == "even":
        given = _even(shares, amount)
    elif rules.order == "ending_first":
        given = _ending_first(shares, amount)
    else:
        given = _in_turn(sorted(shares, key=lambda one: (one.member != spender, one.joined)), amount)
    return {member: part for member, part in given.items() if part}


def _in_turn(shares: Sequence[Share], amount: int) -> dict[UUID, int]:
    given = {}
    for share in shares:
        given[share.member] = min(share.amount, amount)
        amount -= given[share.member]
    return given


def _ending_first(shares: Sequence[Share], amount: int) -> dict[UUID, int]:
    """Lot by lot over all members, as one wallet would burn them."""
    lots = sorted(
        ((lot.expires_at or _LAST, lot.earned_at, share.joined, place), share.member, lot.amount)
        for share in shares
        for place, lot in enumerate(share.lots)
    )
    left = {share.member: share.amount for share in shares}
    given = dict.fromkeys(left, 0)
    for _, member, there in lots:
        part = min(there, left[member], amount)
        left[member] -= part
        given[member] += part
        amount -= part
    # Points that lie in no lot come last: they never end.
    for member, part in _in_turn([share._replace(amount=left[share.member]) for share in shares], amount).items():
        given[member] += part
    return given


def _even(shares: Sequence[Share], amount: int) -> dict[UUID, int]:
    """In proportion to what each has; what rounding leaves, one by one, by the largest remainder."""
    whole = sum(share.amount for share in shares)
    if not whole:
        return {}
    given = {share.member: share.amount * amount // whole for share in shares}
    by_remainder = sorted(shares, key=lambda one: (-(one.amount * amount % whole), one.joined))
    for share in by_remainder[: amount - sum(given.values())]:
        given[share.member] += 1
    return given
