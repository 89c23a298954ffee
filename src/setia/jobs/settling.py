"""The jobs that book what time has done: a look once a minute, and one job or more per program with something due."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
import time
from contextlib import suppress
from typing import Any

import procrastinate
import structlog
from procrastinate.exceptions import AlreadyEnqueued

from setia.db.engine import Database, driver_connection
from setia.events.live import LivePrograms
from setia.events.settling import Chunk, programs_due, settle_chunk
from setia.jobs.figures import settled_members

LOOK = "setia.look"
SETTLE = "setia.settle"
SECONDS = 20.0
"""How long one job settles before others have their turn: with one worker, programs come one after the other."""
FIRST_PAUSE, LONGEST_PAUSE = 15, 3600
_log = structlog.get_logger(__name__)


class Settling:
    """What these jobs do. Setting `stopping` ends one between two chunks; another worker takes over what is left."""

    def __init__(self, database: Database, programs: LivePrograms, seconds: float = SECONDS) -> None:
        self.database = database
        self.stopping = threading.Event()
        self.programs = programs
        self._seconds = seconds

    def add_to(self, app: procrastinate.App) -> None:
        """Make them tasks of an app."""

        @app.periodic(cron="* * * * *")
        @app.task(name=LOOK, queueing_lock=LOOK)
        async def look(timestamp: int) -> None:  # noqa: ARG001 - the minute it was planned for; what is due is due
            for program_id in await asyncio.to_thread(self._due):
                await _defer(app, program_id)

        @app.task(name=SETTLE)
        async def settle(program_id: int, failures: int = 0) -> None:
            try:
                await self._settle(app, program_id)
            except Exception:
                # Not by Procrastinate's retry, which refuses to wait beside a job that waits already. Its members stay
                # due; other programs have jobs of their own.
                pause = min(FIRST_PAUSE * 2**failures, LONGEST_PAUSE)
                await _defer(app, program_id, failures=failures + 1, schedule_in={"seconds": pause})
                raise

    async def _settle(self, app: procrastinate.App, program_id: int) -> None:
        began, members, helped = time.monotonic(), 0, False
        try:
            while not self.stopping.is_set() and time.monotonic() - began < self._seconds:
                chunk = await asyncio.to_thread(self._chunk, program_id)
                members += chunk.settled
                settled_members.inc(chunk.settled)
                if chunk.is_last:
                    return
                if not helped:
                    # There is more than one chunk: a worker that is free may join in.
                    await _defer(app, program_id)
                    helped = True
            await _defer(app, program_id)
        finally:
            if members:
                seconds = round(time.monotonic() - began, 3)
                _log.info("settled", program_id=program_id, members=members, seconds=seconds)

    def _due(self) -> list[int]:
        with self.database.transaction() as tx:
            return programs_due(driver_connection(tx), dt.datetime.now(dt.UTC))

    def _chunk(self, program_id: int) -> Chunk:
        return settle_chunk(self.database, self.programs, program_id, dt.datetime.now(dt.UTC))


async def _defer(app: procrastinate.App, program_id: int, *, failures: int = 0, **when: Any) -> None:
    # However many run, one waits at most: whoever is free takes it and joins in.
    job = app.configure_task(SETTLE, queueing_lock=f"{SETTLE}:{program_id}", **when)
    with suppress(AlreadyEnqueued):
        await job.defer_async(program_id=program_id, failures=failures)
