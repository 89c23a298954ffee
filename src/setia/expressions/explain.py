"""Why a condition does not hold: its first clause that failed, with what that clause looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from setia.expressions import syntax
from setia.expressions.interpret import field_of
from setia.expressions.schema import Message
from setia.expressions.syntax import Node

Reader = Callable[[Sequence[object]], object]


class ClauseFailure(NamedTuple):
    """The first clause of a condition that is false, or has no value.

    `clause` is its text, `values` what the paths in it held (None: not set), `error` why it has no value, if so.
    """

    clause: str
    values: Mapping[str, object] = MappingProxyType({})
    error: str | None = None


def reader(node: Node, variables: Sequence[str]) -> Reader:
    """A function from the arguments of an expression to the value at a path, None where anything is not set."""
    match node:
        case syntax.Variable():
            at = variables.index(node.name)
            return lambda arguments: arguments[at] if at < len(arguments) else None
        case syntax.Select(operand=operand, field=name) if isinstance(operand.type, Message):
            inner, select = reader(operand, variables), node
            if operand.type.access == "attribute":  # what `field_of` would find out each time
                return lambda arguments: getattr(inner(arguments), name, None)
            return lambda arguments: field_of(select, inner(arguments))
        case (
            syntax.Select(operand=operand, field=key) | syntax.Call(arguments=(operand, syntax.Literal(value=str(key))))
        ):
            inner = reader(operand, variables)
            return lambda arguments: _entry(inner(arguments), key)
        case _:
            raise TypeError(f"{type(node).__name__} is no part of a path")


def _entry(container: object, key: str) -> object:
    # Asking whether a dict is a Mapping takes five times as long as asking whether it is a dict.
    return container.get(key) if isinstance(container, dict | Mapping) else None
