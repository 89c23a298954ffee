"""Coupons: how those of a promotion can be used, and campaigns that give one."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from setia.program.names import Identifier, Part, Period
from setia.program.points import RoundingMode

OnReturn = Literal["proportional", "full", "never"]
_Money = Annotated[Decimal, Field(gt=0, le=10**11, max_digits=21, decimal_places=9)]
_Percent = Annotated[Decimal, Field(gt=0, le=100, max_digits=12, decimal_places=9)]
_Times = Annotated[int, Field(ge=1, le=1_000_000)]


class Coupons(Part):
    """How the coupons of a promotion can be used. `coupon: true` means all defaults."""

    amount: Literal["of_discount", "own"] = "of_discount"
    """Whether the discount says what each takes off, or each holds money of its own, which is used in parts."""
    uses: _Times | None = 1
    """How often one coupon can be used; null: without end. One that holds money is used until it is empty."""
    per_member: _Times | None = None
    """How often one member can use the same coupon."""
    per_order: Annotated[int, Field(ge=1, le=50)] = 1
    """How many coupons of this promotion one order can use; those that end first are used first."""
    valid_for: Period | None = None
    """How long a coupon can be used; without it, and at most, as long as its campaign runs."""
    on_return: OnReturn = "proportional"
    """What comes back to a coupon when goods of its order do.

    `proportional`: money in proportion to the goods, a use with the last of them. `full`: what the rest of the order
    does not need when it is decided again. `never`: nothing.
    """

    @model_validator(mode="before")
    @classmethod
    def _from_flag(cls, value: object) -> object:
        return {} if value is True else value

    @model_serializer(mode="wrap")
    def _to_short_form(self, handler: SerializerFunctionWrapHandler) -> Any:
        return handler(self) or True

    @model_validator(mode="after")
    def _complete(self) -> Coupons:
        if self.amount == "own" and self.uses != 1:
            message = "a coupon that holds money is used until it is empty; remove `uses`"
            raise ValueError(message)
        if self.valid_for is not None and not self.valid_for.count:
            message = "a coupon that is valid for no time cannot be used; write for example 30d"
            raise ValueError(message)
        return self


class CouponGift(Part):
    """Gives the member a coupon, to be used with a later order.

    Of coupons that hold money, exactly one of `amount` and `percent` says how much: `percent` is of the money that
    counts for the campaign. The others take off what their promotion says.
    """

    of: Identifier
    """The promotion whose coupon it is."""
    amount: _Money | None = None
    percent: _Percent | None = None
    step: _Money | None = None
    """The amount is rounded to whole steps; without it, to the smallest unit of the currency."""
    rounding: RoundingMode = "half_up"
    at_least: _Money | None = None
    at_most: _Money | None = None
    usable_after: Period | None = None
    """How long after it was given it can be used first; without it at once, with any later order."""
    valid_for: Period | None = None
    """How long it can be used, in place of what its promotion says."""

    @model_validator(mode="after")
    def _one_measure(self) -> CouponGift:
        if self.amount is not None and self.percent is not None:
            message = "a coupon holds an `amount` or a `percent` of the order; remove one of them"
            raise ValueError(message)
        named = [name for name in ("step", "at_least", "at_most") if getattr(self, name) is not None]
        if named and self.percent is None:
            message = f"`{named[0]}` is about a `percent` of the order; remove it, or give a `percent`"
            raise ValueError(message)
        if self.at_least is not None and self.at_most is not None and self.at_most < self.at_least:
            message = f"at least {self.at_least} and at most {self.at_most} is nothing; raise `at_most`"
            raise ValueError(message)
        if self.valid_for is not None and not self.valid_for.count:
            message = "a coupon that is valid for no time cannot be used; write for example 30d"
            raise ValueError(message)
        return self
