"""Campaigns: when something happens and conditions hold, members get something."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from setia.program.coupons import CouponGift
from setia.program.discounts import Discount
from setia.program.earning import Earn
from setia.program.expiry import Expiry
from setia.program.limits import Limit
from setia.program.money import MoneyBasis
from setia.program.names import Identifier, Part, Period, Text
from setia.program.offers import Offer

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Expression = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]

_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_FACTOR = re.compile(r"^\d{1,4}(\.\d{1,9})?$")
_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")


class Schedule(Part):
    """When a campaign runs, on the program's calendar and clock.

    `starts` and `ends` are dates (both inclusive) or moments with an offset (`ends` exclusive). `from` is inclusive,
    `to` exclusive; a `to` before `from` runs over midnight and belongs to the day it began on. An empty list of days
    never matches.
    """

    starts: dt.datetime | dt.date | None = None
    ends: dt.datetime | dt.date | None = None
    days: tuple[Weekday, ...] | None = None
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None

    @field_validator("from_", "to", mode="before")
    @classmethod
    def _clock(cls, value: object) -> object:
        if value is None:
            return value
        if not isinstance(value, str) or not _CLOCK.match(value):
            message = f'{value!r} is not a time of day; write it in quotes as "HH:MM", for example "16:00"'
            raise ValueError(message)
        return value

    @field_validator("starts", "ends", mode="before")
    @classmethod
    def _whole_day(cls, value: object) -> object:
        # Without this a text such as 2026-03-01 would be read as that day's midnight, and `ends` would lose its day.
        if isinstance(value, int | float | Decimal):
            message = f"{value} is not a date; write it as 2026-03-01"  # else it would count seconds since 1970
            raise ValueError(message)  # noqa: TRY004 - Pydantic turns only ValueError into a finding
        if not isinstance(value, str) or not _DAY.match(value):
            return value
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            message = f"there is no day {value}; correct the month or the day"
            raise ValueError(message) from None

    @field_validator("starts", "ends", mode="after")
    @classmethod
    def _aware(cls, value: dt.datetime | dt.date | None) -> dt.datetime | dt.date | None:
        if isinstance(value, dt.datetime) and value.tzinfo is None:
            message = "a moment needs its offset, such as 2026-03-01T00:00:00+01:00; or write only the date"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _both_times(self) -> Schedule:
        if (self.from_ is None) != (self.to is None):
            message = "a time of day needs both `from` and `to`; add the other one, or remove both"
            raise ValueError(message)
        return self


class Multiply(Part):
    """Raises what other campaigns earn: `{of: base, by: 1.25}` adds a quarter.

    `of: all` means every earning campaign.
    """

    of: Literal["all"] | Identifier | tuple[Identifier, ...] = "all"
    by: Annotated[Decimal, Field(max_digits=13, decimal_places=9)] | Expression
    """A factor, or an expression that gives one (`member.tiers.status == "gold" ? 1.5 : 1.25`)."""
    points: tuple[Identifier, ...] = ()
    """Only these point types; empty means all of them."""

    @field_validator("by", mode="before")
    @classmethod
    def _exact(cls, value: object) -> object:
        # A factor comes as a number, or as its text where the definition was kept as JSON; both mean the number. A
        # binary float's shortest text is what its author wrote.
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return value
        text = str(value)
        return Decimal(text) if _FACTOR.match(text) else value

    @field_validator("by", mode="after")
    @classmethod
    def _positive(cls, value: Decimal | str) -> Decimal | str:
        if isinstance(value, str):
            try:
                value = Decimal(value)
            except ArithmeticError:
                return value
        # A factor above 1,000 is a slip of the keyboard.
        if not 0 <= value <= 1000:
            message = f"a factor lies between 0 and 1000, not {value}; write 2 to give twice as much"
            raise ValueError(message)
        return value


class CustomEffect(Part):
    """Something for the caller to do, such as opening a gate: a name and values computed by expressions."""

    name: Identifier
    values: dict[Identifier, Expression] = Field(default_factory=dict)


class Campaign(Part):
    """One campaign. It needs `on` and at least one effect; everything else narrows it."""

    name: Text | None = None
    description: Text | None = None
    on: Identifier | Annotated[tuple[Identifier, ...], Field(min_length=1)]
    enabled: bool = True
    schedule: Schedule | None = None
    offer: Offer | None = None
    """A goal to reach: the effects apply when it is completed, by the events that match."""
    when: Expression | None = None
    lines: Expression | None = None
    """Which lines count: a condition over `line`. Without it all lines count."""
    basis: MoneyBasis | None = None
    """A money basis of its own, for earn rates per amount; conditions see the program's."""
    earn: dict[Identifier, Earn] = Field(default_factory=dict)
    multiply: Multiply | None = None
    expiry: Expiry | None = None
    """When the points of this campaign end, in place of what their type says."""
    available_after: Period | None = None
    """How long the points of this campaign are pending, in place of what their type says; `0d`: not at all."""
    available_on: Identifier | None = None
    """The event that the points of this campaign wait for, in place of what their type says."""
    deduct: dict[Identifier, Earn] = Field(default_factory=dict)
    set: dict[Identifier, Expression] = Field(default_factory=dict)
    """Member attributes to set, each by an expression."""
    tag: tuple[Identifier, ...] = ()
    untag: tuple[Identifier, ...] = ()
    tier: dict[Identifier, Identifier] = Field(default_factory=dict)
    """Tier sets and the level to put the member in."""
    effect: CustomEffect | None = None
    discount: Discount | None = None
    """A cart promotion: what is taken off purchases that come with prices before promotions."""
    coupon: CouponGift | None = None
    """A coupon to give, for a later order."""
    limits: tuple[Limit, ...] = ()
    group: Identifier | None = None
    """An exclusive group: of its matching campaigns only one applies, or as many as the group says."""
    exclusive: bool = False
    """When it matches, no other campaign applies (among several such, the highest priority wins)."""
    always: bool = False
    """No exclusive campaign keeps it out. Limits, and the others of its `group`, still do."""
    priority: int = Field(default=0, ge=-1_000_000, le=1_000_000)

    @property
    def triggers(self) -> tuple[str, ...]:
        """The event types that start it."""
        return (self.on,) if isinstance(self.on, str) else self.on

    @field_validator("expiry", mode="after")
    @classmethod
    def _by_calendar(cls, value: Expiry | None) -> Expiry | None:
        # Inactivity ends all points of a type at one moment; a campaign's cannot be told apart then.
        if value is not None and value.inactivity is not None:
            message = "a campaign's points end by the calendar; write `after`, `by_tier` or `on`, not `inactivity`"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _has_effect(self) -> Campaign:
        points = (self.earn, self.multiply, self.deduct)
        effects = (*points, self.set, self.tag, self.untag, self.tier, self.effect, self.coupon)
        if not any(effects) and self.discount is None:
            named = "earn, multiply, deduct, set, tag, untag, tier, effect, discount, coupon"
            message = f"a campaign needs an effect; add one of {named}"
            raise ValueError(message)
        if self.discount is not None and (any(effects) or self.triggers != ("purchase",)):
            message = "a campaign with a `discount` has `on: purchase` and no other effect; give points by another one"
            raise ValueError(message)
        if self.exclusive and self.always:
            message = "`exclusive` keeps others out and `always` lets nobody keep it out; write one of them"
            raise ValueError(message)
        if self.discount is not None and self.offer is not None:
            message = "a `discount` cannot wait for an `offer`; use `when`, such as `member.lifetime.orders >= 9`"
            raise ValueError(message)
        return self


class Group(Part):
    """An exclusive group.

    `choose: priority` takes the highest priority, `best_value` what is worth most to the member; `most` of them apply.
    """

    choose: Literal["priority", "best_value"] = "priority"
    most: int = Field(default=1, ge=1, le=1000)
    """How many of it apply."""


class Stacking(Part):
    """How several multipliers of the same campaign combine, and the exclusive groups."""

    multipliers: Literal["sum_of_bonuses", "product", "best"] = "sum_of_bonuses"
    groups: dict[Identifier, Group] = Field(default_factory=dict)
