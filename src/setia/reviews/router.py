"""`/v1/reviews`: what velocity rules have stopped, and a person approves or voids."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED
from setia.api.ids import read_id
from setia.api.pages import Cursor, Limit, Page, cut, read_cursor, write_cursor
from setia.api.strict import StrictRoute
from setia.api.values import Reason
from setia.db.ids import format_id
from setia.events.acts import By
from setia.identity.caller import MembersReader, ReviewDecider
from setia.members.schemas import MEMBER_EXAMPLE
from setia.reviews.deciding import PREFIX, Choice, OwnReview, ReviewDecided
from setia.reviews.service import Reviews
from setia.velocity.problems import NoSuchReview
from setia.velocity.queue import Review, State
from setia.versions.service import NothingPublished

router = APIRouter(prefix="/v1/reviews", tags=["points"], route_class=StrictRoute)

_LIST = "reviews"
_MOMENT = "2026-03-01T09:00:00Z"
REVIEW_EXAMPLE = f"{PREFIX}_{'0' * 32}"


class DecideIn(BaseModel):
    """Why it is decided so."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "Talked to the shop"}]})

    reason: Reason


class ReviewOut(BaseModel):
    """Points that wait for a person, and why."""

    id: str = Field(examples=[REVIEW_EXAMPLE])
    state: State
    member: str = Field(examples=[MEMBER_EXAMPLE])
    event: str | None = Field(description="The event that brought them.", examples=[f"evt_{'0' * 32}"])
    entry: str = Field(description="The statement's entry.", examples=[f"jrn_{'0' * 32}"])
    watched: str = Field(description="The event's type, or `by_hand`.", examples=["purchase"])
    points: dict[str, int] = Field(
        description="Point type to what came, in its smallest unit.", examples=[{"stars": 9}]
    )
    rule: str = Field(description="The velocity rule.", examples=["fast"])
    per: str = Field(examples=["member"])
    subject: str = Field(description="The member, operator or location it counted.", examples=[MEMBER_EXAMPLE])
    counted: int = Field(description="What it counted within its time, this included.", examples=[6])
    most: int = Field(description="What is still fine.", examples=[5])
    actor: str = Field(description="Who sent the event, or gave the points.", examples=["key:8mZqPr2XbA"])
    occurred_at: dt.datetime = Field(examples=[_MOMENT])
    opened_at: dt.datetime = Field(examples=[_MOMENT])
    decide_by: dt.datetime | None = Field(description="When it is decided by itself, by `otherwise`.")
    otherwise: str = Field(examples=["void"])
    decided_at: dt.datetime | None
    decided_by: str | None
    reason: str | None = Field(description="Why it was decided so.")

    @classmethod
    def of(cls, review: Review) -> ReviewOut:
        """A review as the API says it."""
        values: dict[str, Any] = msgspec.structs.asdict(review)
        by_hand = review.watched == "by_hand"
        return cls(
            **{name: values[name] for name in cls.model_fields if name in values}
            | {"id": format_id(PREFIX, review.id)},
            member=format_id("mem", review.member_id),
            event=None if by_hand else format_id("evt", review.entry_id),
            entry=format_id("jrn", review.entry_id),
        )


async def _reviews(request: Request) -> Reviews:
    reviews: Reviews = request.app.state.reviews
    return reviews


def _review_id(
    review_id: Annotated[str, Path(max_length=100, description="The review's id.", examples=[REVIEW_EXAMPLE])],
) -> UUID:
    return read_id(PREFIX, review_id, NoSuchReview)


ReviewsOf = Annotated[Reviews, Depends(_reviews)]
ReviewId = Annotated[UUID, Depends(_review_id)]


@router.get("", summary="List what waits for a review", responses=problems())
def list_reviews(
    caller: MembersReader,
    reviews: ReviewsOf,
    state: Annotated[State | None, Query(description="Only those in this state; by default all.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ReviewOut]:
    """Reviews, the newest first; with `state=open` the queue."""
    listed = f"{_LIST} {state}"
    place = read_cursor(listed, cursor, UUID)
    rows = reviews.listed(caller.program_id, state=state, before=None if place is None else place[0], most=limit + 1)
    page, following = cut(rows, limit, lambda row: write_cursor(listed, row.id.hex))
    return Page(items=[ReviewOut.of(row) for row in page], next_cursor=following)


@router.get("/{review_id}", summary="Read a review", responses=problems(NoSuchReview))
def get_review(caller: MembersReader, review_id: ReviewId, reviews: ReviewsOf) -> ReviewOut:
    """What waits, why, and what became of it."""
    return ReviewOut.of(reviews.find(caller.program_id, review_id))


_DECISIONS = problems(NoSuchReview, NothingPublished, ReviewDecided, OwnReview)


@router.post("/{review_id}/approve", summary="Approve points under review", responses=_DECISIONS)
def approve_review(
    caller: ReviewDecider, review_id: ReviewId, body: DecideIn, reviews: ReviewsOf, response: Response
) -> ReviewOut:
    """The points can be used, or wait on for what they waited for before. Again, it changes nothing."""
    return _decided(reviews, caller.program_id, review_id, "approved", By(caller.actor, body.reason), response)


@router.post("/{review_id}/void", summary="Void points under review", responses=_DECISIONS)
def void_review(
    caller: ReviewDecider, review_id: ReviewId, body: DecideIn, reviews: ReviewsOf, response: Response
) -> ReviewOut:
    """The points are taken back, as if they had not been earned. Again, it changes nothing."""
    return _decided(reviews, caller.program_id, review_id, "voided", By(caller.actor, body.reason), response)


def _decided(
    reviews: Reviews, program_id: int, review_id: UUID, choice: Choice, by: By, response: Response
) -> ReviewOut:
    done = reviews.decide(program_id, review_id, choice, by, dt.datetime.now(dt.UTC))
    if done.replayed:
        response.headers[REPLAYED] = "true"
    return ReviewOut.of(done.review)
