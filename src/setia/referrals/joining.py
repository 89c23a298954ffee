"""A friend enrols: by a member's code, or by the address that a member has invited."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import sqlalchemy as sa

from setia.db.engine import driver_connection
from setia.db.ids import new_id
from setia.events.live import LiveProgram, LivePrograms
from setia.members.enrolment import UnknownReferralCode
from setia.members.member import NewMember
from setia.members.merges import main_of
from setia.members.service import load_facts
from setia.problems import ErrorItem
from setia.referrals.codes import Owner, owner_of
from setia.referrals.fingerprints import Fingerprints
from setia.referrals.referral import Reason, Row, insert, open_invitations, update

CONTACTS = ("email", "phone")
"""The identifiers by which friends can be invited."""


class Joining:
    """The introduction of one new member; see `setia.members.enrolment.Introduction`."""

    def __init__(
        self,
        programs: LivePrograms,
        fingerprints: Callable[[], Fingerprints],
        program_id: int,
        member: NewMember,
        code: str | None,
        given: Mapping[str, Sequence[str]],
        go_on: Callable[[UUID], None],
    ) -> None:
        """`fingerprints` are asked for where the program has referrals: others need no secret."""
        self._programs = programs
        self._fingerprints = fingerprints
        self._program_id = program_id
        self._member = member
        self._code = code
        self._given = given
        self._go_on = go_on
        self._joined: UUID | None = None

    def within(self, tx: sa.Connection, member_id: UUID) -> None:
        """Keep what tells the friend from others, and who has referred it.

        Raises:
            UnknownReferralCode: nobody can be referred by the code.
        """
        connection = driver_connection(tx)
        live = self._programs.live(connection, self._program_id)
        self._joined = None
        if not live.compiled.definition.referrals:
            if self._code is not None:
                raise _unknown()
            return
        fingerprints = self._fingerprints()
        region = live.compiled.definition.members.phone_region
        fingerprints.store(connection, self._program_id, member_id, self._given, region)
        contacts = [
            fingerprints.hash_of(self._program_id, kind, value)
            for kind, value in self._member.identifiers
            if kind in CONTACTS
        ]
        invited = open_invitations(connection, self._program_id, contacts) if contacts else []
        now = live.now(dt.datetime.now(dt.UTC))
        found = self._by_code(connection, live, invited, now) if self._code else _by_address(connection, live, invited)
        for row in invited:
            if found is None or row.id != found.id:
                _lose(connection, row, "already_member" if found is None else "other_referrer", now)
        if found is not None:
            # Of who stands for the referrer too: a merge takes identifiers along.
            mains = main_of(connection, [found.referrer_id]).values()
            fingerprints.store_identifiers(connection, self._program_id, [member_id, found.referrer_id, *mains])
            self._join(connection, found, member_id, now, is_new=found not in invited)

    def afterwards(self) -> None:
        """Welcome the friend, and reward where the enrolment is what counts."""
        if self._joined is not None:
            self._go_on(self._joined)

    def _by_code(
        self, connection: psycopg.Connection[Any], live: LiveProgram, invited: Sequence[Row], now: dt.datetime
    ) -> Row:
        owner = owner_of(connection, self._program_id, self._code or "")
        if owner is None or not is_open(live, owner.referral):
            raise _unknown()
        mains = main_of(connection, [row.referrer_id for row in invited])
        for row in invited:
            if Owner(mains.get(row.referrer_id, row.referrer_id), row.referral) == owner:
                return row
        return Row(
            id=new_id(),
            program_id=self._program_id,
            referral=owner.referral,
            referrer_id=owner.member_id,
            state="joined",
            created_at=now,
        )

    def _join(
        self, connection: psycopg.Connection[Any], row: Row, member_id: UUID, now: dt.datetime, *, is_new: bool
    ) -> None:
        # Due at once: should this process die before it goes on, a job does.
        joined_at = self._member.enrolled_at
        joined = msgspec.structs.replace(row, state="joined", friend_id=member_id, joined_at=joined_at, due_at=now)
        if is_new:
            insert(connection, joined)
        else:
            update(connection, joined)
        self._joined = joined.id


def is_open(live: LiveProgram, referral: str) -> bool:
    """Whether friends can join by a kind of referral."""
    definition = live.compiled.definition.referrals.get(referral)
    return definition is not None and definition.enabled


def _by_address(connection: psycopg.Connection[Any], live: LiveProgram, invited: Sequence[Row]) -> Row | None:
    """The earliest invitation by somebody who can refer."""
    wanted = list({row.referrer_id for row in invited})
    mains = main_of(connection, wanted)
    facts = load_facts(connection, live.program_id, [mains.get(one, one) for one in wanted])
    active = {one for one in wanted if facts[mains.get(one, one)].status == "active"}
    return next((row for row in invited if is_open(live, row.referral) and row.referrer_id in active), None)


def _lose(connection: psycopg.Connection[Any], row: Row, reason: Reason, now: dt.datetime) -> None:
    """Somebody else has brought the friend, or nobody."""
    update(connection, msgspec.structs.replace(row, state="void", reason=reason, due_at=None, ended_at=now))


def _unknown() -> UnknownReferralCode:
    hint = "Enrol without it, or ask the friend for the code."
    item = ErrorItem(pointer="#/referral_code", message="Nobody can be referred by it.", hint=hint)
    return UnknownReferralCode("Nothing was enrolled.", errors=[item])
