"""Adjustments: points given or taken by a person, with a reason, once per key."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg import errors

from setia.db.ids import new_id
from setia.engine.decision import Outcome, PointsEffect
from setia.engine.state import Balance
from setia.ledger.booking import book
from setia.ledger.entries import LARGEST_AMOUNT, JournalEntry, Posting, StateRow
from setia.ledger.lots import burn
from setia.ledger.refusals import IdempotencyKeyReused, InsufficientPoints, InvalidAdjustment, UnknownMember
from setia.ledger.states import LockedMember, lock_members
from setia.ledger.wallets import open_lots, wallets_after
from setia.problems import ErrorItem

CAMPAIGN = "adjustment"
_LONGEST = {"reason": 1_000, "actor": 255, "idempotency_key": 255}
_KEY_INDEX = "uq_journal_program_id_idempotency_key"
_BY_KEY = """
SELECT id, seq, booked_at, input_digest FROM journal
WHERE program_id = %s AND idempotency_key = %s AND kind = 'adjustment'
"""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the program says of the point type.

    Which version says it, whether its points lie in lots, when points given now end (None: never), and the floor of a
    wallet yet to be opened.
    """

    program_version: int | None = None
    in_lots: bool = True
    expires_at: dt.datetime | None = None
    floor: int | None = 0


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. `amount` is in the smallest unit of the point type: more than 0 gives, less takes."""

    member_id: UUID
    point_type: str
    amount: int
    reason: str
    actor: str
    idempotency_key: str


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


def adjust(connection: psycopg.Connection[Any], asked: Adjustment, terms: Terms, now: dt.datetime) -> Adjusted:
    """Give points to a member or take them, in the caller's transaction.

    The same key and the same request give the first answer again, and book nothing. Raises `InvalidAdjustment`,
    `UnknownMember`, `IdempotencyKeyReused` and `InsufficientPoints`; nothing is booked then.
    """
    _check(asked)
    digest = _digest(asked)
    member = lock_members(connection, [asked.member_id]).get(asked.member_id)
    if member is None:
        raise UnknownMember("There is no such member.")
    if (earlier := _earlier(connection, asked, member, digest)) is not None:
        return earlier
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
        outcome=msgspec.json.encode(_outcome(asked, terms)),
        postings=_postings(connection, asked, terms, balance or Balance(floor=terms.floor), now),
        opens={asked.point_type: terms.floor} if balance is None else {},
    )
    try:
        book(connection, [entry], [StateRow(member.member_id, entry.seq, member.counters.encode(), member.tracking)])
    except errors.UniqueViolation as error:
        if error.diag.constraint_name != _KEY_INDEX:
            raise
        # The member's own entries were looked through under its lock: this one is another member's, at the same time.
        raise _reused(asked) from error
    return Adjusted(
        entry_id=entry.id,
        member_id=asked.member_id,
        seq=entry.seq,
        point_type=asked.point_type,
        amount=asked.amount,
        balance=wallets_after(connection, asked.member_id, entry.seq)[asked.point_type],
        booked_at=entry.booked_at,
    )


def _check(asked: Adjustment) -> None:
    faults = []
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
    body = [asked.member_id, asked.point_type, asked.amount, asked.reason]
    return hashlib.sha256(msgspec.json.encode(body)).digest()


def _earlier(
    connection: psycopg.Connection[Any], asked: Adjustment, member: LockedMember, digest: bytes
) -> Adjusted | None:
    found = connection.execute(_BY_KEY, (member.program_id, asked.idempotency_key)).fetchone()
    if found is None:
        return None
    entry_id, seq, booked_at, first_digest = found
    if first_digest != digest:
        raise _reused(asked)
    return Adjusted(
        entry_id=entry_id,
        member_id=asked.member_id,
        seq=seq,
        point_type=asked.point_type,
        amount=asked.amount,
        balance=wallets_after(connection, asked.member_id, seq)[asked.point_type],
        booked_at=booked_at,
        replayed=True,
    )


def _reused(asked: Adjustment) -> IdempotencyKeyReused:
    return IdempotencyKeyReused(
        f"The key {asked.idempotency_key!r} was used for another adjustment. Use a new key for each one."
    )


def _outcome(asked: Adjustment, terms: Terms) -> Outcome:
    expires_at = terms.expires_at if asked.amount > 0 and terms.in_lots else None
    return Outcome(points=[PointsEffect(asked.point_type, asked.amount, CAMPAIGN, expires_at=expires_at)])


def _postings(
    connection: psycopg.Connection[Any], asked: Adjustment, terms: Terms, balance: Balance, now: dt.datetime
) -> tuple[Posting, ...]:
    if asked.amount > 0:
        return (
            Posting(
                point_type=asked.point_type,
                source="adjusted",
                destination="available",
                amount=asked.amount,
                campaign=CAMPAIGN,
                opens_lot=terms.in_lots,
                earned_at=now if terms.in_lots else None,
                expires_at=terms.expires_at if terms.in_lots else None,
            ),
        )
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
