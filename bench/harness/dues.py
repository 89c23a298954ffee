"""Members for whom time has done something that nobody has booked yet: all of them, at one moment.

A thousand live through it in a test program, whose clock begins two summers ago: they enrol and buy, and half of them
buy again a year later. Then the program is made live, and the rest are their twins. When last year ended, points of
every one of them ended, and every one's level was to be judged: half of them fall.
"""

import datetime as dt
from typing import Any

from bench.harness.population import multiply
from bench.harness.purchases import baskets

from setia.clock.service import advance
from setia.db.engine import Database
from setia.db.migrate import upgrade
from setia.events.arrivals import draft
from setia.events.booking import Submission
from setia.events.clerk import Clerk
from setia.events.live import LivePrograms
from setia.problems import Problem
from setia.program.definition import Program
from setia.versions import service as versions

ORIGINALS = 1_000
PROGRAM: dict[str, Any] = {
    "program": {"id": "bench", "name": "Bench", "currency": "EUR", "timezone": "Europe/Berlin"},
    "points": {
        "stars": {"value": "0.03", "expiry": {"after": "1y", "align": "year_end"}},
        "status": {"spendable": False},
    },
    "members": {"unknown": "enrol"},
    "tiers": [
        {
            "id": "level",
            "metric": "points.status.earned",
            "window": "calendar_year",
            # Whoever buys anything is silver or gold.
            "levels": [{"id": "green", "from": 0}, {"id": "silver", "from": 10}, {"id": "gold", "from": 150}],
        }
    ],
    "campaigns": {"base": {"on": "purchase", "earn": {"stars": "10 per 1.00", "status": "10 per 1.00"}}},
}
_TOGETHER = 500


def populate(database: Database, members: int) -> int:
    """Make so many members, a multiple of a thousand; gives the number of their program, still in test mode."""
    upgrade(database)
    with database.transaction() as tx:
        begins = summer(this_year() - 2)
        versions.publish(tx, Program.model_validate(PROGRAM), "user:bench", mode="test", clock=begins)
        program_id = versions.find_program(tx, PROGRAM["program"]["id"], "test").id
    programs = LivePrograms(database)
    _buy(database, programs, program_id, range(ORIGINALS), begins)
    # At the end of that year every level is kept, by what was bought in it.
    advance(database, programs, program_id, summer(begins.year + 1))
    # Half of them buy again: they keep what they are, and the new points live on.
    _buy(database, programs, program_id, range(0, ORIGINALS, 2), summer(begins.year + 1))
    if members > ORIGINALS:
        multiply(database, range(ORIGINALS), ORIGINALS, members // ORIGINALS - 1)
    return program_id


def summer(year: int) -> dt.datetime:
    """A moment in the middle of a year."""
    return dt.datetime(year, 7, 15, 12, tzinfo=dt.UTC)


def this_year() -> int:
    """The year it is."""
    return dt.datetime.now(dt.UTC).year


def go_live(database: Database, program_id: int) -> None:
    """Let the real time hold for the program from now on: it is months later, and everything is due at once."""
    with database.raw_connection() as connection:
        connection.execute("UPDATE program SET mode = 'live', clock = NULL WHERE id = %s", (program_id,))


def _buy(database: Database, programs: LivePrograms, program_id: int, cards: range, now: dt.datetime) -> None:
    several = baskets(f"year{now.year}", now.isoformat())
    with Clerk(database, programs) as clerk:
        for start in range(cards.start, cards.stop, _TOGETHER):
            together = [(several[card % len(several)], card) for card in cards[start : start + _TOGETHER]]
            drafts = [draft(basket.body(card, card), now) for basket, card in together]
            for answer in clerk.book(program_id, [Submission(one, "user:bench") for one in drafts]):
                if isinstance(answer, Problem):
                    raise answer
