"""From drafts to answers: the API's own clerk, with a short way past what is booked already."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Sequence
from typing import Self
from uuid import UUID

import msgspec
import psycopg
from sqlalchemy.exc import DBAPIError

from setia.db.engine import Database, driver_connection
from setia.events.arrivals import Draft, arrive
from setia.events.booked import Booked, known_events
from setia.events.booking import Answer, Submission, UnknownPolicy
from setia.events.clerk import Clerk
from setia.events.live import LivePrograms
from setia.events.timeliness import check_not_future
from setia.imports.fates import Booked as Fate
from setia.imports.problems import DatabaseAway
from setia.imports.readings import Fault, faults_of
from setia.problems import Problem, Unavailable
from setia.rewards.in_the_cart import InTheCart

_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds to wait for a database that went away: long enough for a restart, short enough for somebody who watches."""


class Done(msgspec.Struct):
    """What became of one order; without a fate it was refused, by the faults."""

    fate: Fate | None
    points: dict[str, int] = {}
    faults: list[Fault] = []


class BatchDone(msgspec.Struct):
    """What became of a batch."""

    orders: list[Done]
    members_new: int = 0


class Job(msgspec.Struct, frozen=True):
    """What stays the same for all orders of an import."""

    program_id: int
    actor: str
    unknown: UnknownPolicy | None
    dry_run: bool = False


class Booker:
    """Books batches of orders, one after the other. Not for several threads at once."""

    def __init__(self, database: Database, job: Job) -> None:
        self._database = database
        self._programs = LivePrograms(database, InTheCart())
        self._clerk = Clerk(database, self._programs)
        self._job = job
        self._look_first = True
        self._newest: set[UUID] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._clerk.close()

    def book(self, drafts: Sequence[Draft]) -> BatchDone:
        """Book a batch and commit it, or only check it.

        Raises:
            DatabaseAway: it stayed away. Whether this batch was booked is not known; booking it again tells.
        """
        if self._job.dry_run:
            return self._checked(drafts)
        known = self._known(drafts) if self._look_first else {}
        self._look_first = bool(known) or not drafts
        fresh = [index for index in range(len(drafts)) if index not in known]
        answers = dict(known)
        started = time.time_ns() // 1_000_000
        if fresh:
            answers |= dict(zip(fresh, self._book([drafts[index] for index in fresh]), strict=True))
        done = [_done(answers[index]) for index in range(len(drafts))]
        return BatchDone(done, self._newcomers(answers.values(), started))

    def _book(self, drafts: Sequence[Draft]) -> Sequence[Answer]:
        submissions = [Submission(draft, self._job.actor, self._job.unknown) for draft in drafts]
        for pause in (*_PAUSES, None):
            answers = self._clerk.book(self._job.program_id, submissions)
            away = next((answer for answer in answers if isinstance(answer, Unavailable)), None)
            if away is None:
                return answers
            if pause is None:
                raise DatabaseAway(away.detail)
            # What this batch booked before the database went is known when it comes back: nothing is booked twice.
            time.sleep(pause)
        raise AssertionError("the last pause returns or raises")

    def _known(self, drafts: Sequence[Draft]) -> dict[int, Answer]:
        """Orders that are booked already with the same content; the others are the clerk's.

        The clerk would find them too, but only after it has locked and read their members: this takes a third of the
        time, and a run that continues another spends nearly all of its time here.
        """
        keys = {(draft.sent.source, draft.sent.external_id or "") for draft in drafts}
        try:
            with self._database.transaction() as tx:
                connection = driver_connection(tx)
                live = self._programs.live(connection, self._job.program_id)
                found = known_events(connection, self._job.program_id, sorted(keys))
        except (psycopg.Error, DBAPIError):
            return {}  # the clerk knows how to wait for a database
        known: dict[int, Answer] = {}
        for index, draft in enumerate(drafts):
            booked = found.get((draft.sent.source, draft.sent.external_id or ""))
            if booked is None:
                continue
            try:
                same = arrive(live, draft).digest == booked.digest
            except Problem:
                continue
            if same:
                known[index] = msgspec.structs.replace(booked, replayed=True)
        return known

    def _checked(self, drafts: Sequence[Draft]) -> BatchDone:
        now = dt.datetime.now(dt.UTC)
        with self._database.transaction() as tx:
            live = self._programs.live(driver_connection(tx), self._job.program_id)
        now = live.now(now)
        done: list[Done] = []
        for draft in drafts:
            try:
                check_not_future(live.compiled, arrive(live, draft).event.occurred_at, now)
            except Problem as problem:
                done.append(Done(None, faults=faults_of(problem)))
            else:
                done.append(Done("checked"))
        return BatchDone(done)

    def _newcomers(self, answers: Iterable[Answer], started: int) -> int:
        """How many members this batch made: their ids begin with the millisecond of their making."""
        members = {
            answer.member_id
            for answer in answers
            if isinstance(answer, Booked) and not answer.replayed and answer.member_id is not None
        }
        newest = {member for member in members if member.int >> 80 >= started}
        # One millisecond may see the end of one batch and the beginning of the next.
        new = len(newest - self._newest)
        self._newest = newest
        return new


def _done(answer: Answer) -> Done:
    if isinstance(answer, Problem):
        return Done(None, faults=faults_of(answer))
    points: dict[str, int] = {}
    for effect in answer.outcome.points:
        points[effect.points] = points.get(effect.points, 0) + effect.amount
    fate: Fate = "imported" if answer.status == "decided" else answer.status
    return Done("known" if answer.replayed else fate, points)
