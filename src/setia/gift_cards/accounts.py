"""The money of locked cards: put on, moved, ended; each change an entry, from which everything else follows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import psycopg

from setia.codes.book import CodeBook, hint_of
from setia.db.ids import new_id
from setia.engine.calendar import after
from setia.engine.gift_cards import LARGEST, card_expires_at, currency_of, later_end, most_on, units_of
from setia.gift_cards import card as cards
from setia.gift_cards.card import Account, Card, EntryKind, Funding
from setia.gift_cards.problems import BalanceTooLow, GiftCardUnusable, InvalidGiftCard, NoSuchGiftCard
from setia.problems import ErrorItem
from setia.program.definition import Program
from setia.program.gift_cards import GiftCard

SYSTEM = "system"
_MAKE = """
INSERT INTO gift_card (id, created_at, program_id, kind, currency, hint, hash) VALUES (%b, %b, %b, %b, %b, %b, %b)
"""
_ENTRY = """
INSERT INTO gift_card_entry (card_id, seq, id, use_id, other_card_id, booked_at, amount, expires_at, member_id,
                             program_id, blocked, kind, source, destination, actor, reason, redemption_id)
VALUES (%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b)
"""


class Terms(NamedTuple):
    """By what cards are handled in one transaction: the program, its definition, and what time it is for it."""

    program_id: int
    definition: Program
    now: dt.datetime

    @property
    def zone(self) -> ZoneInfo:
        """The program's time zone, in which cards end with a day."""
        return ZoneInfo(self.definition.program.timezone)

    def kind_of(self, card: Card) -> GiftCard:
        """The kind of a card; of one that the live version has no more, the defaults."""
        return self.definition.gift_cards.get(card.kind, GiftCard())


class Told(NamedTuple):
    """Who does something to a card, and why; the use it is about, the card on the other side, the redemption."""

    actor: str
    reason: str | None = None
    use: UUID | None = None
    other: UUID | None = None
    redemption: UUID | None = None


class Accounts:
    """What is done to cards in the caller's transaction."""

    def __init__(self, connection: psycopg.Connection[Any], terms: Terms) -> None:
        self.connection, self.terms = connection, terms

    def lock(self, *ids: UUID) -> list[Card]:
        """Lock cards, all that the act is about at once, and book what time has done to them.

        Raises:
            NoSuchGiftCard: the program has not all of them.
        """
        found = cards.lock(self.connection, self.terms.program_id, ids)
        if len(found) < len(set(ids)):
            raise NoSuchGiftCard
        settled = {one: self.settle(card) for one, card in found.items()}
        return [settled[one] for one in ids]

    def lock_codes(self, hashes: Collection[bytes]) -> dict[bytes, Card]:
        """The same by the hashes of codes; those of no card are left out."""
        found = cards.lock_codes(self.connection, self.terms.program_id, hashes)
        return {code: self.settle(card) for code, card in found.items()}

    def settle(self, card: Card) -> Card:
        """Book the end of holds whose time has passed, and of a card whose time has."""
        for use in cards.overdue_uses(self.connection, card.id, self.terms.now) if card.held else ():
            card = self.book(card, "released", use.held, ("held", "available"), Told(SYSTEM, use=use.id))
        if card.ended(self.terms.now) and card.balance:
            card = self.book(card, "expired", card.balance, ("available", "expired"), Told(SYSTEM))
        return card

    def issue(
        self,
        book: CodeBook,
        kind: str,
        amount: int | None,
        funding: Funding,
        told: Told,
        *,
        checked: bool = True,
    ) -> tuple[Card, str]:
        """Make a card with money on it, and its code; `amount` None: as much as its kind says.

        `checked`: whether the kind's `least` and `most` count, which are about what people ask for.

        A card without money is one that is sold later: its first load begins its time anew.

        Raises:
            InvalidGiftCard: there is no such kind, or it does not hold so much.
        """
        definition = self.terms.definition.gift_cards.get(kind)
        if definition is None:
            known = ", ".join(self.terms.definition.gift_cards) or "none"
            item = ErrorItem(
                pointer="#/kind", message="The live version has no such gift card.", hint=f"There are: {known}."
            )
            raise InvalidGiftCard("No card was issued.", errors=[item])
        currency = currency_of(self.terms.definition, definition)
        if amount is None:
            amount = units_of(definition.value, currency)
        elif amount and checked:
            self._check_amount(definition, currency, amount)
        card = Card(
            id=new_id(),
            created_at=self.terms.now,
            program_id=self.terms.program_id,
            kind=kind,
            currency=currency,
            hint="",
            seq=0,
            balance=0,
            held=0,
            expires_at=card_expires_at(definition, self.terms.now, self.terms.zone, first=True),
            member_id=None,
            blocked=False,
        )
        code = book.code_of(card.id)
        card = msgspec.structs.replace(card, hint=hint_of(code))
        values = (card.id, card.created_at, card.program_id, kind, currency, card.hint)
        self.connection.execute(_MAKE, (*values, book.hash_of(card.program_id, code)), prepare=True)
        self._check_balance(card, amount)
        return self.book(card, "issued", amount, (funding, "available"), told), code

    def load(self, card: Card, amount: int, funding: Funding, told: Told, *, checked: bool = True) -> Card:
        """Put more money on a card; `checked` as of `issue`.

        Raises:
            GiftCardUnusable: it is blocked, has expired, or takes no more money.
            InvalidGiftCard: not so much, or not so little.
        """
        self.usable(card)
        kind = self.terms.kind_of(card)
        first = not self._has_had_money(card)
        if not kind.reloadable and not first:
            raise GiftCardUnusable("Its kind takes no more money.", extra={"reason": "not_reloadable"})
        if checked:
            self._check_amount(kind, card.currency, amount)
        self._check_balance(card, amount)
        if first:
            ends = card_expires_at(kind, self.terms.now, self.terms.zone, first=True)
            ends = None if ends is None or card.expires_at is None else max(ends, card.expires_at)
        else:
            ends = later_end(kind, card.expires_at, self.terms.now, self.terms.zone)
        card = msgspec.structs.replace(card, expires_at=ends)
        return self.book(card, "loaded", amount, (funding, "available"), told)

    def transfer(self, source: Card, target: Card, amount: int | None, told: Told) -> tuple[Card, Card]:
        """Move money (None: all) to another card, which lasts as long as the longer of the two.

        From a blocked card too: so a lost one is replaced. Raises `GiftCardUnusable`, `BalanceTooLow`,
        `InvalidGiftCard`.
        """
        self.usable(target)
        if source.currency != target.currency or source.id == target.id:
            what = "Both are one card." if source.id == target.id else "They hold different currencies."
            raise InvalidGiftCard("Nothing was moved.", errors=[ErrorItem(pointer="#/to", message=what)])
        wanted = source.balance if amount is None else amount
        if source.ended(self.terms.now) or not wanted:
            reason = "expired" if source.ended(self.terms.now) else "empty"
            raise GiftCardUnusable(f"There is nothing to move: it is {reason}.", extra={"reason": reason})
        self._enough(source, wanted)
        self._check_balance(target, wanted)
        source = self.book(source, "sent", wanted, ("available", "transferred"), told._replace(other=target.id))
        ends = None
        if source.expires_at is not None and target.expires_at is not None:
            ends = max(source.expires_at, target.expires_at)
        target = msgspec.structs.replace(target, expires_at=ends)
        return source, self.book(
            target, "received", wanted, ("transferred", "available"), told._replace(other=source.id)
        )

    def pay_out(self, card: Card, amount: int | None, told: Told) -> Card:
        """Note that money of a card (None: all) was paid out. Raises `GiftCardUnusable`, `BalanceTooLow`."""
        self.usable(card)
        wanted = card.balance if amount is None else amount
        if not wanted:
            raise GiftCardUnusable("It holds nothing.", extra={"reason": "empty"})
        self._enough(card, wanted)
        return self.book(card, "paid_out", wanted, ("available", "paid_out"), told)

    def take_back(self, card: Card, amount: int, told: Told) -> Card:
        """Take back what the program has given: the reward is refunded. Raises `BalanceTooLow`."""
        self._enough(card, amount)
        return self.book(card, "taken_back", amount, ("available", "granted"), told)

    def change(self, card: Card, kind: EntryKind, told: Told, **after: Any) -> Card:
        """Change how a card stands (`blocked`, `member_id`, `expires_at`) without moving money."""
        return self.book(msgspec.structs.replace(card, **after), kind, None, None, told)

    def extend(self, card: Card, until: dt.datetime | None, told: Told) -> Card:
        """Let a card last longer (None: for ever). Money that has ended stays so.

        Raises:
            InvalidGiftCard: it would end earlier than it does.
        """
        if card.expires_at is None or (until is not None and until <= max(card.expires_at, self.terms.now)):
            end = "never" if card.expires_at is None else card.expires_at.isoformat()
            item = ErrorItem(pointer="#/expires_at", message=f"must be later than the present end, and than now: {end}")
            raise InvalidGiftCard("The card was not extended.", errors=[item])
        return self.change(card, "extended", told, expires_at=until)

    def usable(self, card: Card) -> None:
        """Raise `GiftCardUnusable` where money can neither be taken nor put on."""
        state = card.state_at(self.terms.now)
        if state != "active":
            raise GiftCardUnusable(f"It is {state}.", extra={"reason": state})

    def with_grace(self, card: Card) -> Card:
        """A card to which money comes back: it lasts its kind's `refund_grace` at least."""
        if card.expires_at is None:
            return card
        least = after(self.terms.now, self.terms.kind_of(card).refund_grace, self.terms.zone)
        return msgspec.structs.replace(card, expires_at=max(card.expires_at, least))

    def book(
        self,
        card: Card,
        kind: EntryKind,
        amount: int | None,
        move: tuple[Account, Account] | None,
        told: Told,
    ) -> Card:
        """Write one entry of a locked card; gives the card after it. Nothing is moved where `amount` is 0 or None."""
        source, destination = move if amount and move is not None else (None, None)
        moved = amount or None
        self.connection.execute(
            _ENTRY,
            (
                *(card.id, card.seq + 1, new_id(), told.use, told.other, self.terms.now, moved, card.expires_at),
                *(card.member_id, card.program_id, card.blocked, kind, source, destination, told.actor, told.reason),
                told.redemption,
            ),
            prepare=True,
        )
        by = moved or 0
        return msgspec.structs.replace(
            card,
            seq=card.seq + 1,
            balance=card.balance + by * ((destination == "available") - (source == "available")),
            held=card.held + by * ((destination == "held") - (source == "held")),
        )

    def _enough(self, card: Card, amount: int) -> None:
        if amount > card.balance:
            raise BalanceTooLow(f"It holds {card.balance}.", extra={"available": card.balance})

    def _check_amount(self, kind: GiftCard, currency: str, amount: int) -> None:
        least = max(1, units_of(kind.least, currency))
        most = LARGEST if kind.most is None else units_of(kind.most, currency)
        if not least <= amount <= most:
            item = ErrorItem(pointer="#/amount", message=f"must be {least} to {most}, by the card's kind")
            raise InvalidGiftCard("Nothing was put on the card.", errors=[item])

    def _check_balance(self, card: Card, more: int) -> None:
        if card.balance + card.held + more > most_on(self.terms.kind_of(card), card.currency):
            message = f"would be more than the card may hold, with {card.balance + card.held} on it"
            raise InvalidGiftCard(
                "Nothing was put on the card.", errors=[ErrorItem(pointer="#/amount", message=message)]
            )

    def _has_had_money(self, card: Card) -> bool:
        found = self.connection.execute(
            "SELECT FROM gift_card_entry WHERE card_id = %b AND amount IS NOT NULL LIMIT 1", (card.id,), prepare=True
        )
        return found.fetchone() is not None
