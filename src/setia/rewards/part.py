"""What rewards add to the app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from setia.api.app import Part
from setia.db.engine import Database
from setia.events.live import LivePrograms
from setia.partners.addresses import parse_networks
from setia.rewards.codes_router import codes_router
from setia.rewards.deliveries_router import deliveries_router
from setia.rewards.entitlements_router import entitlements_router
from setia.rewards.lane import RedemptionLane
from setia.rewards.partner_sender import PartnerSender
from setia.rewards.raffles_router import raffles_router
from setia.rewards.router import router
from setia.rewards.service import Rewards
from setia.secret import load_secret_key
from setia.settings import Settings


def rewards_part(database: Database, settings: Settings, programs: LivePrograms) -> Part:
    """The routes of rewards, redemptions and codes."""
    rewards = Rewards(database, programs, lambda: load_secret_key(settings))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(rewards.stop)

    return Part(
        routers=(router, codes_router, deliveries_router, raffles_router, entitlements_router),
        routes=RedemptionLane(rewards).routes(),
        state={"rewards": rewards},
        lifespans=(lifespan,),
    )


def partner_sender(database: Database, programs: LivePrograms, settings: Settings) -> PartnerSender:
    """What asks partners, for the jobs of a process."""
    return PartnerSender(
        database, programs, lambda: load_secret_key(settings), parse_networks(settings.partner_networks or "")
    )
