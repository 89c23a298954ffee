"""Moving the clock of a program in test mode, and doing what comes due on the way, day by day."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from setia.api.idempotency import Keyed, claim, keep
from setia.clock.days import next_stop
from setia.clock.problems import ClockBusy, InvalidAdvance, NoTestClock
from setia.db.engine import Database, driver_connection
from setia.due.works import do_works, earliest_work
from setia.engine.calendar import after
from setia.events.live import LivePrograms
from setia.events.settling import settle_due
from setia.ledger.booking import earlier
from setia.ledger.states import earliest_due
from setia.program.names import Period
from setia.versions.service import LATEST_CLOCK, get_program, move_clock

FARTHEST = Period(count=10, unit="years")
"""How far one call may go: each day with something due costs some milliseconds, and the caller waits for them all."""
# Any constant will do, as long as nothing else locks by a pair of numbers that begins with it: "setc" in ASCII.
_LOCK = int.from_bytes(b"setc")
_ROUNDS = 100


class Advanced(msgspec.Struct, frozen=True):
    """What advancing did.

    Where the clock stood and stands, at how many midnights on the way something was due, and how much that was:
    members with something due, and holds and the like that ended, each counted once at each stop. `replayed`: the same
    request had come before.
    """

    before: dt.datetime
    now: dt.datetime
    days: int = 0
    settled: int = 0
    replayed: bool = False


def advance(
    database: Database,
    programs: LivePrograms,
    program_id: int,
    goal: dt.datetime | Period,
    *,
    write: Keyed | None = None,
) -> Advanced:
    """Move the clock to a moment, or on by a period on the program's calendar; the work of each day is done in order.

    Every stop is a transaction of its own. Who is interrupted leaves the clock at a stop, and advancing again finishes
    that day's work and goes on from there.

    Raises:
        NoTestClock: the program is live.
        InvalidAdvance: the moment lies before the clock, or farther off than one call goes.
        ClockBusy: somebody else is advancing this program.
        NothingPublished: no version says which time zone, and what is due.
        KeyReused: the idempotency key of `write` stands for another request.
    """
    with _alone(database, program_id):
        before, target, replayed = database.run(lambda tx: _aim(tx, programs, program_id, goal, write))
        # Whoever was interrupted before may have left something undone at this very stop.
        settled, now, days = _settle(database, programs, program_id, before), before, 0
        while now < target:
            now = database.run(lambda tx: _go_on(tx, programs, program_id, target))
            found = _settle(database, programs, program_id, now)
            settled, days = settled + found, days + bool(found)
    return Advanced(before, now, days, settled, replayed)


def _aim(
    tx: sa.Connection, programs: LivePrograms, program_id: int, goal: dt.datetime | Period, write: Keyed | None
) -> tuple[dt.datetime, dt.datetime, bool]:
    """Where the clock stands, where it shall go, and whether that was asked for before."""
    now = clock_of(tx, program_id)
    zone = programs.live(driver_connection(tx), program_id).compiled.zone
    answer = None if write is None else claim(tx, write)
    if answer is not None:
        return now, dt.datetime.fromisoformat(json.loads(answer.body)["to"]), True
    target = _checked(now, goal, zone)
    if write is not None:
        keep(tx, write, 200, json.dumps({"to": target.isoformat()}))
    return now, target, False


def clock_of(tx: sa.Connection, program_id: int) -> dt.datetime:
    """Where the clock of a program stands; raises `NoTestClock` for a live one."""
    row = get_program(tx, program_id)
    if row.clock is None:
        raise NoTestClock(
            f"{row.key} is live, and lives by the real time. Try it in test mode: setia program publish --test makes a "
            "program of the same id beside it, with members, keys and a clock of its own."
        )
    return row.clock


def _checked(now: dt.datetime, goal: dt.datetime | Period, zone: ZoneInfo) -> dt.datetime:
    target, field = (goal, "to") if isinstance(goal, dt.datetime) else (after(now, goal, zone), "by")
    if target < now:
        hint = "Time never goes back. Publish the program under another id to begin anew."
        raise InvalidAdvance.of(field, f"The clock stands at {now.isoformat()} already.", hint)
    farthest = min(after(now, FARTHEST, zone), LATEST_CLOCK)
    if target > farthest:
        hint = f"Advance to {farthest.isoformat()} at most, and go on from there."
        raise InvalidAdvance.of(
            field, f"One call goes {FARTHEST} at most, and no clock beyond {LATEST_CLOCK.year}.", hint
        )
    return target.astimezone(dt.UTC)


def _go_on(tx: sa.Connection, programs: LivePrograms, program_id: int, target: dt.datetime) -> dt.datetime:
    """Move the clock to the next stop. The zone is asked each time: another version may have been published."""
    connection = driver_connection(tx)
    now, zone = clock_of(tx, program_id), programs.live(connection, program_id).compiled.zone
    due_at = earlier(earliest_due(connection, program_id), earliest_work(connection, program_id))
    stop = next_stop(now, due_at, target, zone)
    if not move_clock(tx, program_id, now, stop):
        # Only where the lock was lost with its connection, and somebody else has gone on.
        raise ClockBusy("Somebody else has moved it. Ask where it stands: GET /v1/clock.")
    return stop


def _settle(database: Database, programs: LivePrograms, program_id: int, now: dt.datetime) -> int:
    """Do what is due until nothing is: what was done may have made something else due at the same moment."""
    settled = 0
    for _ in range(_ROUNDS):
        found = settle_due(database, programs, program_id, now) + do_works(database, programs, now, program_id)
        settled += found
        if not found:
            break
    return settled


@contextmanager
def _alone(database: Database, program_id: int) -> Iterator[None]:
    """Keep others from advancing the same program. The lock goes with its connection, also with a killed process."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(_LOCK, program_id))).scalar_one():
            message = "Wait until it is done, and ask where it stands: GET /v1/clock."
            raise ClockBusy(message, headers={"Retry-After": "1"})
        try:
            yield
        finally:
            try:
                connection.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK, program_id)))
            except DBAPIError:
                # What was done is done. A connection of which nobody knows whether it still holds the lock goes.
                connection.invalidate()
