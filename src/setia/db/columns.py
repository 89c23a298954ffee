"""Columns as PostgreSQL arrays in binary, made by hand, for statements over many rows by `unnest`.

psycopg writes an array element by element in Python, about 1 µs each; a row of an event and its booking has some
seventy of them. Joining bytes is an order of magnitude faster, and the server takes them over: for arrays as text it
has to look at every character of a document, once for the quoting and once more for what stands in it.

Use with `setia.db.exchange` and `$1::uuid[]`: the server refuses an element of another type than it expects.

Format: `array_recv` and the `_recv` function of each type in PostgreSQL's sources; numbers are big-endian.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from struct import Struct
from typing import Any, TypeVar
from uuid import UUID

T = TypeVar("T")

# One dimension, some elements may be NULL, the type of the elements, how many they are, the first is number 1.
_HEAD = Struct(">iiIii")
_EMPTY = Struct(">iiI")
_NULL = b"\xff\xff\xff\xff"
_FEW = 4
_SIXTEEN = (16).to_bytes(4, "big")
_int2 = Struct(">ih").pack
_int4 = Struct(">ii").pack
_int8 = Struct(">iq").pack
_length = Struct(">i").pack
_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_BYTEA, _INT8, _INT2, _INT4, _TEXT, _JSON, _TIMESTAMPTZ, _UUID = 17, 20, 21, 23, 25, 114, 1184, 2950


def beside(write: Callable[[Sequence[Any]], bytes], values: Sequence[Any]) -> bytes:
    """A column that stands beside longer ones in a statement with several `unnest`: those fill it up with NULL.

    So one that is NULL throughout is sent as an empty array, and nobody has to write or read its elements.
    """
    is_void = bool(values) and values[0] is None and values.count(None) == len(values)
    return write(()) if is_void else write(values)


def uuids(values: Sequence[UUID | None]) -> bytes:
    """A `uuid[]`."""
    return _array(
        _UUID, len(values), [_NULL if value is None else _SIXTEEN + value.int.to_bytes(16, "big") for value in values]
    )


def smallints(values: Sequence[int | None]) -> bytes:
    """A `smallint[]`."""
    return _written(_INT2, values, lambda value: _int2(2, value))


def integers(values: Sequence[int | None]) -> bytes:
    """An `integer[]`."""
    return _written(_INT4, values, lambda value: _int4(4, value))


def bigints(values: Sequence[int | None]) -> bytes:
    """A `bigint[]`."""
    return _written(_INT8, values, lambda value: _int8(8, value))


def moments(values: Sequence[dt.datetime | None]) -> bytes:
    """A `timestamptz[]`; the moments know their offset."""
    return _written(_TIMESTAMPTZ, values, _moment)


def moment(value: dt.datetime) -> bytes:
    """A single `timestamptz`, and no array."""
    return _moment(value)[4:]


def _moment(value: dt.datetime) -> bytes:
    since = value - _EPOCH
    return _int8(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def texts(values: Sequence[str | None]) -> bytes:
    """A `text[]`, of any text without the character U+0000."""
    return _written(_TEXT, values, _text)


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _length(len(encoded)) + encoded


def documents(values: Sequence[bytes | None]) -> bytes:
    """A `json[]` of encoded JSON documents."""
    return _sized(_JSON, values)


def binaries(values: Sequence[bytes | None]) -> bytes:
    """A `bytea[]`."""
    return _sized(_BYTEA, values)


def _written(oid: int, values: Sequence[T | None], write: Callable[[T], bytes]) -> bytes:
    """An array of values of which few may be different: in most columns of a batch nearly all are one and the same."""
    size = len(values)
    if size <= _FEW:
        return _array(oid, size, [_NULL if value is None else write(value) for value in values])
    known: dict[T | None, bytes] = {value: _NULL if value is None else write(value) for value in set(values)}
    if len(known) == 1:
        return _array(oid, size, [*known.values()] * size)
    return _array(oid, size, map(known.__getitem__, values))


def _sized(oid: int, values: Sequence[bytes | None]) -> bytes:
    return _array(oid, len(values), [_NULL if value is None else _length(len(value)) + value for value in values])


def _array(oid: int, size: int, elements: Iterable[bytes]) -> bytes:
    if not size:
        return _EMPTY.pack(0, 0, oid)
    return _HEAD.pack(1, 1, oid, size, 1) + b"".join(elements)
