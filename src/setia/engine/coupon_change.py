"""What a decision did to coupons, as the journal keeps it."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

CouponFault = Literal["not_yours", "void", "used_up", "member_limit", "not_yet", "expired"]
"""Why a coupon cannot be used: it is another member's, was withdrawn, has been used (by this member) as often as it can
be, or its time has not come or is over.
"""


class CouponChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an event did to one coupon, which is one of the promotion `campaign`.

    `granted` by the campaign `by`, usable from `starts` until `ends`. `used` by an order, which took `amount` of the
    money it holds (None where it holds none), and one of its `uses`. `restored`: so much came back to it with goods of
    an order. `changed`, `cancelled`, `revived`: of what an order had granted, `amount` more (or less) after a return;
    `wanted` is what it should have been, where the rest had been spent. Money is in the smallest unit. `order` is the
    event of the order whose use a person gave back; without it, it is what the change is booked with.
    """

    what: Literal["granted", "used", "restored", "changed", "cancelled", "revived"]
    coupon: str
    campaign: str
    by: str | None = None
    amount: int | None = None
    uses: int = 0
    wanted: int | None = None
    starts: dt.datetime | None = None
    ends: dt.datetime | None = None
    order: str | None = None
