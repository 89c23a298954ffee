"""Enrolling a member through the API: the member, what enrolling earns, and the events kept for it, at once or not."""

from __future__ import annotations

import datetime as dt
import json
import time
from uuid import UUID

import sqlalchemy as sa
from psycopg import errors
from sqlalchemy.exc import IntegrityError

from setia.api.idempotency import Keyed, claim, keep
from setia.db.engine import Database, driver_connection, sqlstate, transaction_retries
from setia.events.booking import Booking
from setia.events.budgets import BudgetsMoved
from setia.events.live import LivePrograms
from setia.members.enrolment import Enrolled, Introduction
from setia.members.member import NewMember
from setia.problems import Unavailable

_ATTEMPTS = 8


class EnrolWithEvent:
    """The API's way to enrol; see `setia.members.enrolment.Enrol`."""

    def __init__(self, database: Database, programs: LivePrograms) -> None:
        self._database = database
        self._programs = programs

    def __call__(
        self,
        program_id: int,
        member: NewMember,
        *,
        actor: str,
        write: Keyed | None,
        introduction: Introduction | None = None,
    ) -> Enrolled:
        """Enrol, commit, and say who."""
        enrolled = self._until_done(program_id, member, actor, write, introduction)
        if introduction is not None and not enrolled.replayed:
            introduction.afterwards()
        return enrolled

    def _until_done(
        self, program_id: int, member: NewMember, actor: str, write: Keyed | None, introduction: Introduction | None
    ) -> Enrolled:
        budgets_locked = False

        def work(tx: sa.Connection) -> Enrolled:
            answer = None if write is None else claim(tx, write)
            if answer is not None:
                return Enrolled(UUID(json.loads(answer.body)["member"]), replayed=True)
            connection = driver_connection(tx)
            live = self._programs.live(connection, program_id)
            booking = Booking(connection, live, dt.datetime.now(dt.UTC))
            booked = booking.enrol(member, actor, budgets_locked=budgets_locked)
            booking.finish()
            enrolled = Enrolled(booked.member_id or UUID(int=0))
            if introduction is not None:
                introduction.within(tx, enrolled.member_id)
            if write is not None:
                keep(tx, write, 201, json.dumps({"member": str(booked.member_id)}))
            return enrolled

        for attempt in range(_ATTEMPTS):
            try:
                return self._database.run(work)
            except BudgetsMoved:
                budgets_locked = True
                transaction_retries.labels("budget").inc()
            except (IntegrityError, errors.UniqueViolation) as error:
                if sqlstate(error) != errors.UniqueViolation.sqlstate:
                    raise
                transaction_retries.labels("23505").inc()
            time.sleep(0.002 * attempt)
        message = "Too many others enrol at the same time. Send it again in a moment."
        raise Unavailable(message)
