"""The works, and doing them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import psycopg

from setia.db.engine import Database
from setia.events.live import LivePrograms
from setia.ledger.booking import earlier
from setia.rewards.expiring import earliest_hold, expire_due

Earliest: TypeAlias = Callable[[psycopg.Connection[Any], int], dt.datetime | None]
Do: TypeAlias = Callable[[Database, LivePrograms, dt.datetime, int | None], int]


class Work(NamedTuple):
    """Something that comes due by itself: what it is called, when it is next due in a program, and how it is done.

    `do` books everything that is due at a moment, in one program or in all that are published (None), and returns how
    much that was.
    """

    name: str
    earliest: Earliest
    do: Do


WORKS: tuple[Work, ...] = (Work("holds", earliest_hold, expire_due),)


def earliest_work(connection: psycopg.Connection[Any], program_id: int) -> dt.datetime | None:
    """When something is next due in a program; None where nothing is."""
    found: dt.datetime | None = None
    for work in WORKS:
        found = earlier(found, work.earliest(connection, program_id))
    return found


def do_works(database: Database, programs: LivePrograms, now: dt.datetime, program_id: int) -> int:
    """Do all that is due in a program; returns how much that was."""
    return sum(work.do(database, programs, now, program_id) for work in WORKS)
