"""The events that a referral makes for its members, and how often a member has won."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import psycopg

from setia.db.ids import format_id
from setia.engine.facts import decimal_of
from setia.engine.reward_periods import period_bounds
from setia.events.booked import Booked
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.events.own_events import OwnEvents
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.merges import family_of
from setia.program.events import WON
from setia.program.referrals import Referral
from setia.referrals.progress import FriendOrder
from setia.referrals.referral import Row

_INSERT = """
INSERT INTO referral_step (referral_id, type, level, member_id, event_id, occurred_at, points)
VALUES (%b, %b, %b, %b, %b, %b, %b::json)
"""
_WINS = """
SELECT count(*) FROM referral_step s
WHERE s.member_id = ANY (%b) AND s.type = %b AND (%b::timestamptz IS NULL OR s.occurred_at >= %b::timestamptz)
  AND (%b::timestamptz IS NULL OR s.occurred_at < %b::timestamptz)
  AND (%b::text IS NULL OR EXISTS (SELECT FROM referral r WHERE r.id = s.referral_id AND r.referral = %b::text))
"""


class Sides(NamedTuple):
    """Who refers and who was referred, as they stand now; an invited friend is nobody yet."""

    referrer: UUID
    friend: UUID | None


class Step(msgspec.Struct, frozen=True):
    """What happens to one member of a referral. `level` is 1 but for those further up than the referrer."""

    type: str
    occurred_at: dt.datetime
    level: int = 1
    order: FriendOrder | None = None


def take_step(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    own: OwnEvents,
    row: Row,
    sides: Sides,
    member: InPlay,
    step: Step,
) -> Booked:
    """Book the event of a step for a locked member, once for ever, and keep what it gave."""
    booked = own.book(
        member,
        step.type,
        f"referral:{row.id.hex}:{step.type}:{step.level}",
        step.occurred_at,
        _data(connection, live, row, sides, member, step),
    )
    points: dict[str, int] = {}
    for effect in booked.outcome.points:
        points[effect.points] = points.get(effect.points, 0) + effect.amount
    given = json.dumps({name: amount for name, amount in points.items() if amount})
    values = (row.id, step.type, step.level, member.id, booked.id, step.occurred_at, given)
    connection.execute(_INSERT, values)
    return booked


def _data(
    connection: psycopg.Connection[Any], live: LiveProgram, row: Row, sides: Sides, member: InPlay, step: Step
) -> Mapping[str, Any]:
    digits, order = live.compiled.currency_digits, step.order
    return {
        "referral": row.referral,
        "level": step.level,
        "friend": "" if sides.friend is None else format_id(MEMBER_PREFIX, sides.friend),
        "referrer": format_id(MEMBER_PREFIX, sides.referrer),
        "wins": wins_of(connection, member.id, None, None),
        "order": "" if order is None else order.external_id,
        "amount": Decimal(0) if order is None else decimal_of(order.left, digits),
    }


def is_capped(
    connection: psycopg.Connection[Any],
    referral: str,
    terms: Referral,
    member: UUID,
    moment: dt.datetime,
    zone: ZoneInfo,
) -> bool:
    """Whether a locked member has won by this kind as often as its caps allow in the periods of a moment."""
    return any(
        wins_of(connection, member, *period_bounds(cap.every, moment, zone), referral) >= cap.uses
        for cap in terms.caps.of_referrer
    )


def wins_of(
    connection: psycopg.Connection[Any],
    member: UUID,
    since: dt.datetime | None,
    until: dt.datetime | None,
    referral: str | None = None,
) -> int:
    """How often a member, with all who were merged into it, has won by then, `until` exclusive; by one kind, or all."""
    family = family_of(connection, member)
    values = (family, WON, since, since, until, until, referral, referral)
    [(wins,)] = connection.execute(_WINS, values).fetchall()
    found: int = wins
    return found
