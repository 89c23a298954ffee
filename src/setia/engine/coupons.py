"""Coupons: whether one that was shown can be used, what it takes off, and what campaigns give."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

import msgspec

from setia.engine.basis import BasisAmounts
from setia.engine.calendar import after
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_campaigns import CompiledCampaign
from setia.engine.considering import Match
from setia.engine.coupon_change import CouponChange, CouponFault
from setia.engine.decision import DiscountEffect
from setia.engine.exact import rounded
from setia.engine.occurrences import Occurrence
from setia.engine.state import Coupon, MemberState
from setia.program.coupons import CouponGift, Coupons
from setia.program.discounts import Discount

_LAST = dt.datetime.max.replace(tzinfo=dt.UTC)


class Shown(msgspec.Struct, frozen=True):
    """By what a promotion was asked for: a public code, a coupon, or (an empty code) nothing, where it needs none."""

    code: str
    coupon: Coupon | None = None


_NOTHING = Shown("")


def terms_of(campaign: CompiledCampaign) -> Coupons | None:
    """How the coupons of a promotion can be used; None where it has none."""
    discount = campaign.definition.discount
    return None if discount is None else discount.coupon


def shown_for(campaign: CompiledCampaign, state: MemberState, event: Occurrence) -> list[Shown]:
    """By what a promotion was asked for, in the order in which it is used; nothing where what it needs was not shown.

    One public code counts, and as many coupons with it as one order can use: those that end first.
    """
    terms = terms_of(campaign)
    if terms is None and not campaign.codes:
        return [_NOTHING]
    shown = [Shown(code) for code in event.codes if code.casefold() in campaign.codes][:1]
    if terms is not None and state.coupons:
        own = [one for one in state.coupons if one.campaign == campaign.id]
        good = [one for one in own if fault_of(one, terms, state.id, event.occurred_at) is None]
        shown += [Shown(one.code, one) for one in sorted(good, key=lambda one: ends_first(one.ends, one.id))]
        shown = shown[: terms.per_order]
    return shown


def ends_first(ends: dt.datetime | None, id_: str) -> tuple[dt.datetime, str]:
    """The place of a coupon in the order in which they are used: those that end first, those without an end last."""
    return ends or _LAST, id_


def fault_of(coupon: Coupon, terms: Coupons, member: str, moment: dt.datetime) -> CouponFault | None:
    """Why a member cannot use a coupon with an order of that moment; None where it can be used.

    Of another member's coupon nothing else is said.
    """
    if coupon.member is not None and coupon.member != member:
        return "not_yours"
    if coupon.is_void:
        return "void"
    if coupon.uses_left == 0 or coupon.left == 0:
        return "used_up"
    if terms.per_member is not None and coupon.used_by_member >= terms.per_member:
        return "member_limit"
    if coupon.starts is not None and moment < coupon.starts:
        return "not_yet"
    return "expired" if coupon.ends is not None and moment >= coupon.ends else None


def discount_by(discount: Discount, shown: Shown, digits: int) -> Discount:
    """What is taken off for one that was shown: of a coupon that holds money, what it holds."""
    if not discount.by_own_amount or shown.coupon is None:
        return discount
    return discount.model_copy(update={"amount": Decimal(shown.coupon.left or 0).scaleb(-digits)})


def uses_of(effects: Iterable[DiscountEffect], coupons: Iterable[Coupon]) -> list[CouponChange]:
    """What an order uses of its coupons."""
    holding = {one.id: one.left is not None for one in coupons}
    return [
        CouponChange(
            "used", effect.coupon, effect.campaign, amount=effect.amount if holding[effect.coupon] else None, uses=1
        )
        for effect in effects
        if effect.coupon is not None
    ]


def gifts(
    program: CompiledProgram, matches: Iterable[Match], bases: Mapping[str, BasisAmounts], now: dt.datetime
) -> list[CouponChange]:
    """The coupons that matching campaigns give, as often as each gives; one that would hold nothing is not given.

    They have no id yet: whoever books them gives them one.
    """
    given = []
    for match in matches:
        gift = match.campaign.definition.coupon
        if gift is None or match.considered.verdict != "matched":
            continue
        amount = _amount(program, gift, match, bases)
        if amount == 0:
            continue
        starts, ends = _validity(program, gift, now)
        change = CouponChange("granted", "", gift.of, by=match.campaign.id, amount=amount, starts=starts, ends=ends)
        given += [change] * match.times
    return given


def _amount(program: CompiledProgram, gift: CouponGift, match: Match, bases: Mapping[str, BasisAmounts]) -> int | None:
    """The money that a coupon holds, in the smallest unit; None where its promotion says what it takes off."""
    digits = program.currency_digits
    if gift.amount is not None:
        return _minor(gift.amount, digits)
    if gift.percent is None:
        return None
    basis = bases[match.campaign.id]
    counts = basis.total if match.lines is None else sum(basis.lines[line] for line in match.lines)
    exact = Fraction(gift.percent) * counts / 100
    step = max(1, _minor(gift.step, digits)) if gift.step is not None else 1
    amount = rounded(exact.numerator, exact.denominator * step, gift.rounding) * step
    if gift.at_least is not None:
        amount = max(amount, _minor(gift.at_least, digits))
    return amount if gift.at_most is None else min(amount, _minor(gift.at_most, digits))


def _minor(amount: Decimal, digits: int) -> int:
    return int(amount.scaleb(digits))


def _validity(program: CompiledProgram, gift: CouponGift, now: dt.datetime) -> tuple[dt.datetime, dt.datetime | None]:
    """From when and until when a coupon that is given now can be used: never longer than its promotion runs."""
    starts = now if gift.usable_after is None else after(now, gift.usable_after, program.zone)
    promotion = next((one for one in program.plans["purchase"].promotions if one.id == gift.of), None)
    terms = None if promotion is None else terms_of(promotion)
    length = gift.valid_for or (None if terms is None else terms.valid_for)
    ends = None if length is None else after(starts, length, program.zone)
    last = None if promotion is None or promotion.schedule is None else promotion.schedule.ends
    known = [one for one in (ends, last) if one is not None]
    return starts, min(known, default=None)
