"""`/v1/referrals`: members' codes, invited friends, what became of them, and the funnel."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED
from setia.api.ids import read_id
from setia.api.pages import Cursor, Limit, Page, cut, read_cursor, write_cursor
from setia.api.strict import StrictRoute
from setia.db.ids import format_id, parse_id
from setia.identity.caller import ReferralsReader, ReferralsWriter
from setia.members.dependencies import MemberId
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.schemas import lists_of
from setia.members.service import NoSuchMember
from setia.problems import ErrorItem
from setia.program.events import IdentifierKind
from setia.program.rewards import RewardPeriod
from setia.referrals.due import REFERRAL_PREFIX
from setia.referrals.problems import CannotRefer, InvalidReferral, NoSuchReferral
from setia.referrals.referral import State, Wish
from setia.referrals.schemas import (
    REFERRAL_EXAMPLE,
    CodeOut,
    CodesIn,
    CodesOut,
    FingerprintsIn,
    FriendIn,
    FunnelOut,
    InvitedOut,
    InviteIn,
    KeptOut,
    MemberReferralsOut,
    ReferralName,
    ReferralOut,
    period_out,
)
from setia.referrals.service import Referrals
from setia.versions.service import NothingPublished

router = APIRouter(prefix="/v1", tags=["referrals"], route_class=StrictRoute)


async def _referrals(request: Request) -> Referrals:
    # Not async for waiting: of what is not, FastAPI makes a job for another thread, for each request.
    referrals: Referrals = request.app.state.referrals
    return referrals


def _referral_id(
    referral_id: Annotated[str, Path(max_length=100, description="The referral's id.", examples=[REFERRAL_EXAMPLE])],
) -> UUID:
    return read_id(REFERRAL_PREFIX, referral_id, NoSuchReferral)


# A day further off has no midnight in some time zone.
Day = Annotated[dt.date, Field(ge=dt.date(1900, 1, 1), le=dt.date(9000, 1, 1))]
ReferralsOf = Annotated[Referrals, Depends(_referrals)]
ReferralId = Annotated[UUID, Depends(_referral_id)]


@router.post("/referrals/codes", summary="Give members codes", responses=problems(NothingPublished, InvalidReferral))
def make_codes(caller: ReferralsWriter, body: CodesIn, referrals: ReferralsOf) -> CodesOut:
    """A code and a link for each member, for up to 5,000 at once. Who has one keeps it, so it can be asked again."""
    wanted: dict[str, UUID] = {}
    for text in body.members:
        try:
            wanted[text] = parse_id(MEMBER_PREFIX, text)
        except ValueError:
            continue
    made = referrals.make_codes(caller.program_id, body.referral, list(wanted.values()), _now())
    named = list(dict.fromkeys(body.members))
    known = {text: made.codes[wanted[text]] for text in named if text in wanted and wanted[text] in made.codes}
    return CodesOut(
        codes=[CodeOut.of(made.live, text, made.referral, code) for text, code in known.items()],
        unknown=[text for text in named if text not in known],
    )


@router.post(
    "/referrals",
    status_code=201,
    summary="Invite a friend",
    responses=problems(NoSuchMember, NothingPublished, InvalidReferral, CannotRefer),
)
def invite_friend(caller: ReferralsWriter, body: InviteIn, referrals: ReferralsOf, response: Response) -> InvitedOut:
    """Keep that a member has given a friend's address, of which only a keyed hash is stored.

    The friend who enrols with that address has been referred by the member. The same address again gives the first
    answer. Whether the friend is a member already is not said.
    """
    referrer = read_id(MEMBER_PREFIX, body.referrer, NoSuchMember)
    _, row, again = referrals.invite(caller.program_id, referrer, _contact(body.friend), body.referral, _now())
    if again:
        response.headers[REPLAYED] = "true"
    return InvitedOut.of(row)


@router.get("/referrals", summary="List referrals", responses=problems(NoSuchMember, NothingPublished))
def list_referrals(  # noqa: PLR0913, PLR0917 - query parameters
    caller: ReferralsReader,
    referrals: ReferralsOf,
    state: Annotated[State | None, Query(description="Those in this state.")] = None,
    referrer: Annotated[str | None, Query(max_length=100, description="Those of this member.")] = None,
    friend: Annotated[str | None, Query(max_length=100, description="That of this friend.")] = None,
    referral: Annotated[ReferralName | None, Query(description="Those of this kind.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ReferralOut]:
    """Referrals, the newest first."""
    wish = Wish(state=state, referrer=_member(referrer), friend=_member(friend), referral=referral)
    listed = f"referrals {state} {wish.referrer} {wish.friend} {referral}"
    place = read_cursor(listed, cursor, UUID)
    rows = referrals.list(caller.program_id, wish, before=None if place is None else place[0], most=limit + 1)
    page, following = cut(rows, limit, lambda row: write_cursor(listed, row.id.hex))
    return Page(items=[ReferralOut.of(row) for row in page], next_cursor=following)


@router.get("/referrals/funnel", summary="Read the funnel", responses=problems(NothingPublished))
def get_funnel(
    caller: ReferralsReader,
    referrals: ReferralsOf,
    every: Annotated[RewardPeriod, Query(description="By which periods.")] = "month",
    referral: Annotated[ReferralName | None, Query(description="Of this kind only.")] = None,
    since: Annotated[Day | None, Query(description="Begun on this day or later.")] = None,
    until: Annotated[Day | None, Query(description="Begun before this day.")] = None,
) -> FunnelOut:
    """How many referrals began in each period, how far they came, where they are, and what they have cost."""
    live, periods = referrals.funnel(caller.program_id, every, referral, since, until)
    return FunnelOut(every=every, periods=[period_out(live, found) for found in periods])


@router.get("/referrals/{referral_id}", summary="Read a referral", responses=problems(NoSuchReferral, NothingPublished))
def get_referral(caller: ReferralsReader, referral_id: ReferralId, referrals: ReferralsOf) -> ReferralOut:
    """Where it is, and why."""
    return ReferralOut.of(referrals.find(caller.program_id, referral_id))


@router.get(
    "/members/{member_id}/referrals",
    summary="Read a member's codes",
    responses=problems(NoSuchMember, NothingPublished),
)
def get_member_referrals(caller: ReferralsReader, member_id: MemberId, referrals: ReferralsOf) -> MemberReferralsOut:
    """The member's codes and links, and how many friends are in each state."""
    return MemberReferralsOut.of(format_id(MEMBER_PREFIX, member_id), referrals.of_member(caller.program_id, member_id))


@router.put(
    "/members/{member_id}/fingerprints",
    summary="Say what tells a member from others",
    responses=problems(NoSuchMember, NothingPublished),
)
def put_fingerprints(
    caller: ReferralsWriter, member_id: MemberId, body: FingerprintsIn, referrals: ReferralsOf
) -> KeptOut:
    """Add e-mail, phone, card, address, device or means of payment to what is known of a member, as keyed hashes."""
    given = lists_of(body.fingerprints)
    referrals.keep_fingerprints(caller.program_id, member_id, given)
    return KeptOut(kept={kind: len(values) for kind, values in given.items()})


def _contact(friend: FriendIn) -> tuple[IdentifierKind, str]:
    given: list[tuple[IdentifierKind, str]] = []
    if friend.email is not None:
        given.append(("email", friend.email))
    if friend.phone is not None:
        given.append(("phone", friend.phone))
    if len(given) != 1:
        item = ErrorItem(pointer="#/friend", message="Give exactly one of email and phone.")
        raise InvalidReferral("Nobody was invited.", errors=[item])
    return given[0]


def _member(text: str | None) -> UUID | None:
    return None if text is None else read_id(MEMBER_PREFIX, text, NoSuchMember)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
