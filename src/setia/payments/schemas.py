"""Payments as the API says them. Points and money are whole numbers of the smallest unit."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from setia.db.ids import format_id
from setia.engine.state import Balance
from setia.ledger.entries import LARGEST_AMOUNT
from setia.members.schemas import MEMBER_EXAMPLE
from setia.rewards.redemption import REDEMPTION_PREFIX, Redemption, State, cost_of
from setia.rewards.schemas import REDEMPTION_EXAMPLE, Reference, RewardId, Till, WalletAfterOut

_MOMENT = "2026-03-01T09:00:00Z"
Amount = Annotated[int, Field(strict=True, ge=1, le=LARGEST_AMOUNT)]


class PayIn(BaseModel):
    """Points to hold for a basket, or to take at once."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"member": MEMBER_EXAMPLE, "points": 100, "till": "shop", "reference": "basket-17"}]
        },
    )

    member: str = Field(max_length=100, description="The member's id.", examples=[MEMBER_EXAMPLE])
    payment: RewardId | None = Field(
        default=None, description="The reward of the kind `payment`; the only one, where there is one.", examples=[None]
    )
    points: Amount | None = Field(default=None, description="So many points.", examples=[100])
    money: Amount | None = Field(
        default=None,
        description="Or points for so much money, rounded down to what the rate can make.",
        examples=[None],
    )
    confirm: bool = Field(default=False, strict=True, description="Pay at once, in one step.", examples=[False])
    ttl: str | None = Field(
        default=None, max_length=10, description="How long they are held, in place of `hold`.", examples=["15min"]
    )
    till: Till = "api"
    reference: Reference | None = None


class ConfirmPaymentIn(BaseModel):
    """How much of what is held is paid; by default all of it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"points": 80}]})

    points: Amount | None = Field(default=None, examples=[80])
    money: Amount | None = Field(default=None, examples=[None])


class PaymentOut(BaseModel):
    """A payment with points."""

    id: str = Field(examples=[REDEMPTION_EXAMPLE])
    member: str = Field(examples=[MEMBER_EXAMPLE])
    payment: str = Field(examples=["pay"])
    state: State
    held: dict[str, int] = Field(description="Point type to what was asked for.", examples=[{"stars": 100}])
    paid: dict[str, int] = Field(description="And what of it was paid.", examples=[{"stars": 80}])
    money: int = Field(description="What was paid is worth so much; of a hold, what is held.", examples=[80])
    till: str = Field(examples=["shop"])
    reference: str | None = Field(examples=["basket-17"])
    created_at: dt.datetime = Field(examples=[_MOMENT])
    hold_until: dt.datetime | None
    confirmed_at: dt.datetime | None
    ended_at: dt.datetime | None
    balances_after: dict[str, WalletAfterOut] | None = Field(default=None, description="The wallets right after it.")

    @classmethod
    def of(cls, row: Redemption, now: dt.datetime, balances: dict[str, Balance] | None = None) -> PaymentOut:
        """A payment at a moment: a hold whose time has passed is shown as expired."""
        wallets = None
        if balances is not None:
            wallets = {name: WalletAfterOut(available=b.available, held=b.held) for name, b in balances.items()}
        return cls(
            id=format_id(REDEMPTION_PREFIX, row.id),
            member=format_id("mem", row.member_id),
            payment=row.reward,
            state=row.state_at(now),
            held=cost_of(row, row.quantity),
            paid=cost_of(row, row.confirmed),
            money=row.worth or 0,
            till=row.till,
            reference=row.reference,
            created_at=row.created_at,
            hold_until=row.hold_until,
            confirmed_at=row.confirmed_at,
            ended_at=row.ended_at,
            balances_after=wallets,
        )
