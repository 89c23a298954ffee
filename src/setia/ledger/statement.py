"""A member's statement: every line that moved points, newest first, with the balance after it."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.engine.state import Balance
from setia.ledger.entries import LotKey

LARGEST_PAGE = 200
_ENTRY = 12
"""How many columns of a row belong to the entry; the rest are one line of it."""

# One statement is one snapshot: balances and lines cannot contradict each other while others book. The balance after a
# line is today's without all that was booked later, so that the first page costs the same however long the history is.
_PAGE = """
WITH page AS (
    SELECT seq, id, kind, event_id, program_id, program_version, occurred_at, booked_at, actor, reason, outcome::text,
           explanation::text
    FROM journal WHERE member_id = %(member)s AND seq < %(before)s ORDER BY seq DESC LIMIT %(limit)s
), moves AS (
    SELECT p.*,
           ledger_change('available', p.source, p.destination, p.amount) AS available,
           ledger_change('pending', p.source, p.destination, p.amount) AS pending,
           ledger_change('held', p.source, p.destination, p.amount) AS held
    FROM posting p WHERE p.member_id = %(member)s AND p.seq >= (SELECT min(seq) FROM page)
), lines AS (
    SELECT m.*,
           (w.available - coalesce(sum(m.available) OVER later, 0))::bigint AS available_after,
           (w.pending - coalesce(sum(m.pending) OVER later, 0))::bigint AS pending_after,
           (w.held - coalesce(sum(m.held) OVER later, 0))::bigint AS held_after, w.floor
    FROM moves m JOIN wallet w ON w.member_id = m.member_id AND w.point_type = m.point_type
    WINDOW later AS (
        PARTITION BY m.point_type ORDER BY m.seq DESC, m.line DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
)
SELECT page.*, l.line, l.point_type, l.source, l.destination, l.amount, l.campaign, l.lot_seq, l.lot_line,
       l.available_at, l.expires_at, l.available_after, l.pending_after, l.held_after, l.floor
FROM page LEFT JOIN lines l ON l.seq = page.seq
ORDER BY page.seq DESC, l.line DESC
"""


class StatementLine(msgspec.Struct, frozen=True):
    """One posting. `balance` is the wallet of its point type right after it, with the floor of today."""

    line: int
    point_type: str
    source: str
    destination: str
    amount: int
    campaign: str | None
    lot: LotKey | None
    available_at: dt.datetime | None
    expires_at: dt.datetime | None
    balance: Balance


class StatementEntry(msgspec.Struct, frozen=True):
    """One journal entry and its lines, newest first. An entry that moved no points has none.

    `outcome` and `explanation` are the JSON documents that were booked with it.
    """

    seq: int
    id: UUID
    kind: str
    event_id: UUID | None
    program_id: int
    program_version: int | None
    occurred_at: dt.datetime
    booked_at: dt.datetime
    actor: str
    reason: str | None
    outcome: str
    explanation: str
    lines: list[StatementLine] = []


class StatementPage(msgspec.Struct, frozen=True):
    """A part of a statement. `before` is what to ask for next; None when this was the end."""

    entries: list[StatementEntry]
    before: int | None


def read_statement(
    connection: psycopg.Connection[Any], member: UUID, *, before: int | None = None, limit: int = 50
) -> StatementPage:
    """The newest `limit` entries of a member with `seq` less than `before`; entries booked meanwhile shift nothing."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"a page has 1 to {LARGEST_PAGE} entries, not {limit}")
    # `before` comes from outside: a number no bigint holds means the same as the largest.
    start = 2**63 - 1 if before is None else min(before, 2**63 - 1)
    entries: list[StatementEntry] = []
    for row in connection.execute(_PAGE, {"member": member, "before": start, "limit": limit}):
        if not entries or entries[-1].seq != row[0]:
            entries.append(StatementEntry(*row[:_ENTRY]))
        if row[_ENTRY] is not None:
            entries[-1].lines.append(_line(*row[_ENTRY:]))
    more = bool(entries) and entries[-1].seq > 1
    return StatementPage(entries, entries[-1].seq if more else None)


def _line(*row: Any) -> StatementLine:
    line, point_type, source, destination, amount, campaign, lot_seq, lot_line, available_at, expires_at, *balance = row
    lot = None if lot_seq is None else LotKey(lot_seq, lot_line)
    return StatementLine(
        line, point_type, source, destination, amount, campaign, lot, available_at, expires_at, Balance(*balance)
    )
