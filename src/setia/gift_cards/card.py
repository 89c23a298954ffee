"""Gift cards, their uses and entries as they are kept, and how they are found and locked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec
import psycopg

CardState = Literal["active", "blocked", "expired"]
UseState = Literal["held", "captured", "released", "expired", "refunded"]
EntryKind = Literal[
    "issued",
    "loaded",
    "redeemed",
    "held",
    "captured",
    "released",
    "refunded",
    "sent",
    "received",
    "expired",
    "paid_out",
    "taken_back",
    "blocked",
    "unblocked",
    "assigned",
    "extended",
]
Account = Literal["available", "held", "sold", "granted", "redeemed", "expired", "transferred", "paid_out"]
Funding = Literal["sold", "granted"]
"""Where money on a card comes from: somebody paid for it, or the program gives it."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A card as its entries leave it. Money is in the smallest unit of `currency`; `held` is kept for tills."""

    id: UUID
    created_at: dt.datetime
    program_id: int
    kind: str
    currency: str
    hint: str
    seq: int
    balance: int
    held: int
    expires_at: dt.datetime | None
    member_id: UUID | None
    blocked: bool

    def state_at(self, now: dt.datetime) -> CardState:
        """The state at a moment: a card whose time has passed has expired, whether or not that is booked."""
        if self.blocked:
            return "blocked"
        return "expired" if self.ended(now) else "active"

    def ended(self, now: dt.datetime) -> bool:
        """Whether its time has passed."""
        return self.expires_at is not None and self.expires_at <= now


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One use at a till. `amount` was asked for, `held` still is; `captured` was taken, of it `refunded` came back."""

    id: UUID
    card_id: UUID
    event_id: UUID | None
    created_at: dt.datetime
    hold_until: dt.datetime | None
    ended_at: dt.datetime | None
    amount: int
    held: int
    captured: int
    refunded: int
    program_id: int
    till: str
    reference: str
    digest: bytes
    actor: str

    def state_at(self, now: dt.datetime) -> UseState:
        """The state at a moment: a hold whose time has passed has expired, whether or not that is booked."""
        if self.held:
            return "expired" if self.overdue(now) else "held"
        if self.captured:
            return "refunded" if self.refunded == self.captured else "captured"
        over = self.hold_until is not None and self.ended_at is not None and self.ended_at >= self.hold_until
        return "expired" if over else "released"

    def overdue(self, now: dt.datetime) -> bool:
        """Whether its hold is over and nobody has booked that."""
        return bool(self.held) and self.hold_until is not None and self.hold_until <= now

    @property
    def refundable(self) -> int:
        """What can still come back of it."""
        return self.captured - self.refunded


class EntryRow(NamedTuple):
    """One entry of a card, as a statement shows it; `balance` and `held` are those after it."""

    seq: int
    id: UUID
    booked_at: dt.datetime
    kind: EntryKind
    amount: int | None
    source: Account | None
    destination: Account | None
    use_id: UUID | None
    other_card_id: UUID | None
    expires_at: dt.datetime | None
    blocked: bool
    member_id: UUID | None
    actor: str
    reason: str | None
    balance: int
    held: int


_CARD = ", ".join(field.name for field in msgspec.structs.fields(Card))
_USE = ", ".join(field.name for field in msgspec.structs.fields(Use))
_BY_ID = f"SELECT {_CARD} FROM gift_card WHERE program_id = %b AND id = %b"
_LOCK = f"SELECT {_CARD} FROM gift_card WHERE program_id = %b AND id = ANY (%b) ORDER BY id FOR UPDATE"
_LOCK_CODES = f"SELECT {_CARD}, hash FROM gift_card WHERE program_id = %b AND hash = ANY (%b) ORDER BY id FOR UPDATE"
_LIST = f"""
SELECT {_CARD} FROM gift_card
WHERE program_id = %b AND id < %b AND (%b::uuid[] IS NULL OR member_id = ANY (%b::uuid[])) ORDER BY id DESC LIMIT %b
"""
_USE_BY_ID = f"SELECT {_USE} FROM gift_card_use WHERE program_id = %b AND id = %b"
_USE_BY_REFERENCE = f"SELECT {_USE} FROM gift_card_use WHERE program_id = %b AND till = %b AND reference = %b"
_USES_OF_EVENT = f"SELECT {_USE} FROM gift_card_use WHERE program_id = %b AND event_id = %b ORDER BY id"
_OVERDUE = f"SELECT {_USE} FROM gift_card_use WHERE card_id = %b AND held > 0 AND hold_until <= %b ORDER BY id"
_ENTRIES = """
SELECT * FROM (
    SELECT e.seq, e.id, e.booked_at, e.kind, e.amount, e.source, e.destination, e.use_id, e.other_card_id, e.expires_at,
           e.blocked, e.member_id, e.actor, e.reason,
           (sum(ledger_change('available', e.source, e.destination, coalesce(e.amount, 0))) OVER w)::bigint AS balance,
           (sum(ledger_change('held', e.source, e.destination, coalesce(e.amount, 0))) OVER w)::bigint AS held_after
    FROM gift_card_entry e WHERE e.card_id = %b AND e.seq < %b WINDOW w AS (ORDER BY e.seq)
) e ORDER BY e.seq DESC LIMIT %b
"""
_BALANCE_AFTER = """
SELECT coalesce(sum(ledger_change('available', e.source, e.destination, e.amount)), 0)::bigint FROM gift_card_entry e
WHERE e.card_id = %b AND e.seq <= (SELECT min(u.seq) FROM gift_card_entry u WHERE u.use_id = %b)
"""
_IS_USED = "SELECT EXISTS (SELECT FROM gift_card_use WHERE card_id = %b)"
LAST = UUID(int=2**128 - 1)


def find(connection: psycopg.Connection[Any], program_id: int, card: UUID) -> Card | None:
    """One card of a program."""
    return next(iter(_cards(connection, _BY_ID, (program_id, card))), None)


def lock(connection: psycopg.Connection[Any], program_id: int, cards: Collection[UUID]) -> dict[UUID, Card]:
    """Lock cards in the order of their ids; those of other programs are left out."""
    return {card.id: card for card in _cards(connection, _LOCK, (program_id, sorted(cards)))}


def lock_codes(connection: psycopg.Connection[Any], program_id: int, hashes: Collection[bytes]) -> dict[bytes, Card]:
    """Lock the cards of codes, given as hashes, in the order of their ids; codes of no card are left out."""
    rows = connection.execute(_LOCK_CODES, (program_id, list(hashes)), prepare=True).fetchall()
    return {bytes(row[-1]): Card(**dict(zip(Card.__struct_fields__, row[:-1], strict=True))) for row in rows}


def list_cards(
    connection: psycopg.Connection[Any], program_id: int, family: list[UUID] | None, *, before: UUID | None, most: int
) -> list[Card]:
    """Cards, the newest first; of some members, where they are named."""
    return _cards(connection, _LIST, (program_id, before or LAST, family, family, most))


def find_use(connection: psycopg.Connection[Any], program_id: int, use: UUID) -> Use | None:
    """One use of a card of the program."""
    return next(iter(_uses(connection, _USE_BY_ID, (program_id, use))), None)


def use_by_reference(connection: psycopg.Connection[Any], program_id: int, till: str, reference: str) -> Use | None:
    """The use that a till made under its own reference."""
    return next(iter(_uses(connection, _USE_BY_REFERENCE, (program_id, till, reference))), None)


def uses_of_event(connection: psycopg.Connection[Any], program_id: int, event: UUID) -> list[Use]:
    """The uses that paid for an order, in the order in which the cards paid."""
    return _uses(connection, _USES_OF_EVENT, (program_id, event))


def overdue_uses(connection: psycopg.Connection[Any], card: UUID, now: dt.datetime) -> list[Use]:
    """The holds of a locked card whose time has passed."""
    return _uses(connection, _OVERDUE, (card, now))


def entries_of(
    connection: psycopg.Connection[Any], card: UUID, *, before: int | None = None, most: int
) -> list[EntryRow]:
    """The entries of a card, the newest first."""
    rows = connection.execute(_ENTRIES, (card, 2**63 - 1 if before is None else before, most), prepare=True)
    return [EntryRow(*row) for row in rows]


def balance_after(connection: psycopg.Connection[Any], use: Use) -> int:
    """What was left on the card right after a use was made."""
    [(left,)] = connection.execute(_BALANCE_AFTER, (use.card_id, use.id), prepare=True).fetchall()
    return int(left)


def is_used(connection: psycopg.Connection[Any], card: UUID) -> bool:
    """Whether a till has ever taken or held anything of it."""
    [(used,)] = connection.execute(_IS_USED, (card,), prepare=True).fetchall()
    return bool(used)


def _cards(connection: psycopg.Connection[Any], query: str, values: Sequence[Any]) -> list[Card]:
    rows = connection.execute(query, values, prepare=True)
    return [Card(**dict(zip(Card.__struct_fields__, row, strict=True))) for row in rows]


def _uses(connection: psycopg.Connection[Any], query: str, values: Sequence[Any]) -> list[Use]:
    rows = connection.execute(query, values, prepare=True)
    made = [dict(zip(Use.__struct_fields__, row, strict=True)) for row in rows]
    return [Use(**{**values, "digest": bytes(values["digest"])}) for values in made]
