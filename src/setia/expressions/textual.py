"""What expressions can do with text. Positions and sizes count code points."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import re2

from setia.expressions.numeric import OperationError

LONGEST = 1_000_000
"""Code points of the longest text, and elements of the longest list, that an operation may make."""
LONGEST_PATTERN = 10_000
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
# White space as Unicode defines it; Python's own `strip` would also take the separators U+001C to U+001F.
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


class Pattern(Protocol):
    """A compiled regular expression."""

    def search(self, text: str) -> object:
        """A match anywhere in the text, or None."""


@lru_cache(maxsize=512)
def pattern(text: str) -> Pattern:
    """A regular expression of RE2, whose time is linear in the text, unlike Python's `re`.

    Raises OperationError when RE2 does not accept it, or when it would need more than 8 MiB.
    """
    if len(text) > LONGEST_PATTERN:
        raise OperationError(f"a regular expression may have {LONGEST_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    try:
        compiled: Pattern = re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0]
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise OperationError(f"not a regular expression: {reason}") from None
    return compiled


def matches(text: str, expression: str) -> bool:
    """Whether the regular expression is found anywhere in the text."""
    return pattern(expression).search(text) is not None


def concatenate(a: str, b: str) -> str:
    """`a + b`."""
    _limit(len(a) + len(b))
    return a + b


def contains(text: str, part: str) -> bool:
    """Whether the part is found in the text."""
    return part in text


def lower_ascii(text: str) -> str:
    """Letters A to Z made small; other letters stay."""
    return text.translate(_LOWER)


def upper_ascii(text: str) -> str:
    """Letters a to z made capital; other letters stay."""
    return text.translate(_UPPER)


def trim(text: str) -> str:
    """Without white space at both ends."""
    return text.strip(_SPACE)


def reverse(text: str) -> str:
    """The code points from last to first."""
    return text[::-1]


def split(text: str, separator: str, limit: int = -1) -> list[str]:
    """The parts between separators, at most `limit` of them; an empty separator splits into code points."""
    if limit == 0:
        return []
    if separator or not text:
        return [""] if not text else text.split(separator, limit - 1 if limit > 0 else -1)
    if limit < 0 or limit >= len(text):
        return list(text)
    return [*text[: limit - 1], text[limit - 1 :]]


def join(parts: list[str], separator: str = "") -> str:
    """The parts with the separator between them."""
    _limit(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def replace(text: str, old: str, new: str, limit: int = -1) -> str:
    """The text with the first `limit` (all when negative) occurrences of `old` replaced."""
    found = text.count(old) if limit < 0 else min(limit, text.count(old))
    _limit(len(text) + found * (len(new) - len(old)))
    return text.replace(old, new, found)


def substring(text: str, start: int, end: int | None = None) -> str:
    """From `start` up to before `end`."""
    stop = len(text) if end is None else end
    if not 0 <= start <= stop <= len(text):
        raise OperationError(f"substring from {start} to {stop} of a text of {len(text)}")
    return text[start:stop]


def char_at(text: str, position: int) -> str:
    """The code point at a position; empty at the very end."""
    return text[_position(text, position) :][:1]


def index_of(text: str, part: str, start: int = 0) -> int:
    """Where the part is first found at or after `start`; -1 if nowhere."""
    return text.find(part, _position(text, start))


def last_index_of(text: str, part: str, start: int | None = None) -> int:
    """Where the part is last found at or before `start`; -1 if nowhere."""
    if start is None:
        return text.rfind(part)
    return text.rfind(part, 0, _position(text, start) + len(part))


def bool_of_text(text: str) -> bool:
    """`bool("true")`."""
    if text in {"1", "t", "true", "TRUE", "True"}:
        return True
    if text in {"0", "f", "false", "FALSE", "False"}:
        return False
    raise OperationError(f"{text[:40]!r} is neither true nor false")


def text_of_bool(value: bool) -> str:  # noqa: FBT001 - the one thing this function takes
    """`string(true)`."""
    return {True: "true", False: "false"}[value]


def _position(text: str, position: int) -> int:
    if not 0 <= position <= len(text):
        raise OperationError(f"position {position} of a text of {len(text)}")
    return position


def _limit(size: int) -> None:
    if size > LONGEST:
        raise OperationError(f"a text of more than {LONGEST} characters")
