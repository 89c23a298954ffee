"""What can be done with sales: each a transaction, committed before the answer is made."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import sqlalchemy as sa

from setia.db.engine import Database, driver_connection
from setia.events.acts import By
from setia.events.live import LiveProgram, LivePrograms
from setia.members.merges import person_of
from setia.members.service import get_member
from setia.sales import sold
from setia.sales.price import NoSuchSale
from setia.sales.selling import Asked, Sold, buy, refund
from setia.sales.sold import PointSale


class Sales:
    """The sales of all programs of a database."""

    def __init__(self, database: Database, programs: LivePrograms) -> None:
        self._database, self._programs = database, programs

    def catalogue(self, program_id: int) -> LiveProgram:
        """The live version, which says what is sold."""
        return self._database.run(lambda tx: self._programs.live(driver_connection(tx), program_id))

    def buy(self, program_id: int, asked: Asked, by: By, now: dt.datetime) -> Sold:
        """Sell points; see `selling.buy`."""

        def work(tx: sa.Connection) -> Sold:
            get_member(tx, program_id, asked.member)
            connection = driver_connection(tx)
            return buy(connection, self._programs.live(connection, program_id), asked, by, now)

        return self._database.run(work)

    def refund(self, program_id: int, sale_id: UUID, by: By, now: dt.datetime) -> Sold:
        """Take points back; see `selling.refund`."""

        def work(tx: sa.Connection) -> Sold:
            connection = driver_connection(tx)
            return refund(connection, self._programs.live(connection, program_id), sale_id, by, now)

        return self._database.run(work)

    def find(self, program_id: int, sale_id: UUID) -> PointSale:
        """One point sale; raises `NoSuchSale`."""
        found = self._database.run(lambda tx: sold.find(driver_connection(tx), program_id, sale_id))
        if found is None:
            raise NoSuchSale
        return found

    def of_member(self, program_id: int, member: UUID, *, before: UUID | None, most: int) -> list[PointSale]:
        """What a member has bought, the newest first."""

        def work(tx: sa.Connection) -> list[PointSale]:
            get_member(tx, program_id, member)
            connection = driver_connection(tx)
            return sold.of_member(connection, person_of(connection, member), before=before, most=most)

        return self._database.run(work)
