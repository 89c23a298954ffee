"""`/v1/members/{id}/merge` and `/v1/merges`: members who turn out to be one, and two again."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED, KeyInFlight, KeyRequired, KeyReused, OptionalKey, require
from setia.api.ids import read_id
from setia.api.strict import StrictRoute
from setia.api.values import Reason
from setia.db.ids import format_id
from setia.events.acts import By
from setia.identity.caller import MembersMerger, MembersReader
from setia.ledger.refusals import InsufficientPoints
from setia.members.dependencies import MemberId
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.merges import Merge
from setia.members.schemas import MEMBER_EXAMPLE
from setia.members.service import NoSuchMember
from setia.moving.merging import MERGE_PREFIX
from setia.moving.merging_service import Merging
from setia.moving.problems import InvalidMerge, MergeConflict, MergeSpent, NoSuchMerge
from setia.versions.service import NothingPublished

merges_router = APIRouter(prefix="/v1", tags=["moving"], route_class=StrictRoute)
MERGE_EXAMPLE = f"{MERGE_PREFIX}_{'0' * 32}"
_MOMENT = "2026-03-01T09:00:00Z"


class MergeIn(BaseModel):
    """Who turned out to be the member, and why it is known."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"duplicate": MEMBER_EXAMPLE, "reason": "Same person, two cards."}]},
    )

    duplicate: str = Field(max_length=100, description="The id of the member who is merged into the other one.")
    reason: Reason


class UndoIn(BaseModel):
    """Why the two are two after all."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "Father and son.", "short": True}]}
    )

    reason: Reason
    short: bool = Field(
        default=False,
        strict=True,
        description="Part them also where the member who stays has spent points of the duplicate and has not enough "
        "others: the duplicate then gets less.",
        examples=[True],
    )


class MergeOut(BaseModel):
    """A merge."""

    id: str = Field(examples=[MERGE_EXAMPLE])
    member: str = Field(description="Who stays.", examples=[MEMBER_EXAMPLE])
    duplicate: str = Field(description="Who was merged into that one.", examples=[MEMBER_EXAMPLE])
    merged_at: dt.datetime = Field(examples=[_MOMENT])
    actor: str = Field(examples=["key:8mZqPr2XbA"])
    reason: str = Field(examples=["Same person, two cards."])
    undone_at: dt.datetime | None = Field(examples=[None])
    undone_by: str | None = Field(examples=[None])
    undone_reason: str | None = Field(examples=[None])

    @classmethod
    def of(cls, merge: Merge) -> MergeOut:
        """Show a merge."""
        return cls(
            id=format_id(MERGE_PREFIX, merge.id),
            member=format_id(MEMBER_PREFIX, merge.main_id),
            duplicate=format_id(MEMBER_PREFIX, merge.duplicate_id),
            merged_at=merge.merged_at,
            actor=merge.actor,
            reason=merge.reason,
            undone_at=merge.undone_at,
            undone_by=merge.undone_by,
            undone_reason=merge.undone_reason,
        )


class MergesOut(BaseModel):
    """The merges a member had to do with, the oldest first."""

    merges: list[MergeOut]


async def _merging(request: Request) -> Merging:
    # Not async for waiting: of what is not, FastAPI makes a job for another thread, for each request.
    merging: Merging = request.app.state.merging
    return merging


def _merge_id(
    merge_id: Annotated[str, Path(max_length=100, description="The merge's id.", examples=[MERGE_EXAMPLE])],
) -> UUID:
    return read_id(MERGE_PREFIX, merge_id, NoSuchMerge)


MergingOf = Annotated[Merging, Depends(_merging)]
MergeId = Annotated[UUID, Depends(_merge_id)]
_KEYS = (KeyRequired, KeyReused, KeyInFlight)


@merges_router.post(
    "/members/{member_id}/merge",
    summary="Merge a duplicate into a member",
    responses=problems(NoSuchMember, NothingPublished, *_KEYS, InvalidMerge, MergeConflict, InsufficientPoints),
)
def merge_member(
    caller: MembersMerger,
    member_id: MemberId,
    body: MergeIn,
    merging: MergingOf,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> MergeOut:
    """Points, redemptions, identifiers, offers and counters become the member's; the higher level wins.

    From then on requests and events of the duplicate are answered by and booked for the member. Again, it changes
    nothing.
    """
    duplicate = read_id(MEMBER_PREFIX, body.duplicate, NoSuchMember)
    by = By(caller.actor, body.reason)
    done, before = merging.merge(
        caller.program_id, member_id, duplicate, by, key=require(idempotency_key), now=dt.datetime.now(dt.UTC)
    )
    if before:
        response.headers[REPLAYED] = "true"
    return MergeOut.of(done)


@merges_router.get("/members/{member_id}/merges", summary="List a member's merges", responses=problems(NoSuchMember))
def list_merges(caller: MembersReader, member_id: MemberId, merging: MergingOf) -> MergesOut:
    """Every merge that the member had to do with, also those that were undone."""
    return MergesOut(merges=[MergeOut.of(one) for one in merging.of_member(caller.program_id, member_id)])


@merges_router.get("/merges/{merge_id}", summary="Read a merge", responses=problems(NoSuchMerge))
def get_merge(caller: MembersReader, merge_id: MergeId, merging: MergingOf) -> MergeOut:
    """Who was merged into whom, by whom and why, and whether it was undone."""
    return MergeOut.of(merging.find(caller.program_id, merge_id))


@merges_router.post(
    "/merges/{merge_id}/undo",
    summary="Undo a merge",
    responses=problems(NoSuchMerge, NothingPublished, *_KEYS, MergeConflict, MergeSpent, InsufficientPoints),
)
def undo_merge(
    caller: MembersMerger,
    merge_id: MergeId,
    body: UndoIn,
    merging: MergingOf,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> MergeOut:
    """The duplicate gets back what it had; what has happened since stays with the other one. Again, nothing changes."""
    by = By(caller.actor, body.reason)
    done, before = merging.undo(
        caller.program_id,
        merge_id,
        by,
        short=body.short,
        key=require(idempotency_key),
        now=dt.datetime.now(dt.UTC),
    )
    if before:
        response.headers[REPLAYED] = "true"
    return MergeOut.of(done)
