"""Identifiers: UUID version 7 inside, type-prefixed text outside.

Version 7 begins with the time, so rows that are made together lie together in an index and a page of a list can be cut
by id. The prefix (`mem_...`) is for people: a member's id pasted where an event's id belongs fails with a sentence,
not with an empty result.
"""

import os
import re
import threading
import time
from datetime import UTC, datetime
from uuid import UUID, SafeUUID

_COUNTER_BITS = 12
_COUNTER_LIMIT = 1 << _COUNTER_BITS
# A millisecond's counter starts in the lower half, at random, so that at least 2,048 ids fit before it overflows.
_COUNTER_START_MASK = (_COUNTER_LIMIT >> 1) - 1
_DRAWN_TOGETHER = 400
"""For how many ids random bytes are drawn at once."""
_RANDOM_MASK = (1 << 62) - 1
_VERSION = 7 << 76
_VARIANT = 0b10 << 62
_HEX = re.compile(r"[0-9a-f]{32}")


class _Sequence:
    """The last instant and counter that were handed out; RFC 9562, section 6.2, method 1."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._pool = b""
        self._left = 0
        self._milliseconds = 0
        self._counter = 0

    def next(self) -> UUID:
        """Make an id greater than every id this process made before."""
        now = time.time_ns() // 1_000_000
        with self._lock:
            if not self._left:
                # Asking the kernel for each id costs as much as all the rest.
                self._pool, self._left = os.urandom(10 * _DRAWN_TOGETHER), _DRAWN_TOGETHER
            self._left -= 1
            noise = self._pool[10 * self._left : 10 * self._left + 10]
            if now > self._milliseconds:
                self._milliseconds = now
                self._counter = int.from_bytes(noise[8:]) & _COUNTER_START_MASK
            else:
                # The same millisecond, or a clock that was set back: order matters more than the exact time.
                self._counter += 1
                if self._counter == _COUNTER_LIMIT:
                    self._milliseconds += 1
                    self._counter = 0
            head = (self._milliseconds << 80) | _VERSION | (self._counter << 64)
        return _uuid(head | _VARIANT | (int.from_bytes(noise[:8]) & _RANDOM_MASK))


def _uuid(number: int) -> UUID:
    """`UUID(int=number)` without its checks of what was given, which take longer than making the id."""
    made = object.__new__(UUID)
    object.__setattr__(made, "int", number)
    object.__setattr__(made, "is_safe", SafeUUID.unknown)
    return made


_sequence = _Sequence()
# A child forked while another thread holds the lock would wait for ever, and would count on from its parent's counter.
os.register_at_fork(after_in_child=_sequence._reset)  # noqa: SLF001 - one module, one object


def new_id() -> UUID:
    """Make a new UUIDv7, greater than every one this process made before."""
    return _sequence.next()


def id_time(identifier: UUID) -> datetime:
    """Say when a UUIDv7 was made, to the millisecond, in UTC."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, tz=UTC)


def format_id(prefix: str, identifier: UUID) -> str:
    """Write an id as people and programs outside see it: `mem_0197...`."""
    return f"{prefix}_{identifier.hex}"


def parse_id(prefix: str, text: str) -> UUID:
    """Read an id back; raise `ValueError` with a sentence when it is none, or one of another type."""
    found, separator, digits = text.rpartition("_")
    if not separator or found != prefix:
        raise ValueError(f"must be an id that starts with {prefix}_, like {prefix}_{'0' * 32}")
    if not _HEX.fullmatch(digits):
        raise ValueError(f"must be {prefix}_ and then 32 hexadecimal digits in lower case")
    return UUID(hex=digits)
