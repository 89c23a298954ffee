"""Pools of codes that were made elsewhere: imported once, each handed out for one redemption."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from setia.db.ids import new_id
from setia.rewards.codes import LONGEST, CodeBook, hint_of, plain
from setia.rewards.stock import StockExhausted

MOST_AT_ONCE = 10_000
_INSERT = """
INSERT INTO reward_code (id, created_at, program_id, pool, hint, hash, sealed)
SELECT c.id, %b, %b, %b, c.hint, c.hash, c.sealed
FROM unnest(%b::uuid[], %b::text[], %b::bytea[], %b::bytea[]) AS c (id, hint, hash, sealed)
ON CONFLICT (program_id, hash) DO NOTHING
"""
_GIVE = """
UPDATE reward_code SET link_id = %b WHERE id = (
    SELECT id FROM reward_code WHERE program_id = %b AND pool = %b AND redemption_id IS NULL AND link_id IS NULL
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING id, sealed
"""
_HAD = """
INSERT INTO code_pool AS p (program_id, pool, codes) VALUES (%b, %b, %b)
ON CONFLICT (program_id, pool) DO UPDATE SET codes = p.codes + excluded.codes
"""
# Free codes are found by their index, and no more of them are read than are told.
_POOLS = """
SELECT p.pool, p.codes, (SELECT count(*) FROM (
    SELECT FROM reward_code c WHERE c.program_id = p.program_id AND c.pool = p.pool AND c.redemption_id IS NULL
      AND c.link_id IS NULL LIMIT %b
) AS free)
FROM code_pool p WHERE p.program_id = %b ORDER BY p.pool
"""
MOST_COUNTED = 10_000
"""Of more free codes than these it is told that there are so many: whoever looks wants to know when to order some."""


class Imported(NamedTuple):
    """What became of codes: new ones, those that were there, and the places (from 1) of texts that are no codes."""

    added: int
    known: int
    unusable: list[int]


class Pool(NamedTuple):
    """A pool: how many codes it has had, and how many are left, counted up to `MOST_COUNTED`."""

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
    connection.execute(_HAD, (program_id, pool, added))
    return Imported(added, len(texts) - len(unusable) - added, unusable)


def list_pools(connection: psycopg.Connection[Any], program_id: int) -> list[Pool]:
    """The pools of a program, by name."""
    return [Pool(*row) for row in connection.execute(_POOLS, (MOST_COUNTED, program_id))]


def give_to_link(connection: psycopg.Connection[Any], program_id: int, book: CodeBook, pool: str, link: UUID) -> str:
    """Hand a code of a pool out for a reward link; raises `StockExhausted` where the pool is empty."""
    row = connection.execute(_GIVE, (link, program_id, pool), prepare=True).fetchone()
    if row is None:
        raise StockExhausted(pool)
    return book.unseal(row[0], bytes(row[1]))


def code_of_link(connection: psycopg.Connection[Any], book: CodeBook, link: UUID) -> str | None:
    """The code that a link has handed out; None where it has none."""
    row = connection.execute("SELECT id, sealed FROM reward_code WHERE link_id = %b", (link,), prepare=True).fetchone()
    return None if row is None else book.unseal(row[0], bytes(row[1]))


def codes_in(lines: Iterable[str]) -> list[str]:
    """The codes of a file: one in each line, blank lines left out."""
    return [text for line in lines if (text := line.strip())]


def _is_code(text: str) -> bool:
    return 4 <= len(plain(text)) <= LONGEST and text.isprintable() and text.isascii()
