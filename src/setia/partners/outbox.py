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

IN_FLIGHT = dt.timedelta(minutes=1)
"""How long after it was begun a try may still be answered: longer than all times of a try together."""

_COLUMNS = (
    "id, redemption_id, created_at, due_at, begun_at, ended_at, program_id, tries, signed_by, state, reward, partner, "
    "url, body, why, sealed"
)
_INSERT = """
INSERT INTO partner_delivery (id, redemption_id, created_at, due_at, program_id, signed_by, reward, partner, url, body)
VALUES (%s, %s, now(), now(), %s, %s, %s, %s, %s, %s)
"""
# What is claimed is due again after its pause: that is how long another worker leaves it alone. Who dies between
# sending and writing down what came of it sends it again then, under the same id. A pause is up to a tenth shorter than
# it is said to be: those that failed together do not all come again in one moment.
# The addresses take turns: one of which thousands wait, and that answers nobody, does not stand before all others.
# They are found by their index, one step for each.
_CLAIM = f"""
WITH RECURSIVE urls AS (
    (SELECT url FROM partner_delivery WHERE state = 'waiting' ORDER BY url LIMIT 1)
    UNION ALL
    SELECT (SELECT d.url FROM partner_delivery d WHERE d.state = 'waiting' AND d.url > u.url ORDER BY d.url LIMIT 1)
    FROM urls u WHERE u.url IS NOT NULL
)
UPDATE partner_delivery
SET tries = tries + 1, begun_at = %s, due_at = %s + (%s::interval[])[least(tries + 1, %s)] * (1 - random() / 10)
WHERE id IN (
    SELECT id FROM (
        SELECT d.id, d.due_at, row_number() OVER (PARTITION BY d.url ORDER BY d.due_at) AS turn
        FROM urls u CROSS JOIN LATERAL (
            SELECT id, url, due_at FROM partner_delivery
            WHERE state = 'waiting' AND url = u.url AND due_at <= %s ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
        ) d WHERE NOT u.url = ANY (%s)
    ) f ORDER BY turn, due_at LIMIT %s
)
RETURNING {_COLUMNS}
"""
# A wait that was wished is a least one, and those who wished the same come back a little apart.
_PUT_OFF = """
UPDATE partner_delivery
SET why = %(why)s, begun_at = NULL,
    due_at = greatest(due_at, %(least)s::timestamptz + (%(least)s::timestamptz - %(now)s) * (random() / 10))
WHERE id = %(id)s AND state = 'waiting' AND tries = %(tries)s
"""
_END = """
UPDATE partner_delivery SET state = %s, due_at = NULL, begun_at = NULL, ended_at = %s, why = %s, sealed = %s
WHERE id = %s AND state = 'waiting'
"""
_LIST = f"""
SELECT {_COLUMNS} FROM partner_delivery WHERE program_id = %s AND state = %s AND id < %s ORDER BY id DESC LIMIT %s
"""


class Delivery(NamedTuple):
    """One delivery. `tries` are those that have begun; `why` is what the last one came to, unless it delivered.

    `begun_at`: since when a try is under way whose end is not written down.
    """

    id: UUID
    redemption_id: UUID
    created_at: dt.datetime
    due_at: dt.datetime | None
    begun_at: dt.datetime | None
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

    def in_flight(self, now: dt.datetime) -> bool:
        """Whether its partner may be answering at this moment. Who died with a try is not waited for."""
        return self.begun_at is not None and now - self.begun_at < IN_FLIGHT


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
    connection: psycopg.Connection[Any],
    now: dt.datetime,
    most: int,
    leave_out: Collection[str] = (),
    most_of_one: int | None = None,
) -> list[Delivery]:
    """Take some that are due for a try, but none to the addresses in `leave_out`; others pass over them meanwhile.

    `most_of_one`: how many of one address at most; None: as many as of all.
    """
    values = (now, now, list(PAUSES), len(PAUSES), now, most_of_one or most, list(leave_out), most)
    return [Delivery(*row) for row in connection.execute(_CLAIM, values)]


def of_redemption(connection: psycopg.Connection[Any], redemption_id: UUID, *, locked: bool = False) -> Delivery | None:
    """The delivery of a redemption, if its reward has one; locked, nobody claims or ends it meanwhile."""
    query = f"SELECT {_COLUMNS} FROM partner_delivery WHERE redemption_id = %s{' FOR UPDATE' if locked else ''}"
    row = connection.execute(query, (redemption_id,)).fetchone()
    return None if row is None else Delivery(*row)


def page(
    connection: psycopg.Connection[Any], program_id: int, state: DeliveryState, *, before: UUID | None, most: int
) -> list[Delivery]:
    """The deliveries of a program in one state, the newest first."""
    values = (program_id, state, before or UUID(int=2**128 - 1), most)
    return [Delivery(*row) for row in connection.execute(_LIST, values)]


def put_off(
    connection: psycopg.Connection[Any],
    delivery: Delivery,
    why: str,
    now: dt.datetime,
    not_before: dt.datetime | None = None,
) -> None:
    """Write down why a try failed; the next one is planned already, and comes no earlier than the partner wants.

    Nothing where another try has begun since.
    """
    values = {"why": why, "now": now, "least": not_before, "id": delivery.id, "tries": delivery.tries}
    connection.execute(_PUT_OFF, values)


def bring_forward(connection: psycopg.Connection[Any], delivery: Delivery, now: dt.datetime) -> None:
    """Let the next try of a locked one that waits be due at once."""
    connection.execute("UPDATE partner_delivery SET due_at = least(due_at, %s) WHERE id = %s", (now, delivery.id))


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
