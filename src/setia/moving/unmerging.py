"""Undoing a merge: the duplicate gets back what it had, and what has happened since stays with the other member.

Points that have ended since are nobody's. Points that have been spent since are borne by the member who spent them: as
many of its others go back, and where it has not so many it is refused, or what is missing is missing (`short`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.coupons.following import move_back
from setia.db.ids import format_id, parse_id
from setia.engine.calendar import expires_at
from setia.engine.decision import Outcome, outcome_of
from setia.engine.due import inactivity_end
from setia.engine.merging import unmerge_counters, unmerge_levels
from setia.engine.moved import Kept, Merged, Moved
from setia.engine.state import Balance, MemberState
from setia.events.acts import Acts, By, floor_of
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay, count_again, count_returned
from setia.events.merged_orders import returned_elsewhere, returned_since
from setia.households.following import give_back, lock_circle
from setia.ledger.booking import earlier
from setia.ledger.entries import LotKey, Posting
from setia.ledger.lots import Lot, burn
from setia.ledger.states import lock_members, wake
from setia.ledger.wallets import open_lots
from setia.members import merges
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.merges import Merge
from setia.moving.merged_lots import KIND, WholeLot, effects_of, lots_opened_by, lots_with, plain
from setia.moving.merging import MERGE_PREFIX, REDEMPTION_PREFIX, name_of
from setia.moving.problems import MergeConflict, MergeSpent, NoSuchMerge
from setia.moving.since_merged import gone_since, kept_since
from setia.moving.transferring import count_extended
from setia.rewards.following import account_of, follow, redemptions_of

_ENTRY = "SELECT outcome::text FROM journal WHERE member_id = %b AND seq = %b"


def undo_merge(
    connection: psycopg.Connection[Any], live: LiveProgram, merge_id: UUID, by: By, now: dt.datetime, *, short: bool
) -> tuple[Merge, bool]:
    """Part two members again, in the caller's transaction: the merge, and whether it had been undone before.

    Raises:
        NoSuchMerge, MergeConflict, MergeSpent: nothing was changed.
    """
    found = merges.find_merge(connection, live.program_id, merge_id)
    if found is None:
        raise NoSuchMerge
    lock_circle(connection, live.program_id, found.main_id)
    lock_members(connection, [found.main_id, found.duplicate_id])
    merge = merges.find_merge(connection, live.program_id, merge_id) or found
    if merge.undone_at is not None:
        return merge, True
    if merges.main_of(connection, [merge.main_id]):
        raise MergeConflict("The member who stayed was merged into another one since. Undo that merge first.")
    acts = Acts(connection, live, now)
    # First they are two again, so that time does to each of them what is due.
    merges.part(connection, merge, acts.now)
    for member in (merge.main_id, merge.duplicate_id):
        wake(connection, live.program_id, acts.now, member)
    members = acts.lock({merge.main_id, merge.duplicate_id})
    parting = _Parting(connection, live, acts, (members[merge.main_id], members[merge.duplicate_id]), merge)
    parting.plan(short=short)
    less = parting.book(by)
    give_back(connection, live.program_id, merge.main_id, merge.id, merge.merged_at, less)
    ended = msgspec.structs.replace(merge, undone_at=acts.now, undone_by=by.actor, undone_reason=by.reason)
    move_back(connection, live.program_id, merge.main_id, merge.duplicate_id, merge.coupons)
    merges.end_merge(connection, ended)
    return ended, False


class _Parting:
    """One merge while it is undone: postings of both members, and what becomes of lots."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        live: LiveProgram,
        acts: Acts,
        sides: tuple[InPlay, InPlay],
        merge: Merge,
    ) -> None:
        self._connection, self._live, self._acts, self._merge = connection, live, acts, merge
        self._main, self._duplicate = sides
        self._entry = _entry_of(connection, merge)
        wanted = [parse_id(REDEMPTION_PREFIX, one) for one in self._entry.redemptions]
        self._rows = redemptions_of(connection, self._main.id, wanted)
        self._others = _Others(connection, live, self._main, merge.seq, acts.now)
        self._leaves: list[Posting] = []
        self._comes: list[Posting] = []
        self._lot_of: dict[tuple[int, int], tuple[int, int]] = {}
        """Lot of the member who stayed -> lot of the duplicate."""
        self._missing: dict[str, int] = {}
        self._used = self._used_lots()
        self._gone = gone_since(connection, self._main.id, merge.seq)
        self._gone_of: list[tuple[int, int, int]] = []
        self._kept: list[Kept] = []

    def plan(self, *, short: bool) -> None:
        """Work out the postings. Raises `MergeSpent`."""
        self._free()
        self._loose()
        named = [one.lot for one in self._entry.lots]
        own = {(lot.seq, lot.line): lot for lot in lots_with(self._connection, self._duplicate.id, named)}
        opened = lots_opened_by(self._connection, self._main.id, self._merge.seq)
        for one in self._entry.lots:
            self._lot(opened[one.line], own[one.lot], one.amount)
        self._came_back()
        self._hold_again()
        self._debts()
        missing = {points: amount for points, amount in self._missing.items() if amount}
        if missing and not short:
            message = "The member who stays has not enough points for what it has spent. Send `short` to part without."
            raise MergeSpent(message, extra={"missing": missing})

    def book(self, by: By) -> dict[str, int]:
        """Book and write both entries, and let redemptions go back; gives what the one who stays has earned less."""
        main, duplicate, now, program = self._main, self._duplicate, self._acts.now, self._live.compiled
        public = format_id(MERGE_PREFIX, self._merge.id)
        returned = returned_since(self._connection, main.id, self._merge.seq, duplicate.id)
        away = returned_elsewhere(self._connection, main.id, self._merge.seq, duplicate.id)
        absent = frozenset({self._merge.seq, *returned})
        base = count_again(
            self._connection, program, main.id, main.state.enrolled_at, main.seq + 1, absent, frozenset(away)
        )
        outcome, levels = unmerge_levels(program, _after(main.state, self._leaves), base, now)
        outcome.moved = Moved("unmerged", public, name_of(duplicate), duplicate.seq + 1)
        outcome.merged = Merged(
            name_of(duplicate),
            self._entry.seq,
            undoes=self._merge.seq,
            returned=returned,
            returned_by=away,
            levels=levels,
        )
        outcome.points = effects_of(self._leaves)
        had = main.state.counters.earned
        main.state.counters = unmerge_counters(program, base, levels, main.moment(now))
        less = {points: amount - main.state.counters.earned.get(points, 0) for points, amount in had.items()}
        got = Outcome(
            moved=Moved(
                "unmerged_from",
                public,
                name_of(main),
                main.seq + 1,
                returned=returned,
                returned_by=away,
                gone=self._gone_of,
                kept=self._kept,
            ),
            points=effects_of(self._comes),
            extends=self._begins_anew(),
        )
        count_extended(self._live, self._acts, duplicate, KIND, got)
        state = duplicate.state
        if got.moved is not None and (returned or away):
            state.counters = count_returned(self._connection, program, state.counters, got.moved, state.enrolled_at)
        self._acts.book(main, KIND, self._leaves, by, outcome=outcome)
        self._acts.book(duplicate, KIND, self._comes, by, outcome=got)
        # Lots that have points again may be the next thing to become available or to end.
        for member, postings in ((main, self._leaves), (duplicate, self._comes)):
            member.due_soonest = earlier(member.due_soonest, self._first_due(member, postings))
        self._acts.write()
        lots = self._lot_of
        follow(
            self._connection,
            self._rows,
            duplicate.id,
            duplicate.seq,
            lambda part: lots.get(part.lot, part.lot) if part.lot else None,
        )
        return less

    def _used_lots(self) -> dict[tuple[int, int], int]:
        """What the redemptions that go back hold or have taken of each lot."""
        used: dict[tuple[int, int], int] = {}
        for row in self._rows:
            for part in row.parts if account_of(row) is not None else ():
                if part.lot is not None:
                    used[part.lot] = used.get(part.lot, 0) + part.amount
        return used

    def _free(self) -> None:
        """What redemptions hold or have taken lies in the available points for a moment, to go along with its lots."""
        for row in self._rows:
            account = account_of(row)
            if account is not None:
                self._leaves += [plain(part.points, part.amount, account, "available", part.lot) for part in row.parts]

    def _hold_again(self) -> None:
        for row in self._rows:
            account = account_of(row)
            for part in row.parts if account is not None else ():
                if part.lot is None:
                    self._leaves.append(plain(part.points, part.amount, "available", "transferred"))
                    self._comes.append(plain(part.points, part.amount, "transferred", "available"))
            if account is not None:
                self._comes += [
                    plain(part.points, part.amount, "available", account, part.lot and self._lot_of[part.lot])
                    for part in row.parts
                ]

    def _loose(self) -> None:
        """Points in no lot; what is not there any more has been spent, like the points of a lot."""
        for points, (available, pending) in self._entry.loose.items():
            waiting = min(pending, self._others.loose(points, pending=True))
            if waiting:
                self._leaves.append(plain(points, waiting, "pending", "transferred"))
                self._comes.append(plain(points, waiting, "transferred", "pending"))
            paid = self._pay(points, available + pending - waiting)
            if paid:
                self._comes.append(plain(points, paid, "transferred", "available"))

    def _pay(self, points: str, wanted: int) -> int:
        """Let other points of the member who stays go for those that are not there any more; gives how many do."""
        postings = self._others.take(points, wanted) if wanted > 0 else []
        self._leaves += postings
        paid = sum(posting.amount for posting in postings)
        self._missing[points] = self._missing.get(points, 0) + max(0, wanted) - paid
        return paid

    def _lot(self, lot: WholeLot, origin: WholeLot, moved: int) -> None:
        """What is left of a lot into which `moved` points came goes back, with what pays for those that were spent."""
        key = lot.seq, lot.line
        through, gone = self._used.get(key, 0), lot.expired + lot.reversed + self._gone.get(key, 0)
        paid = self._pay_lot(lot, moved - gone - through - lot.remaining)
        if gone:
            self._gone_of.append((origin.seq, origin.line, gone))
        if lot.remaining + through:
            self._leaves.append(lot.leaves(lot.remaining + through))
        amount, into = lot.remaining + through + paid, origin.key
        if amount and origin.pending and not lot.pending:
            # Its own lot still waits, and this one does not any more.
            into = LotKey(self._duplicate.seq + 1, len(self._comes))
            self._comes.append(lot.opened_again(amount, pending=False))
        elif amount:
            self._comes.append(origin.comes_back(amount))
        self._lot_of[key] = into.seq, into.line

    def _pay_lot(self, lot: WholeLot, spent: int) -> int:
        has_ended = lot.expires_at is not None and lot.expires_at <= self._acts.now
        return 0 if has_ended else self._pay(lot.point_type, spent)

    def _came_back(self) -> None:
        """What transfers of the duplicate, or of who is part of it, brought back meanwhile is theirs."""
        main, duplicate = self._main.id, self._duplicate.id
        people = [format_id(MEMBER_PREFIX, one) for one in merges.family_of(self._connection, duplicate)]
        kept = kept_since(self._connection, main, self._merge.seq, people)
        lots = {(lot.seq, lot.line): lot for lot in lots_with(self._connection, main, [one[:2] for one in kept])}
        named = [one.lot for one in kept if one.member == duplicate]
        own = {(lot.seq, lot.line): lot for lot in lots_with(self._connection, duplicate, named)}
        for one in kept:
            lot = lots[one[:2]]
            if one.member == duplicate:
                self._lot(lot, own[one.lot], one.amount)
                continue
            # Of who goes along as part of the duplicate: it has no lot there that it could come back into.
            gone = lot.expired + lot.reversed + self._gone.get(one[:2], 0)
            amount = lot.remaining + self._pay_lot(lot, one.amount - gone - lot.remaining)
            if lot.remaining:
                self._leaves.append(lot.leaves(lot.remaining))
            if amount:
                self._kept.append(Kept(len(self._comes), format_id(MEMBER_PREFIX, one.member), one.lot))
                self._comes.append(lot.opened_again(amount, pending=False))

    def _debts(self) -> None:
        """What the member who stays has paid for the duplicate comes back, and the duplicate owes it again."""
        owed: dict[str, int] = {}
        for part in self._entry.paid:
            owed[part.points] = owed.get(part.points, 0) + part.amount
            if part.lot is not None:
                self._leaves.append(plain(part.points, part.amount, "transferred", "available", part.lot))
                continue
            # It was owed; what has been paid of it since comes as points that are earned now.
            debt = max(0, -self._main.state.balances.get(part.points, Balance()).available)
            if lowers := min(part.amount, debt):
                self._leaves.append(plain(part.points, lowers, "transferred", "available"))
            if lowers < part.amount:
                self._leaves.append(self._earned_now(part.points, part.amount - lowers))
        self._comes += [plain(points, amount, "available", "transferred") for points, amount in owed.items()]

    def _earned_now(self, points: str, amount: int) -> Posting:
        program, now = self._live.compiled, self._acts.now
        known = program.definition.points.get(points)
        in_lots = known is not None and known.in_lots
        levels = program.levels_of(self._main.state.counters)
        return Posting(
            point_type=points,
            source="transferred",
            destination="available",
            amount=amount,
            opens_lot=in_lots,
            earned_at=now if in_lots else None,
            expires_at=expires_at(now, program.expiry_of(points, ""), program.zone, levels) if in_lots else None,
        )

    def _begins_anew(self) -> list[str]:
        """The point types whose time without activity ran out while the member was part of another one."""
        program, state = self._live.compiled, self._duplicate.state
        comes = {posting.point_type for posting in self._comes if posting.source == "transferred"}
        found = []
        for points in sorted(comes & program.inactive.keys()):
            with_some = msgspec.structs.replace(state, balances={points: Balance(available=1)})
            ends = inactivity_end(program, with_some, points)
            if ends is not None and ends <= self._acts.now:
                found.append(points)
        return found

    def _first_due(self, member: InPlay, postings: list[Posting]) -> dt.datetime | None:
        lots = {
            (posting.lot.seq, posting.lot.line)
            for posting in postings
            if posting.lot is not None and posting.source == "transferred" and posting.lot.seq <= member.seq
        }
        found: dt.datetime | None = None
        for lot in lots_with(self._connection, member.id, lots) if lots else ():
            found = earlier(found, lot.due_at)
        return found


class _Others:
    """What the member who stays has beside the lots that the merge opened: it pays for what it has spent of those."""

    def __init__(
        self, connection: psycopg.Connection[Any], live: LiveProgram, main: InPlay, seq: int, now: dt.datetime
    ) -> None:
        self._connection, self._live, self._main, self._seq, self._now = connection, live, main, seq, now
        self._lots: dict[str, list[Lot]] = {}
        self._taken_loose: dict[str, int] = {}

    def loose(self, points: str, *, pending: bool = False) -> int:
        """How many points lie in no lot."""
        balance = self._main.state.balances.get(points, Balance())
        there = balance.pending if pending else balance.available - self._taken_loose.get(points, 0)
        lots = open_lots(self._connection, self._main.id, points)
        return max(0, there - sum(lot.remaining for lot in lots if lot.pending == pending))

    def take(self, points: str, wanted: int) -> list[Posting]:
        """Take up to so many: those in no lot, then those that end first; below zero where the program lets them."""
        made: list[Posting] = []
        part = min(wanted, self.loose(points))
        if part:
            self._taken_loose[points] = self._taken_loose.get(points, 0) + part
            made.append(plain(points, part, "available", "transferred"))
        if points not in self._lots:
            lots = open_lots(self._connection, self._main.id, points)
            self._lots[points] = [lot for lot in lots if lot.seq != self._seq and lot.is_spendable(self._now)]
        there = self._lots[points]
        part = min(wanted - part, sum(lot.remaining for lot in there))
        gives = burn(there, part, self._now) if part else []
        made += [plain(points, amount, "available", "transferred", (lot.seq, lot.line)) for lot, amount in gives]
        taken = {lot.key: amount for lot, amount in gives}
        self._lots[points] = [lot._replace(remaining=lot.remaining - taken.get(lot.key, 0)) for lot in there]
        left = wanted - sum(posting.amount for posting in made)
        if left and floor_of(self._live.compiled, points) is None:
            made.append(plain(points, left, "available", "transferred"))
        return made


def _entry_of(connection: psycopg.Connection[Any], merge: Merge) -> Merged:
    [(told,)] = connection.execute(_ENTRY, (merge.main_id, merge.seq)).fetchall()
    entry = outcome_of(told).merged
    if entry is None:
        raise LookupError(merge.id)
    return entry


def _after(state: MemberState, postings: list[Posting]) -> MemberState:
    """A member with the points it will have after postings, for metrics that are about balances."""
    available = {points: balance.available for points, balance in state.balances.items()}
    for posting in postings:
        change = (posting.destination == "available") - (posting.source == "available")
        available[posting.point_type] = available.get(posting.point_type, 0) + change * posting.amount
    balances = {points: Balance(available=amount) for points, amount in available.items()}
    return msgspec.structs.replace(state, balances=balances)
