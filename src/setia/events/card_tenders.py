"""Gift cards that pay for a purchase: read from the event, counted after its promotions, and told in its answer.

The order is decided first without them, to know what it comes to; then again as it is paid, which is what is kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import psycopg

from setia.codes import guesses
from setia.codes.book import hint_of
from setia.engine.basis import gross
from setia.engine.decision import Decision
from setia.engine.gift_cards import shares
from setia.engine.occurrences import Occurrence, Tender
from setia.engine.payment import CardPaid, Payment
from setia.events.booked import Booked
from setia.events.faults import Faults
from setia.events.live import LiveProgram
from setia.events.problems import InvalidEvent
from setia.events.schemas import EventIn
from setia.gift_cards.accounts import Terms
from setia.gift_cards.tendering import Paid, ShownCard, Standing

GIFT_CARD = "gift_card"


def terms_of(live: LiveProgram, now: dt.datetime) -> Terms:
    """By what cards are handled for a program at a moment."""
    return Terms(live.program_id, live.compiled.definition, now)


def check_tenders(event: EventIn, faults: Faults) -> None:
    """Look for tenders that are neither an amount nor a card."""
    for index, tender in enumerate(event.tenders):
        if tender.code is None:
            if tender.amount is None:
                faults.add(f"tenders/{index}/amount", "It is missing.", "Only a gift card with its code needs none.")
        elif tender.type != GIFT_CARD:
            faults.add(f"tenders/{index}/code", f"A {tender.type} has no code.", f"Write `type: {GIFT_CARD}`.")
        elif event.member is None:
            hint = "Name the member, or use POST /v1/gift-card-uses and send the amount without the code."
            faults.add(f"tenders/{index}/code", "A card pays with the event of a member.", hint)


def refuse_cards(cards: Sequence[ShownCard]) -> None:
    """Raise `InvalidEvent` where cards shall pay and nothing is decided yet: who they would pay for is not known."""
    if cards:
        hint = "Use POST /v1/gift-card-uses, and send the amount without the code."
        raise InvalidEvent.at("#/tenders", "A card pays with the event of a member, and this one is none yet.", hint)


def count_guesses(
    connection: psycopg.Connection[Any], live: LiveProgram, booked: Booked, who: str, now: dt.datetime
) -> None:
    """Note the codes of cards that are none; by the real time."""
    payment = booked.outcome.payment
    for one in () if payment is None else payment.cards:
        if one.refused == "unknown":
            guesses.count(connection, live.program_id, who, now)


def shown_cards(cards: Sequence[tuple[str, int | None]], hashes: Mapping[str, bytes]) -> tuple[ShownCard, ...]:
    """The cards of an event, given as codes with the most that each shall pay; their hashes are in `hashes`.

    Who sends events and does not know the secret (an import) pays with no card: those codes are of none.
    """
    return tuple(ShownCard(hashes.get(code, b""), hint_of(code), most) for code, most in cards)


class Tendered(msgspec.Struct, frozen=True):
    """A purchase as it is paid, what it comes to, and what each shown card pays of it."""

    event: Occurrence
    total: int
    amounts: list[int]


def tender(event: Occurrence, standings: Sequence[Standing], decide_on: Callable[[Occurrence], Decision]) -> Tendered:
    """What cards pay of a purchase: what its promotions leave, less what is paid otherwise, in the order of the cards.

    Promotions may depend on how it is paid; then it is decided again until both agree.
    """
    others = sum(one.amount for one in event.tenders)
    there = [standing.available for standing in standings]
    amounts = [0] * len(standings)
    while True:
        paid = _paid_by(event, amounts)
        total = _total(paid, decide_on)
        found = shares(max(0, total - others), there)
        if found == amounts:
            return Tendered(paid, total, amounts)
        # From now on never more than this, whatever promotions do: so it ends, and nothing is taken that is not owed.
        there, amounts = found, found


def payment_of(tendered: Tendered, standings: Sequence[Standing], paid: Mapping[int, Paid]) -> Payment:
    """What is told of the cards of a purchase; `paid` are those that have paid, by their places."""
    told = []
    for place, (standing, amount) in enumerate(zip(standings, tendered.amounts, strict=True)):
        done, card = paid.get(place), standing.card
        left = 0 if card is None or standing.fault == "twice" else card.balance - amount
        told.append(
            CardPaid(
                hint=standing.shown.hint,
                amount=amount,
                left=left if done is None else done.left,
                card=None if done is None else done.card,
                use=None if done is None else done.use,
                refused=standing.fault,
            )
        )
    others = sum(one.amount for one in tendered.event.tenders)
    return Payment(tendered.total, tendered.total - others, told)


def refund_of(came_back: int, back: Sequence[Paid]) -> Payment:
    """What is told of a return of an order that cards have paid for: amounts below 0."""
    told = [CardPaid(one.hint, one.amount, one.left, one.card, one.use) for one in back]
    return Payment(-came_back, -came_back - sum(one.amount for one in back), told)


def _total(event: Occurrence, decide_on: Callable[[Occurrence], Decision]) -> int:
    if event.pricing == "final":
        return gross(event)
    to_pay = decide_on(event).outcome.to_pay
    return gross(event) if to_pay is None else to_pay.total


def _paid_by(event: Occurrence, amounts: Sequence[int]) -> Occurrence:
    tenders = tuple(Tender(GIFT_CARD, amount) for amount in amounts if amount)
    return msgspec.structs.replace(event, tenders=(*event.tenders, *tenders))
