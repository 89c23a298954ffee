"""Columns as PostgreSQL array literals, made by hand, for inserts of many rows by `unnest`.

psycopg writes an array element by element in Python, about 1 µs each; a row of an event and its booking has some
seventy of them. Joining texts is an order of magnitude faster. Use with `%t::uuid[]` and so on: the server reads the
text.

Format: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID


def uuids(values: Iterable[UUID | None]) -> str:
    """A `uuid[]`."""
    return "{" + ",".join(["NULL" if value is None else value.hex for value in values]) + "}"


def integers(values: Iterable[int | None]) -> str:
    """A `smallint[]`, `integer[]` or `bigint[]`."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def moments(values: Iterable[dt.datetime | None]) -> str:
    """A `timestamptz[]`; the moments know their offset."""
    # Text of ISO 8601 holds neither commas nor quotes nor backslashes. Most moments of a batch are one and the same.
    known: dict[dt.datetime | None, str] = {None: "NULL"}
    written = []
    for value in values:
        text = known.get(value)
        if text is None:
            text = known[value] = value.isoformat()  # type: ignore[union-attr] # None is known
        written.append(text)
    return "{" + ",".join(written) + "}"


def texts(values: Iterable[str | None]) -> str:
    """A `text[]` or `json[]`, of any text without the character U+0000."""
    return (
        "{"
        + ",".join(
            [
                "NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
                for value in values
            ]
        )
        + "}"
    )


def documents(values: Iterable[bytes | None]) -> str:
    """A `json[]` of encoded JSON documents."""
    return texts([None if value is None else value.decode() for value in values])


def binaries(values: Iterable[bytes | None]) -> str:
    """A `bytea[]`, in hexadecimal."""
    return "{" + ",".join(["NULL" if value is None else f'"\\\\x{value.hex()}"' for value in values]) + "}"
