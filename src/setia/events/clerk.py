"""A clerk books events: it has a connection of its own, and it knows what to do when a booking cannot go through."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self, cast

import psycopg
import structlog
from psycopg import errors
from sqlalchemy.exc import OperationalError

from setia.db.engine import Database, sqlstate, transaction_retries
from setia.db.own_wire import OwnWire
from setia.events.afterwards import Afterwards
from setia.events.booking import Answer, Submission, book
from setia.events.budgets import BudgetsMoved
from setia.events.cart import StockMoved
from setia.events.live import LivePrograms
from setia.events.problems import OutcomeUnknown, RewardUnavailable
from setia.problems import InternalError, Problem, Unavailable

_ATTEMPTS = 8
_log = structlog.get_logger(__name__)


class Clerk:
    """Books batches, one after the other. Not for several threads at once."""

    def __init__(self, database: Database, programs: LivePrograms, afterwards: Afterwards | None = None) -> None:
        self._database = database
        self._programs = programs
        self._afterwards = afterwards or Afterwards()
        self._wire = OwnWire(database)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._wire.close()

    def book(self, program_id: int, submissions: Sequence[Submission]) -> list[Answer]:
        """Book events in one transaction, and return when it is committed: an answer for each, in order.

        Never raises for what is wrong with an event or with the database: that is an answer too. Where one event makes
        the whole transaction fail, each is booked by itself, so that its neighbours do not suffer.
        """
        return cast("list[Answer]", self._booked_at_last(program_id, submissions, free_only=False))

    def book_free(self, program_id: int, submissions: Sequence[Submission]) -> list[Answer | None]:
        """The same for those whose members are free; None for an event of a member whom somebody else books for.

        Two that book many events at once would else wait for each other nearly always, though they share few members:
        each holds all of its members for as long as it decides.
        """
        return self._booked_at_last(program_id, submissions, free_only=True)

    def _booked_at_last(
        self, program_id: int, submissions: Sequence[Submission], *, free_only: bool
    ) -> list[Answer | None]:
        """Book, and once more what was refused for stock that holds keep whose time has passed."""
        answers = self._book(program_id, submissions, free_only=free_only)
        refused = [
            place
            for place, answer in enumerate(answers)
            if isinstance(answer, RewardUnavailable) and answer.is_taken_by_others
        ]
        if refused and self._freed(program_id):
            again = self._book(program_id, [submissions[place] for place in refused], free_only=False)
            for place, answer in zip(refused, again, strict=True):
                answers[place] = answer
        return answers

    def _freed(self, program_id: int) -> bool:
        """Whether holds have ended; in transactions of their own, for they are other members'."""
        try:
            return bool(self._programs.free_overdue(program_id, dt.datetime.now(dt.UTC)))
        except Exception:  # noqa: BLE001 - the refusal stands then: the job ends holds later
            _log.exception("holds_not_freed", program_id=program_id)
            return False

    def _book(self, program_id: int, submissions: Sequence[Submission], *, free_only: bool) -> list[Answer | None]:
        try:
            return self._booked(program_id, submissions, free_only=free_only)
        except Problem as problem:
            failure: Problem = problem
            alone = len(submissions) == 1 or isinstance(problem, Unavailable)
        except Exception:  # noqa: BLE001 - whatever one event does to the booking, its neighbours are booked
            _log.exception("booking_failed", events=len(submissions))
            failure = InternalError()
            alone = len(submissions) == 1
        if alone:
            return [failure] * len(submissions)
        return [answer for submission in submissions for answer in self.book(program_id, [submission])]

    def _booked(self, program_id: int, submissions: Sequence[Submission], *, free_only: bool) -> list[Answer | None]:
        budgets_locked = False
        for attempt in range(1, _ATTEMPTS + 1):
            committing = False
            try:
                connection = self._wire.get()
                answers = book(
                    connection,
                    self._programs,
                    program_id,
                    submissions,
                    dt.datetime.now(dt.UTC),
                    budgets_locked=budgets_locked,
                    free_only=free_only,
                )
                committing = True
                connection.commit()
            except BudgetsMoved:
                self._wire.undo()
                budgets_locked = True
                transaction_retries.labels("budget").inc()
            except StockMoved:
                self._wire.undo()
                transaction_retries.labels("stock").inc()
                if attempt == _ATTEMPTS:
                    raise
            except (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation) as error:
                self._wire.undo()
                transaction_retries.labels(error.sqlstate or "").inc()
                if attempt == _ATTEMPTS:
                    raise
            except (psycopg.OperationalError, psycopg.InterfaceError, OperationalError) as error:
                self._wire.undo()
                raise _away(error, committing=committing) from error
            except BaseException:
                self._wire.undo()
                raise
            else:
                self._afterwards.tell(program_id, [answer for answer in answers if answer is not None])
                return answers
            time.sleep(0.002 * attempt * random.random())  # noqa: S311 - jitter: two that met would meet again
        message = "Too many others book at the same time."
        raise Unavailable(message)


def _away(error: psycopg.Error | OperationalError, *, committing: bool) -> Unavailable:
    _log.warning("database_away", sqlstate=sqlstate(error), committing=committing)
    if committing:
        message = "The database went away while the event was committed. Send it again: the answer tells what happened."
        return OutcomeUnknown(message)
    return Unavailable("The database is away. Nothing was kept; send the event again.")
