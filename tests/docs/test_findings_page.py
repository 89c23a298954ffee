"""docs/reference/findings.md lists every code that a finding can have, with its severity."""

import re
from pathlib import Path

import setia.program

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "findings.md"
SOURCE = Path(setia.program.__file__).parent
ROWS = dict(re.findall(r"^\| `(\w+)` \| ([\w ]+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
# The ways in which the code names one: a call of the report, of `fault` and `_refuse`, or a Finding itself.
REPORTED = re.compile(r"report\.(error|warning)\(\s*\"(\w+)\"")
MADE = re.compile(r"(?:fault|_refuse|_placed)\(\s*\"(\w+)\"|Finding\(\s*\"(?:error|warning)\",\s*\"(\w+)\"")
CHOSEN = re.compile(r"\bcode(?:, message, hint)? = \"(\w+)\"|\"(unknown_\w+)\"")
RENAMED = re.compile(r"\"\w+\": \"(unknown_key|missing_key|bad_name)\"|\.get\(kind, \"(\w+)\"\)")


def codes() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for file in sorted(SOURCE.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        for severity, code in REPORTED.findall(text):
            found.setdefault(code, set()).add(severity)
        for pattern in (MADE, CHOSEN, RENAMED):
            for groups in pattern.findall(text):
                code = groups if isinstance(groups, str) else next(filter(None, groups))
                found.setdefault(code, set())
    return found


def test_the_page_lists_every_code_and_no_other() -> None:
    assert set(ROWS) == set(codes())


def test_the_page_tells_the_severity_as_the_checks_report_it() -> None:
    for code, severities in codes().items():
        for severity in severities:
            assert severity in ROWS[code], code
