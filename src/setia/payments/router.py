"""`/v1/payments`: points held for a basket and paid with, by the rate of the definition."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED, KeyRequired, KeyReused, OptionalKey
from setia.api.ids import read_id
from setia.api.strict import StrictRoute
from setia.api.values import PlainText
from setia.events.live import LiveProgram
from setia.events.problems import MemberNotActive
from setia.identity.caller import Redeemer, RewardsReader
from setia.ledger.freezing import PointsFrozen
from setia.ledger.refusals import InsufficientPoints
from setia.members.service import NoSuchMember
from setia.payments.rate import InvalidPayment, NoSuchPayment, Sum, payment_of, quantity_of
from setia.payments.schemas import ConfirmPaymentIn, PayIn, PaymentOut
from setia.problems import ErrorItem
from setia.program.names import Period
from setia.rewards.ending import Ended
from setia.rewards.problems import (
    InvalidRedemption,
    NoSuchRedemption,
    RedemptionEnded,
    ReferenceUsed,
    RewardUnavailable,
)
from setia.rewards.redeeming import Asked, Wanted
from setia.rewards.redemption import REDEMPTION_PREFIX, Redemption
from setia.rewards.router import RewardsOf, member_of
from setia.rewards.schemas import REDEMPTION_EXAMPLE
from setia.rewards.service import Rewards
from setia.rewards.terms import terms_of
from setia.versions.service import NothingPublished

router = APIRouter(prefix="/v1/payments", tags=["points"], route_class=StrictRoute)


def _payment_id(
    payment_id: Annotated[str, Path(max_length=100, description="The payment's id.", examples=[REDEMPTION_EXAMPLE])],
) -> UUID:
    return read_id(REDEMPTION_PREFIX, payment_id, NoSuchPayment)


PaymentId = Annotated[UUID, Depends(_payment_id)]


@router.post(
    "",
    status_code=201,
    summary="Pay with points, or hold them",
    responses=problems(
        *(NoSuchMember, NoSuchPayment, NothingPublished, KeyRequired, KeyReused, ReferenceUsed),
        *(RewardUnavailable, InvalidPayment, InvalidRedemption, InsufficientPoints, PointsFrozen),
    ),
)
def create_payment(
    caller: Redeemer, body: PayIn, rewards: RewardsOf, response: Response, idempotency_key: OptionalKey = None
) -> PaymentOut:
    """Hold points for an open basket until it is confirmed, or with `confirm` take them at once.

    It needs a `reference` or an Idempotency-Key: the same one and the same body give the first answer again.
    """
    if idempotency_key is None and body.reference is None:
        raise KeyRequired("Send a `reference` of the basket's own, or the header Idempotency-Key.")
    terms, earlier = rewards.terms_for(caller.program_id, idempotency_key, body.till, body.reference)
    reward = payment_of(terms, body.payment)
    # As it was asked then: a rate that was published since would make another request of the same one.
    cost = earlier.cost if earlier is not None and earlier.reward == reward.id else reward.prices[-1].points
    quantity = quantity_of(terms, reward, cost, Sum(body.points, body.money))
    asked = Asked(
        member=member_of(body.member),
        reward=reward.id,
        quantity=quantity,
        confirm=body.confirm,
        ttl=_ttl(body.ttl),
        till=body.till,
        reference=body.reference,
    )
    done = rewards.redeem(caller.program_id, Wanted(asked=asked, actor=caller.actor, key=idempotency_key, now=_now()))
    if done.replayed:
        response.headers[REPLAYED] = "true"
    return PaymentOut.of(done.row, done.row.created_at, done.balances)


@router.get("", summary="Find a payment", responses=problems(NoSuchPayment, NothingPublished))
def find_payment(
    caller: RewardsReader,
    rewards: RewardsOf,
    reference: Annotated[PlainText, Query(max_length=200, description="The basket's own reference.")],
    till: Annotated[PlainText, Query(max_length=63, description="Whose reference it is.")] = "api",
) -> PaymentOut:
    """By the basket's own reference, when an answer was lost."""
    try:
        live, row = rewards.find_by_reference(caller.program_id, till, reference)
    except NoSuchRedemption:
        raise NoSuchPayment("Nothing was paid under this reference.") from None
    return PaymentOut.of(_paid(live, row), live.now(_now()))


@router.get("/{payment_id}", summary="Read a payment", responses=problems(NoSuchPayment, NothingPublished))
def get_payment(caller: RewardsReader, payment_id: PaymentId, rewards: RewardsOf) -> PaymentOut:
    """What became of it."""
    live, row = _found(rewards, caller.program_id, payment_id)
    return PaymentOut.of(row, live.now(_now()))


_ALL = ConfirmPaymentIn()
_ENDINGS = problems(
    *(NoSuchPayment, NothingPublished, RedemptionEnded, InvalidPayment, InvalidRedemption, MemberNotActive)
)


@router.post("/{payment_id}/confirm", summary="Confirm a payment", responses=_ENDINGS)
def confirm_payment(
    caller: Redeemer, payment_id: PaymentId, rewards: RewardsOf, response: Response, body: ConfirmPaymentIn = _ALL
) -> PaymentOut:
    """Take what is held, or so much of it; the rest comes back at once. Again, it gives the same answer."""
    live, row = _found(rewards, caller.program_id, payment_id)
    quantity = None
    if body.points is not None or body.money is not None:
        terms = terms_of(live, row.program_version)
        quantity = quantity_of(terms, terms.compiled.rewards[row.reward], row.cost, Sum(body.points, body.money))
    return _ended(rewards.confirm(caller.program_id, payment_id, quantity, actor=caller.actor, now=_now()), response)


@router.post("/{payment_id}/cancel", summary="Cancel a held payment", responses=_ENDINGS)
def cancel_payment(caller: Redeemer, payment_id: PaymentId, rewards: RewardsOf, response: Response) -> PaymentOut:
    """The points come back. Again, or after the hold has expired, it changes nothing."""
    _found(rewards, caller.program_id, payment_id)
    return _ended(rewards.cancel(caller.program_id, payment_id, actor=caller.actor, now=_now()), response)


@router.post("/{payment_id}/refund", summary="Refund a payment", responses=_ENDINGS)
def refund_payment(caller: Redeemer, payment_id: PaymentId, rewards: RewardsOf, response: Response) -> PaymentOut:
    """The points come back to the lots they were taken from. Again, it changes nothing."""
    _found(rewards, caller.program_id, payment_id)
    return _ended(rewards.refund(caller.program_id, payment_id, actor=caller.actor, now=_now()), response)


def _found(rewards: Rewards, program_id: int, payment: UUID) -> tuple[LiveProgram, Redemption]:
    try:
        live, row = rewards.find(program_id, payment)
    except NoSuchRedemption:
        raise NoSuchPayment from None
    return live, _paid(live, row)


def _paid(live: LiveProgram, row: Redemption) -> Redemption:
    """The redemption, if it is a payment."""
    if terms_of(live, row.program_version).compiled.rewards[row.reward].definition.kind != "payment":
        raise NoSuchPayment("This redemption is no payment: see /v1/redemptions.")
    return row


def _ended(done: Ended, response: Response) -> PaymentOut:
    if done.replayed:
        response.headers[REPLAYED] = "true"
    return PaymentOut.of(done.row, done.row.created_at)


def _ttl(text: str | None) -> Period | None:
    if text is None:
        return None
    try:
        return Period.model_validate(text)
    except ValueError:
        hint = "Write a whole number and a unit: 15min, 2h or 1d."
        item = ErrorItem(pointer="#/ttl", message="is no length of time", hint=hint)
        raise InvalidPayment("Nothing was held.", errors=[item]) from None


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
