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
from struct import Struct
from uuid import UUID, SafeUUID

_COUNTER_BITS = 12
_COUNTER_LIMIT = 1 << _COUNTER_BITS
# A millisecond's counter starts in the lower half, at random, so that at least 2,048 ids fit before it overflows.
_COUNTER_START_MASK = (_COUNTER_LIMIT >> 1) - 1
_DRAWN_TOGETHER = 400
"""How many random numbers are drawn at once: an id takes one, the first of a millisecond two."""
_MOST_OF_AN_ID = 2
_drawn = Struct(f">{_DRAWN_TOGETHER}Q")
_RANDOM_MASK = (1 << 62) - 1
_FIXED = (7 << 76) | (0b10 << 62)
"""Version and variant."""
_HEX = re.compile(r"[0-9a-f]{32}")


class _Sequence:
    """The last instant and counter that were handed out; RFC 9562, section 6.2, method 1."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._noise: list[int] = []
        self._milliseconds = 0
        self._counter = 0

    def next(self) -> UUID:
        """Make an id greater than every id this process made before."""
        now = time.time_ns() // 1_000_000
        with self._lock:
            return self._next(now)

    def several(self, count: int) -> list[UUID]:
        """Make so many ids, each greater than the one before it and than every id made before."""
        now = time.time_ns() // 1_000_000
        with self._lock:
            return [self._next(now) for _ in range(count)]

    def _next(self, now: int) -> UUID:
        if len(self._noise) < _MOST_OF_AN_ID:
            # Asking the kernel for each id costs as much as all the rest.
            self._noise = list(_drawn.unpack(os.urandom(_drawn.size)))
        noise = self._noise.pop()
        if now > self._milliseconds:
            self._milliseconds = now
            self._counter = self._noise.pop() & _COUNTER_START_MASK
        else:
            # The same millisecond, or a clock that was set back: order matters more than the exact time.
            self._counter += 1
            if self._counter == _COUNTER_LIMIT:
                self._milliseconds += 1
                self._counter = 0
        return _uuid((self._milliseconds << 80) | _FIXED | (self._counter << 64) | (noise & _RANDOM_MASK))


# A UUID refuses to be changed, through its `__setattr__`; these are the slots themselves.
_make, _set_number, _set_safety = object.__new__, vars(UUID)["int"].__set__, vars(UUID)["is_safe"].__set__
_UNKNOWN = SafeUUID.unknown


def _uuid(number: int) -> UUID:
    """`UUID(int=number)` without its checks of what was given, which take longer than making the id."""
    made = _make(UUID)
    _set_number(made, number)
    _set_safety(made, _UNKNOWN)
    return made


_sequence = _Sequence()
# A child forked while another thread holds the lock would wait for ever, and would count on from its parent's counter.
os.register_at_fork(after_in_child=_sequence._reset)  # noqa: SLF001 - one module, one object


def new_id() -> UUID:
    """Make a new UUIDv7, greater than every one this process made before."""
    return _sequence.next()


def new_ids(count: int) -> list[UUID]:
    """Make so many, in order: for whoever knows how many will be needed, at half the price."""
    return _sequence.several(count)


def id_time(identifier: UUID) -> datetime:
    """Say when a UUIDv7 was made, to the millisecond, in UTC."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, tz=UTC)


def format_id(prefix: str, identifier: UUID) -> str:
    """Write an id as people and programs outside see it: `mem_0197...`."""
    return f"{prefix}_{identifier.int:032x}"


def parse_id(prefix: str, text: str) -> UUID:
    """Read an id back; raise `ValueError` with a sentence when it is none, or one of another type."""
    found, separator, digits = text.rpartition("_")
    if not separator or found != prefix:
        raise ValueError(f"must be an id that starts with {prefix}_, like {prefix}_{'0' * 32}")
    if not _HEX.fullmatch(digits):
        raise ValueError(f"must be {prefix}_ and then 32 hexadecimal digits in lower case")
    return UUID(hex=digits)
