"""The expression language, as far as a definition needs it: the one place of this folder that knows where it lives."""

from __future__ import annotations

from setia.expressions import (
    BOOL,
    DECIMAL,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    ExpressionError,
    ListOf,
    Message,
    Schema,
    Type,
    check,
)
from setia.expressions.syntax import Call, ListLiteral, Literal, Node, Select, Variable, flatten, walk
from setia.expressions.tokens import line_and_column

__all__ = [
    "BOOL",
    "DECIMAL",
    "DYN",
    "INT",
    "STRING",
    "TIMESTAMP",
    "Call",
    "ExpressionError",
    "ListLiteral",
    "ListOf",
    "Literal",
    "Message",
    "Node",
    "Schema",
    "Select",
    "Type",
    "Variable",
    "check",
    "flatten",
    "line_and_column",
    "walk",
]
