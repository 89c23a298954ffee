"""Cards at tills: money taken at once, or held and then captured in full or part, or given back; and refunds."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import msgspec
from psycopg import errors

from setia.codes.book import digest_of
from setia.codes.problems import ReferenceUsed
from setia.db.ids import new_id
from setia.engine.calendar import after
from setia.engine.gift_cards import LARGEST
from setia.gift_cards import card as cards
from setia.gift_cards.accounts import Accounts, Told
from setia.gift_cards.card import Card, Use
from setia.gift_cards.problems import (
    BalanceTooLow,
    CardUseEnded,
    GiftCardUnusable,
    InvalidGiftCard,
    NoSuchCardUse,
    NoSuchGiftCard,
)
from setia.problems import ErrorItem
from setia.program.names import Period

LONGEST_HOLD = dt.timedelta(days=31)
_COLUMNS = (
    *("id", "card_id", "event_id", "created_at", "hold_until", "amount"),
    *("program_id", "till", "reference", "digest", "actor"),
)
_INSERT = f"INSERT INTO gift_card_use ({', '.join(_COLUMNS)}) VALUES ({', '.join(['%b'] * len(_COLUMNS))})"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a till wants of a card, which it names by its code's hash.

    `capture`: at once, in one step; `ttl`: how long it is held instead. `partly`: less will do, where less is there.
    """

    code: bytes
    till: str
    reference: str
    amount: int
    capture: bool = True
    partly: bool = False
    ttl: Period | None = None

    @property
    def digest(self) -> bytes:
        """By which the same request is known again."""
        return digest_of(*msgspec.structs.astuple(self))


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A use after a request about it, its card, and what is left on that. `replayed`: it was so before."""

    use: Use
    card: Card
    left: int
    replayed: bool = False


class Uses:
    """What tills do with cards, in the caller's transaction."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._connection, self._terms = accounts.connection, accounts.terms
        self._now = accounts.terms.now

    def take(self, asked: Asked, actor: str) -> Done:
        """Take money from a card or hold it; the same reference and the same request give the first answer again.

        Raises:
            NoSuchGiftCard, GiftCardUnusable, BalanceTooLow, InvalidGiftCard: nothing was taken.
            ReferenceUsed: the till used the reference for another request.
        """
        card = self._accounts.lock_codes([asked.code]).get(asked.code)
        # After the lock, so that of two requests with one reference the second one finds the first.
        earlier = cards.use_by_reference(self._connection, self._terms.program_id, asked.till, asked.reference)
        if earlier is not None:
            return self._again(earlier, asked, card)
        if card is None:
            raise NoSuchGiftCard("Check the code for a slip; after too many wrong ones the key has to wait.")
        self._accounts.usable(card)
        amount = self._amount(card, asked)
        use = Use(
            id=new_id(),
            card_id=card.id,
            event_id=None,
            created_at=self._now,
            hold_until=None if asked.capture else self._hold_until(card, asked.ttl),
            ended_at=None,
            amount=amount,
            held=0,
            captured=0,
            refunded=0,
            program_id=card.program_id,
            till=asked.till,
            reference=asked.reference,
            digest=asked.digest,
            actor=actor,
        )
        return self.begin(card, use)

    def begin(self, card: Card, use: Use) -> Done:
        """Write a use of a locked card that can give so much, and take or hold the money."""
        values = [getattr(use, name) for name in _COLUMNS]
        try:
            self._connection.execute(_INSERT, values, prepare=True)
        except errors.UniqueViolation as error:
            # Another card's, at the same moment: the lock of this one does not keep it out.
            raise _reused(use.till, use.reference) from error
        told = Told(use.actor, use=use.id)
        if use.hold_until is None:
            card = self._accounts.book(card, "redeemed", use.amount, ("available", "redeemed"), told)
        else:
            card = self._accounts.book(card, "held", use.amount, ("available", "held"), told)
        return Done(use=self._read(use.id), card=card, left=card.balance)

    def capture(self, use_id: UUID, amount: int | None, actor: str) -> Done:
        """Take what is held (None: all), or so much of it; the rest comes back. Again, it gives the same answer.

        Raises:
            NoSuchCardUse, CardUseEnded, InvalidGiftCard: nothing was captured.
        """
        card, use = self._locked(use_id)
        wanted = use.amount if amount is None else amount
        if use.captured == wanted:
            return Done(use=use, card=card, left=card.balance, replayed=True)
        self._must_be(use, "captured")
        if not 0 < wanted <= use.held:
            item = ErrorItem(pointer="#/amount", message=f"must be 1 to {use.held}, which is what is held")
            raise InvalidGiftCard("Nothing was captured.", errors=[item])
        told = Told(actor, use=use.id)
        card = self._accounts.book(card, "captured", wanted, ("held", "redeemed"), told)
        if wanted < use.held:
            card = self._accounts.book(card, "released", use.held - wanted, ("held", "available"), told)
        return self._done(card, use_id)

    def release(self, use_id: UUID, actor: str) -> Done:
        """Give back what is held. Again, or after the hold is over, it changes nothing.

        Raises:
            NoSuchCardUse, CardUseEnded: nothing was released.
        """
        card, use = self._locked(use_id)
        if not use.held and not use.captured:
            return Done(use=use, card=card, left=card.balance, replayed=True)
        self._must_be(use, "released")
        card = self._accounts.book(card, "released", use.held, ("held", "available"), Told(actor, use=use.id))
        return self._done(card, use_id)

    def refund(self, use_id: UUID, amount: int | None, told: Told) -> Done:
        """Bring back what was captured (None: all that is left of it), or so much; the card lasts its grace at least.

        Raises:
            NoSuchCardUse, CardUseEnded, InvalidGiftCard: nothing came back.
        """
        card, use = self._locked(use_id)
        wanted = use.refundable if amount is None else amount
        if not use.refundable:
            raise CardUseEnded("There is nothing to refund.", extra={"state": use.state_at(self._now)})
        if not 0 < wanted <= use.refundable:
            message = f"must be 1 to {use.refundable}, which is what can still come back"
            raise InvalidGiftCard("Nothing came back.", errors=[ErrorItem(pointer="#/amount", message=message)])
        card = self._accounts.with_grace(card)
        card = self._accounts.book(card, "refunded", wanted, ("redeemed", "available"), told._replace(use=use.id))
        return self._done(card, use_id)

    def _again(self, earlier: Use, asked: Asked, card: Card | None) -> Done:
        """The first answer: as the use was when it was made, whatever became of it."""
        if earlier.digest != asked.digest or card is None:
            raise _reused(asked.till, asked.reference)
        held = 0 if earlier.hold_until is None else earlier.amount
        captured = earlier.amount if earlier.hold_until is None else 0
        ended = earlier.created_at if earlier.hold_until is None else None
        first = msgspec.structs.replace(earlier, held=held, captured=captured, refunded=0, ended_at=ended)
        left = cards.balance_after(self._connection, earlier)
        return Done(use=first, card=card, left=left, replayed=True)

    def _locked(self, use_id: UUID) -> tuple[Card, Use]:
        found = cards.find_use(self._connection, self._terms.program_id, use_id)
        if found is None:
            raise NoSuchCardUse
        [card] = self._accounts.lock(found.card_id)
        # Read again: it may have ended while the lock was waited for, and under the lock nobody changes it.
        return card, self._read(use_id)

    def _done(self, card: Card, use_id: UUID) -> Done:
        return Done(use=self._read(use_id), card=card, left=card.balance)

    def _read(self, use_id: UUID) -> Use:
        found = cards.find_use(self._connection, self._terms.program_id, use_id)
        if found is None:
            raise NoSuchCardUse
        return found

    def _must_be(self, use: Use, wanted: str) -> None:
        state = use.state_at(self._now)
        if state != "held":
            hint = "; refund it instead" if state == "captured" else ""
            raise CardUseEnded(f"It is {state}, so it cannot be {wanted}{hint}.", extra={"state": state})

    def _amount(self, card: Card, asked: Asked) -> int:
        if not 0 < asked.amount <= LARGEST:
            item = ErrorItem(pointer="#/amount", message=f"must be 1 to {LARGEST}")
            raise InvalidGiftCard("Nothing was taken.", errors=[item])
        if not card.balance:
            raise GiftCardUnusable("It is empty.", extra={"reason": "empty"})
        if asked.amount > card.balance and not asked.partly:
            hint = "Send `partly` to take what there is."
            raise BalanceTooLow(f"It holds {card.balance}. {hint}", extra={"available": card.balance})
        return min(asked.amount, card.balance)

    def _hold_until(self, card: Card, ttl: Period | None) -> dt.datetime:
        until = after(self._now, ttl or self._terms.kind_of(card).hold, self._terms.zone)
        if not self._now < until <= self._now + LONGEST_HOLD:
            item = ErrorItem(pointer="#/ttl", message="must be some time, and 31 days at most", hint="Write 15min.")
            raise InvalidGiftCard("Nothing was held.", errors=[item])
        return until


def _reused(till: str, reference: str) -> ReferenceUsed:
    return ReferenceUsed(f"{till} used {reference!r} for another request. Use a new one.")
