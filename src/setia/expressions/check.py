"""Whether a text is an expression that we can evaluate."""

from __future__ import annotations

from dataclasses import dataclass

from setia.expressions.complaints import issues_of, unavailable, unexpected_type
from setia.expressions.constants import NotAvailable
from setia.expressions.decode import decode
from setia.expressions.environment import environment
from setia.expressions.errors import ExpressionError, Issue
from setia.expressions.schema import DECIMAL, DYN, INT, Schema, Type
from setia.expressions.syntax import Node
from setia.expressions.tokens import line_and_column

LONGEST_EXPRESSION = 10_000
"""Code points. The checker sees to the depth: it gives up at 32 levels."""
_NUMERIC = (INT, DECIMAL)


@dataclass(frozen=True, slots=True)
class CheckedExpression:
    """A text that the official checker accepts and that has a meaning here."""

    source: str
    schema: Schema
    root: Node

    @property
    def type(self) -> Type:
        """The type of its value."""
        return self.root.type


def check(source: str, schema: Schema, expects: Type | None = None) -> CheckedExpression:
    """The expression in a text, or ExpressionError with all issues that were found.

    `expects` is the type its place needs: INT and DECIMAL stand for any number, and dyn fits everywhere. Costs about
    half a millisecond; the first time for a schema, some milliseconds.
    """
    if not source.strip():
        raise ExpressionError(source, [Issue(1, 1, "the expression is empty", "write one, or leave the setting out")])
    if len(source) > LONGEST_EXPRESSION:
        limit = f"the expression has {len(source)} characters, and may have {LONGEST_EXPRESSION}"
        raise ExpressionError(source, [Issue(1, 1, limit, "write it shorter, or use several campaigns")])
    if not source.isascii() and any("\ud800" <= character <= "\udfff" for character in source):
        raise ExpressionError(source, [Issue(1, 1, "the expression has half a character in it", "remove it")])
    try:
        checked = environment(schema).compile(source).serialize()
    except (RuntimeError, ValueError) as error:
        raise ExpressionError(source, issues_of(str(error), source, schema)) from None
    try:
        root = decode(checked, source, schema)
    except NotAvailable as finding:
        place = line_and_column(source, finding.position)
        raise ExpressionError(source, [Issue(*place, finding.message, unavailable(finding.message))]) from None
    if expects is not None and not _fits(root.type, expects):
        place = line_and_column(source, len(source) - len(source.lstrip()))
        raise ExpressionError(source, [Issue(*place, *unexpected_type(expects, root.type))])
    return CheckedExpression(source, schema, root)


def _fits(found: Type, expects: Type) -> bool:
    return found in {DYN, expects} or expects == DYN or (found in _NUMERIC and expects in _NUMERIC)
