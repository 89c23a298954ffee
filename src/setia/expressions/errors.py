"""What can go wrong with an expression: before it is accepted, and while it is evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issue:
    """One complaint about the text of an expression.

    `line` and `column` count from 1, in code points of the expression's own text. `message` is what to show, `hint`
    what to do about it ("" when nothing helps), `original` the checker's own words ("" when the complaint is ours).
    """

    line: int
    column: int
    message: str
    hint: str = ""
    original: str = ""

    def __str__(self) -> str:
        text = f"{self.line}:{self.column}: {self.message}"
        return f"{text} ({self.hint})" if self.hint else text


class ExpressionError(ValueError):
    """The text is not an acceptable expression. `issues` is never empty and sorted by position."""

    def __init__(self, source: str, issues: Sequence[Issue]) -> None:
        self.source = source
        self.issues: tuple[Issue, ...] = tuple(sorted(issues, key=lambda issue: (issue.line, issue.column)))
        super().__init__("\n".join(str(issue) for issue in self.issues))

    def __reduce__(self) -> tuple[type[ExpressionError], tuple[str, tuple[Issue, ...]]]:
        return ExpressionError, (self.source, self.issues)


class EvaluationError(Exception):
    """An accepted expression has no value for these inputs.

    `message` says why ("member.attributes.city is not set"), `expression` is the text of the part that failed.
    """

    def __init__(self, message: str, expression: str) -> None:
        self.message = message
        self.expression = expression
        super().__init__(message, expression)

    def __str__(self) -> str:
        return f"{self.message}, in: {self.expression}"
