"""`/v1/rewards` and `/v1/redemptions`: what can be had, for whom and why not; held, confirmed, cancelled, refunded."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED, KeyRequired, KeyReused, OptionalKey
from setia.api.ids import read_id
from setia.api.languages import preferred
from setia.api.pages import Cursor, Limit, Page, cut, read_cursor, write_cursor
from setia.api.strict import StrictRoute
from setia.api.values import PlainText
from setia.db.ids import format_id
from setia.events.live import LiveProgram
from setia.events.problems import MemberNotActive
from setia.gift_cards.problems import GiftCardUnusable, InvalidGiftCard, NoSuchGiftCard
from setia.gift_cards.tendering import CARD_PREFIX
from setia.identity.caller import Redeemer, RewardsReader
from setia.identity.scopes import Scope
from setia.ledger.refusals import InsufficientPoints
from setia.members.dependencies import MemberId
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.points_router import LANGUAGES, AcceptLanguage, Locale
from setia.members.service import NoSuchMember
from setia.problems import ErrorItem
from setia.program.names import Period
from setia.rewards.ending import Ended
from setia.rewards.partner_schemas import DeliveryOut
from setia.rewards.problems import (
    CodeUnusable,
    InvalidRedemption,
    NoSuchRedemption,
    NoSuchReward,
    RedemptionEnded,
    ReferenceUsed,
    RewardUnavailable,
)
from setia.rewards.redeeming import Asked, Wanted
from setia.rewards.redemption import REDEMPTION_PREFIX, Redemption
from setia.rewards.schemas import (
    REDEMPTION_EXAMPLE,
    ConfirmIn,
    FulfilIn,
    MemberRewardsOut,
    OfferedOut,
    RedeemIn,
    RedemptionOut,
    RewardOut,
    RewardsOut,
)
from setia.rewards.service import Rewards
from setia.versions.service import NothingPublished

router = APIRouter(prefix="/v1", tags=["rewards"], route_class=StrictRoute)


async def _rewards(request: Request) -> Rewards:
    # Not async for waiting: of what is not, FastAPI makes a job for another thread, for each request.
    rewards: Rewards = request.app.state.rewards
    return rewards


def _redemption_id(
    redemption_id: Annotated[
        str, Path(max_length=100, description="The redemption's id.", examples=[REDEMPTION_EXAMPLE])
    ],
) -> UUID:
    return read_id(REDEMPTION_PREFIX, redemption_id, NoSuchRedemption)


RewardsOf = Annotated[Rewards, Depends(_rewards)]
RedemptionId = Annotated[UUID, Depends(_redemption_id)]


@router.get("/rewards", summary="Read the catalogue of rewards", responses=problems(NothingPublished))
def get_rewards(
    caller: RewardsReader, rewards: RewardsOf, locale: Locale = None, accept_language: AcceptLanguage = None
) -> RewardsOut:
    """The rewards of the live version, with everybody's prices; those that are switched off are left out."""
    live, found = rewards.catalogue(caller.program_id)
    language = _language(live, locale or accept_language)
    return RewardsOut(rewards=[RewardOut.of(live, one, language) for one in found])


@router.get(
    "/members/{member_id}/rewards",
    summary="Read what a member can redeem",
    responses=problems(NoSuchMember, NothingPublished),
)
def get_member_rewards(
    caller: RewardsReader,
    member_id: MemberId,
    rewards: RewardsOf,
    locale: Locale = None,
    accept_language: AcceptLanguage = None,
) -> MemberRewardsOut:
    """The catalogue with the member's own prices, and each reason why a reward cannot be had now."""
    live, found = rewards.of_member(caller.program_id, member_id, _now())
    language = _language(live, locale or accept_language)
    return MemberRewardsOut(
        member=format_id(MEMBER_PREFIX, member_id), rewards=[OfferedOut.seen(live, one, language) for one in found]
    )


@router.post(
    "/redemptions",
    status_code=201,
    response_model=RedemptionOut,
    summary="Redeem a reward, or hold it",
    responses=problems(
        *(NoSuchMember, NoSuchReward, NothingPublished, KeyRequired, KeyReused, ReferenceUsed),
        *(RewardUnavailable, InvalidRedemption, InsufficientPoints),
        *(NoSuchGiftCard, GiftCardUnusable, InvalidGiftCard),
    ),
)
async def create_redemption(
    caller: Redeemer,
    body: RedeemIn,
    rewards: RewardsOf,
    idempotency_key: OptionalKey = None,
) -> Response:
    """Hold points and stock until it is confirmed, or with `confirm` redeem at once.

    It needs a `reference` or an Idempotency-Key: the same one and the same body give the first answer again.
    """
    need_name(idempotency_key, body.reference)
    now = _now()
    asked = Asked(
        member=member_of(body.member),
        reward=body.reward,
        quantity=body.quantity,
        date=body.date,
        confirm=body.confirm,
        ttl=_ttl(body),
        till=body.till,
        reference=body.reference,
        gift_card=_gift_card(body.gift_card),
    )
    wanted = Wanted(asked=asked, actor=caller.actor, key=idempotency_key, now=now)
    done = await rewards.redeem_soon(caller.program_id, wanted)
    # As it was when it was made: a repetition says the same, though the hold may be over now.
    told = RedemptionOut.of(done.row, done.row.created_at, done.code, done.balances)
    # Written here: FastAPI would check once more what was just made.
    headers = {REPLAYED: "true"} if done.replayed else None
    return Response(told.model_dump_json(), 201, headers, media_type="application/json")


@router.get(
    "/redemptions", summary="Find redemptions", responses=problems(NoSuchMember, NoSuchRedemption, NothingPublished)
)
def find_redemptions(
    caller: RewardsReader,
    rewards: RewardsOf,
    member: Annotated[str | None, Query(max_length=100, description="Of this member, the newest first.")] = None,
    till: Annotated[PlainText, Query(max_length=63, description="The till whose reference it is.")] = "api",
    reference: Annotated[PlainText | None, Query(max_length=200, description="The till's own reference.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[RedemptionOut]:
    """By the till's own reference, when an answer was lost; or all of a member."""
    now = _now()
    if reference is not None:
        live, found = rewards.find_by_reference(caller.program_id, till, reference)
        return Page(items=[RedemptionOut.of(found, live.now(now))], next_cursor=None)
    if member is None:
        item = ErrorItem(
            pointer="#/query/member", message="is missing", hint="Send `member`, or `till` and `reference`."
        )
        raise InvalidRedemption("Of which member, or under which reference?", errors=[item])
    owner = member_of(member)
    listed = f"redemptions {format_id(MEMBER_PREFIX, owner)}"
    place = read_cursor(listed, cursor, UUID)
    live, rows = rewards.redemptions_of(
        caller.program_id, owner, before=None if place is None else place[0], most=limit + 1
    )
    page, following = cut(rows, limit, lambda row: write_cursor(listed, row.id.hex))
    return Page(items=[RedemptionOut.of(row, live.now(now)) for row in page], next_cursor=following)


@router.get(
    "/redemptions/{redemption_id}",
    summary="Read a redemption",
    responses=problems(NoSuchRedemption, NothingPublished),
)
def get_redemption(caller: RewardsReader, redemption_id: RedemptionId, rewards: RewardsOf) -> RedemptionOut:
    """What became of it. Its code is not shown again, but for one that its partner has answered."""
    now = _now()
    live, found, seen = rewards.read(caller.program_id, redemption_id, now=now)
    # Codes are for who redeems: a key that may only read does not get them here either.
    code = seen.code if seen is not None and Scope.REWARDS_REDEEM in caller.scopes else None
    told = RedemptionOut.of(found, live.now(now), code)
    return told if seen is None else told.model_copy(update={"delivery": DeliveryOut.of(seen.delivery)})


_ALL = ConfirmIn()
_ENDINGS = problems(
    *(NoSuchRedemption, NothingPublished, RedemptionEnded, CodeUnusable, InvalidRedemption, MemberNotActive),
    *(NoSuchGiftCard, GiftCardUnusable, InvalidGiftCard),
)


@router.post("/redemptions/{redemption_id}/confirm", summary="Confirm a redemption", responses=_ENDINGS)
def confirm_redemption(
    caller: Redeemer, redemption_id: RedemptionId, rewards: RewardsOf, response: Response, body: ConfirmIn = _ALL
) -> RedemptionOut:
    """Redeem what is held, or a part of it; the rest comes back at once. Again, it gives the same answer."""
    done = rewards.confirm(
        caller.program_id,
        redemption_id,
        body.quantity,
        actor=caller.actor,
        now=_now(),
        gift_card=_gift_card(body.gift_card),
    )
    return _ended(done, response)


@router.post("/redemptions/{redemption_id}/cancel", summary="Cancel a held redemption", responses=_ENDINGS)
def cancel_redemption(
    caller: Redeemer, redemption_id: RedemptionId, rewards: RewardsOf, response: Response
) -> RedemptionOut:
    """Points, stock and code come back. Again, or after the hold has expired, it changes nothing."""
    return _ended(rewards.cancel(caller.program_id, redemption_id, actor=caller.actor, now=_now()), response)


@router.post("/redemptions/{redemption_id}/refund", summary="Refund a redemption", responses=_ENDINGS)
def refund_redemption(
    caller: Redeemer, redemption_id: RedemptionId, rewards: RewardsOf, response: Response
) -> RedemptionOut:
    """Points come back to the lots they were taken from, and its code is void. Again, it changes nothing."""
    return _ended(rewards.refund(caller.program_id, redemption_id, actor=caller.actor, now=_now()), response)


@router.post("/redemptions/{redemption_id}/fulfilment", summary="Say how far a delivery is", responses=_ENDINGS)
def fulfil_redemption(
    caller: Redeemer, redemption_id: RedemptionId, body: FulfilIn, rewards: RewardsOf, response: Response
) -> RedemptionOut:
    """Of a physical good, a partner's reward or a donation: `open`, `packed`, `shipped`, `delivered` or `failed`."""
    return _ended(rewards.fulfil(caller.program_id, redemption_id, body.state, _now()), response)


def _ended(done: Ended, response: Response) -> RedemptionOut:
    if done.replayed:
        response.headers[REPLAYED] = "true"
    row: Redemption = done.row
    return RedemptionOut.of(row, row.created_at, done.code)


def need_name(key: str | None, reference: str | None) -> None:
    """A redemption has a name by which it is known again; raises `KeyRequired`."""
    if key is None and reference is None:
        raise KeyRequired("Send a `reference` of the till's own, or the header Idempotency-Key.")


def member_of(text: str) -> UUID:
    """The member that a text names; raises `NoSuchMember`."""
    return read_id(MEMBER_PREFIX, text, NoSuchMember)


def _gift_card(text: str | None) -> UUID | None:
    return None if text is None else read_id(CARD_PREFIX, text, NoSuchGiftCard)


def _ttl(body: RedeemIn) -> Period | None:
    if body.ttl is None:
        return None
    try:
        return Period.model_validate(body.ttl)
    except ValueError:
        hint = "Write a whole number and a unit: 15min, 2h or 1d."
        item = ErrorItem(pointer="#/ttl", message="is no length of time", hint=hint)
        raise InvalidRedemption("Nothing was held.", errors=[item]) from None


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _language(live: LiveProgram, wish: str | None) -> str:
    return preferred(wish, LANGUAGES, live.compiled.definition.program.locale)
