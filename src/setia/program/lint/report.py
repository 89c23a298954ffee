"""What the checks write into: a program, its places, and the findings so far."""

from __future__ import annotations

from setia.program.definition import Program
from setia.program.expression_language import BOOL, ExpressionError, Node, Schema, check
from setia.program.findings import Finding, Path, Severity, pointer
from setia.program.positions import Sources
from setia.program.vocabulary import vocabulary


class Report:
    """Collects findings about `program`. `sources` is None where it came without text."""

    def __init__(self, program: Program, sources: Sources | None) -> None:
        self.program = program
        self.findings: list[Finding] = []
        self._schemas: dict[tuple[str, bool], Schema] = {}
        self._conditions: dict[tuple[str, str], Node | None] = {}
        self._sources = sources

    def schema(self, trigger: str, *, with_line: bool = False) -> Schema:
        """Return the vocabulary for a trigger that exists; made once, since hundreds of campaigns may share it."""
        wanted = (trigger, with_line)
        if wanted not in self._schemas:
            self._schemas[wanted] = vocabulary(self.program, trigger, with_line=with_line)
        return self._schemas[wanted]

    def condition(self, source: str, trigger: str) -> Node | None:
        """Return the tree of a condition, or None when it has errors; read once for each trigger."""
        wanted = (source, trigger)
        if wanted not in self._conditions:
            try:
                self._conditions[wanted] = check(source, self.schema(trigger), BOOL).root
            except ExpressionError:
                self._conditions[wanted] = None
        return self._conditions[wanted]

    def error(self, code: str, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        """Say that the value at `path` (its key with `key`) cannot be used."""
        self._add("error", code, path, message, hint, key=key)

    def warning(self, code: str, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        """Say that the value at `path` (its key with `key`) can be used and is hardly meant."""
        self._add("warning", code, path, message, hint, key=key)

    def inside(self, finding: Finding, path: Path, line: int, column: int) -> None:
        """Add a finding about a character of the text at `path`; `line` and `column` count from 1 in that text."""
        if self._sources is not None:
            place = self._sources.inside(path, line, column)
            file, line, column = place.file, place.line, place.column
        else:
            file, line, column = "", 0, 0
        self.findings.append(
            Finding(finding.severity, finding.code, finding.message, finding.hint, file, line, column, pointer(path))
        )

    def _add(self, severity: Severity, code: str, path: Path, message: str, hint: str, *, key: bool) -> None:
        if self._sources is None:
            self.findings.append(Finding(severity, code, message, hint, path=pointer(path)))
            return
        place = self._sources.key(path) if key else self._sources.value(path)
        self.findings.append(
            Finding(severity, code, message, hint, place.file, place.line, place.column, pointer(path))
        )
