"""Transfers and exchanges as the API says them. Points are whole numbers of the smallest unit of their type."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from setia.api.values import PlainText, Reason
from setia.db.ids import format_id
from setia.ledger.entries import LARGEST_AMOUNT
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.points import WalletBalance
from setia.members.schemas import MEMBER_EXAMPLE
from setia.moving.exchanging import EXCHANGE_PREFIX, ExchangeDone
from setia.moving.service import ExchangeWish, TransferWish
from setia.moving.transfer import Transfer
from setia.moving.transferring import TRANSFER_PREFIX, Transferred
from setia.program.names import Identifier

TRANSFER_EXAMPLE = f"{TRANSFER_PREFIX}_{'0' * 32}"
_EXCHANGE_EXAMPLE = f"{EXCHANGE_PREFIX}_{'0' * 32}"
_MOMENT = "2026-03-01T09:00:00Z"

Source = Annotated[
    PlainText,
    Field(min_length=1, max_length=63, description="The system that asks; its references are its own."),
]
Reference = Annotated[
    PlainText,
    Field(min_length=1, max_length=200, description="The system's own id of it: the same one moves points once."),
]
Points = Annotated[int, Field(strict=True, ge=1, le=LARGEST_AMOUNT)]
_Value = Annotated[PlainText, Field(min_length=1, max_length=300)]


class MemberNamed(BaseModel):
    """A member, by its id, or by identifiers of it."""

    model_config = ConfigDict(extra="forbid")

    id: _Value | None = Field(default=None, examples=[MEMBER_EXAMPLE])
    external_id: _Value | None = None
    card: _Value | None = None
    phone: _Value | None = None
    email: _Value | None = None

    def given(self) -> dict[str, str]:
        """What was sent."""
        return {name: value for name, value in self if value is not None}


class TransferIn(BaseModel):
    """Points to be moved from one member to another."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={
            "examples": [{"from": {"id": MEMBER_EXAMPLE}, "to": {"card": "4711 0815"}, "points": "stars", "amount": 25}]
        },
    )

    giver: MemberNamed = Field(alias="from", description="Whose points they are.")
    receiver: MemberNamed = Field(alias="to", description="Whose they become.")
    points: Identifier = Field(description="The point type.", examples=["stars"])
    amount: Points = Field(examples=[25])
    gift: bool = Field(
        default=False, strict=True, description="Whether both statements call it a gift.", examples=[False]
    )
    source: Source = "api"
    reference: Reference | None = None

    def wish(self) -> TransferWish:
        """What is asked for."""
        return TransferWish(
            giver=self.giver.given(),
            receiver=self.receiver.given(),
            points=self.points,
            amount=self.amount,
            gift=self.gift,
            source=self.source,
            reference=self.reference,
        )


class TransferOut(BaseModel):
    """A transfer."""

    id: str = Field(examples=[TRANSFER_EXAMPLE])
    giver: str = Field(serialization_alias="from", examples=[MEMBER_EXAMPLE])
    receiver: str = Field(serialization_alias="to", examples=[MEMBER_EXAMPLE])
    points: str = Field(examples=["stars"])
    amount: int = Field(examples=[25])
    reversed: int = Field(description="How much of it was taken back.", examples=[0])
    gift: bool = Field(examples=[False])
    source: str = Field(examples=["api"])
    reference: str | None = Field(examples=[None])
    lots: int = Field(description="From how many lots they came; the receiver got as many.", examples=[1])
    created_at: dt.datetime = Field(examples=[_MOMENT])

    @staticmethod
    def fields_of(row: Transfer) -> dict[str, Any]:
        """Show a transfer."""
        return {
            "id": format_id(TRANSFER_PREFIX, row.id),
            "giver": format_id(MEMBER_PREFIX, row.giver_id),
            "receiver": format_id(MEMBER_PREFIX, row.receiver_id),
            "points": row.points,
            "amount": row.amount,
            "reversed": row.reversed,
            "gift": row.gift,
            "source": row.source,
            "reference": row.reference,
            "lots": len(row.parts),
            "created_at": row.created_at,
        }


class TransferredOut(TransferOut):
    """A transfer, and what both members had of these points right after it."""

    giver_after: WalletBalance = Field(serialization_alias="from_after")
    receiver_after: WalletBalance = Field(serialization_alias="to_after")

    @classmethod
    def of(cls, done: Transferred) -> TransferredOut:
        """Show what was done."""
        return cls(
            **TransferOut.fields_of(done.row),
            giver_after=WalletBalance.of(done.giver),
            receiver_after=WalletBalance.of(done.receiver),
        )


class ReversalIn(BaseModel):
    """Why a transfer is taken back."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "The account was taken over.", "partly": True}]}
    )

    reason: Reason
    partly: bool = Field(
        default=False, strict=True, description="Take what is left of it, where some of it was spent.", examples=[True]
    )


class ExchangeIn(BaseModel):
    """Points to be exchanged for points of another type."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"member": {"id": MEMBER_EXAMPLE}, "exchange": "miles_to_stars", "amount": 250}]
        },
    )

    member: MemberNamed
    exchange: Identifier = Field(description="The exchange of the program.", examples=["miles_to_stars"])
    amount: Points = Field(
        description="At most so many are given. What the rate leaves over stays with the member.", examples=[250]
    )
    source: Source = "api"
    reference: Reference | None = None

    def wish(self) -> ExchangeWish:
        """What is asked for."""
        return ExchangeWish(
            member=self.member.given(),
            exchange=self.exchange,
            amount=self.amount,
            source=self.source,
            reference=self.reference,
        )


class PointsMovedOut(BaseModel):
    """So many points of one type, and what the member had of them right after it."""

    points: str = Field(examples=["miles"])
    amount: int = Field(examples=[234])
    balance_after: WalletBalance


class ExchangeOut(BaseModel):
    """An exchange."""

    id: str = Field(examples=[_EXCHANGE_EXAMPLE])
    member: str = Field(examples=[MEMBER_EXAMPLE])
    exchange: str = Field(examples=["miles_to_stars"])
    gave: PointsMovedOut
    got: PointsMovedOut
    source: str = Field(examples=["api"])
    reference: str | None = Field(examples=[None])
    created_at: dt.datetime = Field(examples=[_MOMENT])

    @classmethod
    def of(cls, done: ExchangeDone) -> ExchangeOut:
        """Show what was done."""
        row, balances = done.row, done.balances
        gave, got = (
            PointsMovedOut(points=points, amount=amount, balance_after=WalletBalance.of(balances[points]))
            for points, amount in ((row.given_points, row.given), (row.got_points, row.got))
        )
        return cls(
            id=format_id(EXCHANGE_PREFIX, row.id),
            member=format_id(MEMBER_PREFIX, row.member_id),
            exchange=row.exchange,
            gave=gave,
            got=got,
            source=row.source,
            reference=row.reference,
            created_at=row.created_at,
        )
