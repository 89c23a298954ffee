"""Adjustments: points given or taken by a person, with a reason, once per key."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any, Protocol
from uuid import UUID

import msgspec
import psycopg
from psycopg import errors

from setia.db.ids import format_id, new_id
from setia.engine.decision import Outcome, PointsEffect
from setia.engine.state import Balance, Counters
from setia.ledger.booking import book
from setia.ledger.debts import debts_paid
from setia.ledger.entries import LARGEST_AMOUNT, JournalEntry, Posting, StateRow
from setia.ledger.freezing import refuse_frozen
from setia.ledger.lots import burn
from setia.ledger.once import KEY_INDEX, earlier_entry, reused
from setia.ledger.refusals import InsufficientPoints, InvalidAdjustment, UnknownMember
from setia.ledger.states import LockedMember, lock_members
from setia.ledger.wallets import open_lots, wallets_after
from setia.problems import ErrorItem

CAMPAIGN = "adjustment"
_LONGEST = {"reason": 1_000, "actor": 255, "idempotency_key": 255}


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the program says of the point type.

    Which version says it, whether its points lie in lots, when points given now end (None: never), and the floor of a
    wallet yet to be opened.
    """

    program_version: int | None = None
    in_lots: bool = True
    expires_at: dt.datetime | None = None
    floor: int | None = 0
    ends_by_inactivity: bool = False
    """Whether points of the type end when the member does nothing: to be given some then counts as activity."""


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. `amount` is in the smallest unit of the point type: more than 0 gives, less takes.

    `expires_at`: when points that are given end, in place of what the program says.
    """

    member_id: UUID
    point_type: str
    amount: int
    reason: str
    actor: str
    idempotency_key: str
    expires_at: dt.datetime | None = None
    though_frozen: bool = False
    """Take points although the member has frozen them: the operator's word against the member's, with the reason."""


class Adjusted(msgspec.Struct, frozen=True, kw_only=True):
    """What was booked: the journal entry, and the wallet right after it. `replayed`: it had been booked before."""

    entry_id: UUID
    member_id: UUID
    seq: int
    point_type: str
    amount: int
    balance: Balance
    booked_at: dt.datetime
    replayed: bool = False


class Watcher(Protocol):
    """Who counts points that are given by hand, before and after they are booked."""

    def judge(self) -> tuple[list[tuple[str, str, int]], str | None]:
        """What is counted for whom, and the rule by which a person has to approve the points; may refuse them."""

    def keep(self, entry_id: UUID, seq: int, booked_at: dt.datetime) -> None:
        """Remember it, now that it is booked."""


def adjust(
    connection: psycopg.Connection[Any],
    asked: Adjustment,
    terms: Terms,
    now: dt.datetime,
    watcher: Watcher | None = None,
) -> Adjusted:
    """Give points to a member or take them, in the caller's transaction. Points that are given `watcher` counts.

    The same key and the same request give the first answer again, and book nothing. Raises `InvalidAdjustment`,
    `UnknownMember`, `IdempotencyKeyReused`, `PointsFrozen` and `InsufficientPoints`; nothing is booked then.
    """
    _check(asked, terms, now)
    digest = _digest(asked)
    member = lock_members(connection, [asked.member_id]).get(asked.member_id)
    if member is None:
        raise UnknownMember("There is no such member.")
    if (earlier := _earlier(connection, asked, member, digest)) is not None:
        return earlier
    if asked.amount < 0 and not asked.though_frozen:
        refuse_frozen(format_id("mem", asked.member_id), _counters(member.counters.encode()))
    watcher = watcher if asked.amount > 0 else None
    uses, review = ([], None) if watcher is None else watcher.judge()
    balance = member.balances.get(asked.point_type)
    entry = JournalEntry(
        member_id=asked.member_id,
        seq=member.seq + 1,
        id=new_id(),
        program_id=member.program_id,
        program_version=terms.program_version,
        kind="adjustment",
        occurred_at=now,
        booked_at=member.moment(now),
        actor=asked.actor,
        reason=asked.reason,
        idempotency_key=asked.idempotency_key,
        input_digest=digest,
        outcome=msgspec.json.encode(_outcome(asked, terms, uses, review)),
        postings=_given(asked, terms, member.seq + 1, balance, now, review)
        if asked.amount > 0
        else _taken(connection, asked, balance or Balance(floor=terms.floor), now),
        opens={asked.point_type: terms.floor} if balance is None else {},
    )
    try:
        book(connection, [entry], [_state(asked, terms, member, entry)])
    except errors.UniqueViolation as error:
        if error.diag.constraint_name != KEY_INDEX:
            raise
        # The member's own entries were looked through under its lock: this one is another member's, at the same time.
        raise reused(asked.idempotency_key) from error
    if watcher is not None:
        watcher.keep(entry.id, entry.seq, entry.booked_at)
    return Adjusted(
        entry_id=entry.id,
        member_id=asked.member_id,
        seq=entry.seq,
        point_type=asked.point_type,
        amount=asked.amount,
        balance=wallets_after(connection, asked.member_id, entry.seq)[asked.point_type],
        booked_at=entry.booked_at,
    )


def _check(asked: Adjustment, terms: Terms, now: dt.datetime) -> None:
    faults = []
    if asked.expires_at is not None:
        ends, hint = "#/expires_at", "Leave it out."
        if asked.amount < 0:
            faults.append(ErrorItem(pointer=ends, message="only points that are given have an end", hint=hint))
        elif not terms.in_lots:
            faults.append(ErrorItem(pointer=ends, message="points of this type never end", hint=hint))
        elif asked.expires_at <= now:
            faults.append(ErrorItem(pointer=ends, message="lies in the past", hint="Give a moment to come."))
    # A value from JSON may be anything, and `True` is an int.
    if type(asked.amount) is not int or asked.amount == 0 or abs(asked.amount) > LARGEST_AMOUNT:
        faults.append(
            ErrorItem(
                pointer="#/amount",
                message=f"must be a whole number other than 0, of at most {LARGEST_AMOUNT}",
                hint="Give it in the smallest unit of the point type; a number below 0 takes points.",
            )
        )
    for name, longest in _LONGEST.items():
        text = getattr(asked, name)
        if not text.strip() or len(text) > longest or "\0" in text:
            faults.append(ErrorItem(pointer=f"#/{name}", message=f"must be a text of 1 to {longest} characters"))
    if faults:
        raise InvalidAdjustment("The adjustment was not booked.", errors=faults)


def _digest(asked: Adjustment) -> bytes:
    body: list[object] = [asked.member_id, asked.point_type, asked.amount, asked.reason]
    if asked.expires_at is not None:  # without one the digest stays what it was when there was none to give
        body.append(asked.expires_at)
    if asked.though_frozen:
        body.append("though frozen")
    return hashlib.sha256(msgspec.json.encode(body)).digest()


def _earlier(
    connection: psycopg.Connection[Any], asked: Adjustment, member: LockedMember, digest: bytes
) -> Adjusted | None:
    found = earlier_entry(connection, member.program_id, asked.idempotency_key, digest)
    if found is None:
        return None
    return Adjusted(
        entry_id=found.entry_id,
        member_id=asked.member_id,
        seq=found.seq,
        point_type=asked.point_type,
        amount=asked.amount,
        balance=wallets_after(connection, asked.member_id, found.seq)[asked.point_type],
        booked_at=found.booked_at,
        replayed=True,
    )


def _outcome(asked: Adjustment, terms: Terms, uses: list[tuple[str, str, int]], review: str | None) -> Outcome:
    expires_at = _end(asked, terms) if asked.amount > 0 and terms.in_lots else None
    extends = [asked.point_type] if asked.amount > 0 and terms.ends_by_inactivity else []
    effect = PointsEffect(asked.point_type, asked.amount, CAMPAIGN, expires_at=expires_at, review=review)
    return Outcome(points=[effect], extends=extends, velocity=uses)


def _state(asked: Adjustment, terms: Terms, member: LockedMember, entry: JournalEntry) -> StateRow:
    counters = member.counters.encode()
    if asked.amount > 0 and terms.ends_by_inactivity:
        counted = _counters(counters)
        counted.active_at = counted.active_at | {asked.point_type: entry.booked_at}
        counters = msgspec.json.encode(counted)
    # What hangs on the balance (levels, points that end by inactivity) only the program knows: whoever settles the
    # member next works it out.
    return StateRow(member.member_id, entry.seq, counters, member.tracking, due_at=entry.booked_at)


_counters = msgspec.json.Decoder(Counters).decode


def _end(asked: Adjustment, terms: Terms) -> dt.datetime | None:
    return terms.expires_at if asked.expires_at is None else asked.expires_at


def _given(
    asked: Adjustment, terms: Terms, seq: int, balance: Balance | None, now: dt.datetime, review: str | None
) -> tuple[Posting, ...]:
    gift = Posting(
        point_type=asked.point_type,
        source="adjusted",
        destination="available" if review is None else "pending",
        amount=asked.amount,
        campaign=CAMPAIGN,
        opens_lot=terms.in_lots,
        earned_at=now if terms.in_lots else None,
        expires_at=_end(asked, terms) if terms.in_lots else None,
    )
    if review is not None:
        return (gift,)
    after = Balance(available=(0 if balance is None else balance.available) + asked.amount)
    return gift, *debts_paid(seq, [gift], {asked.point_type: after})


def _taken(
    connection: psycopg.Connection[Any], asked: Adjustment, balance: Balance, now: dt.datetime
) -> tuple[Posting, ...]:
    wanted = -asked.amount
    lots = [lot for lot in open_lots(connection, asked.member_id, asked.point_type) if not lot.pending]
    # Points of a lot that has ended are still in the balance until their expiry is booked, and are nobody's to take.
    ended = sum(lot.remaining for lot in lots if not lot.is_spendable(now))
    if balance.floor is not None and wanted > balance.available - ended - balance.floor:
        available = balance.available - ended - balance.floor
        raise InsufficientPoints(asked.member_id, asked.point_type, available=available, wanted=wanted)
    from_lots = min(wanted, sum(lot.remaining for lot in lots) - ended)
    parts = [(lot.key, part) for lot, part in burn(lots, from_lots, now)] if from_lots else []
    # What no lot can give makes a debt; the floor allows it.
    debt = [(None, wanted - from_lots)] if wanted > from_lots else []
    return tuple(
        Posting(
            point_type=asked.point_type,
            source="available",
            destination="adjusted",
            amount=part,
            campaign=CAMPAIGN,
            lot=key,
        )
        for key, part in [*parts, *debt]
    )
