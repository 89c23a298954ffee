"""What reward links add to the app."""

from __future__ import annotations

from collections.abc import Callable

from setia.api.app import Part
from setia.db.engine import Database
from setia.events.live import LivePrograms
from setia.reward_links.public_router import Door, public_router
from setia.reward_links.router import router
from setia.reward_links.service import RewardLinks


def reward_links_part(database: Database, programs: LivePrograms, secret: Callable[[], bytes]) -> Part:
    """The routes of reward links, and those of their recipients."""
    return Part(
        routers=(router, public_router),
        state={"reward_links": RewardLinks(database, programs, secret), "link_door": Door()},
    )
