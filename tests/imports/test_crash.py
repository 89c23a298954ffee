"""kill -9 in the middle of an import: the same command again ends with what one undisturbed run gives."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from import_world import HEADER, MAP, Shop
from setia.db.engine import Database

pytestmark = [pytest.mark.faults, pytest.mark.slow]

ROWS = HEADER + "".join(f"{n},m{n % 97},2026-01-{1 + n % 28:02},{n % 13}\n" for n in range(6000))
BY_TIME = MAP.replace("source: till", "source: till\nsort: occurred_at")


def _command(shop: Shop, jobs: int) -> list[str]:
    files = (str(shop.folder / "rows.csv"), "--map", str(shop.folder / "map.yaml"))
    return [sys.executable, "-m", "setia", "import", "purchases", *files, "--program", "shop", "--jobs", str(jobs)]


@pytest.mark.parametrize(("jobs", "how"), [(1, signal.SIGKILL), (2, signal.SIGKILL), (1, signal.SIGINT)])
def test_killed_and_run_again(
    database: Database, database_url: str, empty_database_url: str, tmp_path: Path, jobs: int, how: signal.Signals
) -> None:
    shop = Shop.open(database, tmp_path)
    shop.file(ROWS)
    shop.file(BY_TIME, "map.yaml")
    environment = {**os.environ, "SETIA_DATABASE_URL": database_url}
    with (
        subprocess.Popen(
            _command(shop, jobs),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as running,
        psycopg.connect(database_url, autocommit=True) as connection,
    ):
        while not _count(connection):
            assert running.poll() is None
            time.sleep(0.02)
        if how is signal.SIGINT:
            running.send_signal(how)
        else:
            os.killpg(running.pid, how)
        running.wait(60)
        assert running.returncode == (130 if how is signal.SIGINT else -signal.SIGKILL)
        booked = _settled(connection)
    assert 0 < booked < 6000
    again = subprocess.run(_command(shop, jobs), env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    interrupted = shop.state()
    shop.assert_clean()
    from setia.db.migrate import upgrade  # noqa: PLC0415 - the undisturbed run has a database of its own

    with Database(empty_database_url) as other:
        upgrade(other)
        undisturbed = Shop.open(other, tmp_path)
        assert undisturbed.rows(tmp_path / "rows.csv", BY_TIME) == {"read": 6000, "imported": 6000}
        assert interrupted == undisturbed.state()


def _count(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    row = connection.execute("SELECT count(*) FROM event WHERE type = 'purchase'").fetchone()
    assert row is not None
    return int(str(row[0]))


def _settled(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    """The count once the server has noticed that its clients are gone: a commit may have been on its way."""
    before = -1
    while (now := _count(connection)) != before:
        before = now
        time.sleep(0.3)
    return now
