"""Enrolling members: identifiers are claimed first, so that who loses a race for a card is told, and breaks nothing."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import psycopg
import sqlalchemy as sa

from setia.api.idempotency import Keyed
from setia.db.ids import new_id
from setia.members.attributes import check_attributes
from setia.members.identifiers import read_identifiers
from setia.members.member import Member, NewMember
from setia.problems import Conflict, ErrorItem, Unprocessable
from setia.program.events import Members

FUTURE_TOLERANCE = dt.timedelta(minutes=5)
"""Clocks differ; an enrolment this far ahead of ours is not refused."""

_CLAIM = """
INSERT INTO member_identifier (program_id, kind, value, member_id)
SELECT %s, w.kind, w.value, w.member_id FROM unnest(%s::text[], %s::text[], %s::uuid[]) AS w(kind, value, member_id)
ON CONFLICT DO NOTHING
RETURNING kind, value, member_id
"""
_GIVE_BACK = "DELETE FROM member_identifier WHERE member_id = ANY (%s)"
_INSERT = """
INSERT INTO member (id, program_id, enrolled_at, attributes, tags, locale, created_at, updated_at)
SELECT w.id, n.program_id, w.enrolled_at, w.attributes, ARRAY(SELECT jsonb_array_elements_text(w.tags)), w.locale,
       n.at, n.at
  FROM (SELECT %s::int AS program_id, %s::timestamptz AS at) AS n,
       unnest(%s::uuid[], %s::timestamptz[], %s::jsonb[], %s::jsonb[], %s::text[])
    AS w(id, enrolled_at, attributes, tags, locale)
"""


class IdentifierTaken(Conflict):
    """Another member has one of these identifiers. Nothing is said about that member."""

    code = "identifier_taken"
    title = "Another member has this identifier"

    def __init__(self, kinds: Sequence[str]) -> None:
        self.kinds = tuple(sorted(set(kinds)))
        super().__init__(
            f"Another member of this program has this {' and this '.join(self.kinds)}.",
            errors=[
                ErrorItem(
                    pointer=f"#/identifiers/{kind}",
                    message="Another member has it.",
                    hint=f"GET /v1/members?{kind}=... finds who.",
                )
                for kind in self.kinds
            ],
            extra={"kinds": list(self.kinds)},
        )


class InvalidEnrolment(Unprocessable):
    """What is said of the new member cannot be."""

    code = "invalid_enrolment"
    title = "This member cannot be enrolled"


class UnknownReferralCode(Unprocessable):
    """No member of this program has the code, or nobody can be referred by it now. Which of them is not said."""

    code = "unknown_referral_code"
    title = "Nobody can be referred by this code"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Who was enrolled, and whether that was an earlier request with the same key."""

    member_id: UUID
    replayed: bool = False


class Introduction(Protocol):
    """What belongs to the enrolment of one member beside the member itself: who has referred it."""

    def within(self, tx: sa.Connection, member_id: UUID) -> None:
        """Write it in the transaction of the enrolment, when the member is there; a problem undoes the enrolment."""
        ...

    def afterwards(self) -> None:
        """Go on when the enrolment is committed; never raises."""
        ...


class Introduce(Protocol):
    """How the API makes an introduction of what an enrolment says; `app.state.introduce` holds it."""

    def __call__(
        self, program_id: int, member: NewMember, *, code: str | None, fingerprints: Mapping[str, Sequence[str]]
    ) -> Introduction:
        """Make it. `fingerprints` are what the friend and the referrer may not have in common, by kind."""
        ...


class Enrol(Protocol):
    """How the API enrols: with the `member_enrolled` event, decided and booked in the same transaction.

    `app.state.enrol` holds it.
    """

    def __call__(
        self,
        program_id: int,
        member: NewMember,
        *,
        actor: str,
        write: Keyed | None,
        introduction: Introduction | None = None,
    ) -> Enrolled:
        """Enrol, commit, and say who; or raise `IdentifierTaken`, or what the introduction raises.

        `write` is there when an Idempotency-Key was sent: the same one again gives the first member, with another
        body it raises `KeyReused`.
        """
        ...


def checked_member(
    members: Members,
    *,
    now: dt.datetime,
    identifiers: Mapping[str, str | Sequence[str]],
    attributes: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    locale: str | None = None,
    enrolled_at: dt.datetime | None = None,
) -> NewMember:
    """Check what is said of a new member against the program; raises problems that point at every fault."""
    if enrolled_at is not None and enrolled_at > now + FUTURE_TOLERANCE:
        item = ErrorItem(pointer="#/enrolled_at", message="It lies in the future.", hint="Leave it out for now.")
        raise InvalidEnrolment(errors=[item])
    checked = check_attributes(members, attributes or {})
    return NewMember(
        identifiers=read_identifiers(members, identifiers),
        enrolled_at=min(enrolled_at or now, now),
        attributes={name: value for name, value in checked.items() if value is not None},
        tags=tuple(sorted(set(tags))),
        locale=locale,
    )


def create_members(
    connection: psycopg.Connection[Any], program_id: int, new: Sequence[NewMember], now: dt.datetime
) -> list[Member | IdentifierTaken]:
    """Insert members, in the caller's transaction: for each, in order, the member or the problem that it cannot be.

    `now` is the program's time.

    Two queries when nothing collides, however many members. Waits for other transactions that enrol with the same
    identifiers, in one order, so that no two wait for each other. Of two in one list that share an identifier the
    first wins. The ledger's rows are not made here: `setia.ledger.states.open_members` follows.
    """
    ids = [new_id() for _ in new]
    refused: dict[int, IdentifierTaken] = {}
    pending = list(range(len(new)))
    while pending:
        again: list[int] = []
        owners = _claim(connection, program_id, [(ids[index], new[index]) for index in pending])
        missing = {i: [pair for pair in new[i].identifiers if owners.get(pair) != ids[i]] for i in pending}
        losers = {ids[index] for index in pending if missing[index]}
        for index in pending:
            # Lost to one of this list that is refused itself: then the identifier is free after all.
            if missing[index] and all(owners.get(pair) in losers for pair in missing[index]):
                again.append(index)
            elif missing[index]:
                refused[index] = IdentifierTaken([kind for kind, _ in missing[index]])
        if losers:
            connection.execute(_GIVE_BACK, (list(losers),))
        pending = again
    wins = [index for index in range(len(new)) if index not in refused]
    created = _insert(connection, program_id, [(ids[index], new[index]) for index in wins], now)
    return [refused[index] if index in refused else created[ids[index]] for index in range(len(new))]


def _claim(
    connection: psycopg.Connection[Any], program_id: int, members: Sequence[tuple[UUID, NewMember]]
) -> dict[tuple[str, str], UUID]:
    # Python's sort is stable: of two that want the same identifier the first in the list stays the first.
    wanted = sorted(
        ((kind, value, member_id) for member_id, member in members for kind, value in member.identifiers),
        key=lambda row: row[:2],
    )
    rows = connection.execute(
        _CLAIM,
        (program_id, [row[0] for row in wanted], [row[1] for row in wanted], [row[2] for row in wanted]),
    )
    return {(kind, value): member_id for kind, value, member_id in rows}


def _insert(
    connection: psycopg.Connection[Any],
    program_id: int,
    members: Sequence[tuple[UUID, NewMember]],
    now: dt.datetime,
) -> dict[UUID, Member]:
    if not members:
        return {}
    connection.execute(
        _INSERT,
        (
            program_id,
            now,
            [member_id for member_id, _ in members],
            [member.enrolled_at for _, member in members],
            [json.dumps(member.attributes, default=str) for _, member in members],
            [json.dumps(member.tags) for _, member in members],
            [member.locale for _, member in members],
        ),
    )
    return {
        member_id: Member(
            id=member_id,
            program_id=program_id,
            status="active",
            enrolled_at=member.enrolled_at,
            attributes=member.attributes,
            tags=member.tags,
            locale=member.locale,
            created_at=now,
            updated_at=now,
            identifiers=by_kind(member.identifiers),
        )
        for member_id, member in members
    }


def by_kind(identifiers: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Identifiers as they are shown: the values of each kind, sorted."""
    grouped: dict[str, list[str]] = {}
    for kind, value in sorted(identifiers):
        grouped.setdefault(kind, []).append(value)
    return grouped
