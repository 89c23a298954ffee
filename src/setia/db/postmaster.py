"""The main process of a PostgreSQL server, as its pid file describes it."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

# Greater than any process id that Linux (2^22) or macOS (99,999) ever gives out.
_NOBODYS_PID = 4_194_305


@dataclass(frozen=True, slots=True)
class Postmaster:
    """Reads `postmaster.pid`: process id, folder, start time, port, socket folder, address, shared memory, status."""

    cluster: Path

    @property
    def _lines(self) -> list[str]:
        try:
            return (self.cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _line(self, index: int) -> str:
        lines = self._lines
        return lines[index].strip() if index < len(lines) else ""

    @property
    def pid(self) -> int | None:
        """The process id in the file, whether or not that process is still there."""
        first = self._line(0)
        return int(first) if first.isdecimal() else None

    @property
    def socket_folder(self) -> Path | None:
        """Where the running server listens."""
        line = self._line(4)
        return Path(line) if line else None

    @property
    def is_running(self) -> bool:
        """Whether that process is there and is really a server for these files.

        The file survives a power cut, and the number in it may by now belong to anything.
        """
        pid = self.pid
        if pid is None:
            return False
        arguments = _command_line(pid)
        return bool(arguments) and Path(arguments[0]).name == "postgres" and str(self.cluster) in arguments

    def wait_until_ready(self, seconds: float) -> bool:
        """Wait as long as the server lives and is not ready; say whether it is ready."""
        deadline = time.monotonic() + seconds
        while self.is_running and time.monotonic() < deadline:
            if self._line(7) == "ready":
                return True
            time.sleep(0.01)
        return False

    def disown_recycled_pid(self) -> None:
        """Write an impossible process id into the file if the one in it now belongs to another program.

        PostgreSQL would refuse to start, since "a server" seems to run. Removing the file would be simpler and wrong:
        by its seventh line PostgreSQL finds out whether children of a killed server still hold the shared memory.
        """
        pid = self.pid
        if pid is None or self.is_running or not _exists(pid):
            return
        descriptor = os.open(self.cluster / "postmaster.pid", os.O_RDWR | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
            rest = file.read().partition("\n")[2]
            file.seek(0)
            file.write(f"{_NOBODYS_PID}\n{rest}")
            file.truncate()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _command_line(pid: int) -> list[str]:
    """The words with which a process was started, or nothing when it is gone."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            return []
    done = subprocess.run(  # noqa: S603 - a constant and a number
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return done.stdout.split()
