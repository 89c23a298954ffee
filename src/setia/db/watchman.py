"""The watchman of a server process: starts the embedded database again when it has died."""

from __future__ import annotations

import threading

import structlog

from setia.db.engine import Database
from setia.db.errors import DatabaseError

EVERY_SECONDS = 1.0
_log = structlog.get_logger(__name__)


class Watchman:
    """A thread that looks once a second. Until the database is back, requests are answered with 503."""

    def __init__(self, database: Database, every_seconds: float = EVERY_SECONDS) -> None:
        self._database = database
        self._every = every_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchman", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                if self._database.revive():
                    _log.warning("embedded_database_revived")
            except DatabaseError as error:
                # Known, and said in its words: a traceback every second would bury everything else.
                _log.error("embedded_database_lost", reason=str(error))
            except Exception:  # noqa: BLE001 - the next look may find it better; there is nobody to tell but the log
                _log.exception("embedded_database_lost")
