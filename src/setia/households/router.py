"""`/v1/households`: members who spend their points together."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED, Keyed, KeyInFlight, KeyRequired, KeyReused, OptionalKey, require
from setia.api.ids import read_id
from setia.api.strict import StrictRoute
from setia.codes.problems import ReferenceUsed
from setia.events.acts import By
from setia.households.pool import PREFIX
from setia.households.problems import (
    CannotJoin,
    HouseholdClosed,
    InvalidHousehold,
    MayNotSpend,
    NoHouseholds,
    NoSuchHousehold,
    NotInHousehold,
    PoolTooSmall,
)
from setia.households.schemas import (
    HOUSEHOLD_EXAMPLE,
    HouseholdOut,
    JoinIn,
    LeaveIn,
    MakeIn,
    PoolIn,
    RedeemTogetherIn,
    RoleIn,
)
from setia.households.service import HouseholdsDesk, Pooled, Seen
from setia.identity.caller import Caller, MembersReader, MembersWriter, Redeemer
from setia.ledger.freezing import PointsFrozen
from setia.members.dependencies import MemberId
from setia.members.service import NoSuchMember
from setia.rewards.problems import NoSuchReward, RewardUnavailable
from setia.rewards.redeeming import Asked, Wanted
from setia.rewards.router import member_of, need_name
from setia.rewards.schemas import RedemptionOut
from setia.versions.service import NothingPublished

router = APIRouter(prefix="/v1", tags=["points"], route_class=StrictRoute)


async def _desk(request: Request) -> HouseholdsDesk:
    desk: HouseholdsDesk = request.app.state.households
    return desk


def _household_id(
    household_id: Annotated[str, Path(max_length=100, description="The household's id.", examples=[HOUSEHOLD_EXAMPLE])],
) -> UUID:
    return read_id(PREFIX, household_id, NoSuchHousehold)


DeskOf = Annotated[HouseholdsDesk, Depends(_desk)]
HouseholdId = Annotated[UUID, Depends(_household_id)]
_FOUND = (NoSuchHousehold, NothingPublished, NoHouseholds)
_KEYED = (KeyRequired, KeyReused, KeyInFlight)
_INSIDE = (*_FOUND, NoSuchMember, NotInHousehold, HouseholdClosed)


@router.post(
    "/households",
    status_code=201,
    summary="Make a household",
    responses=problems(NoSuchMember, NothingPublished, NoHouseholds, CannotJoin, KeyRequired, KeyReused),
)
def make_household(
    caller: MembersWriter, body: MakeIn, desk: DeskOf, response: Response, idempotency_key: OptionalKey = None
) -> HouseholdOut:
    """A household, or a team, with its owner; others join it."""
    by = By(caller.actor, key=require(idempotency_key))
    return _out(desk.make(caller.program_id, member_of(body.owner), by, _now()), response)


@router.get("/households/{household_id}", summary="Read a household", responses=problems(*_FOUND))
def get_household(caller: MembersReader, household_id: HouseholdId, desk: DeskOf) -> HouseholdOut:
    """Who is in it, and what each has in the pool now."""
    return HouseholdOut.of(desk.see(caller.program_id, household_id, _now()))


@router.get(
    "/members/{member_id}/household", summary="Read a member's household", responses=problems(*_FOUND, NoSuchMember)
)
def get_household_of(caller: MembersReader, member_id: MemberId, desk: DeskOf) -> HouseholdOut:
    """The household that the member is in."""
    return HouseholdOut.of(desk.of_member(caller.program_id, member_id, _now()))


@router.post(
    "/households/{household_id}/members",
    status_code=201,
    summary="Let a member into a household",
    responses=problems(*_FOUND, HouseholdClosed, NoSuchMember, CannotJoin),
)
def join_household(
    caller: MembersWriter, household_id: HouseholdId, body: JoinIn, desk: DeskOf, response: Response
) -> HouseholdOut:
    """What the member earns from now on is pooled, by the program's share. Who is in it already stays so."""
    return _out(desk.join(caller.program_id, household_id, member_of(body.member), body.role, _now()), response)


@router.put(
    "/households/{household_id}/members/{member_id}",
    summary="Change a member's role",
    responses=problems(*_INSIDE, InvalidHousehold),
)
def change_household_role(
    caller: MembersWriter, household_id: HouseholdId, member_id: MemberId, body: RoleIn, desk: DeskOf
) -> HouseholdOut:
    """Who becomes the owner takes the place of the one before, who is an adult then."""
    return HouseholdOut.of(desk.change_role(caller.program_id, household_id, member_id, body.role, _now()))


@router.post(
    "/households/{household_id}/members/{member_id}/leave",
    summary="Leave a household",
    responses=problems(NoSuchHousehold, NothingPublished, NoSuchMember, NotInHousehold, HouseholdClosed, PointsFrozen),
)
def leave_household(
    caller: MembersWriter, household_id: HouseholdId, member_id: MemberId, body: LeaveIn, desk: DeskOf
) -> HouseholdOut:
    """The member's points go along, or stay with the owner (`leaving`). With the last one the household is closed."""
    by = By(caller.actor, body.reason)
    return HouseholdOut.of(desk.leave(caller.program_id, household_id, member_id, by, _now()))


@router.post(
    "/households/{household_id}/contributions",
    summary="Put points into the pool",
    responses=problems(*_INSIDE, *_KEYED, InvalidHousehold, PointsFrozen),
)
def contribute_points(
    caller: MembersWriter,
    household_id: HouseholdId,
    body: PoolIn,
    desk: DeskOf,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> HouseholdOut:
    """Let the household spend points that are the member's own: so many more, once for each Idempotency-Key."""
    asked = Pooled(household_id, member_of(body.member), body.points, body.amount)
    keyed = _keyed(caller, household_id, "contributions", body, idempotency_key)
    return _kept(desk.contribute(keyed, asked, By(caller.actor), _now(), _json), response)


@router.post(
    "/households/{household_id}/draws",
    summary="Draw points from the pool",
    responses=problems(*_INSIDE, *_KEYED, InvalidHousehold, MayNotSpend, PoolTooSmall, PointsFrozen),
)
def draw_points(
    caller: Redeemer,
    household_id: HouseholdId,
    body: PoolIn,
    desk: DeskOf,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> HouseholdOut:
    """Let a member have so many points of the pool to spend: what is missing moves there from the others.

    They stay in the pool until they are spent, now as this member's. Once for each Idempotency-Key.
    """
    asked = Pooled(household_id, member_of(body.member), body.points, body.amount)
    keyed = _keyed(caller, household_id, "draws", body, idempotency_key)
    return _kept(desk.draw(keyed, asked, By(caller.actor), _now(), _json), response)


@router.post(
    "/households/{household_id}/redemptions",
    status_code=201,
    summary="Redeem with what is pooled",
    responses=problems(
        *(*_INSIDE, MayNotSpend, PointsFrozen, NoSuchReward, RewardUnavailable),
        *(KeyRequired, KeyReused, ReferenceUsed),
    ),
)
def redeem_together(
    caller: Redeemer,
    household_id: HouseholdId,
    body: RedeemTogetherIn,
    desk: DeskOf,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> RedemptionOut:
    """Redeem or hold a reward for a member; the pool pays first, then the member's own points.

    It needs a `reference` or an Idempotency-Key: the same one and the same body give the first answer again. Confirm,
    cancel and refund it as any other; what comes back is in the pool again.
    """
    need_name(idempotency_key, body.reference)
    asked = Asked(
        member=member_of(body.member),
        reward=body.reward,
        quantity=body.quantity,
        date=body.date,
        confirm=body.confirm,
        till=body.till,
        reference=body.reference,
    )
    wanted = Wanted(asked=asked, actor=caller.actor, key=idempotency_key, now=_now())
    done = desk.redeem(caller.program_id, household_id, wanted)
    if done.replayed:
        response.headers[REPLAYED] = "true"
    return RedemptionOut.of(done.row, done.row.created_at, done.code, done.balances)


def _keyed(caller: Caller, household: UUID, what: str, body: PoolIn, key: str | None) -> Keyed:
    endpoint = f"POST /v1/households/{household.hex}/{what}"
    return Keyed.of(caller.program_id, endpoint, require(key), body.model_dump())


def _json(seen: Seen) -> str:
    return HouseholdOut.of(seen).model_dump_json()


def _kept(done: tuple[str, bool], response: Response) -> HouseholdOut:
    body, replayed = done
    if replayed:
        response.headers[REPLAYED] = "true"
    return HouseholdOut.model_validate_json(body)


def _out(seen: Seen, response: Response) -> HouseholdOut:
    if seen.replayed:
        response.headers[REPLAYED] = "true"
    return HouseholdOut.of(seen)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
