"""`setia serve` as a process, as an operator runs it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

_START_SECONDS = 60
_STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Serving:
    """A running server."""

    port: int
    pid: int


@contextmanager
def serve(database_url: str, data_dir: Path, *, workers: int = 1) -> Iterator[Serving]:
    """Run a server on a free port until the block ends."""
    port = _free_port()
    # The environment of whoever runs this stays out, as far as it is about Setia.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SETIA_")}  # noqa: TID251 - the benchmark starts processes with settings of its own
    environment |= {
        "SETIA_DATABASE_URL": database_url,
        "SETIA_DATA_DIR": str(data_dir),
        "SETIA_SECRET_KEY": "the secret of a database that is thrown away",
        "SETIA_ACCESS_LOG": "false",
        "SETIA_RATE_LIMIT": "0",
        "SETIA_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "setia", "serve", "--port", str(port), "--workers", str(workers)]
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            _wait(process, port)
            yield Serving(port, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return
        except (URLError, OSError):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("setia serve did not start; what it said stands above") from None
            time.sleep(0.1)
