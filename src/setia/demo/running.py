"""Sends the made-up year through the real way in, with the test clock moved along."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import groupby
from uuid import UUID

import msgspec
import sqlalchemy as sa

from setia.clock.service import advance
from setia.db.engine import Database, driver_connection
from setia.demo.people import Person
from setia.demo.year import Happening
from setia.engine.calendar import midnight
from setia.events.arrivals import draft
from setia.events.booked import Booked
from setia.events.booking import Booking, Submission
from setia.events.clerk import Clerk
from setia.events.committer import MOST_TOGETHER
from setia.events.live import LivePrograms
from setia.problems import Problem

ACTOR = "demo"
STATEMENT = 8
"""How many entries of the shown member's statement are printed; the member is chosen by them."""

CLOSING = dt.time(20)
"""When the till hands in its day: after the last guest and before midnight, so that points age from their own day."""

Heard = Callable[[int], None]
_encode = msgspec.json.Encoder().encode


class Told:
    """What is remembered of one member while the year runs."""

    __slots__ = ("campaigns", "levels", "person")

    def __init__(self, person: Person) -> None:
        self.person = person
        self.levels: dict[str, str] = {}
        self.campaigns: deque[tuple[bool, frozenset[str]]] = deque(maxlen=STATEMENT)
        """Of the newest events: whether a limit cut, and the campaigns that gave points."""

    @property
    def is_cut(self) -> bool:
        """Whether a limit cut one of the newest events."""
        return any(cut for cut, _ in self.campaigns)

    @property
    def variety(self) -> int:
        """How many campaigns the newest events show."""
        return len(frozenset[str]().union(*(names for _, names in self.campaigns)))


class Tally:
    """What the answers said, summed up: the same answers that callers of the API get."""

    def __init__(self) -> None:
        self.events = 0
        self.seconds = 0.0
        self.campaigns: dict[str, Counter[str]] = {}
        """Campaign -> point type -> points."""
        self.members: dict[UUID, Told] = {}

    def count(self, booked: Booked, person: Person) -> None:
        """Take up one answer."""
        self.events += 1
        outcome = booked.outcome
        for effect in outcome.points:
            self.campaigns.setdefault(effect.campaign, Counter())[effect.points] += effect.amount
        if booked.member_id is None:
            return
        told = self.members.setdefault(booked.member_id, Told(person))
        told.levels = outcome.levels
        cut = any(effect.wanted is not None and effect.wanted > effect.amount for effect in outcome.points)
        told.campaigns.append((cut, frozenset(effect.campaign for effect in outcome.points)))


def run_year(database: Database, program_id: int, year: Sequence[Happening], last: dt.date, heard: Heard) -> Tally:
    """Book everything day by day, up to the end of `last`; `heard` is told how many events were booked.

    The program is in test mode, and its clock stands at the beginning of the year. Each day it is moved to the hour of
    closing, with all that comes due on the way, and then the day's events are booked.

    Raises:
        Problem: an event was refused, which a made-up one never should be.
    """
    programs = LivePrograms(database)
    with database.transaction() as tx:
        zone = programs.live(driver_connection(tx), program_id).compiled.zone
    tally = Tally()
    started = time.monotonic()
    with Clerk(database, programs) as clerk:
        for day, happenings in groupby(year, key=lambda happening: happening.at.astimezone(zone).date()):
            advance(database, programs, program_id, dt.datetime.combine(day, CLOSING, tzinfo=zone))
            today = list(happenings)
            for start in range(0, len(today), MOST_TOGETHER):
                together = today[start : start + MOST_TOGETHER]
                _book(database, programs, clerk, program_id, together, tally)
                heard(len(together))
    advance(database, programs, program_id, midnight(last + dt.timedelta(days=1), zone))
    tally.seconds = time.monotonic() - started
    return tally


def _book(
    database: Database,
    programs: LivePrograms,
    clerk: Clerk,
    program_id: int,
    together: Sequence[Happening],
    tally: Tally,
) -> None:
    newcomers = [happening.person for happening in together if happening.event is None]
    # Nobody does anything before enrolling, so a batch's newcomers may come before its other events.
    for person, booked in zip(newcomers, _enrol(database, programs, program_id, newcomers), strict=True):
        tally.count(booked, person)
    moved = [happening for happening in together if happening.event is not None]
    now = dt.datetime.now(dt.UTC)
    submissions = [Submission(draft(_encode(happening.event), now), ACTOR) for happening in moved]
    for happening, answer in zip(moved, clerk.book(program_id, submissions), strict=True):
        if isinstance(answer, Problem):
            raise answer
        tally.count(answer, happening.person)


def _enrol(database: Database, programs: LivePrograms, program_id: int, people: Sequence[Person]) -> list[Booked]:
    """Enrol members as `POST /v1/members` does (`setia.events.enrolling`), several in one transaction."""
    if not people:
        return []

    def work(tx: sa.Connection) -> list[Booked]:
        connection = driver_connection(tx)
        live = programs.live(connection, program_id)
        now = live.now(dt.datetime.now(dt.UTC))
        booking = Booking(connection, live, now)
        members = live.compiled.definition.members
        new = [person.as_member(members, now) for person in people]
        # Locked at once: nobody else books here who would have to wait.
        booked = booking.enrol_all(new, ACTOR, budgets_locked=True)
        booking.finish()
        return booked

    return database.run(work)
