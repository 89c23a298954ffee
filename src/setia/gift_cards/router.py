"""`/v1/gift-cards`: issued, loaded, looked up, moved, blocked, extended; and the report on all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import AwareDatetime

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED, Keyed, KeyInFlight, KeyRequired, KeyReused, OptionalKey, require
from setia.api.ids import read_id
from setia.api.pages import Cursor, Limit, Page, cut, read_cursor, write_cursor
from setia.api.strict import StrictRoute
from setia.codes.problems import TooManyGuesses
from setia.db.ids import format_id
from setia.gift_cards.accounts import Accounts, Told
from setia.gift_cards.card import Card
from setia.gift_cards.problems import BalanceTooLow, GiftCardUnusable, InvalidGiftCard, NoSuchGiftCard
from setia.gift_cards.schemas import (
    CARD_EXAMPLE,
    CARD_PREFIX,
    AssignIn,
    CardEntryOut,
    CardOut,
    CardReportOut,
    CardsOut,
    ExtendIn,
    IssueIn,
    IssueManyIn,
    LoadIn,
    LookUpIn,
    PayOutIn,
    ReasonIn,
    TransferIn,
    TransferOut,
)
from setia.gift_cards.service import Answered, GiftCards, Issue, Shown
from setia.identity.caller import Caller, GiftCardRedeemer, GiftCardsReader, GiftCardsWriter
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.service import NoSuchMember, StatusConflict
from setia.versions.service import NothingPublished

router = APIRouter(prefix="/v1", tags=["gift cards"], route_class=StrictRoute)
_KEYED = (NothingPublished, KeyRequired, KeyReused, KeyInFlight)


async def _gift_cards(request: Request) -> GiftCards:
    # Not async for waiting: of what is not, FastAPI makes a job for another thread, for each request.
    found: GiftCards = request.app.state.gift_cards
    return found


def _card_id(
    card_id: Annotated[str, Path(max_length=100, description="The card's id.", examples=[CARD_EXAMPLE])],
) -> UUID:
    return _card(card_id)


GiftCardsOf = Annotated[GiftCards, Depends(_gift_cards)]
CardId = Annotated[UUID, Depends(_card_id)]


@router.post(
    "/gift-cards",
    status_code=201,
    summary="Issue a gift card",
    responses=problems(*_KEYED, NoSuchMember, StatusConflict, InvalidGiftCard),
)
def issue_gift_card(
    caller: GiftCardsWriter,
    body: IssueIn,
    gift_cards: GiftCardsOf,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> CardOut:
    """Make a card with money on it. Its code is in the answer and nowhere else."""
    write = _write(caller, "POST /v1/gift-cards", idempotency_key, body)
    member = None if body.member is None else _member(body.member)
    wanted = Issue(body.kind, body.amount, body.funding, member, body.reason)
    answered, code = gift_cards.issue(write, wanted, caller.actor, lambda shown: _plain(shown.card, shown.now))
    return CardOut.model_validate(_told(answered, response) | {"code": code})


@router.post(
    "/gift-cards/batch",
    status_code=201,
    summary="Issue many gift cards",
    responses=problems(*_KEYED, InvalidGiftCard),
)
def issue_gift_cards(
    caller: GiftCardsWriter,
    body: IssueManyIn,
    gift_cards: GiftCardsOf,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> CardsOut:
    """Up to 500 of one kind, all or none, as for a printer: with `amount` 0 they are sold later."""
    write = _write(caller, "POST /v1/gift-cards/batch", idempotency_key, body)
    wanted = Issue(body.kind, body.amount, body.funding, None, body.reason)
    answered, codes = gift_cards.issue_many(
        write, wanted, body.count, caller.actor, lambda shown: _plain(shown.card, shown.now)
    )
    told = [_told(one, response) | {"code": code} for one, code in zip(answered, codes, strict=True)]
    return CardsOut.model_validate({"cards": told})


@router.get("/gift-cards", summary="Find gift cards", responses=problems(NothingPublished, NoSuchMember))
def find_gift_cards(
    caller: GiftCardsReader,
    gift_cards: GiftCardsOf,
    member: Annotated[str | None, Query(max_length=100, description="Of this member.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[CardOut]:
    """The newest first."""
    owner = None if member is None else _member(member)
    listed = "gift-cards" if owner is None else f"gift-cards {format_id(MEMBER_PREFIX, owner)}"
    place = read_cursor(listed, cursor, UUID)
    before = None if place is None else place[0]
    rows, now = gift_cards.page(caller.program_id, owner, before=before, most=limit + 1)
    page, following = cut(rows, limit, lambda card: write_cursor(listed, card.id.hex))
    return Page(items=[CardOut.of(card, now) for card in page], next_cursor=following)


@router.post(
    "/gift-cards/look-up",
    summary="Look a gift card up by its code",
    responses=problems(NothingPublished, NoSuchGiftCard, TooManyGuesses),
)
def look_up_gift_card(caller: GiftCardRedeemer, body: LookUpIn, gift_cards: GiftCardsOf) -> CardOut:
    """What is on it. After too many wrong codes the key has to wait."""
    return _shown(gift_cards.look_up(caller.program_id, body.code, who=caller.actor, now=_now()))


@router.get("/gift-cards/{card_id}", summary="Read a gift card", responses=problems(NothingPublished, NoSuchGiftCard))
def get_gift_card(caller: GiftCardsReader, card_id: CardId, gift_cards: GiftCardsOf) -> CardOut:
    """How it stands now. Its code is not shown again."""
    return _shown(gift_cards.find(caller.program_id, card_id))


@router.get(
    "/gift-cards/{card_id}/entries",
    summary="Read a gift card's entries",
    responses=problems(NothingPublished, NoSuchGiftCard),
)
def get_gift_card_entries(
    caller: GiftCardsReader, card_id: CardId, gift_cards: GiftCardsOf, limit: Limit = 50, cursor: Cursor = None
) -> Page[CardEntryOut]:
    """Everything that happened to it, the newest first, with its balance after each."""
    listed = f"entries {format_id(CARD_PREFIX, card_id)}"
    place = read_cursor(listed, cursor, _seq)
    before = None if place is None else place[0]
    rows = gift_cards.entries(caller.program_id, card_id, before=before, most=limit + 1)
    page, following = cut(rows, limit, lambda row: write_cursor(listed, row.seq))
    return Page(items=[CardEntryOut.of(row) for row in page], next_cursor=following)


@router.post(
    "/gift-cards/{card_id}/load",
    summary="Load a gift card",
    responses=problems(*_KEYED, NoSuchGiftCard, GiftCardUnusable, InvalidGiftCard),
)
def load_gift_card(
    caller: GiftCardsWriter,
    card_id: CardId,
    body: LoadIn,
    gift_cards: GiftCardsOf,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> CardOut:
    """Put more money on it; the first money on an empty one lets its time begin."""
    told = Told(caller.actor, body.reason)
    write = _write(caller, f"load {card_id}", idempotency_key, body)
    work = _on(card_id, lambda accounts, card: accounts.load(card, body.amount, body.funding, told))
    return _answer(gift_cards.once(write, work, _plain), response)


@router.post(
    "/gift-cards/{card_id}/transfer",
    summary="Move money to another gift card",
    responses=problems(*_KEYED, NoSuchGiftCard, GiftCardUnusable, BalanceTooLow, InvalidGiftCard),
)
def transfer_gift_card(
    caller: GiftCardsWriter,
    card_id: CardId,
    body: TransferIn,
    gift_cards: GiftCardsOf,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> TransferOut:
    """From a blocked card too, so that a lost one can be replaced. The other one lasts as long as the longer one."""
    other, told = _card(body.to), Told(caller.actor, body.reason)
    write = _write(caller, f"transfer {card_id}", idempotency_key, body)

    def work(accounts: Accounts) -> tuple[Card, Card]:
        source, target = accounts.lock(card_id, other)
        return accounts.transfer(source, target, body.amount, told)

    def tell(both: tuple[Card, Card], now: dt.datetime) -> dict[str, Any]:
        return {name: _plain(card, now) for name, card in zip(("source", "target"), both, strict=True)}

    return TransferOut.model_validate(_told(gift_cards.once(write, work, tell), response))


@router.post(
    "/gift-cards/{card_id}/pay-out",
    summary="Note that money of a gift card was paid out",
    responses=problems(*_KEYED, NoSuchGiftCard, GiftCardUnusable, BalanceTooLow),
)
def pay_out_gift_card(
    caller: GiftCardsWriter,
    card_id: CardId,
    body: PayOutIn,
    gift_cards: GiftCardsOf,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> CardOut:
    """As some laws ask for small rests, or where a sale is undone."""
    told = Told(caller.actor, body.reason)
    write = _write(caller, f"pay-out {card_id}", idempotency_key, body)
    work = _on(card_id, lambda accounts, card: accounts.pay_out(card, body.amount, told))
    return _answer(gift_cards.once(write, work, _plain), response)


@router.post(
    "/gift-cards/{card_id}/block",
    summary="Block a gift card",
    responses=problems(*_KEYED, NoSuchGiftCard),
)
def block_gift_card(
    caller: GiftCardsWriter,
    card_id: CardId,
    body: ReasonIn,
    gift_cards: GiftCardsOf,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> CardOut:
    """Nothing more can be taken or held. What tills hold already they can still capture or release."""
    write = _write(caller, f"block {card_id}", idempotency_key, body)
    work = _blocking(card_id, Told(caller.actor, body.reason), blocked=True)
    return _answer(gift_cards.once(write, work, _plain), response)


@router.post(
    "/gift-cards/{card_id}/unblock",
    summary="Let a blocked gift card be used again",
    responses=problems(*_KEYED, NoSuchGiftCard),
)
def unblock_gift_card(
    caller: GiftCardsWriter,
    card_id: CardId,
    body: ReasonIn,
    gift_cards: GiftCardsOf,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> CardOut:
    """Its time went on meanwhile."""
    write = _write(caller, f"unblock {card_id}", idempotency_key, body)
    work = _blocking(card_id, Told(caller.actor, body.reason), blocked=False)
    return _answer(gift_cards.once(write, work, _plain), response)


@router.post(
    "/gift-cards/{card_id}/extend",
    summary="Let a gift card last longer",
    responses=problems(*_KEYED, NoSuchGiftCard, InvalidGiftCard),
)
def extend_gift_card(
    caller: GiftCardsWriter,
    card_id: CardId,
    body: ExtendIn,
    gift_cards: GiftCardsOf,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> CardOut:
    """A later end, or none. Money that has ended stays so."""
    told = Told(caller.actor, body.reason)
    write = _write(caller, f"extend {card_id}", idempotency_key, body)
    until = None if body.expires_at is None else _utc(body.expires_at)
    work = _on(card_id, lambda accounts, card: accounts.extend(card, until, told))
    return _answer(gift_cards.once(write, work, _plain), response)


@router.post(
    "/gift-cards/{card_id}/assign",
    summary="Say whose a gift card is",
    responses=problems(*_KEYED, NoSuchGiftCard, NoSuchMember, StatusConflict),
)
def assign_gift_card(
    caller: GiftCardsWriter,
    card_id: CardId,
    body: AssignIn,
    gift_cards: GiftCardsOf,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> CardOut:
    """A member's card is found by the member. Whoever has the code can use it all the same."""
    write = _write(caller, f"assign {card_id}", idempotency_key, body)
    member = None if body.member is None else _member(body.member)
    told = Told(caller.actor, body.reason)
    answered = gift_cards.assign(write, card_id, member, told, lambda shown: _plain(shown.card, shown.now))
    return _answer(answered, response)


@router.get("/reports/gift-cards", summary="Reconcile all gift cards", responses=problems())
def get_gift_card_report(
    caller: GiftCardsReader,
    gift_cards: GiftCardsOf,
    at: Annotated[AwareDatetime | None, Query(description="A past moment; now without it.")] = None,
) -> CardReportOut:
    """What was sold, granted, redeemed, refunded, paid out, has ended, and is owed, by kind of card."""
    return CardReportOut.of(at, gift_cards.totals(caller.program_id, at))


def _on(card_id: UUID, work: Callable[[Accounts, Card], Card]) -> Callable[[Accounts], Card]:
    """Work on one card, locked."""

    def locked(accounts: Accounts) -> Card:
        [card] = accounts.lock(card_id)
        return work(accounts, card)

    return locked


def _blocking(card_id: UUID, told: Told, *, blocked: bool) -> Callable[[Accounts], Card]:
    def work(accounts: Accounts, card: Card) -> Card:
        return accounts.change(card, "blocked" if blocked else "unblocked", told, blocked=blocked)

    return _on(card_id, work)


def _write(caller: Caller, endpoint: str, key: str | None, body: Any) -> Keyed:
    return Keyed.of(caller.program_id, f"gift-cards {endpoint}", require(key), body.model_dump(mode="json"))


def _told(answered: Answered, response: Response) -> dict[str, Any]:
    if answered.replayed:
        response.headers[REPLAYED] = "true"
    return answered.body


def _answer(answered: Answered, response: Response) -> CardOut:
    return CardOut.model_validate(_told(answered, response))


def _plain(card: Card, now: dt.datetime) -> dict[str, Any]:
    return CardOut.of(card, now).model_dump(mode="json")


def _shown(shown: Shown) -> CardOut:
    return CardOut.of(shown.card, shown.now)


def _card(text: str) -> UUID:
    return read_id(CARD_PREFIX, text, NoSuchGiftCard)


def _member(text: str) -> UUID:
    return read_id(MEMBER_PREFIX, text, NoSuchMember)


def _seq(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError(value)
    return value


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
