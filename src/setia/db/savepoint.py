"""A part of a transaction that is undone where it is refused, while the rest goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import ExecStatus


@contextmanager
def undone_if(failure: type[Exception], connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Undo what was written within where it ends with a failure of this kind, which goes on.

    Whatever else goes wrong undoes the whole transaction, as it does anywhere. psycopg's own savepoints would forget
    every statement that is prepared on the connection, those of exchanges too, which nobody would prepare again.
    """
    connection.execute("SAVEPOINT refused")
    try:
        yield
    except failure:
        result = connection.pgconn.exec_(b"ROLLBACK TO SAVEPOINT refused")
        if result.status != ExecStatus.COMMAND_OK:
            raise psycopg.OperationalError(result.get_error_message()) from None
        raise
    connection.execute("RELEASE SAVEPOINT refused")
