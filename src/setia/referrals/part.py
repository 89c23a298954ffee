"""What referrals add to the app."""

from __future__ import annotations

from setia.api.app import Part
from setia.db.engine import Database
from setia.events.afterwards import Afterwards
from setia.events.live import LivePrograms
from setia.referrals.router import router
from setia.referrals.service import Referrals
from setia.secret import load_secret_key
from setia.settings import Settings


def referrals_part(database: Database, settings: Settings, programs: LivePrograms, afterwards: Afterwards) -> Part:
    """The routes of referrals, and what they hear of enrolments and purchases."""
    referrals = Referrals(database, programs, lambda: load_secret_key(settings))
    afterwards.add(referrals.heard)
    return Part(routers=(router,), state={"referrals": referrals, "introduce": referrals.introduce})
