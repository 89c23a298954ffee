"""What reward links add to the app."""

from __future__ import annotations

from collections.abc import Callable

from setia.api.app import Part
from setia.db.engine import Database
from setia.program.definition import Program
from setia.reward_links.public_router import Door, public_router
from setia.reward_links.router import router
from setia.reward_links.service import RewardLinks
from setia.versions.cache import VersionCache


def reward_links_part(database: Database, definitions: VersionCache[Program], secret: Callable[[], bytes]) -> Part:
    """The routes of reward links, and those of their recipients."""
    return Part(
        routers=(router, public_router),
        state={"reward_links": RewardLinks(database, definitions, secret), "link_door": Door()},
    )
