"""What can be done with reviews: each a transaction, committed before the answer is made."""

from __future__ import annotations

import datetime as dt
from functools import partial
from uuid import UUID

import sqlalchemy as sa

from setia.db.engine import Database, driver_connection
from setia.events.acts import By
from setia.events.live import LivePrograms
from setia.reviews.deciding import SYSTEM, Choice, Decided, ReviewDecided, decide_review
from setia.velocity import queue
from setia.velocity.problems import NoSuchReview
from setia.velocity.queue import Review, State

CHUNK = 100
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
    done = 0
    while True:
        due = database.run(lambda tx: queue.overdue(driver_connection(tx), now, program_id, CHUNK))
        for review_id, program, otherwise in due:
            by = By(SYSTEM, "Nobody has decided it in time.")
            try:
                database.run(partial(_decide, programs, program, review_id, _CHOICES[otherwise], by, now))
            except ReviewDecided:
                continue  # by a person, a moment ago
            done += 1
        if len(due) < CHUNK:
            return done


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
