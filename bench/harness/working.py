"""`setia worker` as processes, as an operator runs them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

_START_SECONDS = 60
_STOP_SECONDS = 30
_REGISTERED = "SELECT count(*) FROM procrastinate.procrastinate_workers"
# What a worker does once a minute by itself.
_LOOK = """
SELECT procrastinate.procrastinate_defer_jobs_v1(ARRAY[
    ROW('default', 'setia.look', 0, NULL, NULL, '{"timestamp": 0}', NULL)::procrastinate.procrastinate_job_to_defer_v1
])
"""


@contextmanager
def workers(database_url: str, data_dir: Path, number: int) -> Iterator[list[int]]:
    """Run so many workers until the block ends, which begins when all of them wait; gives their process ids."""
    # The environment of whoever runs this stays out, as far as it is about Setia.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SETIA_")}  # noqa: TID251 - the benchmark starts processes with settings of its own
    environment |= {
        "SETIA_DATABASE_URL": database_url,
        "SETIA_DATA_DIR": str(data_dir),
        "SETIA_LOG_LEVEL": "warning",
    }
    with ExitStack() as stack:
        processes = [stack.enter_context(_worker(environment)) for _ in range(number)]
        _wait(database_url, processes)
        yield [process.pid for process in processes]


def look(connection: psycopg.Connection[object]) -> None:
    """Let a worker look now for what is due."""
    connection.execute(_LOOK)


@contextmanager
def _worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "setia", "worker"]
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(database_url: str, processes: list[subprocess.Popen[bytes]]) -> None:
    until = time.monotonic() + _START_SECONDS
    with psycopg.connect(database_url, autocommit=True) as connection:
        while connection.execute(_REGISTERED).fetchall() != [(len(processes),)]:
            if any(process.poll() is not None for process in processes) or time.monotonic() > until:
                raise RuntimeError("setia worker did not start; what it said stands above")
            time.sleep(0.1)
    # The look with which each begins has found nothing.
    time.sleep(1)
