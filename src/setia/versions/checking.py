"""Only a definition without errors is published; its warnings are told."""

from setia.problems import ErrorItem, Unprocessable
from setia.program.definition import Program
from setia.program.findings import Finding
from setia.program.lint import lint
from setia.program.yaml_text import Loaded


class InvalidDefinition(Unprocessable):
    """The definition has errors; nothing was published."""

    code = "invalid_definition"
    title = "This definition has errors"


def checked(loaded: Loaded, *, pointer: str = "#") -> tuple[Program, list[Finding]]:
    """Give the program and its warnings, or raise `InvalidDefinition` with every error.

    Errors point by file, line and column where there is a text, and else by JSON pointer below `pointer`.
    """
    findings = lint(loaded)
    errors = [
        ErrorItem(
            pointer=f"{found.file}:{found.line}:{found.column}" if found.line else f"{pointer}{found.path}",
            message=found.message,
            hint=found.hint or None,
        )
        for found in findings
        if found.severity == "error"
    ]
    if errors or loaded.program is None:
        raise InvalidDefinition("The definition has errors; nothing was published.", errors=errors)
    return loaded.program, findings
