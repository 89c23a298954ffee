"""The way to the database: a pool of connections, one explicit transaction, and the one place where it is retried."""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar, cast

import psycopg
import sqlalchemy as sa
from prometheus_client import Counter
from sqlalchemy.exc import DBAPIError

from setia.db.embedded import EmbeddedServer
from setia.db.exchange import Wire
from setia.settings import Settings

T = TypeVar("T")
Isolation = Literal["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]

SERIALIZATION_FAILURE = "40001"
DEADLOCK_DETECTED = "40P01"
LOCK_NOT_AVAILABLE = "55P03"
UNDEFINED_TABLE = "42P01"
_RETRYABLE = frozenset({SERIALIZATION_FAILURE, DEADLOCK_DETECTED})
_ATTEMPTS = 5
_FIRST_PAUSE = 0.010
_HEALTH_SECONDS = 2
# A plan that is kept may have been made while the tables were small: it must not read them whole for ever.
_BY_INDEX = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}

transaction_retries = Counter(
    "setia_transaction_retries_total",
    "Transactions that were run again because of a serialization failure or a deadlock.",
    ["sqlstate"],
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections a process may hold, and how long a statement may wait or run."""

    pool_size: int = 10
    max_overflow: int = 10
    pool_wait_seconds: float = 10
    lock_timeout_ms: int = 5_000
    statement_timeout_ms: int = 30_000


class Database:
    """One database, for one process.

    A service writes like this, and answers after the block, when the commit is done:

        with database.transaction() as tx:
            tx.execute(...)
    """

    def __init__(
        self,
        url: str | sa.URL,
        *,
        limits: Limits | None = None,
        role: str = "setia",
        server: EmbeddedServer | None = None,
    ) -> None:
        """Nothing connects yet. `role` names the process in `pg_stat_activity`; `server` is stopped by `close`."""
        self.url = sa.make_url(url).set(drivername="postgresql+psycopg")
        self.limits = limits or Limits()
        self.role = role
        self._server = server
        self.engine = self._engine(self.limits.pool_size, connect_args=self._connect_arguments())
        self._routine = self._engine(1, creator=self.wire)

    @classmethod
    def open(cls, settings: Settings, *, role: str = "setia") -> Self:
        """Use the server of `SETIA_DATABASE_URL`, or start the embedded one."""
        limits = Limits(
            pool_size=settings.pool_size,
            max_overflow=settings.pool_overflow,
            lock_timeout_ms=settings.lock_timeout_ms,
            statement_timeout_ms=settings.statement_timeout_ms,
        )
        if settings.database_url is not None:
            return cls(settings.database_url.get_secret_value(), limits=limits, role=role)
        server = EmbeddedServer(settings.data_dir)
        return cls(server.start(), limits=limits, role=role, server=server)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection that is not in use, and give up the embedded server."""
        self.engine.dispose()
        self._routine.dispose()
        if self._server is not None:
            self._server.stop()

    def revive(self) -> bool:
        """Start the embedded server again if it has died; True if it had. Nothing to do for a server of one's own."""
        return self._server is not None and self._server.revive()

    # ------------------------------------------------------------------------------------------------- transactions

    @contextmanager
    def transaction(self, isolation: Isolation | None = None, *, routine: bool = False) -> Iterator[sa.Connection]:
        """One transaction: committed when the block ends, before anything after it runs; undone when it raises.

        With `routine` it has a connection from a pool of its own, for what is done again and again: exchanges keep
        their plans there (`Wire`), and rows are found by index.
        """
        with (self._routine if routine else self.engine).connect() as connection:
            if isolation is not None:
                connection.execution_options(isolation_level=isolation)
            with connection.begin():
                yield connection

    def run(
        self, work: Callable[[sa.Connection], T], *, isolation: Isolation | None = None, routine: bool = False
    ) -> T:
        """Run `work` in a `transaction`, and run all of it again when the database asks for that.

        `work` must therefore keep its effects inside the transaction.
        """
        pause = _FIRST_PAUSE
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self.transaction(isolation, routine=routine) as tx:
                    result = work(tx)
            except (DBAPIError, psycopg.Error) as error:
                state = sqlstate(error)
                if state not in _RETRYABLE or attempt == _ATTEMPTS:
                    raise
                transaction_retries.labels(state).inc()
            else:
                return result
            # Jitter: two transactions that wait equally long meet again.
            time.sleep(pause * (0.5 + random.random()))  # noqa: S311 - no secret
            pause *= 2
        raise AssertionError("the last attempt returns or raises")

    @contextmanager
    def raw_connection(self) -> Iterator[psycopg.Connection[Any]]:
        """A pooled psycopg connection, for COPY and for the hot path; in one transaction like `transaction`."""
        with self.transaction() as tx:
            yield driver_connection(tx)

    def connect(self, *, autocommit: bool = False) -> psycopg.Connection[Any]:
        """A connection of the caller's own, outside the pool: for LISTEN, or for a thread that always needs one."""
        where, how = self.driver_arguments()
        return psycopg.connect(where, autocommit=autocommit, **how)

    def wire(self) -> Wire:
        """The same for what is done again and again: exchanges keep their plans there, and rows are found by index."""
        where, _ = self.driver_arguments()
        return Wire.connect(where, **self._connect_arguments(**_BY_INDEX))

    def driver_arguments(self) -> tuple[str, dict[str, Any]]:
        """Where and how psycopg connects, for a library that makes connections of its own."""
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False), self._connect_arguments()

    # -------------------------------------------------------------------------------------------------------- health

    def healthy(self) -> bool:
        """Whether the database answers now. Never waits for the pool: a full one is busy, not ill."""
        url = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        try:
            with psycopg.connect(
                url,
                autocommit=True,
                connect_timeout=_HEALTH_SECONDS,
                application_name=f"{self._application_name()} health",
                options=f"-c statement_timeout={_HEALTH_SECONDS * 1000}",
            ) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def _engine(self, pool_size: int, **how: Any) -> sa.Engine:
        return sa.create_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=self.limits.max_overflow,
            pool_timeout=self.limits.pool_wait_seconds,
            # A restarted database would otherwise cost every pooled connection one failed request.
            pool_pre_ping=True,
            # Values may be personal data, and errors end up in logs.
            hide_parameters=True,
            **how,
        )

    def _connect_arguments(self, **more: str) -> dict[str, Any]:
        options = {
            "timezone": "UTC",
            "lock_timeout": self.limits.lock_timeout_ms,
            "statement_timeout": self.limits.statement_timeout_ms,
            **more,
        }
        given = self.url.query.get("options", "")
        return {
            "application_name": self._application_name(),
            "connect_timeout": 10,
            # Sent with the connection itself, so that setting them costs no round trip.
            "options": f"{given} {' '.join(f'-c {name}={value}' for name, value in options.items())}".strip(),
        }

    def _application_name(self) -> str:
        return f"setia {self.role} {os.getpid()}"


def driver_connection(tx: sa.Connection) -> psycopg.Connection[Any]:
    """The psycopg connection under a SQLAlchemy one, in the same transaction."""
    return cast("psycopg.Connection[Any]", tx.connection.driver_connection)


def sqlstate(error: BaseException) -> str | None:
    """The five characters by which PostgreSQL names an error, whoever wrapped it."""
    original = error.orig if isinstance(error, DBAPIError) else error
    return original.sqlstate if isinstance(original, psycopg.Error) else None
