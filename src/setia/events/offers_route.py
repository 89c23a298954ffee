"""`/v1/members/{id}/offers`: what a member can complete and how far it is; assigning and activating."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED, KeyRequired, OptionalKey, require
from setia.api.languages import preferred
from setia.api.strict import StrictRoute
from setia.db.engine import Database, driver_connection
from setia.db.ids import format_id, new_id
from setia.engine.compiled import CompiledProgram
from setia.engine.offer_sentences import progress_text
from setia.engine.offers import Held, can_activate, held
from setia.engine.wording import LANGUAGES, campaign_name, language_of
from setia.events.arrivals import Draft
from setia.events.booked import Booked
from setia.events.booking import Submission
from setia.events.committer import Committer
from setia.events.live import LivePrograms
from setia.events.members_in_play import read_in_play
from setia.events.problems import EventReused, InvalidEvent, MemberNotActive
from setia.events.schemas import EventIn, MemberIn
from setia.events.settling import settle_one
from setia.identity.caller import Caller, EventsWriter, MembersReader
from setia.members import service
from setia.members.dependencies import DatabaseOf, MemberId
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.schemas import MEMBER_EXAMPLE
from setia.members.service import NoSuchMember
from setia.problems import Conflict, NotFound, Problem
from setia.program.events import ACTIVATED, ASSIGNED
from setia.versions.service import NothingPublished

offers_router = APIRouter(prefix="/v1/members/{member_id}/offers", tags=["members"], route_class=StrictRoute)

InstanceId = Annotated[
    str,
    Path(
        max_length=100,
        description="The assignment's event, or for an offer everybody has its campaign.",
        examples=["evt_01988d1cf0d27c5ab1a4e0a2c3f4d5e6"],
    ),
]
Locale = Annotated[
    str | None,
    Query(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35, description="Language of texts, as `de`."),
]
StatusOf = Literal["scheduled", "waiting", "running", "completed", "ended"]


class NoSuchOffer(NotFound):
    """The member holds no such offer."""

    code = "offer_not_found"
    title = "The member has no such offer"


class OfferNotWaiting(Conflict):
    """There is nothing to activate."""

    code = "offer_not_waiting"
    title = "The offer does not wait for its member"


class OfferStandingOut(BaseModel):
    """One instance of an offer. Amounts are whole numbers of the smallest unit of what is counted (see `decimals`)."""

    instance: str = Field(description="The assignment's event, or the campaign where everybody has it.")
    offer: str = Field(description="The campaign.", examples=["coffee_card"])
    name: str = Field(examples=["Coffee card"])
    description: str | None = Field(examples=[None])
    status: StatusOf = Field(
        description="Not begun yet, waiting for the member to activate it, running, completed for the last time, or "
        "over."
    )
    counts: Literal["spend", "orders", "visits", "units", "events", "items"] = Field(description="What completes it.")
    progress: int = Field(description="Towards the next completion; the target, once there is none.", examples=[3])
    target: int = Field(description="What one completion takes.", examples=[10])
    decimals: int = Field(description="With 2, an amount of 150 is 1.50.", examples=[0])
    progress_text: str = Field(description="Both in words, such as 12.50 of 50.00 EUR.", examples=["3 of 10"])
    items: list[str] = Field(description="The articles of a set.")
    items_missing: list[str] = Field(description="Those of them that are not bought yet.")
    completions: int = Field(description="How often it has been completed.", examples=[0])
    most_completions: int | None = Field(description="How often it can be; null: without end.", examples=[1])
    starts: dt.datetime | None
    ends: dt.datetime | None = Field(description="Null where it has no end of its own.")
    end_included: bool = Field(description="Whether the moment of its end still belongs to it.")
    activated_at: dt.datetime | None
    completed_at: dt.datetime | None = Field(description="When it was completed last.")

    @classmethod
    def of(cls, program: CompiledProgram, one: Held, locale: str) -> OfferStandingOut:
        """An instance in the words of a language."""
        offer, state = one.offer, one.state
        missing = [sku for sku in offer.items if sku not in state.items]
        there = len(offer.items) - len(missing) if offer.kind == "items" else max(0, state.progress)
        if one.status == "completed":
            missing, there = [], offer.target
        description = program.definition.campaigns[offer.campaign].description
        default = program.definition.program.locale
        return cls(
            instance=one.instance,
            offer=offer.campaign,
            name=campaign_name(program, offer.campaign, locale),
            description=None if description is None else description.in_locale(locale, default),
            status=one.status,
            counts=offer.kind,
            progress=there,
            target=offer.target,
            decimals=offer.digits,
            progress_text=progress_text(program, offer, there, offer.target, language_of(locale)),
            items=list(offer.items),
            items_missing=missing,
            completions=state.completions,
            most_completions=offer.most,
            starts=state.starts,
            ends=state.ends,
            end_included=state.inclusive,
            activated_at=state.activated_at,
            completed_at=state.completed_at,
        )


class OffersOut(BaseModel):
    """A member's offers, in the order of the program."""

    member: str = Field(examples=[MEMBER_EXAMPLE])
    offers: list[OfferStandingOut]


class AssignmentIn(BaseModel):
    """An offer to assign. Without a window of its own it begins now and runs for as long as the offer says."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"offer": "coffee_card"}]})

    offer: str = Field(min_length=1, max_length=63, description="The campaign.", examples=["coffee_card"])
    starts: AwareDatetime | None = Field(default=None, examples=["2026-12-01T00:00:00Z"])
    ends: AwareDatetime | None = Field(default=None, examples=["2026-12-24T00:00:00Z"])


@offers_router.get("", summary="Read a member's offers", responses=problems(NoSuchMember, NothingPublished))
def get_offers(
    caller: MembersReader,
    member_id: MemberId,
    request: Request,
    database: DatabaseOf,
    status: Annotated[StatusOf | None, Query(description="Only those that stand so.")] = None,
    locale: Locale = None,
) -> OffersOut:
    """Every offer the member has: how far it is, its window, and whether it counts now.

    Offers that ended longer ago than events are accepted late may be gone.
    """
    desk = _Desk(request, database, caller.program_id, locale)
    standings = database.run(lambda tx: desk.standings(tx, member_id))
    shown = [one for one in standings if status in {None, one.status}]
    return OffersOut(member=format_id(MEMBER_PREFIX, member_id), offers=shown)


@offers_router.post(
    "",
    status_code=201,
    summary="Assign an offer",
    responses=problems(NoSuchMember, NothingPublished, KeyRequired, InvalidEvent, EventReused, MemberNotActive),
)
async def assign_offer(  # noqa: PLR0913, PLR0917 - one for each part of the request
    caller: EventsWriter,
    member_id: MemberId,
    body: AssignmentIn,
    request: Request,
    response: Response,
    database: DatabaseOf,
    idempotency_key: OptionalKey = None,
    locale: Locale = None,
) -> OfferStandingOut:
    """Books an event `offer_assigned`, once for each Idempotency-Key. The same again says how the offer stands now."""
    desk = _Desk(request, database, caller.program_id, locale)
    key = require(idempotency_key)
    await run_in_threadpool(desk.check, member_id)
    data = {name: str(value) for name, value in body.model_dump(mode="json", exclude_none=True).items()}
    booked = await desk.book(caller, member_id, ASSIGNED, key, data)
    if booked.replayed:
        response.headers[REPLAYED] = "true"
    [instance] = [change.instance for change in booked.outcome.offers if change.kind == "assigned"]
    return await run_in_threadpool(desk.standing, member_id, instance)


@offers_router.post(
    "/{instance}/activate",
    summary="Activate an offer",
    responses=problems(NoSuchMember, NothingPublished, KeyRequired, NoSuchOffer, OfferNotWaiting, MemberNotActive),
)
async def activate_offer(
    caller: EventsWriter,
    member_id: MemberId,
    instance: InstanceId,
    request: Request,
    database: DatabaseOf,
    idempotency_key: OptionalKey = None,
    locale: Locale = None,
) -> OfferStandingOut:
    """Books an event `offer_activated`: from now on the offer counts. One that is active already stays as it is."""
    desk = _Desk(request, database, caller.program_id, locale)
    key = require(idempotency_key)
    await run_in_threadpool(desk.check, member_id)
    if await run_in_threadpool(desk.waits, member_id, instance):
        await desk.book(caller, member_id, ACTIVATED, key, {"instance": instance})
    return await run_in_threadpool(desk.standing, member_id, instance)


class _Desk:
    """What the routes do, for one request."""

    def __init__(self, request: Request, database: Database, program_id: int, locale: str | None) -> None:
        self._programs: LivePrograms = request.app.state.programs
        self._committer: Committer = request.app.state.committer
        self._database = database
        self._program_id = program_id
        self._wanted = locale or request.headers.get("accept-language")

    def check(self, member_id: UUID) -> None:
        """Raise `NoSuchMember` where there is none."""
        with self._database.transaction() as tx:
            service.get_member(tx, self._program_id, member_id)

    def standings(self, tx: sa.Connection, member_id: UUID) -> list[OfferStandingOut]:
        """All of a member's offers, as they stand now."""
        program, found, _ = self._held(tx, member_id)
        language = preferred(self._wanted, LANGUAGES, program.definition.program.locale)
        return [OfferStandingOut.of(program, one, language) for one in found]

    def standing(self, member_id: UUID, instance: str) -> OfferStandingOut:
        """One of a member's offers; raises `NoSuchOffer`."""
        for one in self._database.run(lambda tx: self.standings(tx, member_id)):
            if one.instance == instance:
                return one
        raise NoSuchOffer(f"The member has no offer {instance!r}. Read GET /v1/members/ID/offers.")

    def waits(self, member_id: UUID, instance: str) -> bool:
        """Whether an offer is to be activated; False where it is already. Raises where it cannot be."""
        _, found, now = self._database.run(lambda tx: self._held(tx, member_id))
        for one in found:
            if one.instance == instance:
                if one.offer.by_member and one.state.activated_at is not None:
                    return False
                if not can_activate(one.offer, one.state, now):
                    reason = one.status if one.offer.by_member else "counting without it"
                    raise OfferNotWaiting(f"It is {reason}, so there is nothing to activate.")
                return True
        raise NoSuchOffer(f"The member has no offer {instance!r}. Read GET /v1/members/ID/offers.")

    async def book(self, caller: Caller, member_id: UUID, event_type: str, key: str, data: dict[str, Any]) -> Booked:
        """Book an event about an offer through the ordinary way in."""
        member = MemberIn(id=format_id(MEMBER_PREFIX, member_id))
        event = EventIn(type=event_type, external_id=key, member=member, data=data)
        submission = Submission(Draft(new_id(), event, dt.datetime.now(dt.UTC)), caller.actor)
        [answer] = await self._committer.wait(self._program_id, [submission])
        if isinstance(answer, Problem):
            raise _about_body(answer)
        return answer

    def _held(self, tx: sa.Connection, member_id: UUID) -> tuple[CompiledProgram, list[Held], dt.datetime]:
        service.get_member(tx, self._program_id, member_id)
        connection = driver_connection(tx)
        live = self._programs.live(connection, self._program_id)
        program, now = live.compiled, live.now(dt.datetime.now(dt.UTC))
        settle_one(connection, live, member_id, now)
        state = read_in_play(connection, program, self._program_id, member_id).state
        return program, held(program, state, now), now


def _about_body(problem: Problem) -> Problem:
    """The same problem, its places in the body of this request and not in an event's `data`."""
    problem.errors = tuple(
        item.model_copy(update={"pointer": item.pointer.replace("#/data", "#", 1)}) for item in problem.errors
    )
    return problem
