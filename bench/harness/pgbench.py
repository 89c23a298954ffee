"""pgbench from the embedded server's own binaries: what this machine and this disk can commit."""

import re
import resource
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from bench.harness.processor import own_cpu_seconds

from setia.db.account import server_account
from setia.db.binaries import locate_binaries
from setia.db.embedded import PORT, ROLE, EmbeddedServer

DATABASE = "pgbench"
_DONE = re.compile(r"^number of transactions actually processed: (\d+)", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)
_TPS = re.compile(r"^tps = ([0-9.]+) \(without initial connection time\)", re.MULTILINE)


class PgbenchFailed(Exception):  # noqa: N818 - reads as what it is
    """pgbench said something else than figures."""


@dataclass(frozen=True, slots=True)
class Transactions:
    """What one run of pgbench did."""

    done: int
    seconds: float
    cpu_seconds: float = 0.0
    """Of pgbench itself; the server's is the server's."""


def read_output(text: str) -> Transactions:
    """Read what pgbench prints at its end; raises PgbenchFailed when transactions failed or figures are missing."""
    done, tps, failed = _DONE.search(text), _TPS.search(text), _FAILED.search(text)
    if done is None or tps is None or int(done[1]) == 0 or (failed is not None and int(failed[1])):
        raise PgbenchFailed(text.strip())
    return Transactions(int(done[1]), int(done[1]) / float(tps[1]))


class Pgbench:
    """TPC-B-like transactions on a database of their own, over the server's Unix socket, as the server's user."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server
        self._account = server_account(server.cluster)
        self._program: Path = locate_binaries(self._account, server.data_dir) / "pgbench"

    def prepare(self, scale: int) -> None:
        """Make and fill the tables."""
        with psycopg.connect(self._server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
        self._run("--initialize", "--quiet", f"--scale={scale}")

    def run(self, clients: int, seconds: int) -> Transactions:
        """Run for a while. Without its vacuum: it would empty the history table, and wait for the disk, every time."""
        before = own_cpu_seconds(resource.RUSAGE_CHILDREN)
        text = self._run(
            *("--no-vacuum", "--protocol=prepared", f"--client={clients}"),
            *(f"--jobs={min(2, clients)}", f"--time={seconds}"),
        )
        return replace(read_output(text), cpu_seconds=own_cpu_seconds(resource.RUSAGE_CHILDREN) - before)

    def _run(self, *arguments: str) -> str:
        where = (f"--host={self._server.postmaster.socket_folder}", f"--port={PORT}", f"--username={ROLE}", DATABASE)
        done = self._account.run(str(self._program), *arguments, *where)
        if done.returncode != 0:
            raise PgbenchFailed(done.stderr.strip())
        return done.stdout
