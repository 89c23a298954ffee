"""Where the demo lives: a server and a database of its own, made anew at each start."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from setia.db.embedded import DATABASE, EmbeddedServer
from setia.db.engine import Database
from setia.db.migrate import upgrade
from setia.problems import Conflict
from setia.settings import Settings

FOLDER = "demo"
_LOCK = "demo.lock"


class DemoRunning(Conflict):
    """Another demo uses the folder, and would lose its database under its feet."""

    code = "demo_running"
    title = "A demo is running already"


def demo_folder(settings: Settings) -> Path:
    """The demo's own data folder, inside of the data folder."""
    return settings.data_dir / FOLDER


@contextmanager
def fresh_database(settings: Settings) -> Iterator[Database]:
    """An empty database with all tables, on the demo's own embedded server; what was there before is dropped.

    `SETIA_DATABASE_URL` is not looked at: a demo that wrote into somebody's real points would be no joke.

    Raises:
        DemoRunning: another demo is not finished.
    """
    folder = demo_folder(settings)
    for path in (settings.data_dir, folder):
        if not path.exists():
            path.mkdir(parents=True)
            # As the embedded server has it: as root its system user must be able to pass.
            path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    with _alone(folder):
        server = EmbeddedServer(folder)
        url = server.start()
        database = Database(url, role="demo", server=server)
        try:
            _recreate(server.url("postgres"))
            upgrade(database)
            yield database
        finally:
            database.close()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoRunning(f"A demo in {folder} is running already. Stop it first (Ctrl-C where it runs).") from None
        yield
    finally:
        os.close(lock)


def _recreate(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        name = sql.Identifier(DATABASE)
        # FORCE: somebody may have left a psql open in yesterday's demo.
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
