"""docs/reference/expressions.md names everything that expressions may read and call, with its type."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from setia.expressions import EvaluationError, Message, Schema, Type, compile_expression
from setia.expressions.operations import OPERATIONS
from setia.program.definition import Program
from setia.program.vocabulary import vocabulary

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "expressions.md"
TEXT = PAGE.read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `((?:event|member|location|time|line)\.[\w.]+)` \| ([^|]+?) \|", TEXT, re.MULTILINE))
# What a program adds stands on the page under one name for all of its kind.
OWN = {
    "event.data.NAME": "as its JSON Schema says",
    "member.attributes.NAME": "the attribute's type",
    "member.dates.NAME": "year, month, day: int",
    "member.tiers.ID": "string",
    "member.points.TYPE": "int or decimal",
    "member.pending.TYPE": "int or decimal",
    "member.lifetime.earned.TYPE": "int or decimal",
    "member.sums.NAME": "decimal or int",
}
PARENTS = {name.rpartition(".")[0]: name for name in OWN}

PROGRAM = Program.model_validate(
    {
        "program": {"id": "shop", "name": "Shop", "currency": "EUR"},
        "points": {"stars": {}, "cash": {"decimals": 2}},
        "members": {"attributes": {"size": {}}},
        "events": {"review": {"data": {"type": "object", "properties": {"rating": {"type": "integer"}}}}},
        "tiers": [{"id": "status", "metric": "spend", "levels": [{"id": "green", "from": 0}]}],
        "campaigns": {"base": {"on": "purchase", "earn": {"stars": 1}}},
    }
)


def names(path: str, type_: Type) -> Iterator[tuple[str, str]]:
    """Every name that can be written, with its type; those that a program adds, by their one name."""
    if path in PARENTS:
        yield PARENTS[path], OWN[PARENTS[path]]
    elif isinstance(type_, Message):
        for field, inner in type_.fields.items():
            yield from names(f"{path}.{field}", inner)
    else:
        yield path, str(type_)


def known(trigger: str, *, with_line: bool = False) -> dict[str, str]:
    schema = vocabulary(PROGRAM, trigger, with_line=with_line)
    return dict(pair for name, type_ in schema.variables.items() for pair in names(name, type_))


@pytest.mark.parametrize("trigger", ["purchase", "visit", "member_enrolled", "review"])
def test_every_name_stands_on_the_page_with_its_type(trigger: str) -> None:
    for name, type_ in known(trigger, with_line=trigger == "purchase").items():
        assert ROWS.get(name) == type_, name


def test_the_page_has_no_name_that_cannot_be_read() -> None:
    assert set(ROWS) == set(known("purchase", with_line=True)) | set(known("review"))


def test_every_function_stands_on_the_page() -> None:
    functions = {name for name in OPERATIONS if name[0] not in "_@-"}
    assert {name for name in functions if f"`{name}" not in TEXT} == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1 + 0.2 == 0.3", True),
        ("7 / 2", 3),
        ("round(2.5)", 3),
        ("false && 1 / 0 == 1", False),
        ("1 / 0 == 1 || true", True),
        ('has(member.attributes.size) && member.attributes.size == "l"', False),
    ],
)
def test_what_the_page_says_of_results_holds(text: str, expected: object) -> None:
    schema: Schema = vocabulary(PROGRAM, "visit")
    nobody: dict[str, object] = {"attributes": {}}
    assert compile_expression(text, schema).evaluate({"member": type("M", (), nobody)()}) == expected


def test_reading_what_is_not_set_is_an_error() -> None:
    expression = compile_expression('member.attributes.size == "l"', vocabulary(PROGRAM, "visit"))
    with pytest.raises(EvaluationError, match="not set"):
        expression.evaluate({"member": type("M", (), {"attributes": {}})()})
