"""The whole server: which domains there are, and what connects them. Everything else is said in their folders."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from setia.api.app import Part, create_app
from setia.api.rate import RateLimit
from setia.clock.router import router as clock_router
from setia.codes.book import CodeBook
from setia.coupons.codes import CouponCodes
from setia.coupons.part import coupons_part
from setia.db.engine import Database
from setia.db.watchman import Watchman
from setia.events.part import events_part
from setia.garbage import look_seldom
from setia.gift_cards.part import gift_cards_part
from setia.households.router import router as households_router
from setia.households.service import HouseholdsDesk
from setia.identity.keyring import KeyRing
from setia.jobs.worker import Worker
from setia.logs import configure_logs
from setia.members.lots_router import lots_router
from setia.members.points_router import router as points_router
from setia.members.router import router as members_router
from setia.moving.part import moving_part
from setia.payments.router import router as payments_router
from setia.program.definition import Program
from setia.referrals.part import referrals_part
from setia.reports.router import router as reports_router
from setia.reviews.router import router as reviews_router
from setia.reviews.service import Reviews
from setia.reward_links.part import reward_links_part
from setia.rewards.in_the_cart import InTheCart
from setia.rewards.part import partner_sender, rewards_part
from setia.sales.router import router as sales_router
from setia.sales.service import Sales
from setia.secret import load_secret_key
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
    codes = CouponCodes(lambda: CodeBook(load_secret_key(settings)))
    events = events_part(database, InTheCart(), codes)
    coupons = coupons_part(database, codes, core.state["definitions"])
    rewards = rewards_part(database, settings, events.state["programs"])
    referrals = referrals_part(database, settings, events.state["programs"], events.state["afterwards"])
    guarding = Part(
        routers=(payments_router, reviews_router, sales_router, households_router),
        state={
            "reviews": Reviews(database, events.state["programs"]),
            "sales": Sales(database, events.state["programs"]),
            "households": HouseholdsDesk(database, events.state["programs"], lambda: rewards.state["rewards"].book),
        },
    )
    gift_cards = gift_cards_part(database, core.state["definitions"], lambda: load_secret_key(settings))
    reward_links = reward_links_part(database, events.state["programs"], lambda: load_secret_key(settings))
    moving = moving_part(database, events.state["programs"])
    all_parts = (core, events, coupons, rewards, referrals, guarding, gift_cards, reward_links, moving, *parts)
    return create_app(settings, database, all_parts, access_log=access_log)


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
        sender = partner_sender(database, app.state.programs, settings)
        worker = Worker(database, app.state.programs, sender=sender) if settings.jobs else None
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
