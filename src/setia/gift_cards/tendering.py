"""Cards that pay for an order, and get back what comes back of it: in the transaction that books the order's event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from setia.codes import guesses
from setia.codes.book import digest_of
from setia.db.ids import format_id, new_id
from setia.gift_cards import card as cards
from setia.gift_cards.accounts import SYSTEM, Accounts, Terms, Told
from setia.gift_cards.card import Card, Use
from setia.gift_cards.uses import Uses

TILL = "event"
"""The till of uses that an event has made."""
CARD_PREFIX, USE_PREFIX = "gfc", "gcu"
CardFault = Literal["unknown", "blocked", "expired", "empty", "currency", "twice"]
_PEEK = f"""
SELECT {", ".join(f"c.{name}" for name in Card.__struct_fields__)}, c.hash,
       coalesce((SELECT sum(u.held) FROM gift_card_use u WHERE u.card_id = c.id AND u.held > 0 AND u.hold_until <= %b),
                0)::bigint
FROM gift_card c WHERE c.program_id = %b AND c.hash = ANY (%b)
"""


class ShownCard(NamedTuple):
    """A card that was shown for an order: its code's hash and end, and the most it shall pay (None: all it can)."""

    hash: bytes
    hint: str
    most: int | None


class Standing(NamedTuple):
    """What a shown card can give, and why not; `card` is None for a code of no card."""

    shown: ShownCard
    card: Card | None
    available: int
    fault: CardFault | None


class Paid(NamedTuple):
    """What a card paid for an order, or (below 0) got back of it; `left` is on it afterwards."""

    card: str
    hint: str
    use: str
    amount: int
    left: int


class Tendering:
    """The cards of one booking. Those that are shown are locked at once, after the members."""

    def __init__(self, connection: psycopg.Connection[Any], terms: Terms) -> None:
        self._connection, self._terms = connection, terms
        self._accounts = Accounts(connection, terms)
        self._cards: dict[bytes, Card] = {}

    def lock(self, hashes: Collection[bytes]) -> None:
        """Lock the cards of codes, in the order of their ids, and book what time has done to them."""
        self._cards.update(self._accounts.lock_codes(set(hashes)))

    def check_guesses(self, who: str, now: dt.datetime) -> None:
        """Raise `TooManyGuesses` for who has shown too many codes that are none; by the real time."""
        guesses.check(self._connection, self._terms.program_id, who, now)

    def count_guesses(self, standings: Sequence[Standing], who: str, now: dt.datetime) -> None:
        """Note the codes that are none, with the event: it is kept, since its goods were sold."""
        for standing in standings:
            if standing.fault == "unknown":
                guesses.count(self._connection, self._terms.program_id, who, now)

    def standings(self, shown: Sequence[ShownCard]) -> list[Standing]:
        """What locked cards can give."""
        return _standings(shown, self._cards, self._terms)

    def pay(self, standing: Standing, amount: int, event: UUID, place: int, actor: str) -> Paid:
        """Take what a card pays for an order; its use is known by the event and the place among its tenders."""
        card = self._cards[standing.shown.hash]
        reference = f"{format_id('evt', event)}/{place}"
        use = Use(
            id=new_id(),
            card_id=card.id,
            event_id=event,
            created_at=self._terms.now,
            hold_until=None,
            ended_at=None,
            amount=amount,
            held=0,
            captured=0,
            refunded=0,
            program_id=card.program_id,
            till=TILL,
            reference=reference,
            digest=digest_of(reference, amount),
            actor=actor,
        )
        done = Uses(self._accounts).begin(card, use)
        self._cards[standing.shown.hash] = done.card
        return _paid(done.card, use, amount)


def peek(connection: psycopg.Connection[Any], terms: Terms, shown: Sequence[ShownCard]) -> list[Standing]:
    """What cards could give, asked without locking or booking anything."""
    hashes = list({one.hash for one in shown})
    found: dict[bytes, Card] = {}
    for row in connection.execute(_PEEK, (terms.now, terms.program_id, hashes), prepare=True):
        *values, code, overdue = row
        card = Card(**dict(zip(Card.__struct_fields__, values, strict=True)))
        there = 0 if card.ended(terms.now) else card.balance + overdue
        found[bytes(code)] = msgspec.structs.replace(card, balance=there)
    return _standings(shown, found, terms)


def refund_order(
    connection: psycopg.Connection[Any], terms: Terms, order: UUID, in_all: int, reason: str, *, keep: bool
) -> list[Paid]:
    """Bring back to the cards of an order what came back of it, the card that paid last first; gives what each got.

    `in_all` is the worth of all that has come back of the order so far: cards come before other money, and what they
    got before counts. Without `keep` nothing is written.
    """
    uses = cards.uses_of_event(connection, terms.program_id, order)
    if not uses:
        return []
    accounts = Accounts(connection, terms)
    locked = cards.lock(connection, terms.program_id, {use.card_id for use in uses}) if keep else {}
    if keep:
        # Read again: somebody may have refunded by hand while the locks were waited for.
        uses = cards.uses_of_event(connection, terms.program_id, order)
    wanted = max(0, in_all - sum(use.refunded for use in uses))
    back = []
    for use in reversed(uses):
        amount = min(wanted, use.refundable)
        wanted -= amount
        if amount:
            back.append(_refund(accounts, use, amount, reason, locked.get(use.card_id)))
    return back


def _refund(accounts: Accounts, use: Use, amount: int, reason: str, card: Card | None) -> Paid:
    if card is None:
        found = cards.find(accounts.connection, accounts.terms.program_id, use.card_id)
        if found is None:
            raise LookupError(use.card_id)
        return _paid(msgspec.structs.replace(found, balance=found.balance + amount), use, -amount)
    done = Uses(accounts).refund(use.id, amount, Told(SYSTEM, reason))
    return _paid(done.card, use, -amount)


def _standings(shown: Sequence[ShownCard], found: dict[bytes, Card], terms: Terms) -> list[Standing]:
    standings: list[Standing] = []
    seen: set[bytes] = set()
    for one in shown:
        card = found.get(one.hash)
        fault = "twice" if one.hash in seen else _fault(card, terms)
        seen.add(one.hash)
        there = 0 if card is None or fault is not None else card.balance
        available = there if one.most is None else min(there, one.most)
        standings.append(Standing(one, card, available, fault))
    return standings


def _fault(card: Card | None, terms: Terms) -> CardFault | None:
    if card is None:
        return "unknown"
    state = card.state_at(terms.now)
    if state != "active":
        return state
    if card.currency != terms.definition.program.currency:
        return "currency"
    return None if card.balance else "empty"


def _paid(card: Card, use: Use, amount: int) -> Paid:
    return Paid(format_id(CARD_PREFIX, card.id), card.hint, format_id(USE_PREFIX, use.id), amount, card.balance)
