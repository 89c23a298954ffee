"""Deliveries by partners as the API says them."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict, Field

from setia.api.values import Reason
from setia.db.ids import format_id
from setia.partners.outbox import MESSAGE_PREFIX, Delivery, DeliveryState
from setia.rewards.redemption import REDEMPTION_PREFIX

_MOMENT = "2026-03-01T09:00:00Z"
_REASON = "The cinema has closed this hall."


class GiveUpIn(BaseModel):
    """Why a partner is asked no more."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": _REASON}]})

    reason: Reason = Field(examples=[_REASON])


class DeliveryOut(BaseModel):
    """What its partner was asked for, and what came of it."""

    message: str = Field(
        description="The `webhook-id` of every try, by which the partner knows it.", examples=[f"msg_{'0' * 32}"]
    )
    partner: str = Field(examples=["Odeon"])
    state: DeliveryState = Field(examples=["waiting"])
    tries: int = Field(description="How often it was sent, or begun to.", examples=[1])
    next_try_at: dt.datetime | None = Field(description="While it waits.", examples=[_MOMENT])
    ended_at: dt.datetime | None
    why: str | None = Field(description="Why it was refused, or what the last try came to.", examples=[None])

    @classmethod
    def of(cls, one: Delivery) -> DeliveryOut:
        """A delivery as it stands."""
        return cls(
            message=format_id(MESSAGE_PREFIX, one.id),
            partner=one.partner,
            state=one.state,
            tries=one.tries,
            next_try_at=one.due_at,
            ended_at=one.ended_at,
            why=one.why,
        )


class PartnerDeliveryOut(DeliveryOut):
    """A delivery by itself: of which redemption it is, and of which reward."""

    redemption: str = Field(examples=[f"{REDEMPTION_PREFIX}_{'0' * 32}"])
    reward: str = Field(examples=["film"])
    created_at: dt.datetime = Field(examples=[_MOMENT])

    @classmethod
    def of(cls, one: Delivery) -> PartnerDeliveryOut:
        """A delivery as it stands."""
        told = DeliveryOut.of(one).model_dump()
        redemption = format_id(REDEMPTION_PREFIX, one.redemption_id)
        return cls(**told, redemption=redemption, reward=one.reward, created_at=one.created_at)
