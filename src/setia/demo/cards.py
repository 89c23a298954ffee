"""Gift cards of the coffee bar: sold with purchases, carried about, shown at the till, lost, and brought back."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from setia.api.idempotency import Keyed
from setia.db.ids import format_id
from setia.demo.year import Happening
from setia.events.arrivals import Draft
from setia.events.booked import Booked
from setia.gift_cards.accounts import Accounts, Told
from setia.gift_cards.card import Card
from setia.gift_cards.problems import GiftCardUnusable
from setia.gift_cards.service import GiftCards, Issue, Shown
from setia.gift_cards.tendering import CARD_PREFIX
from setia.gift_cards.uses import Asked, Done, Uses
from setia.program.currencies import minor_digits

ACTOR = "demo"
SOLD, GRANTED = "gift", "sorry"
"""The kinds of the template: what guests buy, and what they get when something went wrong."""

_LABEL = "gift_card"
_FOR_ONESELF, _FOR_A_MEMBER = 0.15, 0.25
"""Who gets a card that was bought: the buyer, another member, or else a guest who is none."""
_SHOWN = 0.5
"""How often somebody with a card shows it."""
_WENT_WRONG = 0.002
_LOST, _REPLACED = 0.04, 0.6
_FORGOTTEN, _PAUSE = 0.3, 20
"""How many guests never use their card, and how many days pass on average before the others do."""
_COMPLAINED = 0.06
_ALL = 10**6


class CardFigures(msgspec.Struct, frozen=True):
    """All gift cards of one kind, in decimal text.

    sold + granted - used + refunded - expired - paid_out = left; `blocked` is how many cards are.
    """

    currency: str
    cards: int
    blocked: int
    sold: str
    granted: str
    used: str
    refunded: str
    expired: str
    paid_out: str
    left: str


class Carried:
    """A card as who carries it knows it: its code, and what the last receipt said is on it, in cents."""

    __slots__ = ("code", "id", "is_gone", "left")

    def __init__(self, identifier: UUID, code: str, left: int) -> None:
        self.id, self.code, self.left = identifier, code, left
        self.is_gone = False
        """Lost, or given back."""


Plan = Callable[[dt.date], None]


class Cards:
    """The coffee bar's cards, and what their owners will do with them."""

    def __init__(self, service: GiftCards, program_id: int) -> None:
        self.service = service
        self._program_id = program_id
        self._pockets: defaultdict[int, list[Carried]] = defaultdict(list)
        """By the member's number."""
        self._known: dict[str, Carried] = {}
        """By the card's code, and by its id."""
        self._sold: dict[str, list[Carried]] = {}
        """By the receipt."""
        self._plans: defaultdict[dt.date, list[Plan]] = defaultdict(list)
        self._numbers: list[int] = []
        """Members who have been at the till, as somebody who gives a card knows them."""

    # ------------------------------------------------------------------------------------------------------ at the till

    def shown(self, happening: Happening, event: dict[str, Any]) -> dict[str, Any]:
        """The event, a purchase perhaps with a card that the member carries."""
        if event["type"] != "purchase":
            return event
        carried = [card for card in self._pockets.get(happening.person.number, ()) if card.left and not card.is_gone]
        if not carried or _dice(happening, "shown").random() > _SHOWN:
            return event
        return {**event, "tenders": [{"type": _LABEL, "code": carried[0].code}]}

    def read(self, draft: Draft) -> Draft:
        """What was sent with what its codes lead to, as the API reads it."""
        codes = [tender.code for tender in draft.sent.tenders if tender.code is not None]
        hashes = {code: self.service.book.hash_of(self._program_id, code) for code in codes}
        return msgspec.structs.replace(draft, card_hashes=hashes) if codes else draft

    def heard(self, happening: Happening, sent: dict[str, Any], booked: Booked) -> None:
        """Take up an answer: what cards paid or got back, cards that were sold, and those that were brought back."""
        payment = booked.outcome.payment
        tenders = sent.get("tenders", ())
        for place, paid in enumerate(() if payment is None else payment.cards):
            card = self._known[tenders[place]["code"] if tenders else str(paid.card)]
            card.left = paid.left if paid.refused is None else 0
        if sent["type"] == "purchase":
            self._sell(happening, sent)
            if _dice(happening, "went wrong").random() < _WENT_WRONG:
                self._apologise(happening, sent["external_id"])
        elif sent["type"] == "return":
            self._take_back(sent["data"])

    def _sell(self, happening: Happening, sent: dict[str, Any]) -> None:
        number = happening.person.number
        self._numbers.append(number)
        for place, line in enumerate(sent["lines"]):
            if _LABEL not in line["labels"]:
                continue
            receipt, cents = f"{sent['external_id']}-{place}", int(Decimal(line["amount"]) * 100)
            card = self._issue(receipt, Issue(SOLD, cents, "sold", None, None))
            self._sold.setdefault(sent["external_id"], []).append(card)
            dice = _dice(happening, "for whom")
            whom = dice.random()
            if whom < _FOR_ONESELF:
                self._pockets[number].append(card)
            elif whom < _FOR_ONESELF + _FOR_A_MEMBER:
                self._pockets[dice.choice(self._numbers)].append(card)
            elif dice.random() > _FORGOTTEN:
                self._plan(happening.at.date(), dice, partial(self._guest, card, dice))
            if dice.random() < _LOST:
                self._plan(happening.at.date(), dice, partial(self._lose, card, dice))

    def _apologise(self, happening: Happening, receipt: str) -> None:
        self._pockets[happening.person.number].append(
            self._issue(receipt, Issue(GRANTED, None, "granted", None, "spilled"))
        )

    def _take_back(self, data: dict[str, Any]) -> None:
        """Only the last line comes back; if that was a card, what is still on it is paid out."""
        for card in self._sold.get(data["order"], ()):
            if card.is_gone or not card.left:
                continue
            self._once(card.id, "pay-out", lambda accounts, found: accounts.pay_out(found, None, Told(ACTOR, "undone")))
            card.is_gone = True

    # --------------------------------------------------------------------------------------------------- as time passes

    def pass_time(self, today: dt.date) -> None:
        """Let happen what people without a membership do, and what happens to cards, up to a day."""
        while self._plans and (day := min(self._plans)) <= today:
            for plan in self._plans.pop(day):
                plan(today)

    def figures(self, kinds: Sequence[str]) -> dict[str, CardFigures]:
        """Where the money of all cards went, by kind; one without cards is left out."""
        found, now = self.service.page(self._program_id, None, before=None, most=_ALL)
        blocked = defaultdict[str, int](int)
        for card in found:
            blocked[card.kind] += card.state_at(now) == "blocked"
        told = {}
        for total in self.service.totals(self._program_id, None):
            digits = minor_digits(total.currency)
            told[total.kind] = CardFigures(
                currency=total.currency,
                cards=total.cards,
                blocked=blocked[total.kind],
                sold=_money(total.sold, digits),
                granted=_money(total.granted, digits),
                used=_money(total.redeemed, digits),
                refunded=_money(total.refunded, digits),
                expired=_money(total.expired, digits),
                paid_out=_money(total.paid_out, digits),
                left=_money(total.outstanding, digits),
            )
        return {kind: told[kind] for kind in kinds if kind in told}

    def _plan(self, day: dt.date, dice: random.Random, plan: Plan) -> None:
        self._plans[day + dt.timedelta(days=1 + int(dice.expovariate(1 / _PAUSE)))].append(plan)

    def _guest(self, card: Carried, dice: random.Random, today: dt.date) -> None:
        """Somebody who is no member pays with a card, and comes again while there is money on it."""
        if card.is_gone:
            return
        reference = f"{card.id.hex}-{today}"
        asked = Asked(
            code=b"",
            till="till-2",
            reference=reference,
            amount=dice.randrange(400, 2000, 10),
            partly=True,
            capture=True,
        )
        try:
            done, _ = self.service.take(self._program_id, card.code, asked, who=ACTOR, now=dt.datetime.now(dt.UTC))
        except GiftCardUnusable:
            return
        card.left = done.left
        if dice.random() < _COMPLAINED:
            self._refund(card, done)
        if card.left:
            self._plan(today, dice, partial(self._guest, card, dice))

    def _refund(self, card: Carried, done: Done) -> None:
        """It was the wrong cake: what was taken comes back."""
        write = Keyed.of(self._program_id, f"gift-card-uses refund {done.use.id}", "wrong-cake", {})
        told = Told(ACTOR, "the wrong cake")
        self.service.once(write, lambda accounts: Uses(accounts).refund(done.use.id, None, told), lambda *_: {})
        card.left += done.use.amount

    def _lose(self, card: Carried, dice: random.Random, _today: dt.date) -> None:
        """A lost card is blocked; who can show the receipt gets another one with the rest."""
        if card.is_gone or not card.left:
            return
        told = Told(ACTOR, "lost")
        self._once(card.id, "block", lambda accounts, found: accounts.change(found, "blocked", told, blocked=True))
        if dice.random() > _REPLACED:
            card.is_gone = True
            return
        lost, new = card.id, self._issue(f"instead-of-{card.id}", Issue(SOLD, 0, "sold", None, "lost"))

        def move(accounts: Accounts) -> int:
            source, target = accounts.lock(lost, new.id)
            return accounts.transfer(source, target, None, told)[1].balance

        write = Keyed.of(self._program_id, f"gift-cards transfer {lost}", "lost", {})
        self.service.once(write, move, lambda *_: {})
        # The same pocket: whoever carried the one carries the other.
        card.id, card.code = new.id, new.code
        self._remember(card)

    def _issue(self, key: str, wanted: Issue) -> Carried:
        balance = 0

        def tell(shown: Shown) -> dict[str, Any]:
            nonlocal balance
            balance = shown.card.balance
            return {"id": str(shown.card.id)}

        body = {"kind": wanted.kind, "amount": wanted.amount}
        write = Keyed.of(self._program_id, "gift-cards POST /v1/gift-cards", f"{wanted.kind}-{key}", body)
        answered, code = self.service.issue(write, wanted, ACTOR, tell)
        card = Carried(UUID(answered.body["id"]), str(code), balance)
        self._remember(card)
        return card

    def _remember(self, card: Carried) -> None:
        self._known[card.code] = self._known[format_id(CARD_PREFIX, card.id)] = card

    def _once(self, identifier: UUID, what: str, work: Callable[[Accounts, Card], Card]) -> None:
        def whole(accounts: Accounts) -> Card:
            [card] = accounts.lock(identifier)
            return work(accounts, card)

        write = Keyed.of(self._program_id, f"gift-cards {what} {identifier}", what, {})
        self.service.once(write, whole, lambda *_: {})


def _dice(happening: Happening, what: str) -> random.Random:
    return random.Random(f"{happening.person.number}/{happening.at}/{what}")  # noqa: S311 - made-up people, no secrets


def _money(amount: int, digits: int) -> str:
    return format(Decimal(amount).scaleb(-digits), "f")
