"""A PostgreSQL server that comes with Setia, for one machine without a database of its own.

The server listens on a Unix socket only. Two locks guard it: the folder of the socket is closed to other users, and
the kernel tells the server who is calling (`peer`), so that even a folder opened by mistake lets nobody in.

Any number of processes may use it. Each holds a shared lock on one file as long as it lives; the one that can turn it
into an exclusive lock is the last, and stops the server. The kernel lets go of the locks of a process that was killed,
so nothing has to be cleaned up after one.
"""

import atexit
import fcntl
import hashlib
import os
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql

from setia.db.account import Account, server_account
from setia.db.binaries import locate_binaries
from setia.db.errors import EmbeddedServerError
from setia.db.parameters import PARAMETERS, UNSAFE_PARAMETERS, access_rules, configuration
from setia.db.postmaster import Postmaster

DATABASE = "setia"
ROLE = "setia"
PORT = 5432
# The kernel gives a socket's path 108 bytes (104 on macOS), and `/.s.PGSQL.5432` needs 14 of them.
_LONGEST_SOCKET_FOLDER = 88
_START_SECONDS = 600  # replaying the log after a crash may take long, and killing it then would only start it anew
_STOP_SECONDS = 120
_LARGEST_LOG = 16 * 1024 * 1024


class EmbeddedServer:
    """One server and its files under `data_dir`; `start` it before use, `stop` it after."""

    def __init__(self, data_dir: Path, *, durable: bool = True, parameters: Mapping[str, str] | None = None) -> None:
        """Nothing happens yet. `durable=False` is for tests: a power cut may then lose everything."""
        self.data_dir = data_dir.absolute()
        self.cluster = self.data_dir / "postgres"
        self.durable = durable
        self.parameters = {**PARAMETERS, **({} if durable else UNSAFE_PARAMETERS), **(parameters or {})}
        self._users: int | None = None
        self._owner_pid = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def postmaster(self) -> Postmaster:
        """The server's main process, as far as its pid file tells."""
        return Postmaster(self.cluster)

    def url(self, database: str = DATABASE) -> str:
        """Where a database of the running server is, as libpq reads it."""
        socket = self.postmaster.socket_folder or self._socket_folder()
        query = urlencode({"host": str(socket), "port": PORT}, quote_via=quote)
        return f"postgresql://{ROLE}@/{quote(database)}?{query}"

    def start(self) -> str:
        """Make the server's files if there are none, start it if it is not running, and give its URL."""
        if self._users is not None:
            return self.url()
        self._make_data_dir()
        with self._alone():
            # Judged by its process and not by connecting: a server that is still replaying its log refuses too.
            if not self.postmaster.wait_until_ready(_START_SECONDS):
                self._launch()
            self._users = self._open("postgres.users")
            fcntl.flock(self._users, fcntl.LOCK_SH)
        self._owner_pid = os.getpid()
        atexit.register(self.stop)
        return self.url()

    def revive(self) -> bool:
        """Start the server again if it has died under its users; True if it had.

        Nobody else can: it is ours. Several users may notice at once, and one of them starts it.
        """
        if self._users is None or self.postmaster.is_running:
            return False
        with self._alone():
            if self.postmaster.wait_until_ready(_START_SECONDS):
                return False
            self._launch()
        return True

    def stop(self) -> None:
        """Give up the use of the server; the last user stops it."""
        if self._users is None:
            return
        users, self._users = self._users, None
        atexit.unregister(self.stop)
        if self._owner_pid != os.getpid() or not self.data_dir.exists():
            # A forked child, which by closing its copy lets the lock of its parent be; or the files have been removed.
            os.close(users)
            return
        with self._alone():
            os.close(users)
            users = self._open("postgres.users")
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # someone else is still using it
            finally:
                os.close(users)
            self._shut_down()

    # ------------------------------------------------------------------------------------------------------- files

    def _make_data_dir(self) -> None:
        """Make the data folder; as root others may pass through it, since the server's user has to."""
        if not self.data_dir.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            self.data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)

    def _open(self, name: str) -> int:
        """Open a lock file. Python keeps it from being inherited by the programs we start."""
        try:
            return os.open(self.data_dir / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError:
            raise EmbeddedServerError(
                f"{self.data_dir} belongs to another user. Start Setia as that user, or set SETIA_DATA_DIR."
            ) from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep every other process from starting or stopping this server meanwhile."""
        lock = self._open("postgres.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _write(self, name: str, text: str) -> None:
        """Replace a configuration file as a whole.

        These files lie beside the server's folder and not in it: root must not write where another user could have
        put a link.
        """
        draft = self.data_dir / f".{name}.new"
        draft.write_text(text, encoding="utf-8")
        draft.chmod(0o644)
        draft.replace(self.data_dir / name)

    def _socket_folder(self) -> Path:
        folder = self.data_dir / "run"
        if len(os.fsencode(folder)) <= _LONGEST_SOCKET_FOLDER:
            return folder
        runtime = Path(f"/run/user/{os.geteuid()}")
        base = runtime if os.geteuid() != 0 and os.access(runtime, os.W_OK) else Path("/tmp")  # noqa: S108 - checked below
        return base / f"setia-{hashlib.sha256(os.fsencode(self.cluster)).hexdigest()[:16]}"

    def _make_socket_folder(self, account: Account) -> Path:
        folder = self._socket_folder()
        if folder.parent != self.data_dir and os.path.lexists(folder):
            # /tmp is open to all, so the name may have been taken by somebody who wants to be our server.
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {account.uid, os.geteuid()}:
                raise EmbeddedServerError(f"{folder} belongs to another user. Remove it, or set SETIA_DATA_DIR.")
        account.own(folder)
        return folder

    # ------------------------------------------------------------------------------------------------ life of a server

    def _launch(self) -> None:
        account = server_account(self.cluster)
        if not account.can_reach(self.cluster):
            raise EmbeddedServerError(
                f"the embedded database runs as the system user {account.name} here, because PostgreSQL refuses to run "
                f"as root, and {account.name} cannot enter {self.data_dir}. Set SETIA_DATA_DIR to a folder outside of "
                "closed ones such as /root (without it Setia uses /var/lib/setia), or set SETIA_DATABASE_URL."
            )
        binaries = locate_binaries(account, self.data_dir)
        self._write("postgres.hba.conf", access_rules())
        self._write(
            "postgres.ident.conf", "\n".join(f'setia "{name}" all' for name in sorted({account.name, "root"})) + "\n"
        )
        self._write(
            "postgres.conf", configuration(self.parameters, self.data_dir, self._make_socket_folder(account), PORT)
        )
        if not self.cluster.exists():
            self._initialise(account, binaries)
        self._clear_after_a_crash()
        log = self.cluster / "server.log"
        if log.exists() and log.stat().st_size > _LARGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
        self._start_server(account, binaries, log)
        self._ensure_database()

    def _clear_after_a_crash(self) -> None:
        """Remove what makes PostgreSQL believe that a server runs, when none does.

        A process id in a lock file may by now belong to another program, or to a dead process that nobody has asked
        about yet, as in a container whose first process does not. The socket's lock only guards the socket's name, and
        its folder is ours alone, so it may go; the other lock guards the data and is treated with more care.
        """
        self.postmaster.disown_recycled_pid()
        for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
            (self._socket_folder() / name).unlink(missing_ok=True)

    def _initialise(self, account: Account, binaries: Path) -> None:
        """Make the server's files, under another name first: a half-made folder is never taken for a server."""
        draft = self.data_dir / ".postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        account.own(draft)
        done = account.run(
            str(binaries / "initdb"),
            f"--pgdata={draft}",
            f"--username={ROLE}",
            "--encoding=UTF8",
            # The built-in provider sorts the same on every machine, for ever: an update of the C library that changes
            # its sort order would silently break the indexes.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
            "--auth=reject",  # for the moment until our own rules are read
            "--no-instructions",
            *(() if self.durable else ("--no-sync",)),
        )
        if done.returncode != 0:
            raise EmbeddedServerError(f"the embedded database could not be made: {done.stderr.strip()}")
        (draft / "postgresql.conf").write_text(
            "# Setia writes the file below at every start. Settings of your own go after it, and win.\n"
            "include '../postgres.conf'\n",
            encoding="utf-8",
        )
        draft.rename(self.cluster)

    def _start_server(self, account: Account, binaries: Path, log: Path) -> None:
        command = (
            "start",
            "--silent",
            "--wait",
            f"--timeout={_START_SECONDS}",
            f"--pgdata={self.cluster}",
            f"--log={log}",
        )
        deadline = time.monotonic() + 15
        while True:
            offset = log.stat().st_size if log.exists() else 0
            done = account.run(str(binaries / "pg_ctl"), *command)
            if done.returncode == 0:
                return
            said = log.read_bytes()[offset:].decode(errors="replace") if log.exists() else ""
            # After a killed server its last children may still be finishing; PostgreSQL then rightly refuses to start.
            if "shared memory block" not in said or time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"the embedded database did not start. {done.stderr.strip()} It wrote to {log}:\n{said.strip()}"
                )
            time.sleep(0.1)

    def _ensure_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if row is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _shut_down(self) -> None:
        account = server_account(self.cluster)
        binaries = locate_binaries(account, self.data_dir)
        done = account.run(
            str(binaries / "pg_ctl"),
            *("stop", "--silent", "--wait", "--mode=fast", f"--timeout={_STOP_SECONDS}", f"--pgdata={self.cluster}"),
        )
        if done.returncode != 0 and self.postmaster.is_running:
            raise EmbeddedServerError(f"the embedded database did not stop: {done.stderr.strip()}")
