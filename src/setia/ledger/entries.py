"""What is booked: journal entries with their postings, and the state of a member after them."""

from __future__ import annotations

import datetime as dt
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

Kind = Literal[
    "event",
    "adjustment",
    "expiry",
    "release",
    "review",
    "level",
    "redemption",
    "transfer",
    "exchange",
    "merge",
    "freeze",
    "sale",
    "household",
]
Account = Literal["issued", "redeemed", "expired", "adjusted", "transferred", "pending", "available", "held"]

MEMBER_ACCOUNTS = frozenset({"pending", "available", "held"})
LARGEST_AMOUNT = 10**15 - 1


class LotKey(NamedTuple):
    """A lot of a member, named by the posting that opened it."""

    seq: int
    line: int


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """`amount` units of one point type, moved from one account to another; always more than 0.

    A posting that `opens_lot` brings points in and says until when they count. Every other posting of points that lie
    in lots names its `lot`; points of a type without lots name none.
    """

    point_type: str
    source: Account
    destination: Account
    amount: int
    campaign: str | None = None
    lot: LotKey | None = None
    opens_lot: bool = False
    earned_at: dt.datetime | None = None
    available_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One booked change of one member. Its postings are numbered from 0, in order; it may have none.

    - `id`: of an event's entry the event's id, else an id of its own.
    - `seq`: one more than that of the member's entry before.
    - `booked_at`: never before that of the member's entry before; `MemberLedger.moment` sees to it.
    - `opens`: wallets to open, point type -> floor of `available` (None: without end). For a wallet that is there
      it sets the floor anew.
    - `outcome`, `explanation`: JSON documents; the ledger keeps them and reads of them only `outcome.points`.
    """

    member_id: UUID
    seq: int
    id: UUID
    program_id: int
    kind: Kind
    occurred_at: dt.datetime
    booked_at: dt.datetime
    actor: str
    outcome: bytes
    explanation: bytes = b"{}"
    postings: tuple[Posting, ...] = ()
    opens: dict[str, int | None] = {}
    program_version: int | None = None
    reason: str | None = None
    idempotency_key: str | None = None
    input_digest: bytes | None = None


class StateRow(msgspec.Struct, frozen=True):
    """What to save of a member after its newest entry in a booking: one per member, with that entry's `seq`.

    `counters` is a JSON document of the engine's; `tracking` says what it counts.
    """

    member_id: UUID
    seq: int
    counters: bytes
    tracking: str = ""
    settled: bool = False
    """Whether everything due has been booked, so that `due_at` takes the place of what was known; else the earlier one,
    of it and of the lots that are booked now, stays.
    """
    due_at: dt.datetime | None = None
