"""Inviting a friend by an address, of which only a keyed hash is kept."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from setia.db.ids import new_id
from setia.events.live import LiveProgram
from setia.events.own_events import OwnEvents
from setia.members.identifiers import MemberReference
from setia.members.merges import family_of, main_of
from setia.members.resolve import resolve
from setia.members.service import NoSuchMember
from setia.program.events import INVITED
from setia.referrals.fingerprints import Fingerprints, load
from setia.referrals.problems import CannotRefer
from setia.referrals.referral import REASONS, Reason, Row, insert, invitation
from setia.referrals.steps import Sides, Step, take_step


class Invitation(NamedTuple):
    """Who invites whom: the friend's address by its kind, in the one form of identifiers."""

    referrer: UUID
    referral: str
    kind: str
    value: str


def invite(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    fingerprints: Fingerprints,
    asked: Invitation,
    now: dt.datetime,
) -> tuple[Row, bool]:
    """Keep an invitation, in the caller's transaction; the same one again gives the first: (referral, whether again).

    Who is a member already, or the referrer in person, is kept as `blocked`: nothing comes of it, and whoever invites
    is not told, because that would say who is a member.

    Raises:
        NoSuchMember: the program has no such referrer.
        CannotRefer: the referrer is not active.
    """
    own = OwnEvents(connection, live, now)
    asked = asked._replace(referrer=main_of(connection, [asked.referrer]).get(asked.referrer, asked.referrer))
    member = own.lock([asked.referrer]).get(asked.referrer)
    if member is None:
        raise NoSuchMember
    if member.state.status != "active":
        raise CannotRefer(f"The member is {member.state.status}; active members refer friends.")
    contact = fingerprints.hash_of(live.program_id, asked.kind, asked.value)
    family = family_of(connection, asked.referrer)
    known = invitation(connection, live.program_id, family, asked.referral, contact)
    if known is not None:
        own.write()
        return known, True
    reason = _blocked(connection, live, fingerprints, asked, contact)
    row = Row(
        id=new_id(),
        program_id=live.program_id,
        referral=asked.referral,
        referrer_id=asked.referrer,
        state="invited" if reason is None else "blocked",
        reason=reason,
        created_at=own.now,
        ended_at=None if reason is None else own.now,
        contact=contact,
    )
    insert(connection, row)
    if reason is None:
        take_step(connection, live, own, row, Sides(asked.referrer, None), member, Step(INVITED, own.now))
    own.write()
    return row, False


def _blocked(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    fingerprints: Fingerprints,
    asked: Invitation,
    contact: bytes,
) -> Reason | None:
    fingerprints.store_identifiers(connection, live.program_id, [asked.referrer])
    if (asked.kind, contact) in load(connection, [asked.referrer])[asked.referrer]:
        return next(reason for reason in REASONS if reason == f"same_{asked.kind}")
    reference = MemberReference(None, ((asked.kind, asked.value),))
    return None if resolve(connection, live.program_id, [reference])[reference] is None else "already_member"
