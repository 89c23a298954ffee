"""Settling: booking what time has done to a member, before anything else is decided about the member, and as a job."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import OperationalError

from setia.db.arrays import moments, uuids
from setia.db.engine import Database, driver_connection
from setia.db.exchange import Exchange
from setia.db.ids import format_id
from setia.engine.counting import recount
from setia.engine.decision import Explanation, Outcome
from setia.engine.due import DueItem, inactivity_ends, next_due, share_of
from setia.engine.reviews import ends_period, rejudge, review
from setia.engine.triggers import Occasion, reach_from
from setia.events.budgets import Spending
from setia.events.deciding import Deciding
from setia.events.live import LiveProgram, LivePrograms
from setia.events.members_in_play import InPlay, ask_held, lock_in_play
from setia.events.time_entries import TimeEntries, in_no_lot, lots_after
from setia.events.time_events import TimeEvents, points_ends
from setia.events.writing import Writing
from setia.ledger.booking import earlier
from setia.ledger.due import LotsDue, next_of_lots
from setia.ledger.entries import StateRow
from setia.ledger.lots import earliest
from setia.ledger.states import due_of, lock_due, replace_counters
from setia.ledger.wallets import OpenLot, all_open_lots, ask_open_lots
from setia.versions import waking

CHUNK = 500
# A test program's time moves only when somebody advances it, who then settles.
_PROGRAMS_DUE = """
SELECT p.id FROM program p
WHERE p.live_version IS NOT NULL AND p.mode = 'live'
AND (p.wakes_at IS NOT NULL OR EXISTS (SELECT FROM member_state m WHERE m.program_id = p.id AND m.due_at <= %b))
ORDER BY p.id
"""
_MOVE = """
UPDATE member_state m SET due_at = d.due_at FROM unnest(%t::uuid[], %t::timestamptz[]) AS d (member_id, due_at)
WHERE m.member_id = d.member_id
"""
_log = structlog.get_logger(__name__)
MOST_STEPS = 10_000
"""What one member can have due at once; more is a mistake of ours, and must not hold a lock for ever."""


class Settling:
    """What is due of locked members in one transaction, each member's in the order of time."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        live: LiveProgram,
        now: dt.datetime,
        writing: Writing,
        members: Mapping[UUID, InPlay],
        spending: Spending | None = None,
    ) -> None:
        """`members` are all for whom `writing` may hold entries; `spending` the budgets of whoever books with it.

        Without it the budgets are this one's own: `finish` writes them.
        """
        self._connection = connection
        self._live = live
        self._program = live.compiled
        self._now = now
        self._writing = writing
        self._own = spending is None
        self._spending = spending or Spending(connection, live.program_id)
        self._entries = TimeEntries(live, now)
        deciding = Deciding(connection, live, now, self._spending, writing, members)
        # Not a method of this: a cycle would keep every member of every booking until Python looks for cycles.
        read_again = partial(_read_again, connection, writing, members)
        self._events = TimeEvents(live, now, self._spending, deciding, read_again, locked=self._own)

    def finish(self) -> None:
        """Write the budgets that are its own: last of all, when everything else is written."""
        if self._own:
            self._spending.write()

    def lock_budgets(self) -> None:
        """Lock the budgets that it reads from now on; for whoever books again because they had moved."""
        self._events.locked = True

    def settle(self, members: Iterable[InPlay], lots: Mapping[UUID, list[OpenLot]] | None = None) -> None:
        """Book what is due of members. Their states, `seq` and `due_at` move along; the caller writes.

        `lots` are their open lots, where somebody has read them already.
        """
        due = [member for member in members if self._is_due(member)]
        if due:
            known = lots or all_open_lots(self._connection, [member.id for member in due])
            self._entries.expect(len(due))
            for member in due:
                self._settle(member, known[member.id])

    def _is_due(self, member: InPlay) -> bool:
        if not member.settled and self._live.waking is not None:
            member.due_at = earlier(member.due_at, self._live.woken_at(member.id))
        return not member.settled and (member.stale or (member.due_at is not None and member.due_at <= self._now))

    def _settle(self, member: InPlay, lots: list[OpenLot]) -> None:
        if member.merged_into is not None:
            # Whatever time does, it does to the member who stands for this one. Its counters stay as old as they are,
            # so that it is judged by new settings when it stands alone again.
            member.settled, member.due_at, member.due_soonest, member.stale = True, None, None, False
            return
        # Before `due_at` nothing is due: what new settings or an adjustment made due is so since that moment.
        since = member.updated_at
        if member.due_at is not None and member.due_at <= self._now:
            since = max(since, member.due_at)
        # Before `due_at` nothing is due, so triggers have been looked at up to there.
        reach = reach_from(self._now if member.due_at is None else member.due_at, self._now)
        unjudged = member.stale
        changed, other = True, None
        looked_at, of_lots = lots, next_of_lots(lots)
        for _ in range(MOST_STEPS):
            if changed:
                if self._program.time.expiring:
                    ends = (*points_ends(lots), *inactivity_ends(self._program, member.state))
                    reach = reach._replace(ends=ends)
                other = next_due(self._program, member.state, since, reach)
            if lots is not looked_at:
                looked_at, of_lots = lots, next_of_lots(lots)
            item = _first(of_lots, other)
            # What happens to lots changes nothing else, where nothing else is about points held.
            changed = not isinstance(item, LotsDue) or self._program.heeds_balances
            if unjudged and (item is None or item.at > self._now):
                # Last, after what was due before: so a member's history stays in the order of time.
                changed, unjudged, since = True, False, max(since, self._now)
                self._rejudge(member)
                continue
            if item is None or item.at > self._now:
                member.settled, member.due_at, member.due_soonest = True, None if item is None else item.at, None
                return
            since = max(since, item.at)
            if isinstance(item, DueItem) and item.kind == "trigger":
                occasion = Occasion(item.at, item.subject, item.key)
                lots = self._events.happen(member, occasion, reach, lots)
                reach = reach._replace(passed=occasion)
            else:
                lots = self._book(member, item, lots)
        message = f"time does more than {MOST_STEPS} things to member {member.id} at once"
        raise RuntimeError(message)

    def _book(self, member: InPlay, item: LotsDue | DueItem, lots: list[OpenLot]) -> list[OpenLot]:
        """Book one item; returns the lots that are open after it."""
        if isinstance(item, LotsDue):
            return self._move(member, item, lots)
        if item.kind == "inactivity":
            return self._end(member, item.at, (item.subject,), lots, pending=True)
        if item.kind == "decay":
            return self._decay(member, item, lots)
        return self._review(member, item, lots)

    def _move(self, member: InPlay, item: LotsDue, lots: list[OpenLot]) -> list[OpenLot]:
        entry = self._entries.of_lots(member, item.kind, item.lots, item.at)
        self._writing.entry(entry)
        if item.kind == "expiry":
            return [one for one in lots if one not in item.lots]  # of each all that was left has ended
        return lots_after(lots, entry)

    def _end(
        self, member: InPlay, at: dt.datetime, points: tuple[str, ...], lots: list[OpenLot], *, pending: bool
    ) -> list[OpenLot]:
        """End all points of some types; pending ones too, if `pending` says so."""
        own = [one for one in lots if one.point_type in points]
        for name in points:
            own += in_no_lot(member, name, lots)
        ended = [one for one in own if pending or not one.lot.pending]
        if not ended:
            return lots
        entry = self._entries.of_lots(member, "expiry", ended, at)
        self._writing.entry(entry)
        return lots_after(lots, entry)

    def _decay(self, member: InPlay, item: DueItem, lots: list[OpenLot]) -> list[OpenLot]:
        """End a share of the points of one type: what ends first goes first, pending points last."""
        decay = self._program.definition.points[item.subject].expiry.decay
        own = {one.lot: one for one in lots if one.point_type == item.subject}
        own |= {one.lot: one for one in in_no_lot(member, item.subject, lots)}
        amount = share_of(sum(lot.remaining for lot in own), decay.percent) if decay is not None else 0
        taken = dict(earliest(own, amount))
        parts = [own[lot]._replace(lot=lot._replace(remaining=part)) for lot, part in taken.items()]
        outcome = Outcome(decayed=[item.subject])
        entry = self._entries.of_lots(member, "expiry", parts, item.at, outcome)
        self._writing.entry(entry)
        state = member.state
        state.counters = recount(
            self._program, state.counters, "expiry", outcome, item.at, member.updated_at, state.enrolled_at
        )
        return lots_after(lots, entry)

    def _review(self, member: InPlay, item: DueItem, lots: list[OpenLot]) -> list[OpenLot]:
        tier_set = next(one for one in self._program.tier_sets if one.id == item.subject)
        found = review(self._program, tier_set, member.state, item.at)
        if found is None:
            return lots
        outcome, explanation = found
        reset = tier_set.definition.reset_points
        # Before the review is counted: a new period begins with it.
        ends = bool(reset) and ends_period(self._program, tier_set, member.state, item.at)
        self._say(member, outcome, explanation, item.at)
        if ends and not outcome.graced and not outcome.floors:
            return self._end(member, item.at, reset, lots, pending=False)
        return lots

    def _rejudge(self, member: InPlay) -> None:
        """Judge the levels by settings that are new, where the tier set says that they hold at once."""
        for tier_set in self._program.changed_since(member.tracking):
            found = rejudge(self._program, tier_set, member.state, self._now)
            if found is not None:
                self._say(member, *found, self._now)

    def _say(self, member: InPlay, outcome: Outcome, explanation: Explanation, at: dt.datetime) -> None:
        """Book what moves no points, and let the member's counters follow."""
        state = member.state
        state.counters = recount(
            self._program, state.counters, "review", outcome, at, member.moment(self._now), state.enrolled_at
        )
        self._writing.entry(self._entries.of_outcome(member, "review", outcome, explanation, at))


def _read_again(
    connection: psycopg.Connection[Any], writing: Writing, members: Mapping[UUID, InPlay], member_id: UUID
) -> list[OpenLot]:
    """A member's open lots, after everything that is gathered so far was written."""
    writing.write(members.values())
    return all_open_lots(connection, [member_id])[member_id]


def _first(of_lots: LotsDue | None, other: DueItem | None) -> LotsDue | DueItem | None:
    if of_lots is None or other is None:
        return of_lots or other
    return of_lots if (of_lots.at, of_lots.order) <= (other.at, other.order) else other


def settle_due(database: Database, programs: LivePrograms, program_id: int, now: dt.datetime) -> int:
    """Book everything that is due in a program, in chunks of members, each in a transaction of its own.

    Late, repeated and parallel runs book nothing twice: what was booked is not due any more. Returns for how many
    members it was booked; who cannot be settled stays due, and is not counted.
    """
    settled = 0
    while True:
        chunk = settle_chunk(database, programs, program_id, now)
        settled += chunk.settled
        if chunk.is_last:
            return settled


class Chunk(NamedTuple):
    """How many members were found due, and how many of them were settled: fewer where one cannot be.

    `wakes`: a new version has not reached all members yet.
    """

    found: int
    settled: int
    wakes: bool = False

    @property
    def is_last(self) -> bool:
        """Whether nothing else is due, except what others are settling at this moment."""
        return self.found < CHUNK and not self.wakes


def settle_chunk(database: Database, programs: LivePrograms, program_id: int, now: dt.datetime) -> Chunk:
    """Book what is due of up to `CHUNK` members, in one transaction; before, wake those whom a new version concerns."""
    wakes = database.run(lambda tx: waking.go_on(driver_connection(tx), program_id), routine=True)
    return _book_chunk(database, programs, program_id, now)._replace(wakes=wakes)


def _book_chunk(database: Database, programs: LivePrograms, program_id: int, now: dt.datetime) -> Chunk:
    try:
        return database.run(lambda tx: _settle_chunk(driver_connection(tx), programs, program_id, now), routine=True)
    except (psycopg.OperationalError, OperationalError):
        raise
    except Exception:  # noqa: BLE001 - whatever it is about one member, the others are not to wait for it
        return _settle_each(database, programs, program_id, now)


def _settle_each(database: Database, programs: LivePrograms, program_id: int, now: dt.datetime) -> Chunk:
    """Settle a chunk member by member: who cannot be settled stays due, and is named in the log.

    Raises what the last one raised when a full chunk has nobody who can: then it is not about members, and whoever is
    due after them would never be reached.
    """
    fault: Exception | None = None
    with database.transaction() as tx:
        wanted = [member.member_id for member in lock_due(driver_connection(tx), program_id, now, CHUNK)]
    settled = 0
    for member_id in wanted:
        try:
            database.run(partial(_settle_alone, programs, program_id, member_id, now))
            settled += 1
        except (psycopg.OperationalError, OperationalError):
            raise
        except Exception as error:  # noqa: BLE001 - see above
            _log.exception("member_not_settled", program_id=program_id, member=format_id("mem", member_id))
            fault = error
    if fault is not None and not settled and len(wanted) == CHUNK:
        raise fault
    return Chunk(len(wanted), settled)


def programs_due(connection: psycopg.Connection[Any], now: dt.datetime) -> list[int]:
    """The live programs in which something is due."""
    return [row[0] for row in connection.execute(_PROGRAMS_DUE, (now,))]


def _settle_chunk(
    connection: psycopg.Connection[Any], programs: LivePrograms, program_id: int, now: dt.datetime
) -> Chunk:
    held = lock_due(connection, program_id, now, CHUNK)
    if held:
        live, exchange = programs.live(connection, program_id), Exchange(connection)
        members = ask_held(exchange, connection, live.compiled, program_id, held)
        lots = ask_open_lots(exchange, [member.member_id for member in held])
        exchange.send()
        _settle_locked(connection, live, members(), now, lots())
    return Chunk(len(held), len(held))


def _settle_alone(
    programs: LivePrograms, program_id: int, member_id: UUID, now: dt.datetime, tx: sa.Connection
) -> None:
    connection = driver_connection(tx)
    settle_members(connection, programs.live(connection, program_id), [member_id], now)


def settle_members(
    connection: psycopg.Connection[Any], live: LiveProgram, wanted: Iterable[UUID], now: dt.datetime
) -> None:
    """Lock members and book what is due of them at `now`, in the caller's transaction."""
    _settle_locked(connection, live, lock_in_play(connection, live.compiled, live.program_id, list(wanted)), now)


def _settle_locked(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    members: Mapping[UUID, InPlay],
    now: dt.datetime,
    lots: Mapping[UUID, list[OpenLot]] | None = None,
) -> None:
    program = live.compiled
    writing = Writing(connection, live.program_id, program.tracking)
    settling = Settling(connection, live, now, writing, members)
    settling.settle(members.values(), lots)
    settled = [member for member in members.values() if member.settled]
    idle = [member for member in settled if not member.booked]
    writing.write(members.values())
    if idle:
        # Nothing was due after all: the points had been used before they ended. Only the next moment moves.
        connection.execute(_MOVE, (uuids([member.id for member in idle]), moments([member.due_at for member in idle])))
        stale = [member.row(program.tracking) for member in idle if member.stale]
        replace_counters(connection, [StateRow(row.member_id, row.seq, row.counters, row.tracking) for row in stale])
    settling.finish()


def settle_one(connection: psycopg.Connection[Any], live: LiveProgram, member_id: UUID, now: dt.datetime) -> None:
    """Book what is due of a member, if anything is, before somebody reads or changes what the member has."""
    due_at = earlier(due_of(connection, member_id), live.woken_at(member_id))
    if due_at is not None and due_at <= now:
        settle_members(connection, live, [member_id], now)
