"""Events on the wire: what callers send.

msgspec instead of Pydantic, because these are read on the hot path: a purchase with three lines takes about 10 µs.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

ShortText = Annotated[str, Meta(max_length=200)]
Label = Annotated[str, Meta(min_length=1, max_length=100)]
Labels = Annotated[tuple[Label, ...], Meta(max_length=50)]
Name = Annotated[str, Meta(min_length=1, max_length=63, pattern=r"^[a-z][a-z0-9_]*$")]
Code = Annotated[str, Meta(min_length=1, max_length=100)]
ExternalId = Annotated[str, Meta(min_length=1, max_length=200)]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A misspelt field is an error, never silently without effect."""


class MemberIn(_Strict, frozen=True, omit_defaults=True):
    """Who it is about: the member's id, or one or more identifiers. Several must mean the same member."""

    id: Annotated[str, Meta(max_length=40, examples=["mem_01988d1cf0d27c5ab1a4e0a2c3f4d5e6"])] | None = None
    external_id: ExternalId | None = None
    card: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    phone: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    email: Annotated[str, Meta(min_length=1, max_length=254)] | None = None


class LineIn(_Strict, frozen=True):
    """One line of a purchase. `amount` is what the line costs for its whole quantity after its own `discount`."""

    sku: Annotated[str, Meta(min_length=1, max_length=200)]
    amount: Decimal
    quantity: Decimal = Decimal(1)
    tax: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    name: ShortText = ""
    category: ShortText = ""
    brand: ShortText = ""
    labels: Labels = ()


class TenderIn(_Strict, frozen=True, omit_defaults=True):
    """How a part was paid. `points` and `gift_card` have a meaning for the money basis.

    A `gift_card` with its `code` is one of Setia's: it pays what is left to pay, or `amount` at most.
    """

    type: Name
    amount: Decimal | None = None
    code: Code | None = None


class WishIn(_Strict, frozen=True, omit_defaults=True):
    """A reward that is redeemed with a purchase: `quantity` of it (1), or as many as `points` pay for.

    `points` are in the smallest unit of their type. `sku` chooses the article of a free product.
    """

    reward: Name
    quantity: Annotated[int, Meta(ge=1, le=10**9)] | None = None
    points: Annotated[int, Meta(ge=1, le=10**15)] | None = None
    sku: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class EventIn(_Strict, frozen=True):
    """Something that happened.

    `type` is `purchase`, `visit` or an event of the program's own. `external_id` is the caller's own id of it, unique
    per `source`: sent again, it gets the first answer again. Without it the header `Idempotency-Key` is taken. Amounts
    are in `currency`, as decimal text or numbers; `tax_included` says whether they contain the tax that is given beside
    them.

    With `pricing: before` amounts are those before promotions, which are then taken off; `codes` are what the customer
    has shown for them. `redeem` are rewards that the member redeems with the purchase: all of them, or it is refused.
    """

    type: Name
    external_id: ExternalId | None = None
    source: Annotated[str, Meta(min_length=1, max_length=63)] = "api"
    member: MemberIn | None = None
    occurred_at: dt.datetime | None = None
    channel: ShortText = ""
    location: ShortText = ""
    labels: Labels = ()
    currency: Annotated[str, Meta(max_length=3)] | None = None
    lines: Annotated[tuple[LineIn, ...], Meta(max_length=1000)] | None = None
    tenders: Annotated[tuple[TenderIn, ...], Meta(max_length=20)] = ()
    shipping: Decimal | None = None
    shipping_tax: Decimal | None = None
    discount: Decimal | None = None
    tax_included: bool = True
    pricing: Literal["final", "before"] = "final"
    codes: Annotated[tuple[Code, ...], Meta(max_length=50)] = ()
    redeem: Annotated[tuple[WishIn, ...], Meta(max_length=10)] = ()
    data: dict[str, Any] | None = None


MAX_BATCH = 5000


class BatchIn(_Strict, frozen=True):
    """Many events, those of each member decided in the order given.

    Each is read by itself, so that a bad one fails alone.
    """

    events: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MAX_BATCH)]


# Numbers in `data` stay exact: conditions compare them as decimals.
read_event = msgspec.json.Decoder(EventIn, float_hook=Decimal).decode
read_batch = msgspec.json.Decoder(BatchIn).decode
