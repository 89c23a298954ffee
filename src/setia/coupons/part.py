"""What coupons add to the app."""

from __future__ import annotations

import sqlalchemy as sa

from setia.api.app import Part
from setia.coupons.codes import CouponCodes
from setia.coupons.router import router
from setia.coupons.service import CouponDesk
from setia.db.engine import Database
from setia.program.definition import Program
from setia.versions.cache import VersionCache
from setia.versions.service import live_number


def coupons_part(database: Database, codes: CouponCodes, definitions: VersionCache[Program]) -> Part:
    """The routes of coupons. `definitions` are parsed once per process."""

    def live(tx: sa.Connection, program_id: int) -> Program:
        return definitions.get(program_id, live_number(tx, program_id))

    return Part(routers=(router,), state={"coupons": CouponDesk(database, codes, live)})
