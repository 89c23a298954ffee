"""A worker: runs jobs, one at a time, until it is told to stop."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

import psycopg
import structlog
from procrastinate.exceptions import ConnectorException

from setia.db.engine import Database
from setia.events.live import LivePrograms
from setia.jobs.app import make_app, make_pool
from setia.jobs.figures import counted
from setia.jobs.settling import Settling
from setia.jobs.tidying import LIFE_SIGN_SECONDS, LOST_SECONDS
from setia.rewards.partner_sender import PartnerSender

PAUSE_SECONDS = 5.0
_log = structlog.get_logger(__name__)


class Worker:
    """Runs jobs in the calling thread (`run`), or in one of its own (`start`). Any number may work on one database."""

    def __init__(
        self,
        database: Database,
        programs: LivePrograms,
        pause_seconds: float = PAUSE_SECONDS,
        *,
        sender: PartnerSender | None = None,
    ) -> None:
        self._settling, self._sender = Settling(database, programs), sender
        self._pause = pause_seconds
        self._thread = threading.Thread(target=self.run, name="jobs", daemon=True)
        self._lock = threading.RLock()  # a signal handler may interrupt who holds it
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Tell it to end, and where it has a thread wait for it. A job under way ends after the chunk it is at."""
        self.ask_to_stop()
        if self._thread.is_alive():
            self._thread.join()

    def ask_to_stop(self) -> None:
        """Tell it to end, and do not wait: for a signal handler."""
        self._settling.stopping.set()
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._cancel)

    def run(self) -> None:
        """Run jobs until `stop`; whatever ends the work otherwise is logged, and it begins again after a pause."""
        stopping = self._settling.stopping
        while not stopping.is_set():
            try:
                with suppress(asyncio.CancelledError):
                    asyncio.run(self._work())
            except (psycopg.OperationalError, ConnectorException) as error:
                # The database is away or not migrated yet. A traceback each time would bury everything else.
                _log.warning("jobs_put_off", kind=type(error).__name__)
            except Exception:  # noqa: BLE001 - no fault may end the worker for good
                _log.exception("jobs_put_off")
            stopping.wait(self._pause)

    async def _work(self) -> None:
        app, pool = make_app(self._settling, self._sender), make_pool(self._settling.database)
        # Without waiting for a connection: a database that is away shows when the first job is asked for.
        await pool.open(wait=False)
        try:
            await app.open_async(pool)
            with self._lock:
                self._loop, self._work_task = asyncio.get_running_loop(), asyncio.current_task()
            if not self._settling.stopping.is_set():
                # When it is cancelled, it lets the job under way end.
                await app.run_worker_async(
                    name="setia",
                    # A job that succeeded has left its trace in what it did; a failed one can be looked at.
                    delete_jobs="successful",
                    install_signal_handlers=False,
                    update_heartbeat_interval=LIFE_SIGN_SECONDS,
                    stalled_worker_timeout=LOST_SECONDS,
                    worker_middleware=[counted],
                )
        finally:
            with self._lock:
                self._loop = self._work_task = None
            await pool.close()

    def _cancel(self) -> None:
        # In the thread of the loop: who is closing the connections already is not to be disturbed.
        if self._work_task is not None:
            self._work_task.cancel()
