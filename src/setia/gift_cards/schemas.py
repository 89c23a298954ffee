"""Gift cards as the API says them. Money is a whole number of the smallest unit of the card's currency."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from setia.api.moments import GivenMoment
from setia.api.values import PlainText, Reason
from setia.db.ids import format_id
from setia.gift_cards.card import Card, CardState, EntryKind, EntryRow, Use, UseState
from setia.gift_cards.reporting import CardTotals
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.schemas import MEMBER_EXAMPLE

CARD_PREFIX, USE_PREFIX, ENTRY_PREFIX = "gfc", "gcu", "gce"
CARD_EXAMPLE, USE_EXAMPLE = f"gfc_{'0' * 32}", f"gcu_{'0' * 32}"
MOST_AT_ONCE = 500
CODE_EXAMPLE = "7K2M9-XQ4TD-0HB3C-W8N5R"
_MOMENT = "2026-03-01T09:00:00Z"

Till = Annotated[
    PlainText,
    Field(min_length=1, max_length=63, description="The till or system that asks; its references are its own."),
]
Reference = Annotated[
    PlainText,
    Field(min_length=1, max_length=200, description="The till's own id of it, by which it is found again."),
]
CardKind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Amount = Annotated[int, Field(strict=True, ge=1, le=10**13)]
CodeText = Annotated[PlainText, Field(min_length=1, max_length=100, examples=[CODE_EXAMPLE])]
FundingText = Annotated[
    Literal["sold", "granted"],
    Field(description="`sold`: somebody paid for it; `granted`: the program gives it. They are reported apart."),
]


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [values]})


class IssueIn(BaseModel):
    """A card to be issued."""

    model_config = _example(kind="classic", amount=5000, funding="sold")

    kind: CardKind = Field(description="One of the definition's `gift_cards`.", examples=["classic"])
    amount: int | None = Field(
        default=None,
        strict=True,
        ge=0,
        le=10**13,
        description="The money on it; as much as its kind says without it; 0: it is sold later.",
        examples=[5000],
    )
    funding: FundingText = "sold"
    member: str | None = Field(
        default=None, max_length=100, description="Whose it is, if anybody's.", examples=[MEMBER_EXAMPLE]
    )
    reason: Reason | None = None


class IssueManyIn(BaseModel):
    """Cards to be issued at once, as for a printer."""

    model_config = _example(kind="classic", count=2, amount=0)

    kind: CardKind = Field(description="One of the definition's `gift_cards`.", examples=["classic"])
    count: int = Field(strict=True, ge=1, le=MOST_AT_ONCE, examples=[2])
    amount: int | None = Field(
        default=None,
        strict=True,
        ge=0,
        le=10**13,
        description="The money on each; as much as its kind says without it; 0: they are sold later.",
        examples=[0],
    )
    funding: FundingText = "sold"
    reason: Reason | None = None


class LoadIn(BaseModel):
    """Money to be put on a card."""

    model_config = _example(amount=2000)

    amount: Amount = Field(examples=[2000])
    funding: FundingText = "sold"
    reason: Reason | None = None


class LookUpIn(BaseModel):
    """A card that is shown."""

    model_config = _example(code=CODE_EXAMPLE)

    code: CodeText


class TransferIn(BaseModel):
    """Money to be moved to another card."""

    model_config = _example(to=CARD_EXAMPLE, amount=1000, reason="the card was lost")

    to: str = Field(max_length=100, description="The id of the other card.", examples=[CARD_EXAMPLE])
    amount: Amount | None = Field(default=None, description="All of it without it.", examples=[1000])
    reason: Reason


class PayOutIn(BaseModel):
    """Money that was paid out."""

    model_config = _example(amount=100, reason="less than 10 dollars were left")

    amount: Amount | None = Field(default=None, description="All of it without it.", examples=[100])
    reason: Reason


class ReasonIn(BaseModel):
    """Why it is done."""

    model_config = _example(reason="reported as stolen")

    reason: Reason


class ExtendIn(BaseModel):
    """A later end."""

    model_config = _example(expires_at="2099-12-31T23:00:00Z", reason="goodwill")

    expires_at: GivenMoment | None = Field(description="null: it never ends.", examples=["2099-12-31T23:00:00Z"])
    reason: Reason


class AssignIn(BaseModel):
    """Whose a card is."""

    model_config = _example(member=MEMBER_EXAMPLE)

    member: str | None = Field(
        max_length=100, description="The member's id; null: nobody's.", examples=[MEMBER_EXAMPLE]
    )
    reason: Reason | None = None


class UseIn(BaseModel):
    """A card at a till."""

    model_config = _example(code=CODE_EXAMPLE, amount=1250, till="till-3", reference="bon-4711")

    code: CodeText
    amount: Amount = Field(examples=[1250])
    capture: bool = Field(default=True, description="At once; false: it is held, and captured later.")
    partly: bool = Field(default=False, description="Take what there is, where the card holds less.")
    ttl: str | None = Field(
        default=None,
        max_length=10,
        description="How long it is held, in place of the kind's `hold`.",
        examples=["15min"],
    )
    till: Till
    reference: Reference


class CaptureIn(BaseModel):
    """How much of what is held is taken."""

    model_config = _example(amount=1000)

    amount: Amount | None = Field(default=None, description="All of it without it; the rest comes back at once.")


class RefundIn(BaseModel):
    """How much comes back."""

    model_config = _example(amount=500, reason="one item was returned")

    amount: Amount | None = Field(default=None, description="All that is left of it without it.", examples=[500])
    reason: Reason | None = None


class CardOut(BaseModel):
    """A gift card."""

    id: str = Field(examples=[CARD_EXAMPLE])
    kind: str = Field(examples=["classic"])
    currency: str = Field(examples=["EUR"])
    hint: str = Field(description="The end of its code.", examples=["8N5R"])
    state: CardState = Field(examples=["active"])
    balance: int = Field(description="What is on it and not held; nothing can be used while it is blocked.")
    held: int = Field(description="What tills hold of it.", examples=[0])
    expires_at: dt.datetime | None = Field(description="When it ends; null: never.", examples=[_MOMENT])
    member: str | None = Field(examples=[None])
    created_at: dt.datetime = Field(examples=[_MOMENT])
    code: str | None = Field(
        default=None,
        description="Only in the answer that issues it, and for a day in its repetition, until it is used.",
        examples=[CODE_EXAMPLE],
    )

    @classmethod
    def of(cls, card: Card, now: dt.datetime) -> CardOut:
        """A card at a moment."""
        values = msgspec.structs.asdict(card)
        shown = {name: values[name] for name in cls.model_fields if name in values}
        return cls(**shown | {"id": format_id(CARD_PREFIX, card.id), "state": card.state_at(now)}, member=_owner(card))


class CardsOut(BaseModel):
    """Gift cards, in the order in which they were made."""

    cards: list[CardOut]


class TransferOut(BaseModel):
    """Both cards after money was moved."""

    source: CardOut
    target: CardOut


class CardUseOut(BaseModel):
    """A use of a card at a till."""

    id: str = Field(examples=[USE_EXAMPLE])
    card: str = Field(examples=[CARD_EXAMPLE])
    hint: str = Field(description="The end of the card's code.", examples=["8N5R"])
    currency: str = Field(examples=["EUR"])
    state: UseState = Field(examples=["captured"])
    amount: int = Field(description="What was asked for, or with `partly` what there was.", examples=[1250])
    held: int = Field(examples=[0])
    captured: int = Field(examples=[1250])
    refunded: int = Field(description="What of it came back.", examples=[0])
    till: str = Field(examples=["till-3"])
    reference: str = Field(examples=["bon-4711"])
    created_at: dt.datetime = Field(examples=[_MOMENT])
    hold_until: dt.datetime | None
    ended_at: dt.datetime | None = Field(description="When nothing was held any more.")
    left: int = Field(description="What is left on the card.", examples=[3750])

    @classmethod
    def of(cls, use: Use, card: Card, left: int, now: dt.datetime) -> CardUseOut:
        """A use at a moment."""
        values = msgspec.structs.asdict(use)
        shown = {name: values[name] for name in cls.model_fields if name in values}
        named = {"id": format_id(USE_PREFIX, use.id), "card": format_id(CARD_PREFIX, card.id)}
        return cls(**shown | named, hint=card.hint, currency=card.currency, state=use.state_at(now), left=left)


class CardEntryOut(BaseModel):
    """One entry of a card."""

    id: str = Field(examples=[f"gce_{'0' * 32}"])
    seq: int = Field(examples=[1])
    booked_at: dt.datetime = Field(examples=[_MOMENT])
    kind: EntryKind = Field(examples=["issued"])
    amount: int | None = Field(description="null where no money was moved.", examples=[5000])
    source: str | None = Field(examples=["sold"])
    destination: str | None = Field(examples=["available"])
    use: str | None = Field(examples=[None])
    other_card: str | None = Field(description="Of a transfer, the other card.", examples=[None])
    actor: str = Field(examples=["key:4f8a"])
    reason: str | None = Field(examples=[None])
    balance: int = Field(description="What was on the card after it.", examples=[5000])
    held: int = Field(examples=[0])
    expires_at: dt.datetime | None = Field(description="When the card ended, by what was known then.")
    blocked: bool = Field(examples=[False])

    @classmethod
    def of(cls, row: EntryRow) -> CardEntryOut:
        """One entry."""
        values = row._asdict()
        shown = {name: values[name] for name in cls.model_fields if name in values}
        return cls(
            **shown | {"id": format_id(ENTRY_PREFIX, row.id)},
            use=None if row.use_id is None else format_id(USE_PREFIX, row.use_id),
            other_card=None if row.other_card_id is None else format_id(CARD_PREFIX, row.other_card_id),
        )


class CardTotalsOut(BaseModel):
    """The money of all cards of one kind and currency.

    sold + granted - taken_back - redeemed + refunded - expired - paid_out + transferred = outstanding.
    """

    kind: str = Field(examples=["classic"])
    currency: str = Field(examples=["EUR"])
    cards: int = Field(examples=[3])
    sold: int = Field(examples=[15000])
    granted: int = Field(examples=[0])
    taken_back: int = Field(description="Of what was granted.", examples=[0])
    redeemed: int = Field(examples=[4000])
    refunded: int = Field(examples=[0])
    expired: int = Field(examples=[0])
    paid_out: int = Field(examples=[0])
    transferred: int = Field(description="From cards of other kinds, less what went there.", examples=[0])
    available: int = Field(examples=[11000])
    held: int = Field(examples=[0])
    outstanding: int = Field(description="What is owed: available + held.", examples=[11000])
    difference: int | None = Field(description="The cards' balances less that: 0; null for the past.", examples=[0])

    @classmethod
    def of(cls, totals: CardTotals) -> CardTotalsOut:
        """One line of the report."""
        return cls(**totals._asdict(), outstanding=totals.outstanding)


class CardReportOut(BaseModel):
    """Where the money of all gift cards went."""

    at: dt.datetime | None = Field(description="The moment it is for; null: as it is.", examples=[None])
    agrees: bool = Field(description="Whether every difference is 0.", examples=[True])
    totals: list[CardTotalsOut]

    @classmethod
    def of(cls, at: dt.datetime | None, totals: Sequence[CardTotals]) -> CardReportOut:
        """Show totals."""
        agrees = all(not one.difference for one in totals)
        return cls(at=at, agrees=agrees, totals=[CardTotalsOut.of(one) for one in totals])


def _owner(card: Card) -> str | None:
    return None if card.member_id is None else format_id(MEMBER_PREFIX, card.member_id)
