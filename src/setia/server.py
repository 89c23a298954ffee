"""The whole server: which domains there are, and what connects them. Everything else is said in their folders."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from setia.api.app import Part, create_app
from setia.api.rate import RateLimit
from setia.clock.router import router as clock_router
from setia.db.engine import Database
from setia.db.watchman import Watchman
from setia.events.part import events_part
from setia.garbage import look_seldom
from setia.identity.keyring import KeyRing
from setia.jobs.worker import Worker
from setia.logs import configure_logs
from setia.members.lots_router import lots_router
from setia.members.points_router import router as points_router
from setia.members.router import router as members_router
from setia.program.definition import Program
from setia.reports.router import router as reports_router
from setia.rewards.part import rewards_part
from setia.settings import Settings, load_settings
from setia.versions import service as versions
from setia.versions.cache import VersionCache
from setia.versions.router import router as program_router


def build(
    settings: Settings,
    database: Database,
    parts: Sequence[Part] = (),
    *,
    rate_limit: int | None = None,
    access_log: bool = True,
) -> FastAPI:
    """Make the app of one process. `parts` come last, so that their state replaces what is set here.

    `rate_limit` stands for the setting of that name, in tests.
    """

    def load(program_id: int, number: int) -> Program:
        with database.transaction() as tx:
            return versions.get(tx, program_id, number)

    core = Part(
        routers=(members_router, points_router, lots_router, reports_router, program_router, clock_router),
        state={
            "keyring": KeyRing(database),
            "rate_limit": RateLimit(settings.rate_limit if rate_limit is None else rate_limit),
            "definitions": VersionCache(load),
        },
    )
    events = events_part(database)
    rewards = rewards_part(database, settings, events.state["programs"])
    return create_app(settings, database, (core, events, rewards, *parts), access_log=access_log)


def create() -> FastAPI:
    """Make the app of a worker process, with the settings of its environment and a database of its own."""
    settings = load_settings()
    configure_logs(settings)
    database = Database.open(settings, role="api")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        watchman = Watchman(database)
        watchman.start()
        # The programs that requests have compiled are compiled for jobs too.
        worker = Worker(database, app.state.programs) if settings.jobs else None
        if worker is not None:
            worker.start()
        yield
        if worker is not None:
            await run_in_threadpool(worker.stop)
        await run_in_threadpool(watchman.stop)
        await run_in_threadpool(database.close)

    app = build(settings, database, (Part(lifespans=(lifespan,)),), access_log=settings.access_log)
    look_seldom()
    return app
