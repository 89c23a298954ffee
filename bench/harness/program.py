"""What every benchmark is as a program: it says what it does, has a server of its own, and ends cleanly."""

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
