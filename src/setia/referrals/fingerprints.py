"""What two members may not have in common: e-mail, phone, card, address, device and means of payment, as keyed hashes.

Nothing can be read from what is stored: a hash under a key that follows from the installation's secret, of the program,
the kind and the value in one form. The forms are coarser than those of identifiers, because they look for one person
behind two members: `ada+1@example.com` is `ada@example.com`, and an address is its letters and digits.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg

from setia.members.identifiers import normalise
from setia.members.service import identifiers_of
from setia.program.referrals import FingerprintKind

Hashes = set[tuple[str, bytes]]
"""Kinds with hashes."""

_DOTLESS = {"gmail.com", "googlemail.com"}
"""Where dots before the `@` lead to the same box, as its provider says."""
_NO_WORD = re.compile(r"[\W_]+")
_STORE = """
INSERT INTO member_fingerprint (member_id, kind, hash)
SELECT %b, f.kind, f.hash FROM unnest(%b::text[], %b::bytea[]) AS f (kind, hash) ON CONFLICT DO NOTHING
"""
_LOAD = "SELECT member_id, kind, hash FROM member_fingerprint WHERE member_id = ANY (%b)"


class Fingerprints:
    """Makes hashes, with a key that comes from the installation's secret."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"setia referrals know", "sha256")

    def hash_of(self, program_id: int, kind: str, value: str) -> bytes:
        """What is stored of a value."""
        return hmac.digest(self._key, f"{program_id} {kind} {one_form(kind, value)}".encode(), "sha256")

    def hashes(self, program_id: int, found: Iterable[tuple[str, str]]) -> Hashes:
        """The hashes of kinds with values; what has nothing to compare in it is left out."""
        return {
            (kind, self.hash_of(program_id, kind, value))
            for kind, value in found
            if kind != "external_id" and one_form(kind, value)
        }

    def store(
        self,
        connection: psycopg.Connection[Any],
        program_id: int,
        member_id: UUID,
        given: Mapping[str, Sequence[str]],
        phone_region: str | None,
    ) -> None:
        """Add to what is known of a member; phones without their country are of `phone_region`, as identifiers are."""
        self._store(connection, member_id, self.hashes(program_id, _pairs(given, phone_region)))

    def store_identifiers(self, connection: psycopg.Connection[Any], program_id: int, members: Sequence[UUID]) -> None:
        """Add the e-mail, phones and cards by which members are known, so that comparing needs no secret later."""
        for member, identifiers in identifiers_of(connection, program_id, members).items():
            self._store(connection, member, self.hashes(program_id, identifiers))

    @staticmethod
    def _store(connection: psycopg.Connection[Any], member_id: UUID, hashes: Hashes) -> None:
        if hashes:
            rows = sorted(hashes)
            connection.execute(_STORE, (member_id, [kind for kind, _ in rows], [found for _, found in rows]))


def load(connection: psycopg.Connection[Any], members: Sequence[UUID]) -> dict[UUID, Hashes]:
    """All that is known of members."""
    known: dict[UUID, Hashes] = {member: set() for member in members}
    for member, kind, found in connection.execute(_LOAD, (list(members),), binary=True):
        known[member].add((kind, found))
    return known


def _pairs(given: Mapping[str, Sequence[str]], phone_region: str | None) -> list[tuple[str, str]]:
    return [
        (kind, _international(value, phone_region) if kind == "phone" else value)
        for kind, values in given.items()
        for value in values
    ]


def _international(phone: str, region: str | None) -> str:
    """A phone with its country, as identifiers are kept; what is none is compared as it came."""
    try:
        return normalise("phone", phone, phone_region=region)
    except ValueError:
        return phone


def in_common(one: Hashes, other: Hashes, blocks: Iterable[FingerprintKind]) -> FingerprintKind | None:
    """The first kind of those that block in which two members are the same; None where there is none."""
    shared = {kind for kind, _ in one & other}
    return next((kind for kind in blocks if kind in shared), None)


def one_form(kind: str, value: str) -> str:
    """A value as it is compared; empty where there is nothing in it to compare."""
    text = unicodedata.normalize("NFKC", value).casefold().strip()
    match kind:
        case "email":
            return _email(text)
        case "phone":
            return "".join(character for character in text if character.isdigit()).lstrip("0")
        case "address" | "card":
            return _NO_WORD.sub("", text)
        case _:
            # What a device or a means of payment is called elsewhere is compared as it came.
            return value.strip()


def _email(text: str) -> str:
    name, at, domain = text.rpartition("@")
    if not at:
        return text
    name = name.partition("+")[0] or name
    if domain in _DOTLESS:
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"
