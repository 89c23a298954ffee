"""`/v1/coupons/{id}/restore`: the use of a coupon given back by a person, with a reason."""

from __future__ import annotations

import datetime as dt
import json
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from setia.api.documented import problems
from setia.api.idempotency import (
    REPLAYED,
    Keyed,
    KeyInFlight,
    KeyRequired,
    KeyReused,
    OptionalKey,
    claim,
    keep,
    require,
)
from setia.api.ids import read_id
from setia.api.strict import StrictRoute
from setia.api.values import Reason
from setia.coupons.problems import CouponNotUsed, NoSuchCoupon
from setia.coupons.router import CouponId
from setia.coupons.schemas import COUPON_EXAMPLE, money
from setia.coupons.using import PREFIX
from setia.db.engine import driver_connection
from setia.db.ids import format_id
from setia.events.acts import By
from setia.events.coupons_by_hand import GivenBack, Named, give_coupon_back
from setia.events.live import LivePrograms
from setia.identity.caller import CodesWriter
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.points import ENTRY_PREFIX
from setia.members.schemas import MEMBER_EXAMPLE
from setia.versions.service import NothingPublished

coupons_router = APIRouter(prefix="/v1", tags=["coupons"], route_class=StrictRoute)

_EVENT_EXAMPLE = f"evt_{'0' * 32}"


class RestoreIn(BaseModel):
    """Whose use of the coupon is given back, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"event": _EVENT_EXAMPLE, "reason": "The cake was burnt"}]},
    )

    event: str = Field(max_length=100, description="The event of the order that used it.", examples=[_EVENT_EXAMPLE])
    reason: Reason


class RestoredOut(BaseModel):
    """What came back to a coupon. Money is decimal text."""

    id: str = Field(examples=[f"jrn_{'0' * 32}"])
    coupon: str = Field(examples=[COUPON_EXAMPLE])
    event: str = Field(description="The order's event.", examples=[_EVENT_EXAMPLE])
    member: str = Field(examples=[MEMBER_EXAMPLE])
    amount: str | None = Field(description="Of a coupon that holds money: what is on it again.", examples=["5.00"])
    uses: int = Field(description="1 where the use itself has come back.", examples=[1])
    booked_at: dt.datetime

    @classmethod
    def of(cls, named: Named, given: GivenBack, digits: int) -> RestoredOut:
        """What was booked."""
        return cls(
            id=format_id(ENTRY_PREFIX, given.entry),
            coupon=format_id(PREFIX, named.coupon),
            event=format_id("evt", named.order),
            member=format_id(MEMBER_PREFIX, given.member),
            amount=money(given.amount, digits),
            uses=given.uses,
            booked_at=given.booked_at,
        )


@coupons_router.post(
    "/coupons/{coupon_id}/restore",
    summary="Give the use of a coupon back",
    responses=problems(NothingPublished, NoSuchCoupon, CouponNotUsed, KeyRequired, KeyReused, KeyInFlight),
)
def restore_coupon(
    caller: CodesWriter,
    coupon_id: CouponId,
    body: RestoreIn,
    request: Request,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> RestoredOut:
    """The coupon can be used again, and the order keeps its discount: for a mishap. A return restores it by itself."""
    named = Named(coupon_id, _order(body.event))
    endpoint = f"POST /v1/coupons/{format_id(PREFIX, coupon_id)}/restore"
    write = Keyed.of(caller.program_id, endpoint, require(idempotency_key), body.model_dump(mode="json"))
    programs: LivePrograms = request.app.state.programs

    def work(tx: sa.Connection) -> tuple[str, bool]:
        answer = claim(tx, write)
        if answer is not None:
            return answer.body, True
        connection = driver_connection(tx)
        live = programs.live(connection, caller.program_id)
        by = By(caller.actor, body.reason)
        given = give_coupon_back(connection, live, named, by, live.now(dt.datetime.now(dt.UTC)))
        told = RestoredOut.of(named, given, live.compiled.currency_digits).model_dump_json()
        keep(tx, write, 200, told)
        return told, False

    told, replayed = request.app.state.database.run(work)
    if replayed:
        response.headers[REPLAYED] = "true"
    return RestoredOut.model_validate(json.loads(told))


def _order(text: str) -> UUID:
    return read_id("evt", text, CouponNotUsed)
