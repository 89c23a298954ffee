"""`/v1/gift-card-uses`: what tills take from cards, at once or in two steps, and what comes back."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED, Keyed, KeyInFlight, KeyRequired, KeyReused, OptionalKey, require
from setia.api.ids import read_id
from setia.api.strict import StrictRoute
from setia.api.values import PlainText
from setia.codes.problems import ReferenceUsed, TooManyGuesses
from setia.gift_cards.accounts import Told
from setia.gift_cards.problems import (
    BalanceTooLow,
    CardUseEnded,
    GiftCardUnusable,
    InvalidGiftCard,
    NoSuchCardUse,
    NoSuchGiftCard,
)
from setia.gift_cards.router import GiftCardsOf
from setia.gift_cards.schemas import USE_EXAMPLE, USE_PREFIX, CaptureIn, CardUseOut, RefundIn, UseIn
from setia.gift_cards.uses import Asked, Done, Uses
from setia.identity.caller import GiftCardRedeemer
from setia.problems import ErrorItem
from setia.program.names import Period
from setia.versions.service import NothingPublished

uses_router = APIRouter(prefix="/v1/gift-card-uses", tags=["gift cards"], route_class=StrictRoute)


def _use_id(
    use_id: Annotated[str, Path(max_length=100, description="The use's id.", examples=[USE_EXAMPLE])],
) -> UUID:
    return read_id(USE_PREFIX, use_id, NoSuchCardUse)


UseId = Annotated[UUID, Depends(_use_id)]


@uses_router.post(
    "",
    status_code=201,
    summary="Take money from a gift card, or hold it",
    responses=problems(
        *(NothingPublished, NoSuchGiftCard, GiftCardUnusable, BalanceTooLow, InvalidGiftCard),
        *(ReferenceUsed, TooManyGuesses),
    ),
)
def use_gift_card(caller: GiftCardRedeemer, body: UseIn, gift_cards: GiftCardsOf, response: Response) -> CardUseOut:
    """The same till, reference and body give the first answer again, for ever."""
    asked = Asked(
        code=b"",
        till=body.till,
        reference=body.reference,
        amount=body.amount,
        capture=body.capture,
        partly=body.partly,
        ttl=_ttl(body.ttl),
    )
    done, now = gift_cards.take(caller.program_id, body.code, asked, who=caller.actor, now=dt.datetime.now(dt.UTC))
    if done.replayed:
        response.headers[REPLAYED] = "true"
    # As it was when it was made: a repetition says the same, though a hold may be over now.
    return CardUseOut.of(done.use, done.card, done.left, done.use.created_at if done.replayed else now)


@uses_router.get(
    "", summary="Find the use of a gift card by its reference", responses=problems(NothingPublished, NoSuchCardUse)
)
def find_gift_card_use(
    caller: GiftCardRedeemer,
    gift_cards: GiftCardsOf,
    till: Annotated[PlainText, Query(max_length=63, description="The till whose reference it is.")],
    reference: Annotated[PlainText, Query(max_length=200, description="The till's own reference.")],
) -> CardUseOut:
    """Where an answer was lost: what became of it."""
    use, card, now = gift_cards.find_use_by_reference(caller.program_id, till, reference)
    return CardUseOut.of(use, card, card.balance, now)


@uses_router.get("/{use_id}", summary="Read a use of a gift card", responses=problems(NothingPublished, NoSuchCardUse))
def get_gift_card_use(caller: GiftCardRedeemer, use_id: UseId, gift_cards: GiftCardsOf) -> CardUseOut:
    """How it stands now."""
    use, card, now = gift_cards.find_use(caller.program_id, use_id)
    return CardUseOut.of(use, card, card.balance, now)


_ALL, _WHOLE = CaptureIn(), RefundIn()


@uses_router.post(
    "/{use_id}/capture",
    summary="Capture what is held of a gift card",
    responses=problems(NothingPublished, NoSuchCardUse, CardUseEnded, InvalidGiftCard),
)
def capture_gift_card_use(
    caller: GiftCardRedeemer, use_id: UseId, gift_cards: GiftCardsOf, response: Response, body: CaptureIn = _ALL
) -> CardUseOut:
    """All of it, or a part: the rest comes back at once. Again, it gives the same answer."""
    done, now = gift_cards.end(caller.program_id, lambda uses: uses.capture(use_id, body.amount, caller.actor))
    return _done(done, now, response)


@uses_router.post(
    "/{use_id}/release",
    summary="Release what is held of a gift card",
    responses=problems(NothingPublished, NoSuchCardUse, CardUseEnded),
)
def release_gift_card_use(
    caller: GiftCardRedeemer, use_id: UseId, gift_cards: GiftCardsOf, response: Response
) -> CardUseOut:
    """It is back on the card. Again, or after the hold is over, it changes nothing."""
    done, now = gift_cards.end(caller.program_id, lambda uses: uses.release(use_id, caller.actor))
    return _done(done, now, response)


@uses_router.post(
    "/{use_id}/refund",
    summary="Refund to a gift card",
    responses=problems(
        *(NothingPublished, KeyRequired, KeyReused, KeyInFlight, NoSuchCardUse, CardUseEnded, InvalidGiftCard)
    ),
)
def refund_gift_card_use(
    caller: GiftCardRedeemer,
    use_id: UseId,
    gift_cards: GiftCardsOf,
    response: Response,
    body: RefundIn = _WHOLE,
    idempotency_key: OptionalKey = None,
) -> CardUseOut:
    """What was taken comes back to the card, which then lasts its kind's `refund_grace` at least."""
    write = Keyed.of(
        caller.program_id, f"gift-card-uses refund {use_id}", require(idempotency_key), body.model_dump(mode="json")
    )
    told = Told(caller.actor, body.reason)

    def tell(done: Done, now: dt.datetime) -> dict[str, Any]:
        return CardUseOut.of(done.use, done.card, done.left, now).model_dump(mode="json")

    answered = gift_cards.once(write, lambda accounts: Uses(accounts).refund(use_id, body.amount, told), tell)
    if answered.replayed:
        response.headers[REPLAYED] = "true"
    return CardUseOut.model_validate(answered.body)


def _done(done: Done, now: dt.datetime, response: Response) -> CardUseOut:
    if done.replayed:
        response.headers[REPLAYED] = "true"
    return CardUseOut.of(done.use, done.card, done.left, now)


def _ttl(text: str | None) -> Period | None:
    if text is None:
        return None
    try:
        return Period.model_validate(text)
    except ValueError:
        hint = "Write a whole number and a unit: 15min, 2h or 1d."
        item = ErrorItem(pointer="#/ttl", message="is no length of time", hint=hint)
        raise InvalidGiftCard("Nothing was held.", errors=[item]) from None
