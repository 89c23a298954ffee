"""What every test may ask for: `database`, a fresh and migrated one, and `server_url`, the server behind it."""

import gc
import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings as hypothesis_settings
from psycopg import sql

from setia.db.embedded import EmbeddedServer
from setia.db.engine import Database, Limits
from setia.db.migrate import upgrade

TEMPLATE = "setia_template"

# Deadlines measure the machine and not the code. A failure prints a blob that replays it, on any machine; so even where
# Hypothesis sees a CI and would try the same examples each time, it may look for new ones.
hypothesis_settings.register_profile("setia", deadline=None, print_blob=True, derandomize=False)
hypothesis_settings.register_profile("thorough", hypothesis_settings.get_profile("setia"), max_examples=1000)
hypothesis_settings.load_profile("setia")


def pytest_configure(config: pytest.Config) -> None:
    """Choose one folder for the server of this run, in the process that starts the xdist workers.

    It lies outside pytest's own temporary folders: those are closed to the system user as whom the server runs when
    the tests run as root.
    """
    if not hasattr(config, "workerinput"):
        folder = Path(tempfile.mkdtemp(prefix="setia-test-", dir=_memory()))
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        config.stash[_FOLDER] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        if config.pluginmanager.hasplugin("xdist"):
            config.pluginmanager.register(_HandToWorkers(folder))


def pytest_collection_finish() -> None:
    """Leave what is imported and collected out of every collection of garbage: it is never freed."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _memory() -> Path | None:
    """Give a folder in memory when there is room: a clone there takes 10 ms, on a busy disk up to 500."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder with a name of its own is made in it
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 * 1024**3:
        return memory
    return None


class _HandToWorkers:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @pytest.hookimpl
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["setia_folder"] = str(self.folder)


_FOLDER = pytest.StashKey[Path]()


@pytest.fixture(scope="session")
def shared_server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """The one server of this run: the first worker starts it, the last one stops it."""
    worker = getattr(request.config, "workerinput", None)
    folder = Path(worker["setia_folder"]) if worker else request.config.stash[_FOLDER]
    with EmbeddedServer(folder / "data", durable=False) as running:
        yield running


@pytest.fixture(scope="session")
def server_url(shared_server: EmbeddedServer) -> str:
    """The URL of the server's maintenance database, for tests that need a server and no tables."""
    return shared_server.url("postgres")


@pytest.fixture(scope="session")
def template(shared_server: EmbeddedServer, server_url: str) -> str:
    """The name of a migrated database to clone; the first worker makes it, under a lock."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(1)")
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier("draft")))
            draft = Database(shared_server.url("draft"))
            upgrade(draft)
            draft.close()
            connection.execute(sql.SQL("ALTER DATABASE draft RENAME TO {}").format(sql.Identifier(TEMPLATE)))
    return TEMPLATE


@pytest.fixture(scope="session")
def _clones() -> Iterator[int]:
    """Count the databases of this worker."""
    return iter(range(1_000_000))


@pytest.fixture
def empty_database_url(
    shared_server: EmbeddedServer, server_url: str, worker_name: str, _clones: Iterator[int]
) -> Iterator[str]:
    """The URL of a new database without any tables."""
    name = f"empty_{worker_name}_{next(_clones)}"
    yield from _temporary_database(shared_server, server_url, name, "template0")


@pytest.fixture
def database_url(
    shared_server: EmbeddedServer, server_url: str, template: str, worker_name: str, _clones: Iterator[int]
) -> Iterator[str]:
    """The URL of a new database with all tables and no rows, for programs that run outside of the test."""
    yield from _temporary_database(shared_server, server_url, f"test_{worker_name}_{next(_clones)}", template)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A new database with all tables and no rows; nobody else uses it."""
    with Database(database_url, limits=Limits(pool_size=5, max_overflow=20), role="test") as opened:
        yield opened


@pytest.fixture(scope="session")
def worker_name(request: pytest.FixtureRequest) -> str:
    """The name of this xdist worker, or `main`."""
    worker = getattr(request.config, "workerinput", None)
    return str(worker["workerid"]) if worker else "main"


def _temporary_database(shared_server: EmbeddedServer, server_url: str, name: str, template: str) -> Iterator[str]:
    with psycopg.connect(server_url, autocommit=True) as connection:
        # Copying the template's files beats writing them through the log by far, since nothing is synced here.
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    yield shared_server.url(name)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test reach this machine and no other: no network and no accounts are needed by any test."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not _is_loopback(address[0]):
            pytest.fail(f"a test tried to connect to {address[0]}")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith("SETIA_"):
            monkeypatch.delenv(name)
