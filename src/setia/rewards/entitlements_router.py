"""`/v1/members/{id}/entitlements` and `/v1/entitlements`: what members may use, and each use of it."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED
from setia.api.strict import StrictRoute
from setia.db.ids import format_id
from setia.identity.caller import CodeRedeemer, RewardsReader
from setia.members.dependencies import MemberId
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.schemas import MEMBER_EXAMPLE
from setia.members.service import NoSuchMember
from setia.rewards.entitlements import Entitlement, EntitlementUse, Wish
from setia.rewards.problems import NoSuchUse, NotEntitled, ReferenceUsed
from setia.rewards.redemption import REDEMPTION_PREFIX
from setia.rewards.router import RewardsOf, member_of
from setia.rewards.schemas import REDEMPTION_EXAMPLE, Reference, RewardId, Till
from setia.versions.service import NothingPublished

entitlements_router = APIRouter(prefix="/v1", tags=["rewards"], route_class=StrictRoute)

_MOMENT = "2026-03-01T09:00:00Z"


class EntitlementOut(BaseModel):
    """What a member may use."""

    reward: str = Field(examples=["lounge"])
    redemption: str = Field(examples=[REDEMPTION_EXAMPLE])
    valid_from: dt.datetime = Field(examples=[_MOMENT])
    valid_until: dt.datetime | None
    uses_left: int | None = Field(description="null: as often as wanted.", examples=[3])

    @classmethod
    def of(cls, one: Entitlement) -> EntitlementOut:
        """An entitlement as the API says it."""
        return cls(**{**one._asdict(), "redemption": format_id(REDEMPTION_PREFIX, one.redemption)})


class EntitlementsOut(BaseModel):
    """What a member may use now, that first which ends first."""

    member: str = Field(examples=[MEMBER_EXAMPLE])
    entitlements: list[EntitlementOut]


class UseEntitlementIn(BaseModel):
    """Who uses what, and where."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"member": MEMBER_EXAMPLE, "reward": "lounge", "till": "door-1", "reference": "visit-17"}]
        },
    )

    member: str = Field(max_length=100, description="The member's id.", examples=[MEMBER_EXAMPLE])
    reward: RewardId = Field(examples=["lounge"])
    till: Till = "api"
    reference: Reference


class ReleaseEntitlementIn(BaseModel):
    """The use to take back."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"till": "door-1", "reference": "visit-17"}]}
    )

    till: Till = "api"
    reference: Reference


class EntitlementUseOut(BaseModel):
    """A use, and what is left after it."""

    till: str = Field(examples=["door-1"])
    reference: str = Field(examples=["visit-17"])
    used_at: dt.datetime = Field(examples=[_MOMENT])
    released_at: dt.datetime | None
    entitlement: EntitlementOut


@entitlements_router.get(
    "/members/{member_id}/entitlements",
    summary="Read what a member may use",
    responses=problems(NoSuchMember, NothingPublished),
)
def get_entitlements(caller: RewardsReader, member_id: MemberId, rewards: RewardsOf) -> EntitlementsOut:
    """The entitlements that are valid now and not used up. Nothing is used by asking."""
    found = rewards.entitlements_of(caller.program_id, member_id, _now())
    return EntitlementsOut(
        member=format_id(MEMBER_PREFIX, member_id), entitlements=[EntitlementOut.of(one) for one in found]
    )


@entitlements_router.post(
    "/entitlements/use",
    summary="Use an entitlement",
    responses=problems(NoSuchMember, NotEntitled, ReferenceUsed, NothingPublished),
)
def use_entitlement(
    caller: CodeRedeemer, body: UseEntitlementIn, rewards: RewardsOf, response: Response
) -> EntitlementUseOut:
    """Once, of what ends first. The same reference and body give the first answer again."""
    wish = Wish(member=member_of(body.member), reward=body.reward, till=body.till, reference=body.reference)
    return _out(rewards.use_entitlement(caller.program_id, wish, actor=caller.actor, now=_now()), response)


@entitlements_router.post(
    "/entitlements/release",
    summary="Take the use of an entitlement back",
    responses=problems(NoSuchUse, NothingPublished),
)
def release_entitlement(
    caller: CodeRedeemer, body: ReleaseEntitlementIn, rewards: RewardsOf, response: Response
) -> EntitlementUseOut:
    """As if it had not been used. Again, it changes nothing."""
    return _out(rewards.release_entitlement(caller.program_id, body.till, body.reference, now=_now()), response)


def _out(done: EntitlementUse, response: Response) -> EntitlementUseOut:
    if done.replayed:
        response.headers[REPLAYED] = "true"
    return EntitlementUseOut(
        till=done.till,
        reference=done.reference,
        used_at=done.used_at,
        released_at=done.released_at,
        entitlement=EntitlementOut.of(done.entitlement),
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
