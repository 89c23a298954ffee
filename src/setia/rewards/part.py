"""What rewards add to the app."""

from __future__ import annotations

from setia.api.app import Part
from setia.db.engine import Database
from setia.events.live import LivePrograms
from setia.rewards.codes_router import codes_router
from setia.rewards.router import router
from setia.rewards.service import Rewards
from setia.secret import load_secret_key
from setia.settings import Settings


def rewards_part(database: Database, settings: Settings, programs: LivePrograms) -> Part:
    """The routes of rewards, redemptions and codes."""
    return Part(
        routers=(router, codes_router),
        state={"rewards": Rewards(database, programs, lambda: load_secret_key(settings))},
    )
