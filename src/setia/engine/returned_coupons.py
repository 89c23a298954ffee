"""Coupons of an order that comes back: what is restored of those it used, and what becomes of those it granted.

An order decided again uses its coupons again, each with what has not come back to it. What it then does not take of
them is theirs again; by the promotion's policy, or more of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from fractions import Fraction

import msgspec

from setia.engine.compiled import CompiledProgram
from setia.engine.coupon_change import CouponChange
from setia.engine.coupons import ends_first, terms_of
from setia.engine.decision import Outcome, RefusedCode
from setia.engine.exact import rounded
from setia.engine.occurrences import Occurrence
from setia.engine.state import Coupon
from setia.program.coupons import OnReturn


class UsedCoupon(msgspec.Struct, frozen=True):
    """A coupon that an order used, as it is now.

    The order took `taken` of the money it holds (None where it holds none); `restored` of that, and its `use`, have
    come back since. `left` and `uses_left` are what others have left of it. `by_hand`: a person gave it back, and the
    order was left as it was: it has nothing more to do with it.
    """

    id: str
    campaign: str
    code: str
    ends: dt.datetime | None = None
    taken: int | None = None
    restored: int = 0
    is_use_restored: bool = False
    left: int | None = None
    uses_left: int | None = None
    is_void: bool = False
    by_hand: bool = False

    @property
    def stands(self) -> int:
        """The money that the order still has of it."""
        return (self.taken or 0) - self.restored


class GrantedCoupon(msgspec.Struct, frozen=True):
    """A coupon that an order granted, as it is now: what it was `worth`, and what orders have `spent` of that.

    `is_cancelled`: a return of the order has taken it back. `is_void`: somebody did.
    """

    id: str
    campaign: str
    by: str
    worth: int | None = None
    spent: int = 0
    uses: int = 0
    is_cancelled: bool = False
    is_void: bool = False


class Again(msgspec.Struct, frozen=True):
    """The coupons with which an order is decided again, and those of them that others have used meanwhile."""

    coupons: list[Coupon]
    refused: list[RefusedCode]


def coupons_again(
    program: CompiledProgram, order: Occurrence, kept: Occurrence | None, used: Sequence[UsedCoupon]
) -> Again:
    """What an order has of its coupons when it is decided again with what is `kept` of it.

    Where a return is cancelled that may be more than it has now: then it takes again what is still there.
    """
    policies = _policies(program)
    wanted = _wanted(order, kept, used, policies)
    coupons, refused = [], []
    for one in used:
        if one.by_hand:
            # The order keeps its discount, whoever uses the coupon meanwhile.
            coupons.append(Coupon(one.id, one.campaign, one.code, left=wanted.get(one.id), ends=one.ends))
            continue
        if one.taken is None:
            there = not one.is_use_restored or (one.uses_left != 0 and not one.is_void)
            if there:
                coupons.append(Coupon(one.id, one.campaign, one.code, ends=one.ends))
        else:
            more = 0 if one.is_void else min(one.left or 0, one.restored)
            amount = min(wanted[one.id], one.stands + more)
            there = amount == wanted[one.id]
            if amount:
                coupons.append(Coupon(one.id, one.campaign, one.code, left=amount, ends=one.ends))
        if not there and kept is not None:
            refused.append(RefusedCode(one.code, "void" if one.is_void else "used_up", one.campaign))
    return Again(coupons, refused)


def _policies(program: CompiledProgram) -> dict[str, OnReturn]:
    plan = program.plans["purchase"]
    return {one.id: terms.on_return for one in plan.promotions if (terms := terms_of(one)) is not None}


def _wanted(
    order: Occurrence, kept: Occurrence | None, used: Sequence[UsedCoupon], policies: dict[str, OnReturn]
) -> dict[str, int]:
    """The most that the order may have of each coupon that holds money: in proportion to its goods, or all it took.

    In proportion is all of them together, and what ends first stays first: so what lasts longest comes back first.
    """
    holding = [one for one in used if one.taken is not None]
    wanted = {one.id: one.taken or 0 for one in holding}
    parts = [one for one in holding if policies.get(one.campaign) == "proportional"]
    bought = sum(line.amount for line in order.lines)
    if bought:
        share = Fraction(0 if kept is None else sum(line.amount for line in kept.lines), bought)
        whole = sum(wanted[one.id] for one in parts) * share
        stays = rounded(whole.numerator, whole.denominator, "half_up")
        for one in sorted(parts, key=lambda one: ends_first(one.ends, one.id)):
            wanted[one.id] = min(one.taken or 0, stays)
            stays -= wanted[one.id]
    return wanted


def used_again(program: CompiledProgram, used: Iterable[UsedCoupon], again: Outcome | None) -> list[CouponChange]:
    """What comes back to the coupons of an order, or is used of them again; those that last longest first."""
    policies = _policies(program)
    taken = {one.coupon: one.amount for one in again.discounts if one.coupon is not None} if again is not None else {}
    changes = []
    for one in sorted(used, key=lambda one: ends_first(one.ends, one.id), reverse=True):
        if one.by_hand:
            continue
        amount = None
        if one.taken is not None:
            amount = one.taken - taken.get(one.id, 0) - one.restored
        is_back = one.id not in taken
        uses = int(is_back) - int(one.is_use_restored)
        if (amount or 0) < 0 or uses < 0:
            less = None if amount is None else -amount
            changes.append(CouponChange("used", one.id, one.campaign, amount=less, uses=-uses))
        elif (amount or uses) and policies.get(one.campaign) != "never":
            changes.append(CouponChange("restored", one.id, one.campaign, amount=amount, uses=uses))
    return changes


def granted_again(granted: Sequence[GrantedCoupon], again: Outcome | None) -> list[CouponChange]:
    """What becomes of the coupons that an order granted: cancelled, worth less, or good again.

    What has been spent of them stays spent; the change says what it should have been.
    """
    gives: dict[str, list[CouponChange]] = {}
    for change in [] if again is None else again.coupons:
        if change.what == "granted" and change.by is not None:
            gives.setdefault(change.by, []).append(change)
    changes = []
    for one in granted:
        left = gives.get(one.by, [])
        now = left.pop(0) if left else None
        if one.is_void:
            continue
        worth, wanted = one.worth or 0, 0 if now is None else now.amount or 0
        could = max(wanted, one.spent)
        amount = None if one.worth is None else could - worth
        short = wanted - worth if could != wanted else None
        if now is None and not one.is_cancelled:
            changes.append(CouponChange("cancelled", one.id, one.campaign, one.by, amount, one.uses, short))
        elif now is not None and one.is_cancelled:
            changes.append(CouponChange("revived", one.id, one.campaign, one.by, amount, wanted=short))
        elif amount and now is not None:
            changes.append(CouponChange("changed", one.id, one.campaign, one.by, amount, wanted=short))
    # An order may give what it did not give before: what came back stood in the way of a condition.
    return changes + [change for more in gives.values() for change in more]
