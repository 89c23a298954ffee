"""Sales: points that members buy for money, in packages or at a price for each."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from setia.program.names import Identifier, Part, Period, Text
from setia.program.rewards import RewardPeriod

_Points = Annotated[Decimal, Field(gt=0, le=10**12, max_digits=21, decimal_places=9)]
_Money = Annotated[Decimal, Field(ge=0, le=10**9, max_digits=19, decimal_places=9)]


class Package(Part):
    """So many points for so much money: `{points: 1000, money: 9.00}`."""

    points: _Points
    money: _Money


class SalesQuota(Part):
    """At most so many points of a sale for a member in each period of the program's calendar."""

    every: RewardPeriod = "ever"
    points: _Points


class Sale(Part):
    """Points of one type for sale: either in packages, or any number at a `price` for each whole point."""

    points: Identifier
    name: Text | None = None
    enabled: bool = True
    packages: Annotated[tuple[Package, ...], Field(max_length=50)] = ()
    price: _Money | None = None
    """What one whole point costs."""
    least: _Points | None = None
    """At a `price`: at least so many points at once."""
    most: _Points | None = None
    """And at most."""
    per_member: SalesQuota | tuple[SalesQuota, ...] = ()
    valid_for: Period | None = None
    """When bought points end, in place of what their type says."""
    refund: Literal["unspent", "whole", "never"] = "unspent"
    """What can be given back: what is left of them, all of them or nothing, or nothing ever."""
    refund_within: Period = Period(count=14, unit="days")

    @property
    def quotas(self) -> tuple[SalesQuota, ...]:
        """How many one member can buy."""
        return (self.per_member,) if isinstance(self.per_member, SalesQuota) else self.per_member

    @model_validator(mode="after")
    def _one_way_to_price(self) -> Sale:
        if bool(self.packages) == (self.price is not None):
            message = "points are sold in `packages` or at a `price` for each; give exactly one of them"
            raise ValueError(message)
        if self.price is None and (self.least is not None or self.most is not None):
            message = "`least` and `most` are for a `price`; a package is bought as it is"
            raise ValueError(message)
        if self.least is not None and self.most is not None and self.most < self.least:
            message = f"at least {self.least} and at most {self.most} is nothing; raise `most`"
            raise ValueError(message)
        amounts = [package.points for package in self.packages]
        for amount in amounts:
            if amounts.count(amount) > 1:
                message = f"there are two packages of {amount} points; remove one"
                raise ValueError(message)
        return self
