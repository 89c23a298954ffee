"""The jobs that do what comes due beside members' own time: once a minute, one for each kind of work."""

from __future__ import annotations

import asyncio
import datetime as dt

import procrastinate
import structlog

from setia.db.engine import Database
from setia.due.works import WORKS, Work
from setia.events.live import LivePrograms

_log = structlog.get_logger(__name__)


def add_works(app: procrastinate.App, database: Database, programs: LivePrograms) -> None:
    """Add a task for each work, `setia.<name>`, to an app: one that fails holds up no other."""
    for work in WORKS:
        _add(app, work, database, programs)


def _add(app: procrastinate.App, work: Work, database: Database, programs: LivePrograms) -> None:
    name = f"setia.{work.name}"

    @app.periodic(cron="* * * * *")
    @app.task(name=name, queueing_lock=name)
    async def do(timestamp: int) -> None:  # noqa: ARG001 - the minute for which it was planned
        done = await asyncio.to_thread(work.do, database, programs, dt.datetime.now(dt.UTC), None)
        if done:
            _log.info("works_done", work=work.name, done=done)
