"""`/v1/partner-deliveries`: what partners were asked for and how it stands; asked again, or given up, by hand."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED
from setia.api.pages import Cursor, Limit, Page, cut, read_cursor, write_cursor
from setia.api.strict import StrictRoute
from setia.identity.caller import Redeemer, RewardsReader
from setia.partners.outbox import DeliveryState
from setia.rewards.partner_schemas import GiveUpIn, PartnerDeliveryOut
from setia.rewards.problems import NoSuchRedemption, RedemptionEnded
from setia.rewards.router import RedemptionId, RewardsOf
from setia.versions.service import NothingPublished

deliveries_router = APIRouter(prefix="/v1", tags=["rewards"], route_class=StrictRoute)
_ENDINGS = problems(NoSuchRedemption, RedemptionEnded, NothingPublished)


@deliveries_router.get(
    "/partner-deliveries", summary="Find deliveries of partners", responses=problems(NothingPublished)
)
def find_deliveries(
    caller: RewardsReader,
    rewards: RewardsOf,
    state: Annotated[DeliveryState, Query(description="How they stand.")] = "waiting",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[PartnerDeliveryOut]:
    """The deliveries in one state, the newest first: those that wait, with why the last try came to nothing."""
    listed = f"partner deliveries {state}"
    place = read_cursor(listed, cursor, UUID)
    before = None if place is None else place[0]
    rows = rewards.deliveries(caller.program_id, state, before=before, most=limit + 1)
    page, following = cut(rows, limit, lambda row: write_cursor(listed, row.id.hex))
    return Page(items=[PartnerDeliveryOut.of(row) for row in page], next_cursor=following)


@deliveries_router.post(
    "/redemptions/{redemption_id}/delivery/retry", summary="Ask a partner again now", responses=_ENDINGS
)
def retry_delivery(caller: Redeemer, redemption_id: RedemptionId, rewards: RewardsOf) -> PartnerDeliveryOut:
    """The next try is due at once, in place of after its pause. What is being sent at this moment is left alone."""
    return PartnerDeliveryOut.of(rewards.retry_delivery(caller.program_id, redemption_id, now=_now()))


@deliveries_router.post(
    "/redemptions/{redemption_id}/delivery/give-up", summary="Ask a partner no more", responses=_ENDINGS
)
def give_up_delivery(
    caller: Redeemer, redemption_id: RedemptionId, body: GiveUpIn, rewards: RewardsOf, response: Response
) -> PartnerDeliveryOut:
    """It has `failed`, and points and stock come back. Ask the partner first: it may have delivered. Again, nothing."""
    delivery, replayed = rewards.give_up_delivery(
        caller.program_id, redemption_id, body.reason, actor=caller.actor, now=_now()
    )
    if replayed:
        response.headers[REPLAYED] = "true"
    return PartnerDeliveryOut.of(delivery)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
