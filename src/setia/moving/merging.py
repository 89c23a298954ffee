"""Merging: one member takes another one in, with points, counters, levels, redemptions and identifiers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from setia.coupons.coupon import move_to
from setia.db.ids import format_id, new_id
from setia.engine.decision import Outcome
from setia.engine.merging import merge_counters, merge_levels
from setia.engine.moved import Merged, MergedLot, Moved, PaidPart
from setia.engine.state import Balance, Counters, MemberState
from setia.events.acts import Acts, By
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay, count_again
from setia.households.circle import stay_of
from setia.households.following import Had, lock_circle, take_in
from setia.ledger.entries import Posting
from setia.ledger.lots import Lot, burn
from setia.ledger.states import wake
from setia.ledger.wallets import open_lots
from setia.members import merges
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.merges import Merge
from setia.members.service import NoSuchMember
from setia.moving.merged_lots import KIND, WholeLot, effects_of, lots_with, plain
from setia.moving.problems import InvalidMerge, MergeConflict
from setia.rewards.following import account_of, follow, redemptions_of
from setia.rewards.redemption import Redemption
from setia.velocity.queue import waits

MERGE_PREFIX = "mrg"
REDEMPTION_PREFIX = "red"


class _Plan(NamedTuple):
    """What moves: the duplicate's postings and those of the member who stays, and what its entry says of them."""

    leaves: list[Posting]
    comes: list[Posting]
    merged: Merged


def merge_members(
    connection: psycopg.Connection[Any], live: LiveProgram, main_id: UUID, duplicate_id: UUID, by: By, now: dt.datetime
) -> tuple[Merge, bool]:
    """Merge a duplicate into the member who stays, in the caller's transaction: the merge, and whether it was there.

    Raises:
        NoSuchMember, InvalidMerge, MergeConflict: nothing was changed.
    """
    acts = Acts(connection, live, now)
    lock_circle(connection, live.program_id, merges.main_of(connection, [main_id]).get(main_id, main_id))
    members = acts.lock({main_id, duplicate_id})
    main, duplicate = members.get(main_id), members.get(duplicate_id)
    if main is None or duplicate is None:
        raise NoSuchMember
    if duplicate.id != duplicate_id:
        standing = merges.standing_merge(connection, duplicate_id)
        if standing is not None and standing.main_id == main.id:
            return standing, True
        raise MergeConflict(f"It was merged into {name_of(duplicate)}. Merge that one, or undo the merge first.")
    if main.id == duplicate.id:
        raise InvalidMerge("A member is merged into another one; these two are the same.")
    for member in (main, duplicate):
        if member.state.status != "active":
            raise MergeConflict(f"{name_of(member)} is {member.state.status}; active members can be merged.")
    if stay_of(connection, live.program_id, duplicate.id) is not None:
        raise MergeConflict(f"{name_of(duplicate)} is in a household. Let it leave first, then merge.")
    if waits(connection, duplicate.id):
        raise MergeConflict(f"Points of {name_of(duplicate)} wait for a review. Decide it first: GET /v1/reviews.")
    rows = redemptions_of(connection, duplicate.id)
    identity = new_id()
    plan = _plan(connection, main, duplicate, rows, acts.now)
    before = {points: (one.pending, one.available) for points, one in duplicate.state.balances.items()}
    other = _book(connection, live, acts, (main, duplicate), plan, identity, by)
    acts.write()
    had = {points: Had(amount, *before.get(points, (0, 0))) for points, amount in other.earned.items()}
    take_in(connection, live.program_id, live.compiled.definition.households, main.id, identity, had)
    seq = main.seq
    opened = {one.lot: (seq, one.line) for one in plan.merged.lots}
    follow(connection, rows, main.id, seq, lambda part: opened.get(part.lot, part.lot) if part.lot else None)
    profile = merges.join(connection, main.id, duplicate.id, acts.now)
    made = Merge(
        id=identity,
        program_id=live.program_id,
        main_id=main.id,
        duplicate_id=duplicate.id,
        seq=seq,
        merged_at=acts.now,
        actor=by.actor,
        reason=by.reason or "",
        undone_at=None,
        undone_by=None,
        undone_reason=None,
        identifiers=profile.identifiers,
        attributes=profile.attributes,
        tags=profile.tags,
        coupons=move_to(connection, live.program_id, duplicate.id, main.id),
    )
    merges.insert_merge(connection, made)
    # Triggers of time go by what is said of the member.
    wake(connection, live.program_id, acts.now, main.id)
    return made, False


def name_of(member: InPlay) -> str:
    """A member as the API names it."""
    return format_id(MEMBER_PREFIX, member.id)


def _plan(
    connection: psycopg.Connection[Any], main: InPlay, duplicate: InPlay, rows: list[Redemption], now: dt.datetime
) -> _Plan:
    merged = Merged(
        name_of(duplicate),
        duplicate.seq,
        redemptions=[format_id(REDEMPTION_PREFIX, row.id) for row in rows],
    )
    plan = _Plan([], [], merged)
    used, loose_used = _used(rows)
    lots = lots_with(connection, duplicate.id, used)
    _refuse_other_holds(duplicate, rows)
    # Lots first, so that the line of each is its place among them.
    for line, lot in enumerate(lots):
        amount = lot.remaining + used.get((lot.seq, lot.line), 0)
        plan.comes.append(lot.opened_again(amount, pending=lot.pending))
        merged.lots.append(MergedLot(lot.point_type, (lot.seq, lot.line), line, amount, lot.pending))
    lines = {one.lot: one.line for one in merged.lots}
    # What redemptions hold or have taken passes through the wallets of both, and is held or redeemed again.
    for row in rows:
        account = account_of(row)
        if account is not None:
            for part in row.parts:
                into = None if part.lot is None else (main.seq + 1, lines[part.lot])
                plan.leaves.append(plain(part.points, part.amount, account, "available", part.lot))
                plan.comes.append(plain(part.points, part.amount, "available", account, into))
    plan.leaves.extend(
        lot.leaves(amount) for lot in lots if (amount := lot.remaining + used.get((lot.seq, lot.line), 0))
    )
    _move_loose(connection, plan, main, duplicate, lots, loose_used, now)
    return plan


def _used(rows: Iterable[Redemption]) -> tuple[dict[tuple[int, int], int], dict[str, int]]:
    """What redemptions hold or have taken: of each lot, and of each point type in no lot."""
    of_lots: dict[tuple[int, int], int] = {}
    loose: dict[str, int] = {}
    for row in rows:
        for part in row.parts if account_of(row) is not None else ():
            if part.lot is None:
                loose[part.points] = loose.get(part.points, 0) + part.amount
            else:
                of_lots[part.lot] = of_lots.get(part.lot, 0) + part.amount
    return of_lots, loose


def _refuse_other_holds(duplicate: InPlay, rows: Iterable[Redemption]) -> None:
    """Points that are held for something other than a redemption stay until that has ended."""
    held: dict[str, int] = {}
    for row in rows:
        for part in row.parts if row.state == "held" else ():
            held[part.points] = held.get(part.points, 0) + part.amount
    for points, balance in duplicate.state.balances.items():
        if balance.held != held.get(points, 0):
            raise MergeConflict(f"{balance.held} {points} of the duplicate are held. Confirm or cancel that first.")


def _move_loose(
    connection: psycopg.Connection[Any],
    plan: _Plan,
    main: InPlay,
    duplicate: InPlay,
    lots: list[WholeLot],
    used: dict[str, int],
    now: dt.datetime,
) -> None:
    """Points in no lot, and what the duplicate owes: that is taken from what the member who stays has."""
    for points, balance in duplicate.state.balances.items():
        available = balance.available - _in_lots(lots, points, pending=False)
        pending = balance.pending - _in_lots(lots, points, pending=True)
        through = used.get(points, 0)
        if moves := max(available, 0) + through:
            plan.leaves.append(plain(points, moves, "available", "transferred"))
            plan.comes.append(plain(points, moves, "transferred", "available"))
        if pending:
            plan.leaves.append(plain(points, pending, "pending", "transferred"))
            plan.comes.append(plain(points, pending, "transferred", "pending"))
        if available > 0 or pending:
            plan.merged.loose[points] = max(available, 0), pending
        if available < 0:
            plan.leaves.append(plain(points, -available, "transferred", "available"))
            paid = _pay(connection, main, points, -available, now)
            plan.comes.extend(plain(points, part.amount, "available", "transferred", part.lot) for part in paid)
            plan.merged.paid.extend(paid)


def _in_lots(lots: list[WholeLot], points: str, *, pending: bool) -> int:
    return sum(lot.remaining for lot in lots if lot.point_type == points and lot.pending == pending)


def _pay(connection: psycopg.Connection[Any], main: InPlay, points: str, owed: int, now: dt.datetime) -> list[PaidPart]:
    """From which lots a debt is paid, those that end first; what they have not is owed by the member who stays."""
    lots: list[Lot] = [lot for lot in open_lots(connection, main.id, points) if lot.is_spendable(now)]
    there = min(owed, sum(lot.remaining for lot in lots))
    parts = [PaidPart(points, part, (lot.seq, lot.line)) for lot, part in burn(lots, there, now)] if there else []
    return parts if there == owed else [*parts, PaidPart(points, owed - there)]


def _book(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    acts: Acts,
    sides: tuple[InPlay, InPlay],
    plan: _Plan,
    identity: UUID,
    by: By,
) -> Counters:
    """Book both entries; gives what the duplicate had counted."""
    main, duplicate = sides
    program, public = live.compiled, format_id(MERGE_PREFIX, identity)
    # The duplicate's own entries, counted as those of the member who stays: a year of membership is that one's.
    other = count_again(connection, program, duplicate.id, main.state.enrolled_at, duplicate.seq + 1)
    outcome, periods = merge_levels(program, together(main.state, duplicate.state), other, acts.now)
    outcome.moved = Moved("merged", public, name_of(duplicate), duplicate.seq + 1)
    outcome.merged = msgspec.structs.replace(plan.merged, periods=periods)
    outcome.points = effects_of(plan.comes)
    main.state.counters = merge_counters(
        program, main.state.counters, other, outcome, outcome.merged, main.moment(acts.now)
    )
    left = Outcome(moved=Moved("merged_into", public, name_of(main), main.seq + 1), points=effects_of(plan.leaves))
    acts.book(main, KIND, plan.comes, by, outcome=outcome)
    acts.book(duplicate, KIND, plan.leaves, by, outcome=left)
    # Whatever time does, it does to the member who stays.
    duplicate.settled, duplicate.due_at, duplicate.due_soonest = True, None, None
    return other


def together(main: MemberState, other: MemberState) -> MemberState:
    """The member who stays with the points of both, for metrics that are about balances."""
    balances = {
        points: Balance(available=sum(state.balances.get(points, Balance()).available for state in (main, other)))
        for points in main.balances.keys() | other.balances.keys()
    }
    return msgspec.structs.replace(main, balances=balances)
