"""Members' codes: ten characters by chance, one for each member and kind of referral, made in bulk."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from setia.codes.book import plain
from setia.members.merges import main_of
from setia.members.service import load_facts

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without 0 and 1 too: people say these codes to each other."""
_LENGTH = 10
_TRIES = 5
# Who has one keeps it. A code that somebody else was given at the same moment is made anew.
_MAKE = """
INSERT INTO referral_code (program_id, member_id, referral, code, created_at)
SELECT %b, w.member_id, %b, w.code, %b FROM unnest(%b::uuid[], %b::text[]) AS w (member_id, code)
ORDER BY w.member_id ON CONFLICT DO NOTHING
"""
_READ = """
SELECT member_id, code FROM referral_code WHERE program_id = %b AND member_id = ANY (%b) AND referral = %b
"""
_OF_MEMBER = """
SELECT referral, code FROM referral_code
WHERE program_id = %b AND member_id = ANY (%b) ORDER BY referral, created_at, code
"""
_OWNER = "SELECT member_id, referral FROM referral_code WHERE program_id = %b AND code = %b"


class Owner(NamedTuple):
    """Whose code it is, and for which kind of referral."""

    member_id: UUID
    referral: str


def make_codes(
    connection: psycopg.Connection[Any], program_id: int, referral: str, members: Sequence[UUID], now: dt.datetime
) -> dict[UUID, str]:
    """The codes of members, made where there are none yet; strangers and closed members are left out."""
    facts = load_facts(connection, program_id, list(dict.fromkeys(members)))
    wanted = {member for member, one in facts.items() if one.status != "closed"}
    found = codes_of(connection, program_id, referral, list(wanted))
    for _ in range(_TRIES):
        missing = sorted(wanted - found.keys())
        if not missing:
            return found
        made = [_made() for _ in missing]
        connection.execute(_MAKE, (program_id, referral, now, missing, made))
        found |= codes_of(connection, program_id, referral, missing)
    message = f"{_TRIES} times in a row all new codes were taken"
    raise RuntimeError(message)


def codes_of(
    connection: psycopg.Connection[Any], program_id: int, referral: str, members: Sequence[UUID]
) -> dict[UUID, str]:
    """The codes that members have for one kind of referral."""
    return dict(connection.execute(_READ, (program_id, list(members), referral), binary=True).fetchall())


def all_codes(connection: psycopg.Connection[Any], program_id: int, family: Sequence[UUID]) -> list[tuple[str, str]]:
    """The codes of a member, and of all who were merged into it: (referral, code)."""
    return connection.execute(_OF_MEMBER, (program_id, list(family))).fetchall()


def owner_of(connection: psycopg.Connection[Any], program_id: int, code: str) -> Owner | None:
    """The active member of this program whose code it is, or who stands for that one now.

    Capitals, dashes and blanks do not matter.
    """
    row = connection.execute(_OWNER, (program_id, read(code)), binary=True).fetchone()
    if row is None:
        return None
    owner = main_of(connection, [row[0]]).get(row[0], row[0])
    is_active = load_facts(connection, program_id, [owner])[owner].status == "active"
    return Owner(owner, row[1]) if is_active else None


def read(code: str) -> str:
    """A code as it is compared."""
    return plain(code.strip())


def _made() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
