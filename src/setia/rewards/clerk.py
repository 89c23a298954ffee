"""A clerk redeems: it has a connection of its own, on which statements stay prepared and leave together."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import errors

from setia.db.engine import Database, transaction_retries
from setia.db.exchange import Wire
from setia.events.live import LivePrograms
from setia.ledger.states import find_by_index
from setia.problems import Problem
from setia.rewards.codes import CodeBook
from setia.rewards.redeeming import Redeemed, Wanted, redeem

_ATTEMPTS = 5


class RedemptionClerk:
    """Redeems batches, one after the other. Not for several threads at once."""

    def __init__(self, database: Database, programs: LivePrograms, book: Callable[[], CodeBook]) -> None:
        self._database, self._programs, self._book = database, programs, book
        self._connection: psycopg.Connection[Any] | None = None

    def redeem(self, program_id: int, wanted: Sequence[Wanted]) -> Sequence[Redeemed | Problem]:
        """Redeem for different members in one transaction, and return when it is committed.

        Raises what `redeeming.redeem` raises, and what the database does; nothing is kept then, as far as is known.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                connection = self._connected()
                done = redeem(connection, self._programs.live(connection, program_id), self._book(), wanted)
                connection.commit()
            except (errors.SerializationFailure, errors.DeadlockDetected) as error:
                self._undo()
                transaction_retries.labels(error.sqlstate or "").inc()
                if attempt == _ATTEMPTS:
                    raise
            except (psycopg.OperationalError, psycopg.InterfaceError):
                # A connection that waited while the database was started anew. Each request has a name of its own, so
                # that what may have been committed is found, and not done twice.
                self._undo()
                if attempt > 1:
                    raise
            except BaseException:
                self._undo()
                raise
            else:
                return done
            time.sleep(0.005 * attempt * random.random())  # noqa: S311 - jitter: two that met would meet again
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            where, how = self._database.driver_arguments()
            self._connection = Wire.connect(where, **how)
            find_by_index(self._connection)
            self._connection.commit()
        return self._connection

    def _undo(self) -> None:
        if self._connection is not None:
            try:
                self._connection.rollback()
            except psycopg.Error:
                self._connection.close()
            if self._connection.closed:
                self._connection = None
