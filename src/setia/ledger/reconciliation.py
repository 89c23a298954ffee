"""The reconciliation: where all points went, by point type, month in which they were earned, and campaign.

issued - cancelled - redeemed - expired + adjusted_in - adjusted_out + transferred = outstanding, which is what the
wallets hold: pending + available + held. One pass over the postings, in the database; only sums come back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec
import psycopg

# A posting belongs to the month and the campaign of its lot. Points in no lot (of a type that never ends, or a debt)
# belong to the month of their entry and to its campaign. What came after the moment asked for is summed beside it: the
# wallets of today less that are the wallets of then.
_GROUPS = """
WITH moved AS (
    SELECT p.point_type, p.amount, p.source, p.destination,
           %(at)s::timestamptz IS NULL OR j.booked_at <= %(at)s::timestamptz AS counts,
           to_char(coalesce(g.earned_at, j.booked_at) AT TIME ZONE %(zone)s, 'YYYY-MM') AS month,
           coalesce(CASE WHEN g.member_id IS NULL THEN p.campaign ELSE g.campaign END, '') AS campaign
    FROM posting p
    JOIN journal j ON j.member_id = p.member_id AND j.seq = p.seq
    LEFT JOIN posting g ON g.member_id = p.member_id AND g.seq = p.lot_seq AND g.line = p.lot_line
    WHERE p.program_id = %(program)s
)
SELECT m.point_type, m.month, m.campaign, m.counts,
       coalesce(sum(m.amount) FILTER (WHERE m.source = 'issued'), 0)::bigint,
       coalesce(sum(m.amount) FILTER (WHERE m.destination = 'issued'), 0)::bigint,
       sum(ledger_change('redeemed', m.source, m.destination, m.amount))::bigint,
       sum(ledger_change('expired', m.source, m.destination, m.amount))::bigint,
       coalesce(sum(m.amount) FILTER (WHERE m.source = 'adjusted'), 0)::bigint,
       coalesce(sum(m.amount) FILTER (WHERE m.destination = 'adjusted'), 0)::bigint,
       -sum(ledger_change('transferred', m.source, m.destination, m.amount))::bigint,
       sum(ledger_change('pending', m.source, m.destination, m.amount))::bigint,
       sum(ledger_change('available', m.source, m.destination, m.amount))::bigint,
       sum(ledger_change('held', m.source, m.destination, m.amount))::bigint
FROM moved m GROUP BY m.point_type, m.month, m.campaign, m.counts
ORDER BY m.point_type, m.month, m.campaign
"""
_WALLETS = """
SELECT point_type, sum(available + pending + held)::bigint FROM wallet WHERE program_id = %s GROUP BY point_type
"""


class Figures(msgspec.Struct, frozen=True):
    """Sums of points in the smallest unit of their type; `transferred` is what came in less what went out."""

    issued: int = 0
    cancelled: int = 0
    redeemed: int = 0
    expired: int = 0
    adjusted_in: int = 0
    adjusted_out: int = 0
    transferred: int = 0
    pending: int = 0
    available: int = 0
    held: int = 0

    @property
    def outstanding(self) -> int:
        """What members hold."""
        return self.pending + self.available + self.held

    @property
    def explained(self) -> int:
        """What members should hold, after what came in and went out."""
        left = self.issued - self.cancelled - self.redeemed - self.expired
        return left + self.adjusted_in - self.adjusted_out + self.transferred


class Group(msgspec.Struct, frozen=True):
    """The points of one type that one campaign gave in one local month (`YYYY-MM`). `campaign` is empty for none."""

    point_type: str
    month: str
    campaign: str
    figures: Figures


class PointTotal(msgspec.Struct, frozen=True):
    """All points of one type, what the wallets hold of them, and by how much the two differ: 0 when all is well."""

    point_type: str
    figures: Figures
    wallets: int

    @property
    def difference(self) -> int:
        """The wallets less what the postings explain."""
        return self.wallets - self.figures.explained


class Reconciliation(msgspec.Struct, frozen=True):
    """Groups by point type, month and campaign, and the totals of the point types, both in that order."""

    groups: list[Group]
    totals: list[PointTotal]

    @property
    def agrees(self) -> bool:
        """Whether the postings explain every wallet to the point."""
        return all(total.difference == 0 for total in self.totals)


def reconcile(
    connection: psycopg.Connection[Any], program_id: int, zone: str, at: dt.datetime | None = None
) -> Reconciliation:
    """Reconcile a program as it is, or as of a moment, entries booked at that very moment included.

    `zone` names the time zone whose months count. The caller's transaction must see one moment (`REPEATABLE READ`), or
    events that are booked meanwhile look like a difference.
    """
    wallets = {name: int(held) for name, held in connection.execute(_WALLETS, (program_id,))}
    groups: list[Group] = []
    with connection.cursor(name="reconciliation") as cursor:
        cursor.execute(_GROUPS, {"program": program_id, "zone": zone, "at": at})
        for point_type, month, campaign, counts, *sums in cursor:
            figures = Figures(*sums)
            wallets.setdefault(point_type, 0)
            if counts:
                groups.append(Group(point_type, month, campaign, figures))
            else:
                wallets[point_type] -= figures.outstanding
    totals = [
        PointTotal(name, total(group.figures for group in groups if group.point_type == name), held)
        for name, held in sorted(wallets.items())
    ]
    return Reconciliation(groups, totals)


def total(figures: Iterable[Figures]) -> Figures:
    """The sum of figures."""
    sums = [0] * len(Figures.__struct_fields__)
    for one in figures:
        sums = [before + more for before, more in zip(sums, msgspec.structs.astuple(one), strict=True)]
    return Figures(*sums)
