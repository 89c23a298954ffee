"""What moving points and merging members add to the app."""

from __future__ import annotations

from setia.api.app import Part
from setia.db.engine import Database
from setia.events.live import LivePrograms
from setia.moving.merges_router import merges_router
from setia.moving.merging_service import Merging
from setia.moving.router import router
from setia.moving.service import Moving


def moving_part(database: Database, programs: LivePrograms) -> Part:
    """The routes of transfers, exchanges and merges."""
    return Part(
        routers=(router, merges_router),
        state={"moving": Moving(database, programs), "merging": Merging(database, programs)},
    )
