"""A coupon that a person gives back to who used it: the order keeps its discount, and the coupon can be used again."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from setia.coupons.coupon import UseRow
from setia.coupons.problems import CouponNotUsed, NoSuchCoupon
from setia.coupons.using import PREFIX, Booking, lock_one, use_of
from setia.db.ids import format_id
from setia.engine.coupon_change import CouponChange
from setia.engine.decision import Outcome
from setia.events.acts import Acts, By
from setia.events.live import LiveProgram


class GivenBack(msgspec.Struct, frozen=True, kw_only=True):
    """What was booked: the entry, and how much of the coupon's money and uses came back."""

    entry: UUID
    member: UUID
    amount: int | None
    uses: int
    booked_at: dt.datetime


class Named(NamedTuple):
    """The use of a coupon: that of an order, by the order's event."""

    coupon: UUID
    order: UUID


def give_coupon_back(
    connection: psycopg.Connection[Any], live: LiveProgram, named: Named, by: By, now: dt.datetime
) -> GivenBack:
    """Restore all that an order still has of a coupon, in the caller's transaction; `by` needs a reason.

    The order stands as it was decided: its later returns bring nothing back to the coupon, and take nothing from it.

    Raises:
        NoSuchCoupon, or CouponNotUsed: the order has nothing of it (any more).
    """
    campaign, use = _found(connection, live, named)
    acts = Acts(connection, live, now)
    member = acts.lock([use.member_id])[use.member_id]
    # Members are locked before coupons, by everybody; a return may have been booked while this lock was waited for.
    lock_one(connection, named.coupon)
    _, use = _found(connection, live, named)
    amount = None if use.amount is None else use.amount - use.restored
    uses = 0 if use.is_restored else 1
    if not (amount or uses):
        raise CouponNotUsed("What the order had of it has come back already.")
    order = format_id("evt", named.order)
    change = CouponChange("restored", format_id(PREFIX, named.coupon), campaign, amount=amount, uses=uses, order=order)
    # An order's use is given back once, for ever.
    key = f"restore:{change.coupon}:{order}"
    by = by._replace(key=key, digest=hashlib.sha256(f"{key} {by.reason}".encode()).digest())
    entry = acts.book(member, "adjustment", (), by, outcome=Outcome(coupons=[change]))
    acts.write()
    Booking(connection, live.program_id, member.id, named.order, entry.booked_at).book([change], {}, by.actor)
    return GivenBack(entry=entry.id, member=member.id, amount=amount, uses=uses, booked_at=entry.booked_at)


def _found(connection: psycopg.Connection[Any], live: LiveProgram, named: Named) -> tuple[str, UseRow]:
    found = use_of(connection, live.program_id, named.coupon, named.order)
    if found is None:
        raise NoSuchCoupon
    campaign, use = found
    if use is None:
        raise CouponNotUsed("The order has not used it.")
    return campaign, use
