"""`/v1/reward-links`: made, followed and withdrawn by who pays for them; and the report on them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import AwareDatetime

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED, Keyed, KeyInFlight, KeyRequired, KeyReused, OptionalKey, require
from setia.api.ids import read_id
from setia.api.pages import Cursor, Limit, Page, cut, read_cursor, write_cursor
from setia.api.strict import StrictRoute
from setia.identity.caller import RewardLinksReader, RewardLinksWriter
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.service import NoSuchMember, StatusConflict
from setia.problems import ErrorItem
from setia.program.names import Period
from setia.reward_links.problems import InvalidRewardLink, NoSuchRewardLink, RewardLinkChosen
from setia.reward_links.schemas import (
    LINK_EXAMPLE,
    LINK_PREFIX,
    FulfilLinkIn,
    LinkOut,
    LinkReportOut,
    LinkTotalsOut,
    SendIn,
)
from setia.reward_links.service import RewardLinks, Sending
from setia.versions.service import NothingPublished

router = APIRouter(prefix="/v1", tags=["reward links"], route_class=StrictRoute)
_LIST = "reward-links"


async def _reward_links(request: Request) -> RewardLinks:
    # Not async for waiting: of what is not, FastAPI makes a job for another thread, for each request.
    found: RewardLinks = request.app.state.reward_links
    return found


def _link_id(
    link_id: Annotated[str, Path(max_length=100, description="The link's id.", examples=[LINK_EXAMPLE])],
) -> UUID:
    return read_id(LINK_PREFIX, link_id, NoSuchRewardLink)


LinksOf = Annotated[RewardLinks, Depends(_reward_links)]
LinkId = Annotated[UUID, Depends(_link_id)]


@router.post(
    "/reward-links",
    status_code=201,
    summary="Make a reward link",
    responses=problems(
        *(NothingPublished, NoSuchMember, StatusConflict, InvalidRewardLink, KeyRequired, KeyReused, KeyInFlight)
    ),
)
def send_reward_link(
    caller: RewardLinksWriter,
    body: SendIn,
    reward_links: LinksOf,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> LinkOut:
    """A link for one recipient. Its token is in the answer and nowhere else; sending it is the caller's."""
    write = Keyed.of(caller.program_id, "POST /v1/reward-links", require(idempotency_key), body.model_dump(mode="json"))
    member = None if body.member is None else _member(body.member)
    wanted = Sending(body.kind, body.amount, _valid_for(body.valid_for), member, body.reason)
    answer, token, replayed = reward_links.send(
        write, wanted, caller.actor, lambda link, now: LinkOut.of(link, now).model_dump(mode="json")
    )
    if replayed:
        response.headers[REPLAYED] = "true"
    return LinkOut.model_validate(answer | {"token": token})


@router.get("/reward-links", summary="List reward links", responses=problems(NothingPublished))
def list_reward_links(
    caller: RewardLinksReader, reward_links: LinksOf, limit: Limit = 50, cursor: Cursor = None
) -> Page[LinkOut]:
    """The newest first, with what became of each."""
    place = read_cursor(_LIST, cursor, UUID)
    rows, now = reward_links.page(caller.program_id, before=None if place is None else place[0], most=limit + 1)
    page, following = cut(rows, limit, lambda link: write_cursor(_LIST, link.id.hex))
    return Page(items=[LinkOut.of(link, now) for link in page], next_cursor=following)


@router.get(
    "/reward-links/{link_id}", summary="Read a reward link", responses=problems(NothingPublished, NoSuchRewardLink)
)
def get_reward_link(caller: RewardLinksReader, link_id: LinkId, reward_links: LinksOf) -> LinkOut:
    """What became of it. Its token is not shown again."""
    return LinkOut.of(*reward_links.find(caller.program_id, link_id))


@router.post(
    "/reward-links/{link_id}/withdraw",
    summary="Withdraw a reward link",
    responses=problems(NothingPublished, NoSuchRewardLink, RewardLinkChosen),
)
def withdraw_reward_link(caller: RewardLinksWriter, link_id: LinkId, reward_links: LinksOf) -> LinkOut:
    """Nobody can choose any more. Again, it changes nothing."""
    return LinkOut.of(*reward_links.withdraw(caller.program_id, link_id))


@router.post(
    "/reward-links/{link_id}/fulfilment",
    summary="Say how far the delivery of what was chosen is",
    responses=problems(NothingPublished, NoSuchRewardLink, InvalidRewardLink),
)
def fulfil_reward_link(
    caller: RewardLinksWriter, link_id: LinkId, body: FulfilLinkIn, reward_links: LinksOf
) -> LinkOut:
    """Of a physical good, a donation or a partner's reward."""
    return LinkOut.of(*reward_links.fulfil(caller.program_id, link_id, body.state))


@router.get("/reports/reward-links", summary="Count reward links", responses=problems(NothingPublished))
def get_reward_link_report(
    caller: RewardLinksReader,
    reward_links: LinksOf,
    since: Annotated[AwareDatetime | None, Query(description="Made at this moment or later.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Made before this moment.")] = None,
) -> LinkReportOut:
    """How many were sent, opened, redeemed and have expired, and what that costs, by kind and currency."""
    totals = reward_links.totals(caller.program_id, since, until)
    return LinkReportOut(totals=[LinkTotalsOut.of(one) for one in totals])


def _member(text: str) -> UUID:
    return read_id(MEMBER_PREFIX, text, NoSuchMember)


def _valid_for(text: str | None) -> Period | None:
    if text is None:
        return None
    try:
        return Period.model_validate(text)
    except ValueError:
        hint = "Write a whole number and a unit: 30d, 6w or 3mo."
        item = ErrorItem(pointer="#/valid_for", message="is no length of time", hint=hint)
        raise InvalidRewardLink("No link was made.", errors=[item]) from None
