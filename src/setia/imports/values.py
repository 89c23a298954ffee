"""From a row to a value: the one module of imports that knows expressions."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from setia.expressions import (
    BOOL,
    DYN,
    INT,
    STRING,
    EvaluationError,
    ExpressionError,
    MapOf,
    Schema,
    compile_expression,
)
from setia.imports.mapping import Value, finding_at
from setia.program.findings import Finding, Path
from setia.program.positions import Sources

_SCHEMA = Schema({"row": MapOf(STRING), "row_number": INT, "row_digest": STRING, "occurrence": INT})


class Row(msgspec.Struct, gc=False):
    """One row of the file as text by column. `number` counts rows from 1, `line` lines of the file."""

    number: int
    line: int
    values: dict[str, str]
    digest: str = ""
    occurrence: int = 0
    """The how-manieth row of exactly this content it is; 0 where nobody asks."""


class NoValue(Exception):  # noqa: N818 - the row has none
    """A row has no value for what the map wants of it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


Read = Callable[[Row], Any]


class Reader:
    """Compiles the values of a map against the columns of a file, and collects what is wrong with them."""

    def __init__(self, sources: Sources, columns: Collection[str] | None, looked_at: int = 0) -> None:
        """Take the columns of the file, or of so many rows that were looked at; None where nothing is known."""
        self._sources = sources
        self._columns = columns
        self._looked_at = looked_at
        self.findings: list[Finding] = []
        self.uses: set[str] = set()
        """Which of row_digest, occurrence and row_number the map reads: the first two cost something."""

    def value(self, value: Value | None, path: Path) -> Read | None:
        """How to read a value; None for one that is not mapped."""
        if value is None:
            return None
        if value.const is not None:
            constant = value.const
            return lambda _row: constant
        if value.column is not None:
            return self._column(value.column, (*path, "column"))
        return self._expression(value.cel or "", path)

    def condition(self, text: str, path: Path) -> Callable[[Row], bool]:
        """How to ask a condition."""
        return self._expression(text, path, condition=True)

    def _column(self, name: str, path: Path) -> Read:
        self._check_column(name, path)
        # Only rows of JSON lines can be without it, and they leave out what is empty.
        return lambda row: row.values.get(name, "")

    def _expression(self, text: str, path: Path, *, condition: bool = False) -> Read:
        # A bare text stands for {cel: text}: where no `cel` was written, the place found is that of the key around it.
        if self._sources.value((*path, "cel")) != self._sources.key(path):
            path = (*path, "cel")
        try:
            expression = compile_expression(text, _SCHEMA, BOOL if condition else DYN)
        except ExpressionError as error:
            for issue in error.issues:
                self.findings.append(
                    finding_at(self._sources, path, issue.message, issue.hint, issue.line, issue.column)
                )
            return _nothing
        for reference in sorted(expression.references):
            root, _, column = reference.partition(".")
            self.uses.add(root)
            if root == "row" and column:
                self._check_column(column, path)
        call = expression.call

        def read(row: Row) -> Any:
            try:
                return call(row.values, row.number, row.digest, row.occurrence)
            except EvaluationError as error:
                raise NoValue(f"{error.message}, in: {error.expression}") from None

        return read

    def _check_column(self, name: str, path: Path) -> None:
        # The checker knows a map of texts, not which keys it has; a misspelt column would fail every single row.
        if self._columns is not None and name not in self._columns:
            near = difflib.get_close_matches(name, self._columns, n=1)
            there = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(self._columns)}"
            message = f"the file has no column {name!r}"
            if self._looked_at:
                message = f"none of the first {self._looked_at:,} rows has a column {name!r}"
                there += "; a column that only later rows have is named under file.columns"
            self.findings.append(finding_at(self._sources, path, message, there))


def _nothing(_row: Row) -> Any:
    return None
