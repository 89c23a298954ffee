"""The text of one definition file, and the way from a character in it to line and column."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field

from setia.program.findings import DefinitionError, Finding

_LINE_END = re.compile(r"\r\n|\n|\r")
# What YAML 1.2 does not allow unescaped; everything else is a character people may type.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")

MAX_BYTES = 1024 * 1024
"""How long all files of one definition may be together."""


@dataclass(frozen=True, slots=True)
class Place:
    """A character in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, eq=False)
class SourceText:
    """One file's name, as users are told it, and its text."""

    name: str
    text: str
    _starts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_starts", [0, *(match.end() for match in _LINE_END.finditer(self.text))])

    def place(self, index: int) -> Place:
        """Return the place of the character at `index` (its count from 0); beyond the end is the end."""
        index = max(0, min(index, len(self.text)))
        line = bisect.bisect_right(self._starts, index)
        return Place(self.name, line, index - self._starts[line - 1] + 1)


def decode(name: str, content: bytes) -> SourceText:
    """Read the bytes of a file as UTF-8.

    Raises:
        DefinitionError: it is too long, not UTF-8, or has control characters; the finding names the place.
    """
    if len(content) > MAX_BYTES:
        raise DefinitionError([too_large(name, len(content))])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = SourceText(name, content[: error.start].decode("utf-8-sig", "replace")).place(error.start)
        message = f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise DefinitionError(
            [fault("yaml_encoding", message, place, "save the file with the encoding UTF-8")]
        ) from None
    return checked(name, text)


def checked(name: str, text: str) -> SourceText:
    """Take a text that is already decoded, with the same checks as `decode`."""
    # A character takes at least a byte, so the cheap test comes first.
    size = len(text) if len(text) > MAX_BYTES else len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise DefinitionError([too_large(name, size)])
    source = SourceText(name, text.removeprefix("\ufeff"))
    control = _FORBIDDEN.search(source.text)
    if control is not None:
        message = f"the character U+{ord(control[0]):04X} cannot stand in a definition"
        hint = 'remove it, or write it as an escape between double quotes, such as "\\u00a0"'
        raise DefinitionError([fault("yaml_encoding", message, source.place(control.start()), hint)])
    return source


def too_large(name: str, size: int) -> Finding:
    """Say that a definition is longer than `MAX_BYTES`."""
    message = f"the definition has {size:,} bytes; at most {MAX_BYTES:,} are read"
    return fault(
        "yaml_too_large", message, Place(name, 1, 1), "a program is text written by people: is this another file?"
    )


def fault(code: str, message: str, place: Place, hint: str = "", path: str = "") -> Finding:
    """Make an error at a place."""
    return Finding("error", code, message, hint, place.file, place.line, place.column, path)
