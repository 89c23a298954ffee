"""Findings: what is wrong with a definition, where, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Where in a definition: keys and list positions from the root, as written: `("campaigns", "base", "when")`."""

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. `line` and `column` count from 1, in characters; 0 where there is no text (a definition sent as JSON).

    `path` is a JSON pointer into the definition, `code` never changes its meaning, `hint` may be empty.
    """

    severity: Severity
    code: str
    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.path or "/"
        text = f"{place}: {self.severity}[{self.code}]: {self.message}"
        return f"{text}\n    hint: {self.hint}" if self.hint else text


class DefinitionError(ValueError):
    """The definition is not a program. `findings` is never empty and sorted by place."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings by place, errors before warnings at the same one, and drop what is said twice."""
    return sorted(
        dict.fromkeys(findings),
        key=lambda f: (f.file, f.line, f.column, f.path, f.severity, f.code, f.message),
    )


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any finding stops the definition from being used."""
    return any(finding.severity == "error" for finding in findings)


def as_text(findings: Iterable[Finding]) -> str:
    """Write findings for people and editors: `file:line:column: error[code]: message`, then the hint."""
    return "\n".join(str(finding) for finding in findings)


def as_json(findings: Iterable[Finding]) -> str:
    """Write findings for programs: a JSON list of objects."""
    return json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2)


def pointer(path: Path) -> str:
    """Write a path as a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
