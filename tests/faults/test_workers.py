"""`setia worker`: killed in the middle of a run, several at once, told to stop. What is due is booked, and once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from api_world import World
from events.shop import rows
from jobs.due_world import expiries, make_due, wait_until
from setia.ledger.verify import verify

pytestmark = [pytest.mark.slow, pytest.mark.faults]

MEMBERS = 4_000
_DUE = "SELECT count(*) FROM member_state WHERE due_at <= now()"


class Workers:
    """Processes that run jobs on the database of a test."""

    def __init__(self, database_url: str, folder: Path) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SETIA_")}
        self._settings = clean | {"SETIA_DATABASE_URL": database_url, "SETIA_DATA_DIR": str(folder)}
        self._log = folder / "worker.log"
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        """Start one more."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "setia", "worker"], env=self._settings, stdout=subprocess.DEVNULL, stderr=log
            )
        self.processes.append(process)
        return process

    def said(self) -> str:
        """What they have logged."""
        return self._log.read_text()


@pytest.fixture
def workers(database_url: str, tmp_path: Path) -> Iterator[Workers]:
    started = Workers(database_url, tmp_path)
    yield started
    for process in started.processes:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


def test_when_a_worker_is_killed_in_the_middle_the_next_one_finishes(world: World, workers: Workers) -> None:
    make_due(world, MEMBERS)

    # when a worker is killed while it works
    first = workers.start()
    wait_until(lambda: expiries(world)[0] > 0)
    first.send_signal(signal.SIGKILL)
    first.wait()
    [(left,)] = rows(world, _DUE)
    assert 0 < left < MEMBERS, workers.said()

    # then the one that is started next, or two, do the rest, and no more than that
    workers.start()
    workers.start()
    wait_until(lambda: rows(world, _DUE) == [(0,)], seconds=90)
    assert expiries(world) == (MEMBERS, MEMBERS)
    assert rows(world, "SELECT sum(expired)::int, sum(remaining)::int FROM lot") == [(10 * MEMBERS, 0)]
    assert verify(world.database).findings == []


def test_a_worker_that_is_told_to_stop_ends_well(world: World, workers: Workers) -> None:
    make_due(world, 1)
    worker = workers.start()
    wait_until(lambda: expiries(world) == (1, 1))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0, workers.said()
    assert rows(world, "SELECT count(*) FROM procrastinate.procrastinate_workers") == [(0,)]
    assert "Traceback" not in workers.said()
