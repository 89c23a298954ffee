"""The job that ends holds: once a minute, whatever was held for a redemption that nobody confirmed in time."""

from __future__ import annotations

import asyncio
import datetime as dt

import procrastinate
import structlog

from setia.db.engine import Database
from setia.events.live import LivePrograms
from setia.rewards.expiring import expire_due

HOLDS = "setia.holds"
_log = structlog.get_logger(__name__)


def add_holds(app: procrastinate.App, database: Database, programs: LivePrograms) -> None:
    """Add the task to an app."""

    @app.periodic(cron="* * * * *")
    @app.task(name=HOLDS, queueing_lock=HOLDS)
    async def holds(timestamp: int) -> None:  # noqa: ARG001 - the minute for which it was planned
        ended = await asyncio.to_thread(expire_due, database, programs, dt.datetime.now(dt.UTC))
        if ended:
            _log.info("holds_ended", redemptions=ended)
