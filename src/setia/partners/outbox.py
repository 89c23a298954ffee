"""Deliveries as they are kept: asked for with a redemption, claimed for a try, ended once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

import psycopg

from setia.db.ids import new_id

MESSAGE_PREFIX = "msg"
DeliveryState: TypeAlias = Literal["waiting", "delivered", "refused", "failed", "withdrawn"]
PAUSES = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 60, 120, 240))
"""After each try that failed; after the one that follows the last of them it has failed."""
MOST_TRIES = len(PAUSES) + 1

_COLUMNS = (
    "id, redemption_id, created_at, due_at, ended_at, program_id, tries, signed_by, state, reward, partner, url, body, "
    "why, sealed"
)
_INSERT = """
INSERT INTO partner_delivery (id, redemption_id, created_at, due_at, program_id, signed_by, reward, partner, url, body)
VALUES (%s, %s, now(), now(), %s, %s, %s, %s, %s, %s)
"""
# What is claimed is due again after its pause: that is how long another worker leaves it alone. Who dies between
# sending and writing down what came of it sends it again then, under the same id.
_CLAIM = f"""
UPDATE partner_delivery SET tries = tries + 1, due_at = %s + (%s::interval[])[least(tries + 1, %s)]
WHERE id IN (
    SELECT id FROM partner_delivery
    WHERE state = 'waiting' AND due_at <= %s AND NOT url = ANY (%s)
    ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
)
RETURNING {_COLUMNS}
"""
_END = """
UPDATE partner_delivery SET state = %s, due_at = NULL, ended_at = %s, why = %s, sealed = %s
WHERE id = %s AND state = 'waiting'
"""


class Delivery(NamedTuple):
    """One delivery. `tries` are those that have begun; `why` is what the last one came to, unless it delivered."""

    id: UUID
    redemption_id: UUID
    created_at: dt.datetime
    due_at: dt.datetime | None
    ended_at: dt.datetime | None
    program_id: int
    tries: int
    signed_by: int
    state: DeliveryState
    reward: str
    partner: str
    url: str
    body: str
    why: str | None
    sealed: bytes | None


class Message(NamedTuple):
    """What is to be sent about a redemption, to whom, and by which number of its keys it is signed."""

    redemption_id: UUID
    program_id: int
    signed_by: int
    reward: str
    partner: str
    url: str
    body: str


def put(connection: psycopg.Connection[Any], message: Message) -> None:
    """Ask for a delivery, in the transaction that confirms the redemption."""
    connection.execute(_INSERT, (new_id(), *message))


def claim(
    connection: psycopg.Connection[Any], now: dt.datetime, most: int, leave_out: Collection[str]
) -> list[Delivery]:
    """Take some that are due for a try, but none to the addresses in `leave_out`; others pass over them meanwhile."""
    values = (now, list(PAUSES), len(PAUSES), now, list(leave_out), most)
    return [Delivery(*row) for row in connection.execute(_CLAIM, values)]


def of_redemption(connection: psycopg.Connection[Any], redemption_id: UUID, *, locked: bool = False) -> Delivery | None:
    """The delivery of a redemption, if its reward has one; locked, nobody claims or ends it meanwhile."""
    query = f"SELECT {_COLUMNS} FROM partner_delivery WHERE redemption_id = %s{' FOR UPDATE' if locked else ''}"
    row = connection.execute(query, (redemption_id,)).fetchone()
    return None if row is None else Delivery(*row)


def put_off(connection: psycopg.Connection[Any], delivery: Delivery, why: str) -> None:
    """Write down why a try failed; the next one is planned already."""
    query = "UPDATE partner_delivery SET why = %s WHERE id = %s AND state = 'waiting'"
    connection.execute(query, (why, delivery.id))


def end(
    connection: psycopg.Connection[Any],
    delivery: Delivery,
    state: DeliveryState,
    now: dt.datetime,
    *,
    why: str | None = None,
    sealed: bytes | None = None,
) -> None:
    """End one that waits."""
    connection.execute(_END, (state, now, why, sealed, delivery.id))
