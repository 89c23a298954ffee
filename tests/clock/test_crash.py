"""kill -9 of a process in the middle of advancing: the next one finishes that day, and goes on."""

import os
import subprocess
import sys
import time

import pytest

from api_world import World
from clock.try_out import TryOut, at, program
from setia.clock.problems import ClockBusy
from setia.clock.service import Advanced
from setia.ledger.verify import verify

pytestmark = [pytest.mark.slow, pytest.mark.faults]

# In the third night the database takes its time with the booking: the clock has moved already.
SLEEPY = """
CREATE FUNCTION sleepy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT clock FROM program WHERE id = NEW.program_id) >= '2026-05-07T00:00Z' THEN PERFORM pg_sleep(60); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sleepy BEFORE INSERT ON journal FOR EACH ROW WHEN (NEW.kind = 'expiry') EXECUTE FUNCTION sleepy();
"""
WAKE = "DROP TRIGGER sleepy ON journal; DROP FUNCTION sleepy();"
ITS_BACKENDS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND starts_with(application_name, 'setia clock ')
"""


def test_who_was_killed_in_the_night_leaves_it_to_the_next(world: World, database_url: str) -> None:
    # given points that end on five days
    here = TryOut.begin(world, "2026-05-01T12:00Z", program("UTC", expiry={"after": "3d"}))
    member = here.enrol()
    for number in range(5):
        here.buy(f"p{number}")
        here.advance("23h")
    run(world, SLEEPY)

    # when the process is killed while it books the third of them
    command = [sys.executable, "-m", "setia", "clock", "advance", "coffee-stars", "--by", "30d"]
    environment = {**os.environ, "SETIA_DATABASE_URL": database_url}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as killed:
        deadline = time.monotonic() + 60
        while here.now < at("2026-05-07T00:00Z"):
            assert time.monotonic() < deadline
            assert killed.poll() is None, killed.communicate()
            time.sleep(0.05)
        killed.kill()
    run(world, ITS_BACKENDS)
    run(world, WAKE)

    # then what it had done stays, and nothing is there that was not finished
    assert here.now == at("2026-05-07T00:00Z")
    assert [moment for _, moment in here.journal("expiry")] == [at("2026-05-05T00:00Z"), at("2026-05-06T00:00Z")]

    # and the next one books the rest, each on its day
    advanced = next_one(here, "2026-06-01T00:00Z")
    assert advanced.before == at("2026-05-07T00:00Z")
    days = [ended for ended, _ in here.journal("expiry")]
    assert days == [moment for _, moment in here.journal("expiry")]
    assert days == [at(f"2026-05-{day:02}T00:00Z") for day in (5, 6, 7, 8, 9)]
    assert here.stars(member) == (0, 0)
    assert verify(world.database).findings == []


def run(world: World, statements: str) -> None:
    with world.database.transaction() as tx:
        tx.exec_driver_sql(statements)


def next_one(here: TryOut, goal: str) -> Advanced:
    """Advance, as soon as the database has noticed that the other one is gone."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return here.advance(goal)
        except ClockBusy:
            assert time.monotonic() < deadline
            time.sleep(0.05)
