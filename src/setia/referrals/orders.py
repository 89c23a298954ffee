"""What a friend has bought, by the journal: each order with what has not come back of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg

from setia.db.ids import format_id
from setia.referrals.progress import FriendOrder

MOST = 500
"""Orders that are looked at, where any of them may be the one that counts."""
_ORDERS = """
SELECT e.id, e.external_id, e.occurred_at, coalesce((j.outcome::jsonb #>> '{counted,spend}')::bigint, 0)
FROM journal j JOIN event e ON e.id = j.id
WHERE j.member_id = ANY (%b) AND j.kind = 'event' AND e.type = 'purchase'
  AND (%b::timestamptz IS NULL OR e.occurred_at <= %b::timestamptz)
ORDER BY j.booked_at, j.seq LIMIT %b
"""
# A return that was cancelled has counted back what it took.
_RETURNED = """
SELECT j.outcome::jsonb #>> '{undoes,event}',
       sum(coalesce((j.outcome::jsonb #>> '{counted,spend}')::bigint, 0))::bigint,
       sum(coalesce((j.outcome::jsonb #>> '{counted,orders}')::bigint, 0))::bigint
FROM journal j JOIN event e ON e.id = j.id
WHERE j.member_id = ANY (%b) AND j.kind = 'event' AND e.type IN ('return', 'cancel') GROUP BY 1
"""


def orders_of(
    connection: psycopg.Connection[Any], family: Sequence[UUID], until: dt.datetime | None, most: int
) -> list[FriendOrder]:
    """The first orders of a friend that occurred until then, at most so many, in the order in which they were booked.

    `family` is the friend with all who were merged into the friend, or who the friend is a part of.
    """
    found = connection.execute(_ORDERS, (list(family), until, until, most), binary=True).fetchall()
    if not found:
        return []
    back = {event: (spend, orders) for event, spend, orders in connection.execute(_RETURNED, (list(family),))}
    orders = []
    for identifier, external_id, occurred_at, spend in found:
        less, gone = back.get(format_id("evt", identifier), (0, 0))
        orders.append(FriendOrder(identifier, external_id, occurred_at, spend, spend + less, gone >= 0))
    return orders
