"""From nodes to plain values: what a scalar means in YAML 1.2, exactly as it was written."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from setia.program.findings import DefinitionError, Path, pointer
from setia.program.source_text import fault
from setia.program.yaml_nodes import MAX_DEPTH, MAX_NODES, ListNode, MapNode, Node, ScalarNode

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_A_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

MAX_NUMBER_LENGTH = 40
"""How long a number may be: more digits than any amount of points or money has."""
_MAX_EXPONENT = 40


def plain_value(text: str) -> str | int | Decimal | bool | None:
    """Return what an unquoted scalar means. Numbers with a point stay exact.

    Raises:
        ValueError: it is a number of a kind no definition can use.
    """
    value: str | int | Decimal | bool | None = text
    if text in _NULL:
        value = None
    elif text in _TRUE or text in _FALSE:
        value = text in _TRUE
    elif _NOT_A_NUMBER.fullmatch(text):
        raise ValueError(f"{text} is not a number a program can use")
    elif _INT.fullmatch(text) or _OCTAL_OR_HEX.fullmatch(text) or _FLOAT.fullmatch(text):
        value = _number(text)
    return value


def _number(text: str) -> int | Decimal:
    if len(text) > MAX_NUMBER_LENGTH:
        raise ValueError(f"a number of {len(text)} characters is too long; at most {MAX_NUMBER_LENGTH} are read")
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL_OR_HEX.fullmatch(text):
        return int(text, 0)
    number = Decimal(text)
    if number and abs(number.adjusted()) > _MAX_EXPONENT:
        raise ValueError(f"{text} is too large or too small for an amount of points or money")
    return number


def construct(root: Node) -> Any:
    """Build the plain value of a tree: dicts with text keys, lists, texts, int, Decimal, bool, None.

    Raises:
        DefinitionError: a number cannot be read, or aliases unfold to more than `MAX_NODES` values.
    """
    return _Constructor().value(root, ())


class _Constructor:
    def __init__(self) -> None:
        self._count = 0

    def value(self, node: Node, path: Path) -> Any:
        self._count += 1
        if self._count > MAX_NODES or len(path) > MAX_DEPTH:
            message = "aliases unfold to too many values here"
            raise DefinitionError([fault("yaml_alias", message, node.place, "write the values out", pointer(path))])
        match node:
            case MapNode():
                return {key: self.value(child, (*path, key)) for key, (_, child) in node.entries.items()}
            case ListNode():
                return [self.value(child, (*path, number)) for number, child in enumerate(node.items)]
            case ScalarNode(style="plain"):
                try:
                    return plain_value(node.value)
                except ValueError as error:
                    hint = "put it in quotes if it is meant as a text"
                    finding = fault("yaml_number", str(error), node.place, hint, pointer(path))
                    raise DefinitionError([finding]) from None
            case ScalarNode():
                return node.value
