"""Discounts: what a cart promotion takes off an order, its lines, some of their units, or shipping."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from setia.program.coupons import Coupons
from setia.program.names import Part
from setia.program.points import RoundingMode

Expression = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
Money = Annotated[Decimal, Field(ge=0, max_digits=21, decimal_places=9)]
Percent = Annotated[Decimal, Field(gt=0, le=100, max_digits=12, decimal_places=9)]
Units = Annotated[int, Field(ge=1, le=1_000_000)]


class Selection(Part):
    """So many units of the lines that a condition chooses; without a condition of any line."""

    lines: Expression | None = None
    quantity: Units = 1


class Step(Part):
    """From an amount or quantity on, so much is taken off."""

    from_: Annotated[Money, Field(alias="from")]
    percent: Percent | None = None
    amount: Money | None = None

    @model_validator(mode="after")
    def _one_measure(self) -> Step:
        if (self.percent is None) == (self.amount is None):
            message = "a step takes off either a `percent` or an `amount`; give exactly one of them"
            raise ValueError(message)
        return self


class Discount(Part):
    """What is taken off. The campaign's `lines` choose what it is taken off from; without them everything.

    Exactly one of `percent`, `amount`, `price` and `steps` says how much, unless its coupons hold money of their own:

    - `percent` of what the chosen lines or units cost;
    - `amount` of money, once for the order, or for each chosen unit where `on` is not `order`;
    - `price`: what each chosen unit costs instead (of a `bundle`: all its units together);
    - `steps`: the last step that the order reaches, by amount or by quantity.

    Amounts are in the program's currency, with the tax that lines contain, unless `tax` is `excluded`.
    """

    percent: Percent | None = None
    amount: Money | None = None
    price: Money | None = None
    steps: Annotated[tuple[Step, ...], Field(max_length=50)] = ()
    steps_by: Literal["amount", "quantity"] = "amount"
    on: Literal["order", "lines", "cheapest", "dearest", "shipping"] = "order"
    """Where: the chosen lines together, each unit of them, the cheapest or dearest units, or shipping."""
    units: Units | None = None
    """How many units at most; of the cheapest or dearest it is one unless said otherwise."""
    every: Annotated[int, Field(ge=2, le=1_000)] | None = None
    """Each n-th unit: of every so many units, the dearest first, the last `units` (1) are discounted."""
    buy: Selection | None = None
    """What has to be bought for each `units` (1) that are discounted: buy three, get one."""
    bundle: Annotated[tuple[Selection, ...], Field(max_length=20)] = ()
    """A set of products that is discounted together, as often as the order has it whole."""
    repeat: bool = True
    """Whether `buy` and `bundle` count as often as they fit, or once."""
    free: Literal["in_cart", "added"] = "in_cart"
    """With `buy`: whether the units that are given stand on the order, or are to be added to it by the caller."""
    at_most: Money | None = None
    at_most_per_line: Money | None = None
    base: Literal["discounted", "original"] = "discounted"
    """Whether a percentage is of what other promotions have left, or of what stood on the order."""
    spread: Literal["by_value", "evenly"] = "by_value"
    """How an amount is spread over the lines."""
    tax: Literal["included", "excluded"] = "included"
    rounding: RoundingMode = "half_up"
    coupon: Coupons | None = None
    """It needs a coupon of this campaign, or a code among the `codes`: `true`, or how its coupons can be used."""
    codes: Annotated[tuple[str, ...], Field(max_length=1000)] = ()
    """Public codes that everybody may use, as written on a poster; upper and lower case mean the same."""

    @field_validator("coupon", mode="before")
    @classmethod
    def _no_coupon(cls, value: object) -> object:
        return None if value is False else value

    @property
    def by_own_amount(self) -> bool:
        """Whether each of its coupons holds the money that it takes off."""
        return self.coupon is not None and self.coupon.amount == "own"

    @property
    def has_units(self) -> bool:
        """Whether it is about units of articles, which limits can count; else about the order or its shipping."""
        return bool(
            self.on in {"lines", "cheapest", "dearest"}
            or self.units is not None
            or self.every is not None
            or self.buy is not None
            or self.bundle
        )

    @model_validator(mode="after")
    def _one_measure(self) -> Discount:
        given = [self.percent is not None, self.amount is not None, self.price is not None, bool(self.steps)]
        if self.by_own_amount:
            self._of_own_amounts(measured=any(given))
        elif given.count(True) != 1:
            message = "a discount needs exactly one of `percent`, `amount`, `price` and `steps`"
            raise ValueError(message)
        return self

    def _of_own_amounts(self, *, measured: bool) -> None:
        if measured or self.codes:
            word = "`codes` have none" if self.codes else "so remove `percent`, `amount`, `price` or `steps`"
            message = f"with `coupon: {{amount: own}}` the coupons say how much is taken off; {word}"
            raise ValueError(message)
        if self.on not in {"order", "shipping"} or self.units is not None or self.every is not None or self.bundle:
            message = "a coupon that holds money takes it off the order or its shipping; remove what picks units"
            raise ValueError(message)
        if self.buy is not None or self.at_most is not None:
            word = "buy" if self.buy is not None else "at_most"
            message = f"a coupon that holds money takes off what it holds; remove `{word}`"
            raise ValueError(message)

    @model_validator(mode="after")
    def _fits(self) -> Discount:
        picks = [self.every is not None, self.buy is not None, bool(self.bundle), self.on in {"cheapest", "dearest"}]
        if picks.count(True) > 1:
            message = "units are picked in one way: `every`, `buy`, `bundle`, or `on: cheapest` or `dearest`"
            raise ValueError(message)
        if self.on == "shipping" and (any(picks) or self.price is not None or self.units is not None):
            message = "shipping has no units; give a `percent`, an `amount` or `steps`"
            raise ValueError(message)
        if self.price is not None and self.on == "order" and not any(picks):
            message = "a `price` is that of a unit or a bundle; add `on: lines`, or a `bundle`"
            raise ValueError(message)
        if self.bundle and self.units is not None:
            message = "a `bundle` has all its units; remove `units`"
            raise ValueError(message)
        if self.free == "added" and self.buy is None:
            message = "`free: added` goes with `buy`; remove it, or say what has to be bought"
            raise ValueError(message)
        if self.every is not None and self.units is not None and self.units >= self.every:
            message = f"of every {self.every} units, {self.units} cannot be discounted; lower `units`"
            raise ValueError(message)
        levels = [step.from_ for step in self.steps]
        if levels != sorted(set(levels)):
            message = "steps rise; order them from the lowest `from` to the highest"
            raise ValueError(message)
        return self
