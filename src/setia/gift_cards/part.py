"""What gift cards add to the app."""

from __future__ import annotations

from collections.abc import Callable

from setia.api.app import Part
from setia.db.engine import Database
from setia.gift_cards.router import router
from setia.gift_cards.service import GiftCards
from setia.gift_cards.uses_router import uses_router
from setia.program.definition import Program
from setia.versions.cache import VersionCache


def gift_cards_part(database: Database, definitions: VersionCache[Program], secret: Callable[[], bytes]) -> Part:
    """The routes of gift cards and their uses."""
    return Part(routers=(router, uses_router), state={"gift_cards": GiftCards(database, definitions, secret)})
