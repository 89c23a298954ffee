"""Households as the API says them. Points are whole numbers of the smallest unit."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from setia.api.values import Reason
from setia.db.ids import format_id
from setia.households.pool import PREFIX
from setia.households.service import Seen
from setia.ledger.entries import LARGEST_AMOUNT
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.schemas import MEMBER_EXAMPLE
from setia.program.households import Role
from setia.program.names import Identifier
from setia.rewards.schemas import Reference, RewardId, Till

HOUSEHOLD_EXAMPLE = f"{PREFIX}_{'0' * 32}"
_MOMENT = "2026-03-01T09:00:00Z"
Member = Annotated[str, Field(max_length=100, description="The member's id.", examples=[MEMBER_EXAMPLE])]
Amount = Annotated[int, Field(strict=True, ge=1, le=LARGEST_AMOUNT, examples=[100])]


class MakeIn(BaseModel):
    """Who makes a household."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"owner": MEMBER_EXAMPLE}]})

    owner: Member


class JoinIn(BaseModel):
    """Who joins, and as what."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"member": MEMBER_EXAMPLE, "role": "adult"}]}
    )

    member: Member
    role: Literal["adult", "child"] = "adult"


class RoleIn(BaseModel):
    """What a member is from now on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "adult"}]})

    role: Role


class LeaveIn(BaseModel):
    """Why a member leaves."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "Moved out"}]})

    reason: Reason


class PoolIn(BaseModel):
    """Points that a member puts into the pool, or draws from it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"member": MEMBER_EXAMPLE, "points": "stars", "amount": 10}]}
    )

    member: Member
    points: Identifier = Field(examples=["stars"])
    amount: Amount


class RedeemTogetherIn(BaseModel):
    """What a member redeems with what is pooled."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "member": MEMBER_EXAMPLE,
                    "reward": "free_coffee",
                    "confirm": True,
                    "till": "till-3",
                    "reference": "bon-1",
                }
            ]
        },
    )

    member: Member
    reward: RewardId = Field(examples=["free_coffee"])
    quantity: int = Field(default=1, strict=True, ge=1, le=10**9, examples=[1])
    date: RewardId | None = Field(default=None, description="The date of an experience.", examples=[None])
    confirm: bool = Field(default=False, strict=True, description="Redeem at once, in one step.", examples=[True])
    till: Till = "api"
    reference: Reference | None = None


class StayOut(BaseModel):
    """A member of a household."""

    member: str = Field(examples=[MEMBER_EXAMPLE])
    role: Role
    joined_at: dt.datetime = Field(examples=[_MOMENT])
    contribution: dict[str, int] = Field(
        description="Point type to what the household may spend of the member's points.", examples=[{"stars": 120}]
    )


class HouseholdOut(BaseModel):
    """A household and its pool."""

    id: str = Field(examples=[HOUSEHOLD_EXAMPLE])
    created_at: dt.datetime = Field(examples=[_MOMENT])
    closed_at: dt.datetime | None
    pool: dict[str, int] = Field(description="Point type to what may be spent together.", examples=[{"stars": 300}])
    members: list[StayOut] = Field(description="In the order of joining.")

    @classmethod
    def of(cls, seen: Seen) -> HouseholdOut:
        """A household as the API says it."""
        return cls(
            id=format_id(PREFIX, seen.household.id),
            created_at=seen.household.created_at,
            closed_at=seen.household.closed_at,
            pool={points: sum(parts.values()) for points, parts in seen.contributions.items()},
            members=[
                StayOut(
                    member=format_id(MEMBER_PREFIX, stay.member_id),
                    role=stay.role,
                    joined_at=stay.joined_at,
                    contribution={points: parts[stay.member_id] for points, parts in seen.contributions.items()},
                )
                for stay in seen.stays
            ],
        )
