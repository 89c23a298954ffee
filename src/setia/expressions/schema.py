"""The types that variables of an expression can have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

_NAME = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*\Z")
# The words CEL keeps for itself; a variable of that name could never be written in an expression.
_RESERVED = frozenset(
    {"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop"}
    | {"namespace", "null", "package", "return", "true", "var", "void", "while"}
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A type without parts. The name is the one users read in messages."""

    name: str

    def __str__(self) -> str:
        return self.name


BOOL = Scalar("bool")
INT = Scalar("int")
"""Whole numbers of 64 bits: Python `int`."""
DECIMAL = Scalar("decimal")
"""Exact decimal numbers: Python `Decimal`. CEL knows them as `double`."""
STRING = Scalar("string")
TIMESTAMP = Scalar("timestamp")
"""Moments: `datetime` with time zone UTC."""
DURATION = Scalar("duration")
"""Spans of time: `timedelta`, so whole microseconds."""
DYN = Scalar("dyn")
"""Anything: bool, int, Decimal, str, datetime, timedelta, None, lists and dicts of these; seen while evaluating."""

SCALARS = frozenset({BOOL, INT, DECIMAL, STRING, TIMESTAMP, DURATION, DYN})


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list or tuple whose elements have one type."""

    element: Type

    def __str__(self) -> str:
        return f"list({self.element})"


@dataclass(frozen=True, slots=True)
class MapOf:
    """A dict whose values have one type. Variables have string keys; map literals may also have int or bool keys."""

    value: Type
    key: Scalar = STRING

    def __str__(self) -> str:
        return f"map({self.key}, {self.value})"


@dataclass(frozen=True)
class Message:
    """A record with known fields.

    `access` says how a field is read: "attribute" from a Python object (`event.total`), "key" from a dict
    (`attributes["city"]`). A field whose value is None, or whose key is missing, is *not set*: `has()` is false and
    reading it is an evaluation error. Two messages of one schema that share a name must be equal.
    """

    name: str
    fields: Mapping[str, Type]
    access: Literal["attribute", "key"] = "attribute"

    def __post_init__(self) -> None:
        for name in (self.name, *self.fields):
            if not _NAME.match(name):
                raise ValueError(f"{name!r} cannot be a name in an expression")
        object.__setattr__(self, "fields", dict(self.fields))

    def __hash__(self) -> int:
        return hash((self.name, frozenset(self.fields.items()), self.access))

    def __str__(self) -> str:
        return self.name


Type: TypeAlias = Scalar | ListOf | MapOf | Message


class Schema:
    """The variables an expression may use, in the order in which an expression takes them as arguments.

    Hashable and equal by content and order; build it once and share it.
    """

    __slots__ = ("_hash", "messages", "variables")

    def __init__(self, variables: Mapping[str, Type]) -> None:
        for name in variables:
            if not _NAME.match(name) or name in _RESERVED:
                raise ValueError(f"{name!r} cannot be the name of a variable")
        self.variables: dict[str, Type] = dict(variables)
        self.messages: dict[str, Message] = {}
        for type_ in self.variables.values():
            for message in _messages(type_):
                if self.messages.setdefault(message.name, message) != message:
                    raise ValueError(f"two different messages are called {message.name!r}")
        self._hash = hash(tuple(self.variables.items()))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Schema):
            return NotImplemented
        return self is other or list(self.variables.items()) == list(other.variables.items())

    def __reduce__(self) -> tuple[type[Schema], tuple[dict[str, Type]]]:
        return Schema, (self.variables,)

    def __repr__(self) -> str:
        return f"Schema({', '.join(f'{name}: {type_}' for name, type_ in self.variables.items())})"


def _messages(type_: Type) -> Iterator[Message]:
    """Each message in a type, inner ones first, as a file of descriptors likes them."""
    if isinstance(type_, ListOf):
        yield from _messages(type_.element)
    elif isinstance(type_, MapOf):
        if type_.key != STRING:
            raise ValueError("the keys of a map in a schema are strings")
        yield from _messages(type_.value)
    elif isinstance(type_, Message):
        for field in type_.fields.values():
            yield from _messages(field)
        yield type_
    elif type_ not in SCALARS:
        raise ValueError(f"{type_} cannot be the type of a variable")
