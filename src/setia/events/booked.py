"""What became of an event: stored, and enough to answer it the same way again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import msgspec
import psycopg

from setia.db.columns import texts
from setia.db.exchange import Exchange
from setia.engine.decision import Explanation, Outcome, explanation_of, outcome_of
from setia.engine.occurrences import Occurrence

Status = Literal["decided", "kept", "guest"]


class Booked(msgspec.Struct):
    """An event with its decision. `version`, `outcome` and `explanation` are missing where nobody was known."""

    id: UUID
    program_id: int
    member_id: UUID | None
    status: Status
    type: str
    source: str
    external_id: str
    digest: bytes
    occurred_at: dt.datetime
    received_at: dt.datetime
    version: int | None = None
    outcome: Outcome = msgspec.field(default_factory=Outcome)
    explanation: Explanation = msgspec.field(default_factory=Explanation)
    event: Occurrence | None = None
    replayed: bool = False


_COLUMNS = """
SELECT e.id, e.program_id, coalesce(e.member_id, j.member_id), e.status, e.type, e.source, e.external_id, e.digest,
       e.occurred_at, e.received_at, j.program_version, j.outcome::text, j.explanation::text
"""
# A scalar probe for each id: a join would leave the planner free to read the whole table.
_BY_EXTERNAL = (
    _COLUMNS
    + """
FROM unnest($1::text[], $2::text[]) AS w (source, external_id)
CROSS JOIN LATERAL (
    SELECT * FROM event e WHERE e.program_id = $3::int AND e.source = w.source AND e.external_id = w.external_id LIMIT 1
) e
LEFT JOIN LATERAL (SELECT * FROM journal j WHERE j.id = e.id LIMIT 1) j ON true
"""
)
_BY_ID = (
    _COLUMNS
    + """, e.body::text
FROM event e LEFT JOIN journal j ON j.id = e.id WHERE e.program_id = %b AND e.id = %b
"""
)
_KEPT = """
SELECT e.id, e.program_id, e.member_id, e.status, e.type, e.source, e.external_id, e.digest, e.occurred_at,
       e.received_at, e.body::text
FROM event e WHERE e.program_id = %b AND e.id = ANY (%b) ORDER BY e.received_at, e.id
"""
# Numbers in `data` as exact as they came: an event that was kept is decided on what was sent.
_decode_body = msgspec.json.Decoder(Occurrence, float_hook=Decimal).decode


def known_events(
    connection: psycopg.Connection[Any], program_id: int, keys: list[tuple[str, str]]
) -> dict[tuple[str, str], Booked]:
    """The events that are stored under these (source, external id)."""
    exchange = Exchange(connection)
    read = ask_known(exchange, program_id, keys)
    exchange.send()
    return read()


def ask_known(
    exchange: Exchange, program_id: int, keys: list[tuple[str, str]]
) -> Callable[[], dict[tuple[str, str], Booked]]:
    """Ask now and read what `known_events` gives when the exchange is over, which carries the question with others."""
    reply = exchange.ask(
        _BY_EXTERNAL, texts([key[0] for key in keys]), texts([key[1] for key in keys]), str(program_id)
    )
    return lambda: {(event.source, event.external_id): event for event in map(_booked, reply.rows)}


def stored_event(connection: psycopg.Connection[Any], program_id: int, event_id: UUID) -> Booked | None:
    """One event with its decision and its body; None where the program has none of this id."""
    row = connection.execute(_BY_ID, (program_id, event_id), binary=True).fetchone()
    if row is None:
        return None
    booked = _booked(row[:-1])
    booked.event = _decode_body(row[-1])
    return booked


def kept_events(
    connection: psycopg.Connection[Any], program_id: int, ids: list[UUID]
) -> list[tuple[Booked, Occurrence]]:
    """Events without a decision yet, with their bodies, in the order in which they came."""
    rows = connection.execute(_KEPT, (program_id, ids), binary=True)
    return [(Booked(*row[:-1]), _decode_body(row[-1])) for row in rows]


def _booked(row: tuple[Any, ...]) -> Booked:
    *event, version, outcome, explanation = row
    booked = Booked(*event)
    if version is not None:
        booked.status = "decided"  # one that was kept has been applied since
        booked.version = version
        booked.outcome = outcome_of(outcome)
        booked.explanation = explanation_of(explanation)
    return booked
