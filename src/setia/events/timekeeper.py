"""The timekeeper of a server process: settles what is due, once a minute."""

from __future__ import annotations

import datetime as dt
import threading

import psycopg
import structlog
from sqlalchemy.exc import OperationalError

from setia.db.engine import Database, sqlstate
from setia.events.live import LivePrograms
from setia.events.settling import settle_due
from setia.versions.service import list_programs

EVERY_SECONDS = 60.0
_log = structlog.get_logger(__name__)


class Timekeeper:
    """A thread. Several processes may each have one: what one has settled is not due for the other."""

    def __init__(self, database: Database, programs: LivePrograms, every_seconds: float = EVERY_SECONDS) -> None:
        self._database = database
        self._programs = programs
        self._every = every_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timekeeper", daemon=True)

    def start(self) -> None:
        """Begin; the first round comes after one interval."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the round that is under way."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                self.settle()
            except (psycopg.OperationalError, OperationalError) as error:
                _log.warning("settling_put_off", kind=type(error).__name__, sqlstate=sqlstate(error))
            except Exception:  # noqa: BLE001 - no fault may end the timekeeper
                # The next round may succeed; until then points are judged when they are read.
                _log.exception("settling_failed")

    def settle(self) -> int:
        """One round over all programs; returns how many members had something due."""
        with self._database.transaction() as tx:
            programs = [program for program in list_programs(tx) if program.live_version is not None]
        now = dt.datetime.now(dt.UTC)
        return sum(settle_due(self._database, self._programs, program.id, now) for program in programs)
