"""Balances and open lots: now, and balances as of any past moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from setia.db.columns import uuids
from setia.db.exchange import Exchange
from setia.engine.state import Balance
from setia.ledger.lots import Lot

WALLETS = """
SELECT member_id, point_type, available, pending, held, floor FROM wallet WHERE member_id = ANY ($1::uuid[])
"""
_LOTS = """
SELECT seq, line, remaining, pending, earned_at, expires_at
FROM lot WHERE member_id = %b AND point_type = %b AND is_open
"""
LOTS = """
SELECT member_id, point_type, seq, line, remaining, pending, earned_at, expires_at
FROM lot WHERE member_id = ANY ($1::uuid[]) AND is_open
"""
# Ordered by us: for an order of its own the planner reads all lots that a member ever had, by their key.
_ALL_LOTS = """
SELECT member_id, point_type, campaign, available_at, seq, line, remaining, pending, earned_at, expires_at
FROM lot WHERE member_id = ANY ($1::uuid[]) AND is_open
"""
_AS_OF = """
SELECT w.point_type, coalesce(b.available, 0)::bigint, coalesce(b.pending, 0)::bigint, coalesce(b.held, 0)::bigint,
       w.floor
FROM (
    SELECT DISTINCT ON (o.key) o.key AS point_type, (o.value #>> '{}')::bigint AS floor
    FROM journal j CROSS JOIN LATERAL json_each(j.opens) o
    WHERE j.member_id = %(member)s AND j.seq <= %(seq)s ORDER BY o.key, j.seq DESC
) w
LEFT JOIN (
    SELECT p.point_type,
           sum(ledger_change('available', p.source, p.destination, p.amount)) AS available,
           sum(ledger_change('pending', p.source, p.destination, p.amount)) AS pending,
           sum(ledger_change('held', p.source, p.destination, p.amount)) AS held
    FROM posting p WHERE p.member_id = %(member)s AND p.seq <= %(seq)s GROUP BY p.point_type
) b USING (point_type)
"""


def load_balances(connection: psycopg.Connection[Any], members: Collection[UUID]) -> dict[UUID, dict[str, Balance]]:
    """The wallets of many members: member -> point type -> balance. A member without wallets has an empty dict."""
    balances: dict[UUID, dict[str, Balance]] = {member: {} for member in members}
    exchange = Exchange(connection)
    wallets = exchange.ask(WALLETS, uuids(list(balances)))
    exchange.send()
    for member, point_type, *figures in wallets.rows:
        balances[member][point_type] = Balance(*figures)
    return balances


def open_lots(connection: psycopg.Connection[Any], member: UUID, point_type: str) -> list[Lot]:
    """The lots of one wallet that have something left, in no particular order."""
    rows = connection.execute(_LOTS, (member, point_type), binary=True)
    return [Lot(*row) for row in rows]


class OpenLot(NamedTuple):
    """An open lot with what it is of. A pending one becomes available at `available_at`."""

    point_type: str
    campaign: str | None
    available_at: dt.datetime | None
    lot: Lot


def all_open_lots(connection: psycopg.Connection[Any], members: Collection[UUID]) -> dict[UUID, list[OpenLot]]:
    """All lots of members that have something left, each member's in the order in which they were opened."""
    exchange = Exchange(connection)
    read = ask_open_lots(exchange, members)
    exchange.send()
    return read()


def ask_open_lots(exchange: Exchange, members: Collection[UUID]) -> Callable[[], dict[UUID, list[OpenLot]]]:
    """Ask now and read what `all_open_lots` gives when the exchange is over, which carries the question with others."""
    lots: dict[UUID, list[OpenLot]] = {member: [] for member in members}
    found = exchange.ask(_ALL_LOTS, uuids(list(lots)))

    def read() -> dict[UUID, list[OpenLot]]:
        for member, points, campaign, at, seq, line, remaining, pending, earned_at, expires_at in found.rows:
            lot = Lot(seq, line, remaining, pending, earned_at, expires_at)
            lots[member].append(OpenLot(points, campaign, at, lot))
        for own in lots.values():
            if len(own) > 1:
                own.sort(key=_place)
        return lots

    return read


def _place(one: OpenLot) -> tuple[int, int]:
    return one.lot.seq, one.lot.line


def wallets_as_of(connection: psycopg.Connection[Any], member: UUID, moment: dt.datetime) -> dict[str, Balance]:
    """The member's wallets as they were at a moment, entries booked at that very moment included."""
    # Entries are numbered in the order of their booking times, so that a moment stands for a number.
    (head,) = connection.execute(
        "SELECT coalesce(max(seq), 0) FROM journal WHERE member_id = %s AND booked_at <= %s", (member, moment)
    ).fetchall()
    return wallets_after(connection, member, head[0])


def wallets_after(connection: psycopg.Connection[Any], member: UUID, seq: int) -> dict[str, Balance]:
    """The member's wallets right after an entry; counted from the postings, never from today's balances."""
    rows = connection.execute(_AS_OF, {"member": member, "seq": seq})
    return {point_type: Balance(*figures) for point_type, *figures in rows}
