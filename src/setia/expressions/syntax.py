"""A checked expression as a tree: what the checker found, without what only CEL needs to know.

`position` is the offset in code points of the token that stands for the node: the operator of an operation, the opening
bracket of a call, an index, a list or a map, the dot of a selection, the first character of a name or a literal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal as OneOf
from typing import TypeAlias

from setia.expressions.schema import Type

Constant: TypeAlias = bool | int | Decimal | str | dt.datetime | dt.timedelta | None


@dataclass(frozen=True, slots=True)
class Literal:
    """A value known from the text."""

    position: int
    type: Type
    value: Constant


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the schema."""

    position: int
    type: Type
    name: str


@dataclass(frozen=True, slots=True)
class LoopVariable:
    """The element that a macro is looking at. `key` is unique in the expression, `name` need not be."""

    position: int
    type: Type
    name: str
    key: int


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`."""

    position: int
    type: Type
    operand: Node
    field: str


@dataclass(frozen=True, slots=True)
class Presence:
    """`has(operand.field)`, and `operand != null` for things that can be unset. Always bool."""

    position: int
    type: Type
    operand: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function, method or operator; a method's receiver is the first argument."""

    position: int
    type: Type
    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, b]`."""

    position: int
    type: Type
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapLiteral:
    """`{key: value}`."""

    position: int
    type: Type
    entries: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Macro:
    """A loop over a list, or over the keys of a map.

    `all`, `exists` and `exists_one` have a predicate and no transform; `collect` is `map` (transform, perhaps a
    predicate) and `filter` (predicate, the element itself as transform).
    """

    position: int
    type: Type
    kind: OneOf["all", "exists", "exists_one", "collect"]
    range: Node
    key: int
    predicate: Node | None
    transform: Node | None

    @property
    def body(self) -> tuple[Node, ...]:
        """What is evaluated for each element, in order."""
        return tuple(node for node in (self.predicate, self.transform) if node is not None)


Node: TypeAlias = Literal | Variable | LoopVariable | Select | Presence | Call | ListLiteral | MapLiteral | Macro


def children(node: Node) -> tuple[Node, ...]:
    """The direct parts of a node, in the order in which they are evaluated."""
    match node:
        case Select() | Presence():
            return (node.operand,)
        case Call():
            return node.arguments
        case ListLiteral():
            return node.items
        case MapLiteral():
            return tuple(part for entry in node.entries for part in entry)
        case Macro():
            return (node.range, *node.body)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def flatten(node: Node, function: str) -> list[Node]:
    """The operands of a chain like `a && b && c`, however the checker balanced it."""
    if isinstance(node, Call) and node.function == function:
        return [part for argument in node.arguments for part in flatten(argument, function)]
    return [node]
