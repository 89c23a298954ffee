"""Newcomers: members made by enrolment or by their first event, and events that were kept until they came."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.db.ids import format_id, new_id
from setia.engine.occurrences import Occurrence
from setia.events.arrivals import OWN_SOURCE, Arrival
from setia.events.booked import Booked, kept_events
from setia.ledger.states import open_members
from setia.members.enrolment import IdentifierTaken, create_members
from setia.members.member import NewMember

# Keeping an event and enrolling its member exclude each other by these locks: otherwise an event could be kept a moment
# after the enrolment has looked for it, and nobody would ever come back to it.
_LOCK = """
SELECT pg_advisory_xact_lock(k) FROM (
    SELECT DISTINCT hashtextextended(%b::text || '/' || kind || '/' || value, 0) AS k
    FROM unnest(%b::text[], %b::text[]) AS i (kind, value) ORDER BY k
) k
"""
_TAKE = """
DELETE FROM kept_event WHERE program_id = %b AND event_id IN (
    SELECT k.event_id FROM kept_event k JOIN unnest(%b::text[], %b::text[]) AS i (kind, value)
    ON k.program_id = %b AND k.kind = i.kind AND k.value = i.value
)
RETURNING kind, value, event_id
"""


class Newcomer(msgspec.Struct):
    """A member that was just made, the event of its enrolment, and the events kept for it, in the order they came."""

    member_id: UUID
    enrolment: Arrival
    kept: list[tuple[Booked, Occurrence]]


def welcome(
    connection: psycopg.Connection[Any], program_id: int, new: Sequence[NewMember], now: dt.datetime
) -> list[Newcomer | IdentifierTaken]:
    """Make members with their ledger rows, in the caller's transaction; for each, in order, who it is or why not."""
    created = create_members(connection, program_id, new, now)
    there = [member for member in created if not isinstance(member, IdentifierTaken)]
    open_members(connection, [(member.id, program_id, now) for member in there])
    owners = {
        (kind, value): member.id for member in there for kind, values in member.identifiers.items() for value in values
    }
    kept = _take_kept(connection, program_id, owners)
    return [
        member
        if isinstance(member, IdentifierTaken)
        else Newcomer(member.id, _enrolment(member.id, member.enrolled_at, now), kept.get(member.id, []))
        for member in created
    ]


def lock_identifiers(
    connection: psycopg.Connection[Any], program_id: int, identifiers: Iterable[tuple[str, str]]
) -> None:
    """Until the end of the transaction, nobody else enrols with these identifiers or keeps events for them."""
    pairs = sorted(set(identifiers))
    if pairs:
        kinds, values = [kind for kind, _ in pairs], [value for _, value in pairs]
        connection.execute(_LOCK, (str(program_id), kinds, values))


def _take_kept(
    connection: psycopg.Connection[Any], program_id: int, owners: dict[tuple[str, str], UUID]
) -> dict[UUID, list[tuple[Booked, Occurrence]]]:
    if not owners:
        return {}
    lock_identifiers(connection, program_id, owners)
    kinds, values = [kind for kind, _ in owners], [value for _, value in owners]
    rows = connection.execute(_TAKE, (program_id, kinds, values, program_id)).fetchall()
    owner_of: dict[UUID, UUID] = {}
    for kind, value, event_id in rows:
        owner = owners.get((kind, value))
        if owner is not None:
            owner_of.setdefault(event_id, owner)
    taken: dict[UUID, list[tuple[Booked, Occurrence]]] = {}
    for booked, body in kept_events(connection, program_id, sorted(owner_of)):
        taken.setdefault(owner_of[booked.id], []).append((booked, body))
    return taken


def _enrolment(member_id: UUID, enrolled_at: dt.datetime, now: dt.datetime) -> Arrival:
    identifier = new_id()
    event = Occurrence(
        id=format_id("evt", identifier),
        type="member_enrolled",
        source=OWN_SOURCE,
        external_id=f"enrolment-{member_id.hex}",
        occurred_at=enrolled_at,
    )
    digest = hashlib.blake2b(member_id.bytes, digest_size=16).digest()
    return Arrival.of(identifier, event, None, digest, now)
