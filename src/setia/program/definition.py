"""The program definition: the whole of what its owner decides."""

from __future__ import annotations

import functools
import re
import zoneinfo
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from setia.program.campaigns import Campaign, Stacking
from setia.program.currencies import minor_digits
from setia.program.events import BUILT_IN_EVENTS, EventType, LateEvents, Location, Members
from setia.program.gift_cards import GiftCard
from setia.program.households import Households
from setia.program.money import MoneyBasis
from setia.program.moving import Exchange, Transfer
from setia.program.names import CurrencyCode, Identifier, Locale, Part, ProgramId, Text
from setia.program.points import PointType
from setia.program.referrals import Referrals
from setia.program.reward_links import RewardLink
from setia.program.rewards import Reward
from setia.program.sales import Sale
from setia.program.sums import Sum
from setia.program.tiers import TierSet
from setia.program.triggers import Trigger
from setia.program.velocity import Velocity

Rate = Annotated[Decimal, Field(gt=0, le=10**9, max_digits=21, decimal_places=12)]
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@functools.cache
def _time_zones() -> frozenset[str]:
    # The list is read from files, which takes milliseconds; it does not change while a process runs.
    return frozenset(zoneinfo.available_timezones())


def _texts(value: object) -> Iterator[str]:
    """Every text in plain values, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


class Identity(Part):
    """Which program this is: its id never changes, its texts may."""

    id: ProgramId
    name: Text
    description: Text | None = None
    timezone: str = "UTC"
    currency: CurrencyCode
    rates: Annotated[dict[CurrencyCode, Rate], Field(max_length=200)] = Field(default_factory=dict)
    """What one unit of another currency counts in the program's own; purchases in others are refused."""
    locale: Locale = "en"

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in _time_zones():
            message = f"{value!r} is not a time zone of the IANA database; write for example Europe/Berlin"
            raise ValueError(message)
        return value

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str) -> str:
        minor_digits(value)
        return value

    @model_validator(mode="after")
    def _known_rates(self) -> Identity:
        for currency in self.rates:
            minor_digits(currency)
        if self.currency in self.rates:
            message = f"{self.currency} is the program's own currency, and counts as it is; remove its rate"
            raise ValueError(message)
        return self


class Program(Part):
    """A program, as its owner writes it. Field order is the order in which it is written out."""

    program: Identity
    money: MoneyBasis = MoneyBasis()
    points: Annotated[dict[Identifier, PointType], Field(min_length=1, max_length=20)]
    members: Members = Members()
    events: dict[Identifier, EventType] = Field(default_factory=dict)
    triggers: Annotated[dict[Identifier, Trigger], Field(max_length=100)] = Field(default_factory=dict)
    locations: dict[str, Location] = Field(default_factory=dict)
    late: LateEvents = LateEvents()
    tiers: tuple[TierSet, ...] = ()
    sums: Annotated[dict[Identifier, Sum], Field(max_length=50)] = Field(default_factory=dict)
    stacking: Stacking = Stacking()
    campaigns: dict[Identifier, Campaign] = Field(default_factory=dict)
    rewards: Annotated[dict[Identifier, Reward], Field(max_length=1000)] = Field(default_factory=dict)
    transfers: Annotated[dict[Identifier, Transfer], Field(max_length=20)] = Field(default_factory=dict)
    exchanges: Annotated[dict[Identifier, Exchange], Field(max_length=100)] = Field(default_factory=dict)
    gift_cards: Annotated[dict[Identifier, GiftCard], Field(max_length=100)] = Field(default_factory=dict)
    reward_links: Annotated[dict[Identifier, RewardLink], Field(max_length=100)] = Field(default_factory=dict)
    referrals: Referrals = Field(default_factory=dict)
    sales: Annotated[dict[Identifier, Sale], Field(max_length=50)] = Field(default_factory=dict)
    households: Households | None = None
    velocity: Annotated[dict[Identifier, Velocity], Field(max_length=50)] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, value: object) -> object:
        # PostgreSQL keeps neither of them, so a definition with one would be refused only when it is published.
        if isinstance(value, dict) and any(_UNSTORABLE.search(text) for text in _texts(value)):
            message = "a text contains U+0000 or half a surrogate pair, which cannot be stored; remove it"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _names_fit(self) -> Program:
        for event in self.events:
            if event in BUILT_IN_EVENTS:
                message = f"{event!r} is an event every program has; give yours another name"
                raise ValueError(message)
        for trigger in self.triggers:
            if trigger in BUILT_IN_EVENTS or trigger in self.events:
                message = f"the trigger {trigger!r} has the name of an event; give it another one"
                raise ValueError(message)
        ids = [tier_set.id for tier_set in self.tiers]
        for tier_set_id in ids:
            if ids.count(tier_set_id) > 1:
                message = f"tier set {tier_set_id!r} stands twice; rename one of them"
                raise ValueError(message)
        return self

    @property
    def coupon_uses(self) -> dict[str, int | None]:
        """Promotion -> how often each of its coupons can be used (None: without end, or as long as it holds money)."""
        terms = {name: one.discount.coupon for name, one in self.campaigns.items() if one.discount is not None}
        return {name: None if one.amount == "own" else one.uses for name, one in terms.items() if one is not None}

    @property
    def event_names(self) -> tuple[str, ...]:
        """Everything that can happen to a member: the events every program has, its own, and its triggers."""
        return (*BUILT_IN_EVENTS, *self.events, *self.triggers)
