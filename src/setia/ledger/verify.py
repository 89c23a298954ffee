"""`verify`: counts everything again from the journal and the postings, and names whatever does not agree."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from setia.db.engine import Database, driver_connection
from setia.db.statistics import look_at_grown_tables
from setia.ledger.checks import CHECKS, Check

MOST_FINDINGS = 1_000
"""So many of each kind are named; one fault in a program can make millions."""

_COUNTS = """
SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM posting), (SELECT count(*) FROM member_state)
"""
_TOTALS = """
SELECT p.program_id, p.point_type,
       -sum(ledger_change('issued', p.source, p.destination, p.amount)),
       sum(ledger_change('redeemed', p.source, p.destination, p.amount)),
       sum(ledger_change('expired', p.source, p.destination, p.amount)),
       -sum(ledger_change('adjusted', p.source, p.destination, p.amount)),
       -sum(ledger_change('transferred', p.source, p.destination, p.amount)),
       sum(ledger_change('available', p.source, p.destination, p.amount)),
       sum(ledger_change('pending', p.source, p.destination, p.amount)),
       sum(ledger_change('held', p.source, p.destination, p.amount))
FROM posting p GROUP BY p.program_id, p.point_type ORDER BY p.program_id, p.point_type
"""


class Finding(msgspec.Struct, frozen=True):
    """Something that does not agree: what kind, which invariant it breaks, and where it is."""

    kind: str
    invariant: str
    member_id: UUID | None
    seq: int | None
    line: int | None
    detail: str
    expected: str
    found: str


class Totals(msgspec.Struct, frozen=True):
    """All points of one type, in its smallest unit, as the postings tell.

    issued - redeemed - expired + adjusted + transferred = available + pending + held; `adjusted` and `transferred` are
    what came in less what went out.
    """

    program_id: int
    point_type: str
    issued: int
    redeemed: int
    expired: int
    adjusted: int
    transferred: int
    available: int
    pending: int
    held: int


class Report(msgspec.Struct, frozen=True):
    """What was looked at, what it sums up to, and what was found. `truncated`: kinds with more findings than named."""

    entries: int
    postings: int
    members: int
    totals: list[Totals]
    findings: list[Finding]
    truncated: list[str]
    seconds: str

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify(database: Database, *, most_findings: int = MOST_FINDINGS) -> Report:
    """Check every invariant in one snapshot, so that it is right under load, and changes nothing.

    The database does the counting, set by set; here only findings are held, at most `most_findings` of each kind.
    """
    started = time.monotonic()
    look_at_grown_tables(database)
    with database.transaction("REPEATABLE READ") as tx:
        _settle(tx)
        connection = driver_connection(tx)
        ((entries, postings, members),) = connection.execute(_COUNTS).fetchall()
        totals = [Totals(program, points, *map(int, sums)) for program, points, *sums in connection.execute(_TOTALS)]
        findings: list[Finding] = []
        truncated = []
        for check in CHECKS:
            found = _run(connection, check, most_findings + 1)
            findings += found[:most_findings]
            if len(found) > most_findings:
                truncated.append(check.kind)
    seconds = f"{time.monotonic() - started:.2f}"
    return Report(entries, postings, members, totals, findings, truncated, seconds)


def _settle(tx: sa.Connection) -> None:
    tx.exec_driver_sql("SET TRANSACTION READ ONLY")
    # Millions of postings take longer than a request may, and sorting them in memory beats sorting them on the disk.
    tx.exec_driver_sql("SET LOCAL statement_timeout = 0")
    tx.exec_driver_sql("SET LOCAL work_mem = '64MB'")


def _run(connection: Any, check: Check, limit: int) -> list[Finding]:
    rows = connection.execute(f"SELECT * FROM ({check.query}) AS f LIMIT {limit}")
    return [Finding(check.kind, check.invariant, *row) for row in rows]
