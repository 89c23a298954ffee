"""Several statements in one exchange with the database: sent together, answered together, by libpq itself.

psycopg's own pipeline carries the same, at 100 to 200 µs of processor time a statement: a generator, a cursor, several
readings of the socket and a message of its own for each. For a booking of a few events that was more than deciding
them. Here all statements leave by one write, and rows are loaded by psycopg's loaders in one call for each statement.
"""

from __future__ import annotations

import contextlib
import itertools
import select
from collections.abc import Iterator
from typing import Any, TypeAlias

import psycopg
from psycopg import errors, pq
from psycopg.adapt import Transformer

Value: TypeAlias = bytes | str | None
"""A parameter: bytes are PostgreSQL's binary format (see `setia.db.columns`), text is its text format."""

_SERIAL = itertools.count(1)
_BINARY = pq.Format.BINARY
_DONE = frozenset({pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK})


class Wire(psycopg.Connection[Any]):
    """A connection that remembers the statements which exchanges have prepared on it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.prepared: dict[str, bytes] = {}
        """Statement -> its name."""
        self.transformer = Transformer(self)

    def rollback(self) -> None:
        """Undo the transaction, and forget what was prepared."""
        # A pool asks for it whenever a connection is given back.
        is_open = self.pgconn.transaction_status != pq.TransactionStatus.IDLE
        super().rollback()
        # psycopg drops all that is prepared, ours too, if it has prepared anything itself; it does not tell.
        if self.prepared and is_open:
            self.prepared.clear()
            self.pgconn.exec_(b"DEALLOCATE ALL")


class Reply:
    """What became of one statement, once its exchange was sent."""

    __slots__ = ("rowcount", "rows")

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.rowcount = 0
        """How many rows it changed or gave."""


class Exchange:
    """Statements in the transaction of a connection, which begins with them if none has. For one use.

    On a `Wire` they are prepared the first time; elsewhere they are planned each time.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._asked: list[tuple[str, tuple[Value, ...], Reply]] = []

    def ask(self, statement: str, *values: Value) -> Reply:
        """Add a statement; its parameters stand in it as `$1`, `$2` and so on. The reply is filled by `send`."""
        reply = Reply()
        self._asked.append((statement, values, reply))
        return reply

    def send(self) -> None:
        """Send all statements and wait for what became of them.

        Raises what the database raises at the first one that fails; those after it have not run then.
        """
        if not self._asked:
            return
        connection = self._connection
        pgconn = connection.pgconn
        awaited: list[Reply | str | None] = []
        begins = not connection.autocommit and pgconn.transaction_status == pq.TransactionStatus.IDLE
        if begins and not isinstance(connection, Wire):
            connection.execute("")  # psycopg begins as the connection is set to
            begins = False
        pgconn.enter_pipeline_mode()
        try:
            if begins:
                pgconn.send_query_params(b"BEGIN", None)
                awaited.append(None)
            for statement, values, reply in self._asked:
                self._put(pgconn, statement, values, reply, awaited)
            pgconn.pipeline_sync()
            self._collect(pgconn, awaited)
        finally:
            with contextlib.suppress(psycopg.OperationalError):  # of a connection that is lost
                pgconn.exit_pipeline_mode()

    def _put(
        self,
        pgconn: pq.abc.PGconn,
        statement: str,
        values: tuple[Value, ...],
        reply: Reply,
        awaited: list[Reply | str | None],
    ) -> None:
        sent = [value.encode() if isinstance(value, str) else value for value in values]
        formats = [1 if isinstance(value, bytes) else 0 for value in values]
        if isinstance(self._connection, Wire):
            name = self._connection.prepared.get(statement)
            if name is None:
                name = b"setia_%d" % next(_SERIAL)
                pgconn.send_prepare(name, statement.encode())
                awaited.append(statement)
                self._connection.prepared[statement] = name
            pgconn.send_query_prepared(name, sent, formats, _BINARY)
        else:
            pgconn.send_query_params(statement.encode(), sent, None, formats, _BINARY)
        awaited.append(reply)

    def _collect(self, pgconn: pq.abc.PGconn, awaited: list[Reply | str | None]) -> None:
        """Read what became of each statement, up to the end of the exchange; raises the first failure then."""
        failure: psycopg.Error | None = None
        answered: list[tuple[Reply, pq.abc.PGresult]] = []
        place = 0
        for result in _results(pgconn):
            if result is None:
                place += 1
                continue
            expected = awaited[place]
            if result.status in _DONE:
                if isinstance(expected, Reply):
                    answered.append((expected, result))
                continue
            if isinstance(expected, str) and isinstance(self._connection, Wire):
                self._connection.prepared.pop(expected, None)
            if failure is None:
                failure = errors.error_from_result(result)
        if failure is not None:
            raise failure
        # Not before everything is read: a value that Python cannot hold must not leave the connection half way.
        for reply, result in answered:
            self._fill(reply, result)

    def _fill(self, reply: Reply, result: pq.abc.PGresult) -> None:
        reply.rowcount = result.command_tuples or 0
        if result.nfields and result.ntuples:
            connection = self._connection
            loader = connection.transformer if isinstance(connection, Wire) else Transformer(connection)
            loader.set_pgresult(result)
            reply.rows = loader.load_rows(0, result.ntuples, tuple)


def _results(pgconn: pq.abc.PGconn) -> Iterator[pq.abc.PGresult | None]:
    """Send what is to be sent, and give what comes back; None after the last of each statement."""
    poll = select.poll()
    poll.register(pgconn.socket, select.POLLIN | select.POLLOUT)
    while pgconn.flush():
        # What comes meanwhile is read: a server that nobody listens to stops listening itself.
        if any(happened & ~select.POLLOUT for _, happened in poll.poll()):
            pgconn.consume_input()
    poll.modify(pgconn.socket, select.POLLIN)
    while True:
        while pgconn.is_busy():
            poll.poll()
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is not None and result.status == pq.ExecStatus.PIPELINE_SYNC:
            return
        yield result
