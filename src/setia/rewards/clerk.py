"""A clerk redeems: it has a connection of its own, on which statements stay prepared and leave together."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

import psycopg
from psycopg import errors

from setia.db.engine import Database, transaction_retries
from setia.db.own_wire import OwnWire
from setia.events.live import LivePrograms
from setia.problems import Problem
from setia.rewards.codes import CodeBook
from setia.rewards.redeeming import Redeemed, Wanted, redeem

_ATTEMPTS = 5


class RedemptionClerk:
    """Redeems batches, one after the other. Not for several threads at once."""

    def __init__(self, database: Database, programs: LivePrograms, book: Callable[[], CodeBook]) -> None:
        self._database, self._programs, self._book = database, programs, book
        self._wire = OwnWire(database)

    def redeem(self, program_id: int, wanted: Sequence[Wanted]) -> Sequence[Redeemed | Problem]:
        """Redeem for different members in one transaction, and return when it is committed.

        Raises what `redeeming.redeem` raises, and what the database does; nothing is kept then, as far as is known.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                connection = self._wire.get()
                done = redeem(connection, self._programs.live(connection, program_id), self._book(), wanted)
                connection.commit()
            except (errors.SerializationFailure, errors.DeadlockDetected) as error:
                self._wire.undo()
                transaction_retries.labels(error.sqlstate or "").inc()
                if attempt == _ATTEMPTS:
                    raise
            except (psycopg.OperationalError, psycopg.InterfaceError):
                # A connection that waited while the database was started anew. Each request has a name of its own, so
                # that what may have been committed is found, and not done twice.
                self._wire.undo()
                if attempt > 1:
                    raise
            except BaseException:
                self._wire.undo()
                raise
            else:
                return done
            time.sleep(0.005 * attempt * random.random())  # noqa: S311 - jitter: two that met would meet again
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """Give the connection back."""
        self._wire.close()
