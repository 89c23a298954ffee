"""What can be done with reviews: each a transaction, committed before the answer is made."""

from __future__ import annotations

import datetime as dt
from functools import partial
from uuid import UUID

import psycopg
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import OperationalError

from setia.db.engine import Database, driver_connection
from setia.db.ids import format_id
from setia.events.acts import By
from setia.events.live import LivePrograms
from setia.reviews.deciding import PREFIX, SYSTEM, Choice, Decided, ReviewDecided, decide_review
from setia.velocity import queue
from setia.velocity.problems import NoSuchReview
from setia.velocity.queue import Overdue, Review, State

CHUNK = 100
_log = structlog.get_logger(__name__)
_CHOICES: dict[str, Choice] = {"approve": "approved", "void": "voided"}


class Reviews:
    """The reviews of all programs of a database."""

    def __init__(self, database: Database, programs: LivePrograms) -> None:
        self._database, self._programs = database, programs

    def listed(self, program_id: int, *, state: State | None, before: UUID | None, most: int) -> list[Review]:
        """Reviews, the newest first."""
        return self._database.run(
            lambda tx: queue.listed(driver_connection(tx), program_id, state=state, before=before, most=most)
        )

    def find(self, program_id: int, review_id: UUID) -> Review:
        """One review; raises `NoSuchReview`."""
        found = self._database.run(lambda tx: queue.find(driver_connection(tx), program_id, review_id))
        if found is None:
            raise NoSuchReview
        return found

    def decide(self, program_id: int, review_id: UUID, choice: Choice, by: By, now: dt.datetime) -> Decided:
        """Approve or void; see `decide_review`."""
        return self._database.run(partial(_decide, self._programs, program_id, review_id, choice, by, now))


def decide_overdue(database: Database, programs: LivePrograms, now: dt.datetime, program_id: int | None) -> int:
    """Decide every review that nobody has decided in time, as its rule says; gives how many. Repeated, it does nothing.

    Each in a transaction of its own, so that a person who decides at this moment is not in the way of the others.
    """
    done, last = 0, None
    while True:
        due = database.run(partial(_overdue, now, program_id, last))
        done += sum(_in_time(database, programs, review, now) for review in due)
        if len(due) < CHUNK:
            return done
        # One that cannot be decided stays due: those behind it have their turn all the same.
        last = due[-1]


def _overdue(now: dt.datetime, program_id: int | None, last: Overdue | None, tx: sa.Connection) -> list[Overdue]:
    return queue.overdue(driver_connection(tx), now, program_id, last, CHUNK)


def _in_time(database: Database, programs: LivePrograms, review: Overdue, now: dt.datetime) -> bool:
    """Decide one as its rule says; whether it was. One that cannot be holds up no other: it is named in the log."""
    by, choice = By(SYSTEM, "Nobody has decided it in time."), _CHOICES[review.otherwise]
    try:
        database.run(partial(_decide, programs, review.program_id, review.id, choice, by, now))
    except ReviewDecided:
        return False  # by a person, a moment ago
    except (psycopg.OperationalError, OperationalError):
        raise
    except Exception:  # noqa: BLE001 - whatever it is about one review, the others are not to wait for it
        _log.exception("review_stuck", program_id=review.program_id, review=format_id(PREFIX, review.id))
        return False
    return True


def _decide(
    programs: LivePrograms,
    program_id: int,
    review_id: UUID,
    choice: Choice,
    by: By,
    now: dt.datetime,
    tx: sa.Connection,
) -> Decided:
    connection = driver_connection(tx)
    return decide_review(connection, programs.live(connection, program_id), review_id, choice, by, now)
