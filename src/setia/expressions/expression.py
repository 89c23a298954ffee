"""Conditions and amounts, ready to be evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any

from setia.expressions.check import check
from setia.expressions.errors import EvaluationError
from setia.expressions.explain import ClauseFailure, Reader, reader
from setia.expressions.guards import guards
from setia.expressions.interpret import Failure, Interpreter, TooManySteps
from setia.expressions.lower import finished, lower
from setia.expressions.numeric import OperationError
from setia.expressions.references import paths, references
from setia.expressions.schema import BOOL, DYN, Schema, Type
from setia.expressions.syntax import Node, flatten
from setia.expressions.tokens import Tokens


class Expression:
    """A checked text with a meaning. Immutable, safe to share between threads; pickled as its text.

    `call` is the fast way in: a plain function that takes the values of the schema's variables by position, in the
    order of the schema; arguments left out, and None, are *not set*. It returns bool, int, Decimal, str,
    datetime, timedelta, list, dict or a message, never a float, and raises EvaluationError. Arguments are not changed.
    """

    def __init__(self, source: str, schema: Schema, expects: Type | None = None) -> None:
        checked = check(source, schema, expects)
        self.source = source
        self.schema = schema
        self.expects = expects
        self.result_type: Type = checked.type
        self.references: frozenset[str] = references(checked.root)
        self._names = tuple(schema.variables)
        self._root = checked.root
        self.call: Callable[..., Any] = _compiled(checked.root, source, schema)

    def evaluate(self, variables: Mapping[str, object]) -> object:
        """The value for variables given by name; those that are missing are not set. Raises EvaluationError."""
        return self.call(*map(variables.get, self._names))

    def interpret(self, *arguments: object) -> object:
        """What `call` gives, computed by the slow way alone: for tests, and to tell the two apart. Same errors."""
        return _interpreted(self._root, self.source, self.schema, arguments)

    def explain(self, *arguments: object) -> ClauseFailure | None:
        """The first clause of `a && b && c` that is false or has no value for these arguments; None if it holds.

        A condition without `&&` is one clause. Raises ValueError for an expression that is no condition.
        """
        if self.result_type not in {BOOL, DYN}:
            raise ValueError(f"only a condition can be explained, not {self.source!r}")
        return self._first_failure(arguments)

    @cached_property
    def guards(self) -> dict[str, tuple[str, frozenset[str]]]:
        """Path -> (text of the clause, values): the condition is false unless the path has one of the values."""
        return {path: (self._clauses[number][0], values) for path, (number, values) in guards(self._root).items()}

    def explain_failure(self, *arguments: object) -> ClauseFailure:
        """The same for arguments for which the condition is known to be false: one clause is then not tried again."""
        if len(self._clauses) > 1:
            return self._first_failure(arguments) or ClauseFailure(self.source, {}, None)
        [(text, _, readers)] = self._clauses
        return ClauseFailure(text, {path: read(arguments) for path, read in readers.items()}, None)

    def _first_failure(self, arguments: tuple[object, ...]) -> ClauseFailure | None:
        for text, holds, readers in self._clauses:
            try:
                held = holds(*arguments)
                error = None if isinstance(held, bool) else "true or false is needed"
                if held is True:
                    continue
            except EvaluationError as failure:
                error = failure.message
            return ClauseFailure(text, {path: read(arguments) for path, read in readers.items()}, error)
        return None

    @cached_property
    def _clauses(self) -> list[tuple[str, Callable[..., Any], dict[str, Reader]]]:
        tokens = Tokens(self.source)
        return [
            (
                tokens.text_of(clause),
                _compiled(clause, self.source, self.schema),
                {path: reader(node, self._names) for path, node in paths(clause).items()},
            )
            for clause in flatten(self._root, "_&&_")
        ]

    def __reduce__(self) -> tuple[Callable[..., Expression], tuple[str, Schema, Type | None]]:
        return compile_expression, (self.source, self.schema, self.expects)

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"


@lru_cache(maxsize=8192)
def compile_expression(source: str, schema: Schema, expects: Type | None = None) -> Expression:
    """The expression in a text, from a cache when it was asked for before. Raises ExpressionError; see `check`."""
    return Expression(source, schema, expects)


def _compiled(node: Node, source: str, schema: Schema) -> Callable[..., Any]:
    """A node as a function that falls back to the interpreter."""

    def again(error: Exception, arguments: tuple[object, ...]) -> object:
        if isinstance(error, TooManySteps):
            raise EvaluationError(error.message, source) from None
        return _interpreted(node, source, schema, arguments)

    return lower(node, schema, again)


def _interpreted(node: Node, source: str, schema: Schema, arguments: tuple[object, ...]) -> object:
    failed: Node = node
    try:
        return finished(Interpreter(dict(zip(schema.variables, arguments, strict=False))).value(node), node.type)
    except Failure as failure:
        failed, message = failure.node, failure.message
    except (TooManySteps, OperationError) as error:
        message = getattr(error, "message", str(error))
    raise EvaluationError(message, Tokens(source).text_of(failed))
