"""One referral as a row: read, locked, made, changed, listed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal, get_args
from uuid import UUID

import msgspec
import psycopg

from setia.members.merges import person_of

State = Literal["invited", "joined", "qualified", "won", "capped", "void", "blocked"]
STATES: tuple[State, ...] = get_args(State)
Reason = Literal[
    "already_member",
    "other_referrer",
    "below_minimum",
    "returned",
    "too_late",
    "friend_inactive",
    "referrer_inactive",
    "same_member",
    "other_friend",
    "same_email",
    "same_phone",
    "same_card",
    "same_address",
    "same_device",
    "same_payment",
]
REASONS: tuple[Reason, ...] = get_args(Reason)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A referral. `due_at`: when it has to be looked at; None where nothing but the friend can change it."""

    id: UUID
    program_id: int
    referral: str
    referrer_id: UUID
    friend_id: UUID | None = None
    state: State
    reason: Reason | None = None
    created_at: dt.datetime
    joined_at: dt.datetime | None = None
    qualified_at: dt.datetime | None = None
    due_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    order_id: UUID | None = None
    amount: int | None = None
    welcomed: bool = False
    contact: bytes | None = None


_FIELDS = tuple(field.name for field in msgspec.structs.fields(Row))
_COLUMNS = ", ".join(_FIELDS)
_VALUES = ", ".join(["%b"] * len(_FIELDS))
_CHANGED = tuple(name for name in _FIELDS if name not in {"id", "program_id", "referral", "referrer_id", "created_at"})
_READ = f"SELECT {_COLUMNS} FROM referral WHERE program_id = %b AND id = %b"
_INSERT = f"INSERT INTO referral ({_COLUMNS}) VALUES ({_VALUES}) ON CONFLICT DO NOTHING"
_UPDATE = f"UPDATE referral SET {', '.join(f'{name} = %b' for name in _CHANGED)} WHERE id = %b"
_BY_CONTACT = f"""
SELECT {_COLUMNS} FROM referral
WHERE program_id = %b AND referrer_id = ANY (%b) AND referral = %b AND contact = %b ORDER BY id LIMIT 1
"""
# In one order, so that two friends who have an address in common do not wait for each other.
_INVITATIONS = f"""
SELECT {_COLUMNS} FROM referral
WHERE program_id = %b AND contact = ANY (%b) AND state = 'invited' ORDER BY id FOR UPDATE
"""
_COUNTS = "SELECT state, count(*) FROM referral WHERE program_id = %b AND referrer_id = ANY (%b) GROUP BY state"
# Who referred somebody, or one of those who were merged into that one, as long as nothing was wrong with it.
_REFERRER = """
SELECT referrer_id FROM referral
WHERE program_id = %b AND friend_id = ANY (%b) AND state IN ('joined', 'qualified', 'won', 'capped')
ORDER BY joined_at, id LIMIT 1
"""
# A friend of the same referrer, with whom nothing was wrong, who has been rewarded for already or came earlier: was
# looked at, which happens under the referrer's lock, or joined. Who was invited first may come last.
_ALIKE = """
SELECT 1 FROM referral r
JOIN member_fingerprint f ON f.member_id = r.friend_id
JOIN member_fingerprint own ON own.member_id = ANY (%b) AND own.kind = f.kind AND own.hash = f.hash
WHERE r.program_id = %b AND r.referrer_id = ANY (%b) AND r.friend_id <> ALL (%b) AND f.kind = ANY (%b)
  AND (r.state IN ('won', 'capped')
       OR r.state IN ('joined', 'qualified') AND (NOT r.welcomed, r.joined_at, r.id) < (%b, %b, %b))
LIMIT 1
"""


def read_one(
    connection: psycopg.Connection[Any], program_id: int, identifier: UUID, *, locked: bool = False
) -> Row | None:
    """One referral of a program; `locked`: nobody else changes it in this transaction."""
    query = _READ + " FOR UPDATE" if locked else _READ
    row = connection.execute(query, (program_id, identifier), binary=True).fetchone()
    return None if row is None else _row(row)


def insert(connection: psycopg.Connection[Any], row: Row) -> bool:
    """Write a new one; False where its friend has been referred, or its address invited, before."""
    return connection.execute(_INSERT, [getattr(row, name) for name in _FIELDS]).rowcount == 1


def update(connection: psycopg.Connection[Any], row: Row) -> None:
    """Write what has changed of one that is locked."""
    connection.execute(_UPDATE, [*(getattr(row, name) for name in _CHANGED), row.id])


def invitation(
    connection: psycopg.Connection[Any], program_id: int, referrers: Sequence[UUID], referral: str, contact: bytes
) -> Row | None:
    """The invitation of an address by a member, or by one of those who were merged into it."""
    row = connection.execute(_BY_CONTACT, (program_id, list(referrers), referral, contact), binary=True).fetchone()
    return None if row is None else _row(row)


def open_invitations(connection: psycopg.Connection[Any], program_id: int, contacts: Sequence[bytes]) -> list[Row]:
    """The invitations of addresses that nobody has followed yet, locked, the earliest first."""
    return [_row(row) for row in connection.execute(_INVITATIONS, (program_id, list(contacts)), binary=True)]


def chain_of(connection: psycopg.Connection[Any], program_id: int, referrer: UUID, levels: int) -> list[UUID]:
    """The referrer, who referred the referrer, and so on: at most so many."""
    chain, known = [referrer], set[UUID]()
    while len(chain) < levels:
        person = person_of(connection, chain[-1])
        # Friends are new members; a circle is made by a merge, and nobody wins twice.
        if person[0] in known:
            break
        known.add(person[0])
        row = connection.execute(_REFERRER, (program_id, person), binary=True).fetchone()
        if row is None:
            break
        chain.append(row[0])
    return chain


def has_friend_alike(
    connection: psycopg.Connection[Any],
    row: Row,
    family: Sequence[UUID],
    referrers: Sequence[UUID],
    kinds: Sequence[str],
) -> bool:
    """Whether an earlier friend of the referrer has something in common with the friend of a referral."""
    own = (not row.welcomed, row.joined_at, row.id)
    values = (list(family), row.program_id, list(referrers), list(family), list(kinds), *own)
    # Most programs ask for nothing, and a well-known member has thousands of friends.
    return bool(kinds) and connection.execute(_ALIKE, values).fetchone() is not None


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Which referrals are listed. A member is named with all who were merged into it."""

    state: str | None = None
    referrer: UUID | None = None
    friend: UUID | None = None
    referral: str | None = None


def listed(
    connection: psycopg.Connection[Any], program_id: int, wish: Wish, *, before: UUID | None, most: int
) -> list[Row]:
    """Referrals, the newest first, those before `before`."""
    referrers, friends = (None if one is None else person_of(connection, one) for one in (wish.referrer, wish.friend))
    # Only what is asked for stands in the text: a friend is then found by an index, among millions.
    asked = {
        "id < %b": before,
        "state = %b": wish.state,
        "referrer_id = ANY (%b)": referrers,
        "friend_id = ANY (%b)": friends,
        "referral = %b": wish.referral,
    }
    given = {text: value for text, value in asked.items() if value is not None}
    where = " AND ".join(["program_id = %b", *given])
    query = f"SELECT {_COLUMNS} FROM referral WHERE {where} ORDER BY id DESC LIMIT %b"
    return [_row(row) for row in connection.execute(query, (program_id, *given.values(), most), binary=True)]


def counts_of(connection: psycopg.Connection[Any], program_id: int, family: Sequence[UUID]) -> dict[str, int]:
    """How many referrals of a member, and of all who were merged into it, are in each state."""
    return dict(connection.execute(_COUNTS, (program_id, list(family))).fetchall())


def _row(row: tuple[Any, ...]) -> Row:
    return Row(**dict(zip(_FIELDS, row, strict=True)))
