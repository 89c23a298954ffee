"""What can go wrong with coupons, as callers are told."""

from __future__ import annotations

from setia.problems import Conflict, NotFound, Unprocessable


class NoSuchCoupon(NotFound):
    """The program has no such coupon; of other programs nothing is said."""

    code = "coupon_not_found"
    title = "There is no such coupon"


class CouponNotUsed(Conflict):
    """An order that shall give a coupon back has nothing of it."""

    code = "coupon_not_used"
    title = "The order has nothing of this coupon"


class InvalidCoupons(Unprocessable):
    """A value of the request does not go with the promotion that the coupons are for."""

    code = "invalid_coupons"
    title = "Such coupons cannot be made"
