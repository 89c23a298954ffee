"""docs/reference/api.md lists every endpoint, problem, scope and field of an event."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import setia
from setia.api.pages import MOST
from setia.cli.main import app as _commands  # noqa: F401 - importing it lets the command line declare its problems
from setia.db.engine import Database
from setia.events.committer import MOST_TOGETHER, MOST_WAITING
from setia.events.schemas import MAX_BATCH, EventIn, LineIn, MemberIn, TenderIn
from setia.identity.scopes import MEANINGS
from setia.problems import Problem
from setia.server import build
from setia.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"
TEXT = PAGE.read_text(encoding="utf-8")
PROBLEMS = re.findall(r"^\| (\d{3}) \| `(\w+)` \| (.+?) \| .+ \|$", TEXT, re.MULTILINE)
ENDPOINTS = dict(re.findall(r"^\| `([A-Z]+ /\S+)` \| (?:`(\S+)`)? ?\|", TEXT, re.MULTILINE))
SECTION = re.compile(r"<!-- struct: (\w+) -->\n\n((?:\|.*\n)+)")
ROW = re.compile(r"^\| `(\w+)` \| .+? \| (.+?) \| .+ \|$", re.MULTILINE)


def all_problems() -> Iterator[type[Problem]]:
    for module in pkgutil.walk_packages(setia.__path__, "setia."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    waiting = [Problem]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("setia."):
            yield kind


def test_every_problem_stands_on_the_page_with_status_and_title_and_no_other() -> None:
    declared: dict[tuple[str, str], set[str]] = {}
    for kind in all_problems():
        declared.setdefault((str(kind.status), kind.code), set()).add(kind.title.lower().replace("-", " "))
    told = {(status, code): title.lower().replace("-", " ") for status, code, title in PROBLEMS}
    assert len(told) == len(PROBLEMS)
    assert set(told) == set(declared)
    assert {key for key, title in told.items() if title not in declared[key]} == set()


def test_every_endpoint_stands_on_the_page_with_its_scope_and_no_other(database: Database) -> None:
    document = build(Settings(), database).openapi()
    declared = {
        f"{method.upper()} {path}": operation.get("x-scope", "")
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert declared == ENDPOINTS


def test_every_scope_stands_on_the_page_with_its_meaning() -> None:
    told = dict(re.findall(r"^\| `(\w+(?::\w+)?)` \| ([^|]+) \|$", TEXT, re.MULTILINE))
    assert {scope: told.get(scope) for scope in MEANINGS} == {str(scope): text for scope, text in MEANINGS.items()}


@pytest.mark.parametrize("struct", [EventIn, MemberIn, LineIn, TenderIn])
def test_every_field_stands_on_the_page_with_its_default(struct: type[msgspec.Struct]) -> None:
    rows = dict(ROW.findall(dict(SECTION.findall(TEXT))[struct.__name__]))
    expected = {}
    for field in msgspec.structs.fields(struct):
        if field.required:
            expected[field.name] = "required"
        elif field.default in (None, ()):
            expected[field.name] = "none"
        elif field.default == "":
            expected[field.name] = "empty"
        else:
            expected[field.name] = f"`{str(field.default).lower()}`"
    assert rows == expected


def test_the_limits_are_those_of_the_code() -> None:
    assert (MAX_BATCH, MOST_TOGETHER, MOST_WAITING, MOST) == (5_000, 500, 20_000, 200)
    prose = " ".join(TEXT.split())
    assert "transactions of 500 events" in prose
    assert "| events waiting in a process | 20,000, else 503 |" in TEXT
    assert "`limit` (1 to 200, by default 50)" in prose
