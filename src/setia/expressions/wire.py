"""Just enough of the protobuf wire format to read a checked expression.

The protobuf library would need the generated classes of `cel.expr`, which no package of ours brings, and stops at 100
nested messages, fewer than the 32 nested expressions that the checker lets through can need.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

Value: TypeAlias = int | bytes
_VARINT, _FIXED64, _BYTES = 0, 1, 2


def fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """Field number and value of each field in order; a number of 64 fixed bits stays 8 bytes.

    Raises ValueError for the wire types that no message of `cel.expr` uses.
    """
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind == _FIXED64:
            size = 8
        else:
            raise ValueError(f"wire type {kind} is not part of a checked expression")
        yield tag >> 3, message[at : at + size]
        at += size


def last(message: bytes) -> dict[int, Value]:
    """The last value of each field: right for fields that are not repeated."""
    return dict(fields(message))


def repeated(message: bytes, number: int) -> list[bytes]:
    """All values of one repeated field of messages."""
    return [value for found, value in fields(message) if found == number and isinstance(value, bytes)]


def signed(value: int) -> int:
    """A varint as the int64 it stands for."""
    return value - (1 << 64) if value >= 1 << 63 else value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = message[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:  # the high bit says that more follows
            return result, at
        shift += 7
