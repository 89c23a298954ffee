"""The embedded database comes back when it is killed, and nobody else is needed for it."""

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from structlog.testing import capture_logs

from setia.db.embedded import EmbeddedServer
from setia.db.engine import Database
from setia.db.errors import EmbeddedServerError
from setia.db.watchman import Watchman
from setia.settings import Settings


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's own system user can reach, which pytest's are not when the tests run as root."""
    path = Path(tempfile.mkdtemp(prefix="setia-watch-"))
    path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def _kill(server: EmbeddedServer) -> None:
    pid = server.postmaster.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while server.postmaster.is_running:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_killed_database_is_started_again(folder: Path) -> None:
    # given a process that uses its embedded database
    with Database.open(Settings(data_dir=folder)) as database:
        with database.raw_connection() as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (7)")
        assert not database.revive()
        watchman = Watchman(database, every_seconds=0.05)
        watchman.start()

        # when it is killed
        _kill(EmbeddedServer(folder))

        # then it comes back with what was committed
        deadline = time.monotonic() + 30
        while not database.healthy():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with database.raw_connection() as connection:
            assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]
        watchman.stop()


def test_a_server_of_ones_own_is_not_ours_to_start(database_url: str) -> None:
    with Database(database_url) as database:
        assert not database.revive()


def test_a_round_that_fails_is_not_the_last(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Database(database_url) as database:
        rounds: list[int] = []

        def lost() -> bool:
            rounds.append(1)
            raise psycopg.OperationalError

        monkeypatch.setattr(database, "revive", lost)
        watchman = Watchman(database, every_seconds=0.01)
        watchman.start()
        deadline = time.monotonic() + 20
        while len(rounds) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        watchman.stop()


def test_a_database_that_cannot_start_costs_a_line_and_no_traceback(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Database(database_url) as database, capture_logs() as logs:
        told = threading.Event()

        def lost() -> bool:
            if logs:
                told.set()
            raise EmbeddedServerError("The disk is full.")

        monkeypatch.setattr(database, "revive", lost)
        watchman = Watchman(database, every_seconds=0.01)
        watchman.start()
        assert told.wait(20)
        watchman.stop()
    assert logs[0] == {"event": "embedded_database_lost", "reason": "The disk is full.", "log_level": "error"}
