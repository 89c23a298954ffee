"""How long jobs take when points of every member end, and every level is judged, at one moment.

    ./dev bench batch [--json] [--quick] [--workers N] [--members N ...]

docs/reference/benchmarks.md says what is measured, and how.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

if __name__ == "__main__":  # started by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.harness import dues
from bench.harness.machine import machine
from bench.harness.processor import cpu_seconds
from bench.harness.program import run, say, scratch_server
from bench.harness.working import look, workers

from setia.db.embedded import EmbeddedServer
from setia.db.engine import Database
from setia.ledger.verify import verify

SIZES = (10_000, 100_000, 1_000_000)
QUICK = (2_000, 4_000)
_LONGEST_SECONDS = 3_600
_DUE = "SELECT EXISTS (SELECT FROM member_state WHERE due_at <= now())"
# Points of every member have ended, and every member's level was judged: an entry of each kind, for everybody.
_BOOKED = """
SELECT kind, count(*), count(DISTINCT member_id) FROM journal WHERE actor = 'setia' AND occurred_at >= %s GROUP BY kind
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What settling so many members took."""

    members: int
    seconds: float
    cpu_seconds: dict[str, float]
    """Processor time of the workers, and of PostgreSQL."""

    @property
    def us_per_member(self) -> dict[str, float]:
        """Processor time for one member, in microseconds."""
        return {program: round(spent / self.members * 1e6, 1) for program, spent in self.cpu_seconds.items()}


def measure(server: EmbeddedServer, members: int, number: int) -> Run:
    """Make members in a database of their own, and let workers settle them. Raises when not everything was booked."""
    name = f"batch_{members}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with Database(server.url(name), role="bench") as database:
        say(f"{members:,} members are made")
        program_id = dues.populate(database, members)
        with (
            database.connect(autocommit=True) as connection,
            workers(server.url(name), server.data_dir, number) as processes,
        ):
            # What making them left to be written is not the workers' work.
            connection.execute("SET statement_timeout = 0")
            connection.execute("CHECKPOINT")
            say(f"{members:,} members are due")
            dues.go_live(database, program_id)
            before, began = _spent(server, processes), time.monotonic()
            look(connection)
            _wait(connection)
            seconds, after = time.monotonic() - began, _spent(server, processes)
        check(database, members)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    return Run(members, seconds, {program: after[program] - before[program] for program in after})


def check(database: Database, members: int) -> None:
    """See that every member has what was due, once; of few members by `setia verify` too."""
    with database.raw_connection() as connection:
        connection.execute("SET LOCAL statement_timeout = 0")
        found = {row[0]: row[1:] for row in connection.execute(_BOOKED, (dues.summer(dues.this_year() - 1),))}
    if found != {"expiry": (members, members), "review": (members, members)}:
        raise RuntimeError(f"not everything was booked, or not once: {found}")
    if members <= SIZES[0]:
        say("verify")
        report = verify(database)
        if not report.is_clean:
            raise RuntimeError(f"setia verify: {report.findings[:5]}")


def _wait(connection: psycopg.Connection[Any]) -> None:
    until = time.monotonic() + _LONGEST_SECONDS
    # Who is being settled at this moment is still due for everybody else: so the last commit is waited for.
    while connection.execute(_DUE).fetchall() != [(False,)]:
        if time.monotonic() > until:
            raise RuntimeError("the workers do not come to an end")
        time.sleep(0.05)


def _spent(server: EmbeddedServer, processes: list[int]) -> dict[str, float]:
    return {
        "workers": sum(cpu_seconds(pid) for pid in processes),
        "database": cpu_seconds(server.postmaster.pid or 0),
    }


def summary(runs: list[Run]) -> dict[str, Any]:
    """The figures: by number of members, and how the time of a member grows from the fewest to the most."""
    first, last = runs[0], runs[-1]
    return {
        "seconds": {str(run.members): round(run.seconds, 2) for run in runs},
        "cpu_seconds": {
            str(run.members): {program: round(spent, 2) for program, spent in run.cpu_seconds.items()} for run in runs
        },
        "cpu_us_per_member": {str(run.members): run.us_per_member for run in runs},
        "growth": round((last.seconds / last.members) / (first.seconds / first.members), 3),
        "growth_of_cpu": round(sum(last.us_per_member.values()) / sum(first.us_per_member.values()), 3),
    }


def as_table(report: dict[str, Any]) -> str:
    """The report for people."""
    head = f"{'members':>10} {'seconds':>9} {'us workers':>11} {'us database':>12}"
    rows = [
        f"{int(members):>10,} {seconds:>9.2f} {spent['workers']:>11.1f} {spent['database']:>12.1f}"
        for (members, seconds), spent in zip(
            report["seconds"].items(), report["cpu_us_per_member"].values(), strict=True
        )
    ]
    return "\n".join([head, *rows, f"a member takes {report['growth']:.2f} times as long among the most"])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./dev bench batch", description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    parser.add_argument("--quick", action="store_true", help="a smoke run; its figures say little")
    parser.add_argument("--members", type=int, nargs="+", metavar="N", help="instead of 10000 100000 1000000")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--workers", type=int, default=cores, help=f"worker processes (default: the cores, {cores})")
    parser.add_argument(
        "--folder", type=Path, help="where to put the database for the run (default: the temporary folder)"
    )
    given = parser.parse_args()
    sizes = sorted(given.members or (QUICK if given.quick else SIZES))
    with scratch_server(given.folder) as server:
        with psycopg.connect(server.url("postgres")) as connection:
            [(version,)] = connection.execute("SHOW server_version").fetchall()
        about = machine(server.data_dir, version)
        report = summary([measure(server, members, given.workers) for members in sizes])
    report |= {"workers": given.workers, "machine": about}
    print(json.dumps(report, indent=2) if given.json else as_table(report))
    return 0


if __name__ == "__main__":
    run(main)
