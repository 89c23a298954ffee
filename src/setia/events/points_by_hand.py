"""Points that a person ends, extends or takes back while they are pending: with a reason, once for each key."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec
import psycopg
from psycopg import errors

from setia.engine.counting import recount
from setia.engine.decision import Explanation, LotMove, Outcome, as_json, outcome_of
from setia.engine.due import next_due
from setia.engine.state import Balance
from setia.engine.waiting import cancelled, of_order
from setia.events.live import LiveProgram
from setia.events.lot_moves import (
    expired_postings,
    extended_postings,
    move_balances,
    move_postings,
    waiting_lots,
)
from setia.events.members_in_play import InPlay, lock_in_play
from setia.events.settling import settle_members
from setia.events.time_entries import TimeEntries
from setia.events.writing import Writing
from setia.ledger.entries import LotKey, Posting
from setia.ledger.lots import Lot, earliest
from setia.ledger.once import KEY_INDEX, earlier_entry, reused
from setia.ledger.refusals import InsufficientPoints
from setia.ledger.wallets import OpenLot, all_open_lots, wallets_after
from setia.problems import ErrorItem, Problem


class InvalidChange(Problem):
    """Points that are not there, an end that is none, or nothing to do."""

    status = 422
    code = "invalid_points_change"
    title = "The points cannot be changed so"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks for.

    Of `points` (for `cancel` None means all types): the lot named, or `amount` of what ends first, or everything.
    `cancel` takes pending points back, of an `order` or all; `extend` gives them a new end (None: never).
    """

    what: Literal["expire", "extend", "cancel"]
    points: str | None = None
    amount: int | None = None
    lot: tuple[int, int] | None = None
    order: str | None = None
    expires_at: dt.datetime | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, why, and the key that names the request."""

    actor: str
    reason: str
    key: str


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What was booked, and the wallets right after it. `replayed`: it had been booked before."""

    entry_id: UUID
    booked_at: dt.datetime
    moves: list[LotMove]
    balances: dict[str, Balance]
    replayed: bool = False


def change_points(
    connection: psycopg.Connection[Any], live: LiveProgram, member_id: UUID, change: Change, by: Asked, now: dt.datetime
) -> Changed:
    """Book a change in the caller's transaction, after what time has done to the member.

    The same key and the same request give the first answer again, and book nothing. Raises `InvalidChange`,
    `InsufficientPoints` and `IdempotencyKeyReused`; nothing is booked then.
    """
    digest = hashlib.sha256(msgspec.json.encode([member_id, change, by.reason])).digest()
    member = lock_in_play(connection, live.compiled, live.program_id, [member_id])[member_id]
    earlier = earlier_entry(connection, live.program_id, by.key, digest)
    if earlier is not None:
        return Changed(
            entry_id=earlier.entry_id,
            booked_at=earlier.booked_at,
            moves=outcome_of(earlier.outcome).moves,
            balances=wallets_after(connection, member_id, earlier.seq),
            replayed=True,
        )
    _check(live, change, now)
    settle_members(connection, live, [member_id], now)
    member = lock_in_play(connection, live.compiled, live.program_id, [member_id])[member_id]
    if change.what == "cancel":
        moves = _cancel(connection, member, change)
        postings = move_postings(moves)
        move_balances(member.state, moves)
    else:
        lots = [one for one in all_open_lots(connection, [member_id])[member_id] if one.point_type == change.points]
        moves = _moves(member, change, lots)
        make = expired_postings if change.what == "expire" else extended_postings
        postings = make([one.lot for one in lots], moves)
        _move_balances(member, postings)
    _book(connection, live, member, moves, postings, (by, digest), now)
    return Changed(
        entry_id=_last_entry(connection, member),
        booked_at=member.updated_at,
        moves=moves,
        balances=member.state.balances,
    )


def _check(live: LiveProgram, change: Change, now: dt.datetime) -> None:
    faults = []
    types = live.compiled.definition.points
    point_type = types.get(change.points or "")
    if change.points is not None and point_type is None:
        faults.append(_fault("points", "The program has no such points.", f"It has: {', '.join(types)}."))
    if point_type is not None and not point_type.in_lots:
        faults.append(_fault("points", "Points of this type never end.", "Take them by an adjustment."))
    if change.amount is not None and change.lot is not None:
        faults.append(_fault("amount", "stands beside a lot", "Name the lot, or an amount of what ends first."))
    if change.what == "extend":
        if change.expires_at is not None and change.expires_at <= now:
            faults.append(_fault("expires_at", "lies in the past", "Give a moment to come, or null for no end."))
        if point_type is not None and point_type.expiry.inactivity is not None:
            hint = "Give the member points by an adjustment: that counts as activity."
            faults.append(_fault("points", "Points of this type end together, by inactivity.", hint))
    if faults:
        raise InvalidChange("Nothing was changed.", errors=faults)


def _fault(field: str, message: str, hint: str) -> ErrorItem:
    return ErrorItem(pointer=f"#/{field}", message=message, hint=hint)


def _cancel(connection: psycopg.Connection[Any], member: InPlay, change: Change) -> list[LotMove]:
    found = of_order(waiting_lots(connection, member.id), change.order)
    moves = [cancelled(lot) for lot in found if change.points in {None, lot.points}]
    if not moves:
        place = "order" if change.order is not None else "points"
        raise InvalidChange(
            "Nothing was changed.", errors=[_fault(place, "No points of it are pending.", "Look at the member's lots.")]
        )
    return moves


def _moves(member: InPlay, change: Change, lots: Sequence[OpenLot]) -> list[LotMove]:
    """Which part of which lot: the one named, pending or not; else available ones, in the order of burning."""
    if change.lot is not None:
        key = LotKey(*change.lot)
        chosen = [one.lot for one in lots if one.lot.key == key]
        if not chosen:
            fault = _fault("lot", "The member has no such lot of these points.", "Look at the member's lots.")
            raise InvalidChange("Nothing was changed.", errors=[fault])
    else:
        chosen = [one.lot for one in lots if not one.lot.pending]
    if change.what == "extend":
        chosen = _extendable(change, chosen)
    there = sum(lot.remaining for lot in chosen)
    if change.amount is not None and change.amount > there:
        raise InsufficientPoints(member.id, change.points or "", available=there, wanted=change.amount)
    if not there:
        hint = "Look at the member's lots."
        raise InvalidChange("Nothing was changed.", errors=[_fault("points", "There is nothing to change.", hint)])
    campaigns = {one.lot.key: one.campaign for one in lots}
    return [
        LotMove(
            "expired" if change.what == "expire" else "extended",
            change.points or "",
            part,
            campaigns[lot.key] or "",
            (lot.seq, lot.line),
            expires_at=change.expires_at,
        )
        for lot, part in earliest(chosen, there if change.amount is None else change.amount)
    ]


def _extendable(change: Change, lots: Sequence[Lot]) -> list[Lot]:
    """The lots that the new end lets live longer.

    Pending ones are extended when they can be used: until then an event may take them back, and would not find them.
    """
    if change.lot is not None and any(lot.pending for lot in lots):
        fault = _fault("lot", "These points are pending.", "Extend them when they can be used.")
        raise InvalidChange("Nothing was changed.", errors=[fault])
    return [
        lot
        for lot in lots
        if lot.expires_at is not None and (change.expires_at is None or change.expires_at > lot.expires_at)
    ]


def _move_balances(member: InPlay, postings: Sequence[Posting]) -> None:
    for posting in postings:
        balance = member.state.balances[posting.point_type]
        if posting.source in {"available", "pending"}:
            setattr(balance, posting.source, getattr(balance, posting.source) - posting.amount)
        if posting.destination == "available":
            balance.available += posting.amount


def _book(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    member: InPlay,
    moves: list[LotMove],
    postings: tuple[Posting, ...],
    by: tuple[Asked, bytes],
    now: dt.datetime,
) -> None:
    state, (asked, digest) = member.state, by
    outcome = Outcome(moves=moves)
    booked_at = member.moment(now)
    state.counters = recount(live.compiled, state.counters, "adjustment", outcome, now, booked_at, state.enrolled_at)
    entry = TimeEntries(live, now).of_outcome(member, "adjustment", outcome, Explanation(), now)
    outcome.balances = {name: (b.available, b.pending, b.held) for name, b in state.balances.items()}
    writing = Writing(connection, live.program_id, live.compiled.tracking)
    writing.entry(
        msgspec.structs.replace(
            entry,
            actor=asked.actor,
            reason=asked.reason,
            idempotency_key=asked.key,
            input_digest=digest,
            outcome=as_json(outcome),
            postings=postings,
        )
    )
    item = next_due(live.compiled, state, booked_at)
    member.due_soonest = None if item is None else item.at
    try:
        writing.write([member])
    except errors.UniqueViolation as error:
        if error.diag.constraint_name != KEY_INDEX:
            raise
        # Another member's entry took the key at the same moment: under this member's lock there was none.
        raise reused(asked.key) from error


def _last_entry(connection: psycopg.Connection[Any], member: InPlay) -> UUID:
    [(entry_id,)] = connection.execute(
        "SELECT id FROM journal WHERE member_id = %s AND seq = %s", (member.id, member.seq)
    ).fetchall()
    found: UUID = entry_id
    return found
