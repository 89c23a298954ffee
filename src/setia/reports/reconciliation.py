"""The reconciliation of a program, with the money that its outstanding points stand for."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

import sqlalchemy as sa

from setia.db.engine import Database, driver_connection
from setia.ledger.reconciliation import Figures, Reconciliation, reconcile
from setia.program.definition import Program
from setia.versions.service import live


class Reconciled(NamedTuple):
    """The report, the definition whose values and time zone it uses, and the moment asked for (None: now)."""

    report: Reconciliation
    definition: Program
    at: dt.datetime | None


def reconcile_program(database: Database, program_id: int, at: dt.datetime | None = None) -> Reconciled:
    """Reconcile a program in a snapshot of its own. Raises `NothingPublished`."""

    def work(tx: sa.Connection) -> Reconciled:
        tx.exec_driver_sql("SET TRANSACTION READ ONLY")
        # A ledger of millions takes longer than a request may.
        tx.exec_driver_sql("SET LOCAL statement_timeout = 0")
        definition = live(tx, program_id)[1]
        report = reconcile(driver_connection(tx), program_id, definition.program.timezone, at)
        return Reconciled(report, definition, at)

    return database.run(work, isolation="REPEATABLE READ")


def liability(definition: Program, point_type: str, figures: Figures) -> Decimal | None:
    """What points are worth that members can use or will be able to: available and pending ones, by today's value.

    Held points are left out: they are about to be redeemed, at a price of their own. None where points have no value.
    """
    points = definition.points.get(point_type)
    if points is None or points.value is None:
        return None
    return Decimal(figures.available + figures.pending).scaleb(-points.decimals) * points.value


def decimals_of(definition: Program, point_type: str) -> int:
    """How many decimals points have; 0 for a type that the program no longer has."""
    points = definition.points.get(point_type)
    return 0 if points is None else points.decimals
