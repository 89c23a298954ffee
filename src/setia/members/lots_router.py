"""`/v1/members/{id}/lots`: which points end when."""

import datetime as dt

from fastapi import APIRouter
from pydantic import BaseModel, Field

from setia.api.documented import problems
from setia.api.strict import StrictRoute
from setia.db.engine import driver_connection
from setia.db.ids import format_id
from setia.identity.caller import MembersReader
from setia.ledger.wallets import OpenLot, all_open_lots
from setia.members import service
from setia.members.dependencies import DatabaseOf, MemberId
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.schemas import MEMBER_EXAMPLE
from setia.members.service import NoSuchMember
from setia.versions import service as versions

lots_router = APIRouter(prefix="/v1/members/{member_id}", tags=["members"], route_class=StrictRoute)


class LotOut(BaseModel):
    """Points that were earned together and end together. Amounts are in the smallest unit of the point type."""

    lot: str = Field(description="Its name, for `/points/expire` and `/points/extend`.", examples=["12.0"])
    points: str = Field(description="The point type.", examples=["stars"])
    remaining: int = Field(description="What is left of them.", examples=[25])
    pending: bool = Field(description="Whether they cannot be used yet.", examples=[False])
    campaign: str | None = Field(description="What gave them.", examples=["base"])
    earned_at: dt.datetime = Field(examples=["2026-03-01T09:00:00Z"])
    available_at: dt.datetime | None = Field(
        description="From when pending ones can be used; null where they can, or wait for an event.", examples=[None]
    )
    expires_at: dt.datetime | None = Field(
        description="The first moment at which they are gone; null: never.", examples=["2026-10-01T00:00:00Z"]
    )


class LotsOut(BaseModel):
    """A member's open lots, in the order in which they were earned."""

    member: str = Field(examples=[MEMBER_EXAMPLE])
    lots: list[LotOut]


@lots_router.get("/lots", summary="Read a member's lots", responses=problems(NoSuchMember))
def get_lots(caller: MembersReader, member_id: MemberId, database: DatabaseOf) -> LotsOut:
    """Points by lot, with their end: what is used first is what ends first. Ended lots are not shown."""
    with database.transaction() as tx:
        service.get_member(tx, caller.program_id, member_id)
        now = versions.program_now(tx, caller.program_id)
        lots = all_open_lots(driver_connection(tx), [member_id])[member_id]
    shown = (_shown(lot, now) for lot in lots)
    return LotsOut(member=format_id(MEMBER_PREFIX, member_id), lots=[lot for lot in shown if lot is not None])


def _shown(open_lot: OpenLot, now: dt.datetime) -> LotOut | None:
    """A lot as it is now, however late its release and its end are booked; None for one that has ended."""
    lot = open_lot.lot
    if lot.expires_at is not None and lot.expires_at <= now:
        return None
    pending = lot.pending and (open_lot.available_at is None or open_lot.available_at > now)
    return LotOut(
        lot=f"{lot.seq}.{lot.line}",
        points=open_lot.point_type,
        remaining=lot.remaining,
        pending=pending,
        campaign=open_lot.campaign,
        earned_at=lot.earned_at,
        available_at=open_lot.available_at if pending else None,
        expires_at=lot.expires_at,
    )
