"""A small demo that has been run, and what it booked."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest

from setia.db.engine import Database
from setia.demo.figures import Figures, draw_up
from setia.demo.running import Tally, run_year
from setia.demo.year import DAYS, draw_year
from setia.ledger.verify import Finding
from setia.program.definition import Program
from setia.program.templates import load_template
from setia.versions.service import publish

BERLIN = ZoneInfo("Europe/Berlin")
LAST = dt.date(2026, 9, 30)
SEED = 7
SECRET = b"of the tests"


@dataclass
class Ran:
    """A demo after its year."""

    definition: Program
    program_id: int
    tally: Tally
    advanced: list[int]
    figures: Figures
    findings: list[Finding]


Run = Callable[[Database, int], Ran]


def publish_test(database: Database) -> int:
    """Publish the demo's program in test mode, with its clock at the beginning of the year; give its id."""
    begins = dt.datetime.combine(LAST - dt.timedelta(days=DAYS - 1), dt.time(), tzinfo=BERLIN)
    definition = load_template("coffee-stars")
    return database.run(lambda tx: publish(tx, definition, "test", mode="test", clock=begins).version.program_id)


@pytest.fixture
def run_demo() -> Run:
    """Run a demo with so many members in a database."""

    def run(database: Database, members: int) -> Ran:
        definition = load_template("coffee-stars")
        program_id = publish_test(database)
        advanced: list[int] = []
        tally = run_year(
            database, program_id, draw_year(SEED, members, LAST, BERLIN), LAST, advanced.append, secret=SECRET
        )
        figures, findings = draw_up(database, program_id, tally, seed=SEED, until=LAST)
        return Ran(definition, program_id, tally, advanced, figures, findings)

    return run
