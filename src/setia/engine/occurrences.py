"""What happens to members, as the engine reads it: purchases, visits, enrolments and events of the program's own.

These are the parsed and checked forms. Money is a whole number of the currency's smallest unit; quantities are exact
decimals. How they look on the wire is `setia.events.schemas`.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Literal

import msgspec

Pricing = Literal["final", "before"]


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a purchase.

    `amount` is what the line cost after its own discount, tax included; `discount` what was taken off it; `tax` the tax
    contained in `amount`; `rewarded` how much of `amount` rewards have paid, as a decision finds it. All in the
    smallest unit of the currency.
    """

    sku: str
    quantity: Decimal
    amount: int
    tax: int = 0
    discount: int = 0
    name: str = ""
    category: str = ""
    brand: str = ""
    labels: tuple[str, ...] = ()
    rewarded: int = 0


class Wished(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reward that is redeemed with a purchase: so many, or as many as `points` (smallest units) pay for.

    Of a free product, `sku` is the article that is wanted.
    """

    reward: str
    quantity: int = 1
    points: int | None = None
    sku: str | None = None


class Tender(msgspec.Struct, frozen=True):
    """How a part of a purchase was paid: `type` is free, except that `points` and `gift_card` have a meaning."""

    type: str
    amount: int


class Occurrence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event. A purchase has lines; an event of the program's own has `data`.

    `pricing` says whether amounts are `final`, or those `before` promotions, which then apply; `codes` are what the
    customer has shown for them, and `redeem` the rewards that are redeemed with it. `discount` is what was taken off
    the whole order after the lines' own discounts; `shipping` is with tax, of which `shipping_tax` is contained.
    `currency` is what was paid in; where that is not the program's, `rate` is by which all amounts were converted.
    """

    id: str
    type: str
    source: str
    external_id: str
    occurred_at: dt.datetime
    currency: str = ""
    rate: Decimal | None = None
    channel: str = ""
    location: str = ""
    labels: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    tenders: tuple[Tender, ...] = ()
    shipping: int = 0
    shipping_tax: int = 0
    discount: int = 0
    pricing: Pricing = "final"
    codes: tuple[str, ...] = ()
    redeem: tuple[Wished, ...] = ()
    data: dict[str, Any] = {}
    fired: dict[str, str] = {}
    """Where time made it: the mark that is kept with the member, so that it happens once. No caller can send it."""
