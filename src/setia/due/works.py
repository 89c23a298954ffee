"""The works, and doing them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import psycopg

from setia.db.engine import Database
from setia.events.live import LivePrograms
from setia.gift_cards.expiring import earliest_end
from setia.gift_cards.expiring import expire_due as expire_cards
from setia.ledger.booking import earlier
from setia.program.definition import Program
from setia.referrals.due import earliest_due as earliest_referral
from setia.referrals.due import go_on_due
from setia.reviews.service import decide_overdue
from setia.rewards.expiring import earliest_hold, expire_due
from setia.velocity.queue import earliest as earliest_review

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


def _expire_cards(database: Database, programs: LivePrograms, now: dt.datetime, program_id: int | None) -> int:
    def definition(connection: psycopg.Connection[Any], program: int) -> Program:
        return programs.live(connection, program).compiled.definition

    return expire_cards(database, definition, now, program_id)


WORKS: tuple[Work, ...] = (
    Work("holds", earliest_hold, expire_due),
    Work("reviews", earliest_review, decide_overdue),
    Work("gift_cards", earliest_end, _expire_cards),
    Work("referrals", earliest_referral, go_on_due),
)


def earliest_work(connection: psycopg.Connection[Any], program_id: int) -> dt.datetime | None:
    """When something is next due in a program; None where nothing is."""
    found: dt.datetime | None = None
    for work in WORKS:
        found = earlier(found, work.earliest(connection, program_id))
    return found


def do_works(database: Database, programs: LivePrograms, now: dt.datetime, program_id: int) -> int:
    """Do all that is due in a program; returns how much that was."""
    return sum(work.do(database, programs, now, program_id) for work in WORKS)
