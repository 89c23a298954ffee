"""What a process counts of its jobs, for `/metrics`."""

from __future__ import annotations

import time

from procrastinate.job_context import JobContext
from procrastinate.middleware import AsyncCallNext
from procrastinate.worker import Worker
from prometheus_client import Counter, Gauge, Histogram

jobs_ended = Counter("setia_jobs_total", "Jobs that have ended in this process.", ["task", "outcome"])
job_seconds = Histogram(
    "setia_job_seconds", "How long jobs took.", ["task"], buckets=(0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300)
)
jobs_running = Gauge("setia_jobs_running", "Jobs that run in this process now.")
settled_members = Counter(
    "setia_settled_members_total", "Members for whom a job of this process has booked what was due."
)


async def counted(go_on: AsyncCallNext, context: JobContext, _worker: Worker) -> object:
    """A middleware: run a job, and count it."""
    began, outcome = time.monotonic(), "failed"
    try:
        with jobs_running.track_inprogress():
            result = await go_on()
        outcome = "succeeded"
        return result
    finally:
        jobs_ended.labels(context.job.task_name, outcome).inc()
        job_seconds.labels(context.job.task_name).observe(time.monotonic() - began)
