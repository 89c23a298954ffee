"""`/v1/members/{id}/points`: what ends soon, and points ended, extended or taken back by hand."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED, KeyRequired, KeyReused, OptionalKey, require
from setia.api.moments import GivenMoment
from setia.api.strict import StrictRoute
from setia.api.values import Reason
from setia.db.engine import driver_connection
from setia.db.ids import format_id
from setia.engine.calendar import after
from setia.engine.decision import LotMove
from setia.events.live import LivePrograms
from setia.events.points_by_hand import Asked, Change, Changed, InvalidChange, change_points
from setia.events.points_outlook import points_outlook
from setia.identity.caller import Caller, MembersReader, PointsAdjuster
from setia.ledger.entries import LARGEST_AMOUNT
from setia.ledger.refusals import InsufficientPoints
from setia.members import service
from setia.members.dependencies import DatabaseOf, MemberId
from setia.members.points import ENTRY_PREFIX, AmountOnDay, WalletBalance
from setia.members.schemas import MEMBER_EXAMPLE
from setia.members.service import NoSuchMember, StatusConflict
from setia.program.names import Identifier, Period
from setia.versions.service import NothingPublished

points_router = APIRouter(prefix="/v1/members/{member_id}/points", tags=["members"], route_class=StrictRoute)

_LOT = re.compile(r"^(\d{1,18})\.(\d{1,4})$")
_MOMENT = "2026-03-01T09:00:00Z"


def _period(text: str) -> str:
    Period.model_validate(text)
    return text


Within = Annotated[
    str,
    Query(max_length=10, description="How far ahead: `30d`, `6w`, `2mo`, `1y`.", examples=["30d"]),
    AfterValidator(_period),
]
Points = Annotated[Identifier, Field(description="The point type.", examples=["stars"])]
LotName = Annotated[
    str,
    Field(pattern=_LOT.pattern, description="A lot, as `/lots` names it, in place of an amount.", examples=["12.0"]),
]
Amount = Annotated[
    int,
    Field(
        strict=True,
        ge=1,
        le=LARGEST_AMOUNT,
        description="In the smallest unit of the point type, of what ends first; without it and without a lot, all "
        "available points.",
    ),
]


class ExpiringOut(BaseModel):
    """What ends within a time, point type by point type, each day's points together."""

    member: str = Field(examples=[MEMBER_EXAMPLE])
    until: dt.datetime = Field(description="How far it looks, inclusive.", examples=[_MOMENT])
    expiring: dict[str, list[AmountOnDay]] = Field(
        description="Point type to what ends: the last local day on which it can be used, earliest first. Types of "
        "which nothing ends are left out."
    )


class ExpireIn(BaseModel):
    """Points to end now."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"points": "stars", "amount": 20, "reason": "Fraud"}]}
    )

    points: Points
    amount: Amount | None = None
    lot: LotName | None = None
    reason: Reason


class ExtendIn(BaseModel):
    """Points to end later than they would."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"points": "stars", "expires_at": "2027-01-01T00:00:00Z", "reason": "We were closed"}]
        },
    )

    points: Points
    amount: Amount | None = None
    lot: LotName | None = None
    expires_at: GivenMoment | None = Field(description="The first moment at which they are gone; null: never.")
    reason: Reason


class CancelIn(BaseModel):
    """Pending points to take back."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"order": "order-1001", "reason": "Cancelled by phone"}]}
    )

    points: Points | None = Field(default=None, description="The point type; all of them without it.")
    order: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="The external id of the event that earned them; all pending points without it.",
        examples=["order-1001"],
    )
    reason: Reason


class ChangedLotOut(BaseModel):
    """What was done to points of one lot."""

    what: Literal["expired", "extended", "cancelled"]
    points: str = Field(examples=["stars"])
    amount: int = Field(examples=[20])
    lot: str = Field(description="The lot they lay in.", examples=["12.0"])
    campaign: str | None = Field(examples=["base"])
    order: str | None = Field(description="The external id of the event that earned them.", examples=[None])
    expires_at: dt.datetime | None = Field(description="The new end of extended ones; null: none.", examples=[None])

    @classmethod
    def of(cls, move: LotMove) -> ChangedLotOut:
        """Show a change."""
        what: Any = move.what
        return cls(
            what=what,
            points=move.points,
            amount=move.amount,
            lot=f"{move.lot[0]}.{move.lot[1]}",
            campaign=move.campaign or None,
            order=move.order,
            expires_at=move.expires_at,
        )


class ChangedOut(BaseModel):
    """What was booked, and the wallets right after it."""

    id: str = Field(examples=[f"jrn_{'0' * 32}"])
    member: str = Field(examples=[MEMBER_EXAMPLE])
    lots: list[ChangedLotOut]
    balances_after: dict[str, WalletBalance]
    booked_at: dt.datetime = Field(examples=[_MOMENT])


_PROBLEMS = problems(
    NoSuchMember, NothingPublished, KeyRequired, KeyReused, InvalidChange, InsufficientPoints, StatusConflict
)


@points_router.get(
    "/expiring", summary="Read which points end soon", responses=problems(NoSuchMember, NothingPublished)
)
def get_expiring(
    caller: MembersReader, member_id: MemberId, request: Request, database: DatabaseOf, within: Within = "30d"
) -> ExpiringOut:
    """The amounts by day, if the member does nothing until then. Points that are used are those that end first."""

    def work(tx: sa.Connection) -> ExpiringOut:
        service.get_member(tx, caller.program_id, member_id)
        programs: LivePrograms = request.app.state.programs
        connection = driver_connection(tx)
        live = programs.live(connection, caller.program_id)
        now = live.now(dt.datetime.now(dt.UTC))
        until = after(now, Period.model_validate(within), live.compiled.zone)
        found = points_outlook(connection, live, member_id, now, until)
        return ExpiringOut(
            member=format_id("mem", member_id),
            until=until,
            expiring={name: [AmountOnDay.of(one) for one in amounts] for name, amounts in found.expiring.items()},
        )

    return database.run(work)


@points_router.post("/expire", status_code=201, summary="End points by hand", responses=_PROBLEMS)
def expire_points(
    caller: PointsAdjuster,
    member_id: MemberId,
    body: ExpireIn,
    request: Request,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> ChangedOut:
    """End available points at once, those that end first or a whole lot, with a reason."""
    change = Change(what="expire", points=body.points, amount=body.amount, lot=_lot(body.lot))
    by = Asked(actor=caller.actor, reason=body.reason, key=require(idempotency_key))
    return _change(request, response, caller, member_id, change, by)


@points_router.post("/extend", status_code=201, summary="Extend points by hand", responses=_PROBLEMS)
def extend_points(
    caller: PointsAdjuster,
    member_id: MemberId,
    body: ExtendIn,
    request: Request,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> ChangedOut:
    """Give available points a later end, with a reason. What ends later anyway stays as it is."""
    change = Change(
        what="extend",
        points=body.points,
        amount=body.amount,
        lot=_lot(body.lot),
        expires_at=None if body.expires_at is None else body.expires_at.astimezone(dt.UTC),
    )
    by = Asked(actor=caller.actor, reason=body.reason, key=require(idempotency_key))
    return _change(request, response, caller, member_id, change, by)


@points_router.post("/cancel", status_code=201, summary="Take pending points back by hand", responses=_PROBLEMS)
def cancel_points(
    caller: PointsAdjuster,
    member_id: MemberId,
    body: CancelIn,
    request: Request,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> ChangedOut:
    """Take back points that are pending, of one order or all, with a reason: as if they had not been earned."""
    change = Change(what="cancel", points=body.points, order=body.order)
    by = Asked(actor=caller.actor, reason=body.reason, key=require(idempotency_key))
    return _change(request, response, caller, member_id, change, by)


def _lot(name: str | None) -> tuple[int, int] | None:
    match = None if name is None else _LOT.match(name)
    return None if match is None else (int(match[1]), int(match[2]))


def _change(
    request: Request, response: Response, caller: Caller, member_id: MemberId, change: Change, by: Asked
) -> ChangedOut:
    def work(tx: sa.Connection) -> Changed:
        member = service.lock_member(tx, caller.program_id, member_id)
        if member.status == "closed":
            raise StatusConflict("A closed member's points stay as they are.")
        programs: LivePrograms = request.app.state.programs
        connection = driver_connection(tx)
        live = programs.live(connection, caller.program_id)
        return change_points(connection, live, member_id, change, by, live.now(dt.datetime.now(dt.UTC)))

    changed = request.app.state.database.run(work)
    if changed.replayed:
        response.headers[REPLAYED] = "true"
    return ChangedOut(
        id=format_id(ENTRY_PREFIX, changed.entry_id),
        member=format_id("mem", member_id),
        lots=[ChangedLotOut.of(move) for move in changed.moves],
        balances_after={name: WalletBalance.of(balance) for name, balance in changed.balances.items()},
        booked_at=changed.booked_at,
    )
