"""`/v1/transfers` and `/v1/exchanges`: points given to somebody else, and points given for other points."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED, KeyInFlight, KeyRequired, KeyReused, OptionalKey
from setia.api.ids import read_id
from setia.api.pages import Cursor, Limit, Page, cut, read_cursor, write_cursor
from setia.api.strict import StrictRoute
from setia.codes.problems import ReferenceUsed
from setia.db.ids import format_id
from setia.events.acts import By
from setia.identity.caller import MembersReader, PointsAdjuster, PointsMover
from setia.ledger.refusals import InsufficientPoints
from setia.members.dependencies import MemberId
from setia.members.identifiers import MEMBER_PREFIX, InvalidIdentifier
from setia.members.resolve import MemberAmbiguous
from setia.members.service import NoSuchMember
from setia.moving.problems import MoveRefused, NoSuchExchange, NoSuchTransfer, NotTransferable, TransferSpent
from setia.moving.schemas import (
    TRANSFER_EXAMPLE,
    ExchangeIn,
    ExchangeOut,
    ReversalIn,
    TransferIn,
    TransferOut,
    TransferredOut,
)
from setia.moving.service import Moving
from setia.moving.transferring import TRANSFER_PREFIX
from setia.versions.service import NothingPublished

router = APIRouter(prefix="/v1", tags=["moving"], route_class=StrictRoute)


async def _moving(request: Request) -> Moving:
    # Not async for waiting: of what is not, FastAPI makes a job for another thread, for each request.
    moving: Moving = request.app.state.moving
    return moving


def _transfer_id(
    transfer_id: Annotated[str, Path(max_length=100, description="The transfer's id.", examples=[TRANSFER_EXAMPLE])],
) -> UUID:
    return read_id(TRANSFER_PREFIX, transfer_id, NoSuchTransfer)


MovingOf = Annotated[Moving, Depends(_moving)]
TransferId = Annotated[UUID, Depends(_transfer_id)]
_NAMING = (NoSuchMember, MemberAmbiguous, InvalidIdentifier, NothingPublished)


@router.post(
    "/transfers",
    status_code=201,
    summary="Move points to another member",
    responses=problems(
        *_NAMING,
        *(KeyRequired, KeyReused, KeyInFlight, ReferenceUsed, NotTransferable, MoveRefused, InsufficientPoints),
    ),
)
def create_transfer(
    caller: PointsMover, body: TransferIn, moving: MovingOf, response: Response, idempotency_key: OptionalKey = None
) -> TransferredOut:
    """Move points of one type, as `transfers` of the program allows it: both members' entries in one transaction.

    It needs a `reference` or an Idempotency-Key: the same one and the same body give the first answer again.
    """
    _need_name(idempotency_key, body.reference)
    done = moving.transfer(caller.program_id, body.wish(), actor=caller.actor, key=idempotency_key, now=_now())
    if done.replayed:
        response.headers[REPLAYED] = "true"
    return TransferredOut.of(done)


@router.post(
    "/transfers/preview",
    summary="Say what a transfer would do",
    responses=problems(*_NAMING, NotTransferable, MoveRefused, InsufficientPoints),
)
def preview_transfer(caller: PointsMover, body: TransferIn, moving: MovingOf) -> TransferredOut:
    """The same decision as of a transfer at this moment, and nothing kept; the id is nobody's."""
    return TransferredOut.of(moving.preview_transfer(caller.program_id, body.wish(), actor=caller.actor, now=_now()))


@router.get("/transfers/{transfer_id}", summary="Read a transfer", responses=problems(NoSuchTransfer))
def get_transfer(caller: MembersReader, transfer_id: TransferId, moving: MovingOf) -> TransferOut:
    """Who gave what to whom, and how much of it was taken back."""
    return TransferOut(**TransferOut.fields_of(moving.find_transfer(caller.program_id, transfer_id)))


@router.post(
    "/transfers/{transfer_id}/reverse",
    summary="Take a transfer back",
    responses=problems(NoSuchTransfer, NothingPublished, TransferSpent),
)
def reverse_transfer(
    caller: PointsAdjuster, transfer_id: TransferId, body: ReversalIn, moving: MovingOf, response: Response
) -> TransferredOut:
    """Points go back to the lots they came from, and end with those. Again, it changes nothing."""
    by = By(caller.actor, body.reason)
    done = moving.reverse(caller.program_id, transfer_id, by, partly=body.partly, now=_now())
    if done.replayed:
        response.headers[REPLAYED] = "true"
    return TransferredOut.of(done)


@router.get("/members/{member_id}/transfers", summary="List a member's transfers", responses=problems(NoSuchMember))
def list_transfers(
    caller: MembersReader, member_id: MemberId, moving: MovingOf, limit: Limit = 50, cursor: Cursor = None
) -> Page[TransferOut]:
    """What a member gave and was given, the newest first."""
    listed = f"transfers {format_id(MEMBER_PREFIX, member_id)}"
    place = read_cursor(listed, cursor, UUID)
    before = None if place is None else place[0]
    rows = moving.transfers_of(caller.program_id, member_id, before=before, most=limit + 1)
    page, following = cut(rows, limit, lambda row: write_cursor(listed, row.id.hex))
    return Page(items=[TransferOut(**TransferOut.fields_of(row)) for row in page], next_cursor=following)


@router.post(
    "/exchanges",
    status_code=201,
    summary="Exchange points for others",
    responses=problems(
        *_NAMING,
        *(KeyRequired, KeyReused, KeyInFlight, ReferenceUsed, NoSuchExchange, MoveRefused, InsufficientPoints),
    ),
)
def create_exchange(
    caller: PointsMover, body: ExchangeIn, moving: MovingOf, response: Response, idempotency_key: OptionalKey = None
) -> ExchangeOut:
    """Give points of one type and get points of another, at the rate of the program's exchange.

    What comes is rounded down, and only what it takes for that is given: the rest stays. It needs a `reference` or an
    Idempotency-Key: the same one and the same body give the first answer again.
    """
    _need_name(idempotency_key, body.reference)
    done = moving.exchange(caller.program_id, body.wish(), actor=caller.actor, key=idempotency_key, now=_now())
    if done.replayed:
        response.headers[REPLAYED] = "true"
    return ExchangeOut.of(done)


@router.post(
    "/exchanges/preview",
    summary="Say what an exchange would give",
    responses=problems(*_NAMING, NoSuchExchange, MoveRefused, InsufficientPoints),
)
def preview_exchange(caller: PointsMover, body: ExchangeIn, moving: MovingOf) -> ExchangeOut:
    """The same decision as of an exchange at this moment, and nothing kept; the id is nobody's."""
    return ExchangeOut.of(moving.preview_exchange(caller.program_id, body.wish(), actor=caller.actor, now=_now()))


def _need_name(key: str | None, reference: str | None) -> None:
    if key is None and reference is None:
        raise KeyRequired("Send a `reference` of your own, or the header Idempotency-Key.")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
