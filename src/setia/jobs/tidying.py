"""The jobs that look after jobs: what a killed worker left behind, and what is long over."""

from __future__ import annotations

import procrastinate
import structlog
from procrastinate.jobs import Status

TIDY = "setia.tidy"
LIFE_SIGN_SECONDS = 10.0
LOST_SECONDS = 60.0
"""A worker that has given no sign of life for so long is dead, and its jobs will not end by themselves."""
KEEP_HOURS = 24 * 7
"""How long a failed job can be looked at; one that succeeded is deleted at once."""
_log = structlog.get_logger(__name__)


def add_tidying(app: procrastinate.App) -> None:
    """Add the task to an app."""

    @app.periodic(cron="*/10 * * * *")
    @app.task(name=TIDY, queueing_lock=TIDY)
    async def tidy(timestamp: int) -> None:  # noqa: ARG001 - the moment for which it was planned
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=LOST_SECONDS):
            # It is not run again: what it did not finish is still due, and the next look finds that.
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=False)
            _log.warning("job_lost_its_worker", task=job.task_name, job=job.id)
        await app.job_manager.delete_old_jobs(
            nb_hours=KEEP_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )
