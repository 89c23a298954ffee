"""The system user as whom the embedded server runs.

PostgreSQL refuses to run as root, and rightly. A container or a fresh virtual machine often has only root, so there
the server runs as a user of its own; everywhere else as whoever starts Setia.
"""

import os
import pwd
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from setia.db.errors import EmbeddedServerError

NAME = "setia"

_CREATORS = (
    # Debian, Ubuntu, Fedora and their kin; then BusyBox (Alpine).
    ("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "--comment", "Setia database", NAME),
    ("adduser", "-S", "-D", "-H", "-s", "/sbin/nologin", NAME),
)


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the operating system."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, entry: pwd.struct_passwd) -> Self:
        """Take over a line of the user database."""
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    @property
    def is_current(self) -> bool:
        """Whether this process already runs as this user."""
        return self.uid == os.geteuid()

    def run(self, *command: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, from a folder that everybody may enter, with a small environment.

        The caller's environment stays out: a stray `PGPORT` or `PGDATA` would send the server elsewhere.
        """
        return subprocess.run(  # noqa: S603 - the programs are the wheel's, the arguments ours
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd="/",
            stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            # To change the user takes root, even where nothing would change.
            user=None if self.is_current else self.uid,
            group=None if self.is_current else self.gid,
            extra_groups=None if self.is_current else [],
        )

    def can_reach(self, path: Path) -> bool:
        """Whether this user may walk down to `path`, judged by the mode of every folder on the way."""
        if self.is_current:
            return True
        for folder in path.resolve().parents:
            status = folder.stat()
            if status.st_uid == self.uid:
                needed = stat.S_IXUSR
            elif status.st_gid == self.gid:
                needed = stat.S_IXGRP
            else:
                needed = stat.S_IXOTH
            if not status.st_mode & needed:
                return False
        return True

    def own(self, folder: Path) -> None:
        """Make a folder that only this user may enter, or make an existing one so."""
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        if not self.is_current:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)


def server_account(cluster: Path) -> Account:
    """Choose as whom to run the server whose files are, or will be, in `cluster`."""
    uid = os.geteuid()
    if uid != 0:
        try:
            return Account.of(pwd.getpwuid(uid))
        except KeyError:
            raise EmbeddedServerError(
                f"the embedded database cannot run: user id {uid} has no name on this machine. "
                "Give it a line in /etc/passwd, or set SETIA_DATABASE_URL to a PostgreSQL server of yours."
            ) from None
    if cluster.exists() and (owner := cluster.stat().st_uid) != 0:
        # Someone made these files without being root: go on as them, or they could not read their own data later.
        return Account.of(pwd.getpwuid(owner))
    return _dedicated_account()


def _dedicated_account() -> Account:
    """Find the user `setia`, or make it."""
    failures: list[str] = []
    for command in _CREATORS:
        if (account := _look_up()) is not None:
            return account
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - constants
        except FileNotFoundError:
            continue
        failures.append(done.stderr.strip())
    # Another process may have been making it at the same moment, which is what made ours fail.
    for _ in range(50):
        if (account := _look_up()) is not None:
            return account
        time.sleep(0.02)
    raise EmbeddedServerError(
        f"the embedded database needs a system user named {NAME}, because PostgreSQL refuses to run as root, and "
        f"making one failed ({'; '.join(failures) or 'neither useradd nor adduser is there'}). Make it by hand, start "
        "Setia as another user, or set SETIA_DATABASE_URL."
    )


def _look_up() -> Account | None:
    try:
        return Account.of(pwd.getpwnam(NAME))
    except KeyError:
        return None
