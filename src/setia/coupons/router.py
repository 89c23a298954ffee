"""`/v1/coupons` and `/v1/members/{id}/coupons`: coupons made, brought, read and withdrawn by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED, Keyed, KeyInFlight, KeyRequired, KeyReused, OptionalKey, require
from setia.api.ids import read_id
from setia.api.pages import Cursor, Limit, Page, cut, read_cursor, write_cursor
from setia.api.strict import StrictRoute
from setia.api.values import PlainText
from setia.codes.problems import TooManyGuesses
from setia.coupons.making import Wanted, digits_of
from setia.coupons.problems import InvalidCoupons, NoSuchCoupon
from setia.coupons.schemas import (
    COUPON_EXAMPLE,
    BroughtOut,
    CampaignName,
    CodesIn,
    CouponOut,
    CouponsIn,
    CouponsMadeOut,
    CouponTerms,
    CouponWithUsesOut,
    LookupIn,
    MadeOut,
)
from setia.coupons.service import CouponDesk, Shown
from setia.coupons.using import PREFIX
from setia.db.engine import Database
from setia.db.ids import format_id, parse_id
from setia.identity.caller import Caller, CodesWriter, MembersReader
from setia.members.dependencies import DatabaseOf, MemberId, live_definition
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.service import NoSuchMember, StatusConflict
from setia.problems import ErrorItem
from setia.versions.service import NothingPublished

router = APIRouter(prefix="/v1", tags=["coupons"], route_class=StrictRoute)
_LIST, _OF_MEMBER = "coupons", "member-coupons"


def _desk(request: Request) -> CouponDesk:
    desk: CouponDesk = request.app.state.coupons
    return desk


DeskOf = Annotated[CouponDesk, Depends(_desk)]


def _coupon_id(
    coupon_id: Annotated[
        str,
        Path(
            max_length=100,
            description="The coupon's id, `cpn_...`.",
            openapi_examples={"id": {"value": COUPON_EXAMPLE}},
        ),
    ],
) -> UUID:
    return read_id(PREFIX, coupon_id, NoSuchCoupon)


CouponId = Annotated[UUID, Depends(_coupon_id)]


def _digits(caller: Caller, request: Request, database: Database) -> int:
    with database.transaction() as tx:
        return digits_of(live_definition(request, tx, caller.program_id))


@router.post(
    "/coupons",
    status_code=201,
    summary="Make coupons",
    responses=problems(
        NothingPublished, KeyRequired, KeyReused, KeyInFlight, InvalidCoupons, NoSuchMember, StatusConflict
    ),
)
def make_coupons(
    caller: CodesWriter,
    body: CouponsIn,
    desk: DeskOf,
    database: DatabaseOf,
    request: Request,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> CouponsMadeOut:
    """Up to 10,000 at once: one for each member that is named, or so many that everybody can use, with their codes."""
    if (body.count is None) == (not body.members):
        raise _wrong("count", "Either `count` coupons are made, or one for each of `members`.", "Give exactly one.")
    digits = _digits(caller, request, database)
    said = body.model_dump(mode="json")
    write = Keyed.of(caller.program_id, "POST /v1/coupons", require(idempotency_key), said)
    members = [_member(place, text) for place, text in enumerate(body.members)]
    wanted = _wanted(body, digits)
    made = desk.generate(write, wanted, body.count or 0, members, actor=caller.actor)
    if made.replayed:
        response.headers[REPLAYED] = "true"
    return CouponsMadeOut(coupons=[MadeOut.of(one) for one in made.coupons])


@router.post("/coupons/codes", summary="Bring codes", responses=problems(NothingPublished, InvalidCoupons))
def bring_codes(caller: CodesWriter, body: CodesIn, desk: DeskOf, database: DatabaseOf, request: Request) -> BroughtOut:
    """Make a coupon for each code, up to 10,000 at once. Those that are known stay, so it can be sent again."""
    wanted = _wanted(body, _digits(caller, request, database))
    done = desk.bring(caller.program_id, wanted, body.codes, actor=caller.actor)
    return BroughtOut(added=done.added, known=done.known, unusable=done.unusable)


@router.post(
    "/coupons/lookup", summary="Look a code up", responses=problems(NothingPublished, NoSuchCoupon, TooManyGuesses)
)
def look_up_code(
    caller: CodesWriter, body: LookupIn, desk: DeskOf, database: DatabaseOf, request: Request
) -> CouponWithUsesOut:
    """The coupon that has a code, and what it was used for."""
    shown = desk.find_by_code(caller.program_id, body.code, who=caller.actor, now=dt.datetime.now(dt.UTC))
    return CouponWithUsesOut.of(shown, _digits(caller, request, database))


@router.get("/coupons", summary="List coupons", responses=problems(NothingPublished))
def list_coupons(  # noqa: PLR0913, PLR0917 - query parameters
    caller: CodesWriter,
    desk: DeskOf,
    database: DatabaseOf,
    request: Request,
    campaign: Annotated[CampaignName | None, Query(description="Those of one promotion.")] = None,
    batch: Annotated[PlainText | None, Query(max_length=100, description="Those made under this name.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[CouponOut]:
    """The coupons of the program, the oldest first."""
    place = read_cursor(_LIST, cursor, UUID)
    after = None if place is None else place[0]
    rows = desk.listed(caller.program_id, campaign, batch, after=after, most=limit + 1)
    return _page(rows, limit, _LIST, _digits(caller, request, database))


@router.get("/coupons/{coupon_id}", summary="Read a coupon", responses=problems(NothingPublished, NoSuchCoupon))
def get_coupon(
    caller: CodesWriter, coupon_id: CouponId, desk: DeskOf, database: DatabaseOf, request: Request
) -> CouponWithUsesOut:
    """A coupon, and what it was used for."""
    return CouponWithUsesOut.of(desk.find(caller.program_id, coupon_id), _digits(caller, request, database))


@router.post(
    "/coupons/{coupon_id}/void", summary="Withdraw a coupon", responses=problems(NothingPublished, NoSuchCoupon)
)
def void_coupon(
    caller: CodesWriter, coupon_id: CouponId, desk: DeskOf, database: DatabaseOf, request: Request
) -> CouponWithUsesOut:
    """Nobody can use it any more; orders that have used it keep what they have. Again, it changes nothing."""
    return CouponWithUsesOut.of(
        desk.void(caller.program_id, coupon_id, actor=caller.actor), _digits(caller, request, database)
    )


@router.get(
    "/members/{member_id}/coupons",
    summary="Read a member's coupons",
    responses=problems(NothingPublished, NoSuchMember),
)
def get_member_coupons(
    caller: MembersReader,
    member_id: MemberId,
    desk: DeskOf,
    database: DatabaseOf,
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[CouponOut]:
    """The member's own coupons with their codes, the newest first."""
    # The member is part of the list's name: a cursor of another member's coupons is a wrong one.
    kind = f"{_OF_MEMBER} {member_id.hex}"
    place = read_cursor(kind, cursor, UUID)
    before = None if place is None else place[0]
    rows = desk.of_member(caller.program_id, member_id, before=before, most=limit + 1)
    return _page(rows, limit, kind, _digits(caller, request, database))


def _page(rows: list[Shown], limit: int, kind: str, digits: int) -> Page[CouponOut]:
    page, cursor = cut(rows, limit, lambda one: write_cursor(kind, str(one.row.id)))
    return Page[CouponOut](items=[CouponOut.of(one, digits) for one in page], next_cursor=cursor)


def _wanted(body: CouponTerms, digits: int) -> Wanted:
    return Wanted(
        campaign=body.campaign,
        amount=None if body.amount is None else _minor(body.amount, digits),
        uses=body.uses,
        starts=body.starts,
        ends=body.ends,
        batch=body.batch,
    )


def _minor(amount: Decimal, digits: int) -> int:
    scaled = amount.scaleb(digits)
    if scaled != int(scaled):
        raise _wrong("amount", f"It has more than {digits} decimals.", "Round it.")
    return int(scaled)


def _member(place: int, text: str) -> UUID:
    try:
        return parse_id(MEMBER_PREFIX, text)
    except ValueError as error:
        hint = f"Send it as {format_id(MEMBER_PREFIX, UUID(int=0))}."
        raise _wrong(f"members/{place}", f"It {error}.", hint) from None


def _wrong(field: str, message: str, hint: str) -> InvalidCoupons:
    return InvalidCoupons("Nothing was made.", errors=[ErrorItem(pointer=f"#/{field}", message=message, hint=hint)])
