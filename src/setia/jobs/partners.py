"""The job that asks partners for what was redeemed."""

from __future__ import annotations

import asyncio
import threading

import procrastinate
import structlog

from setia.rewards.partner_sender import PartnerSender

PARTNERS = "setia.partners"
_log = structlog.get_logger(__name__)


def add_partners(app: procrastinate.App, sender: PartnerSender, stopping: threading.Event) -> None:
    """Add the task to an app: every ten seconds, because a member waits for a code."""

    @app.periodic(cron="* * * * * */10")
    @app.task(name=PARTNERS, queueing_lock=PARTNERS)
    async def send(timestamp: int) -> None:  # noqa: ARG001 - the moment for which it was planned
        tried = await asyncio.to_thread(sender.send_due, None, stopping)
        if tried:
            _log.info("partners_asked", messages=tried)
