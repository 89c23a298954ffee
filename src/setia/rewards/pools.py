"""Pools of codes that were made elsewhere: imported once, each handed out for one redemption."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import psycopg

from setia.db.ids import new_id
from setia.rewards.codes import LONGEST, CodeBook, hint_of, plain

MOST_AT_ONCE = 10_000
_INSERT = """
INSERT INTO reward_code (id, created_at, program_id, pool, hint, hash, sealed)
SELECT c.id, %b, %b, %b, c.hint, c.hash, c.sealed
FROM unnest(%b::uuid[], %b::text[], %b::bytea[], %b::bytea[]) AS c (id, hint, hash, sealed)
ON CONFLICT (program_id, hash) DO NOTHING
"""
_POOLS = """
SELECT pool, count(*), count(*) FILTER (WHERE redemption_id IS NULL) FROM reward_code
WHERE program_id = %b AND pool IS NOT NULL GROUP BY pool ORDER BY pool
"""


class Imported(NamedTuple):
    """What became of codes: new ones, those that were there, and the places (from 1) of texts that are no codes."""

    added: int
    known: int
    unusable: list[int]


class Pool(NamedTuple):
    """A pool: how many codes it has had, and how many are left."""

    name: str
    codes: int
    left: int


def import_codes(
    connection: psycopg.Connection[Any],
    program_id: int,
    book: CodeBook,
    pool: str,
    texts: Sequence[str],
    now: dt.datetime,
) -> Imported:
    """Add codes to a pool; those the program knows already stay as they are, so that a file can be sent again."""
    unusable = [place for place, text in enumerate(texts, start=1) if not _is_code(text)]
    found = {book.hash_of(program_id, text): text for text in texts if _is_code(text)}
    rows = [(new_id(), text, digest) for digest, text in found.items()]
    # In the order of their hashes: two imports that share codes wait for each other, and never in a ring.
    rows.sort(key=lambda row: row[2])
    added = connection.execute(
        _INSERT,
        (
            *(now, program_id, pool),
            [identifier for identifier, _, _ in rows],
            [hint_of(text) for _, text, _ in rows],
            [digest for _, _, digest in rows],
            [book.seal(identifier, text) for identifier, text, _ in rows],
        ),
    ).rowcount
    return Imported(added, len(texts) - len(unusable) - added, unusable)


def list_pools(connection: psycopg.Connection[Any], program_id: int) -> list[Pool]:
    """The pools of a program, by name."""
    return [Pool(*row) for row in connection.execute(_POOLS, (program_id,))]


def codes_in(lines: Iterable[str]) -> list[str]:
    """The codes of a file: one in each line, blank lines left out."""
    return [text for line in lines if (text := line.strip())]


def _is_code(text: str) -> bool:
    return 4 <= len(plain(text)) <= LONGEST and text.isprintable() and text.isascii()
