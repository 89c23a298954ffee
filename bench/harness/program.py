"""What every benchmark is as a program: it says what it does, has a server of its own, and ends cleanly."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from setia.db.embedded import EmbeddedServer


def say(text: str) -> None:
    """Tell what is done now; the report itself goes to standard output."""
    print(f"{text} ...", file=sys.stderr, flush=True)


def arguments(name: str, document: str) -> argparse.ArgumentParser:
    """What every benchmark that serves over HTTP takes; its help begins with the first line of its document."""
    parser = argparse.ArgumentParser(prog=f"./dev bench {name}", description=document.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    parser.add_argument("--quick", action="store_true", help="a smoke run; its figures say little")
    workers = min(2, os.cpu_count() or 1)
    parser.add_argument("--workers", type=int, default=workers, help=f"server processes (here: {workers})")
    parser.add_argument(
        "--folder", type=Path, help="where to put the database for the run (default: the temporary folder)"
    )
    return parser


@contextmanager
def scratch_server(folder: Path | None) -> Iterator[EmbeddedServer]:
    """A durable server in a folder of its own that goes with it."""
    data = Path(tempfile.mkdtemp(prefix="setia-bench-", dir=folder))
    data.chmod(0o711)  # the server may run as another user, who has to pass
    try:
        with EmbeddedServer(data / "data") as server:
            yield server
    finally:
        shutil.rmtree(data, ignore_errors=True)


def run(main: Callable[[], int]) -> NoReturn:
    """Run a benchmark and end with its exit code. Terminated or interrupted, it clears away and ends with 130."""
    signal.signal(signal.SIGTERM, _end)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)


def _end(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
