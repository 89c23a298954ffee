"""docs/reference/program.md says of every key of the definition what it is, with the default it has."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo

from setia.program.definition import Program
from setia.program.lint import lint
from setia.program.yaml_text import load

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "program.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTION = re.compile(r"<!-- model: (\w+) -->\n\n((?:\|.*\n)+)")
ROW = re.compile(r"^\| `(\w+)` \| .+? \| (.+?) \| .+ \|$", re.MULTILINE)
SHORT_FORMS = {"Limit": {"in_all"}}
"""Keys that are written and are no fields."""


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


def reachable(model: type[BaseModel], seen: dict[str, type[BaseModel]]) -> dict[str, type[BaseModel]]:
    if not issubclass(model, RootModel):
        seen[model.__name__] = model
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            if inner.__name__ not in seen:
                reachable(inner, seen)
    return seen


MODELS = reachable(Program, {})
SECTIONS = {name: dict(ROW.findall(rows)) for name, rows in SECTION.findall(TEXT)}


def shown_default(field: FieldInfo) -> str | None:
    """The default as the page writes it; None where it refers to another table."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, BaseModel):
        short: Any = value.model_dump()
        return f"`{short}`" if isinstance(short, str) else "defaults"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict) and value:
        return None
    if isinstance(value, tuple) and value:
        return f"`[{', '.join(value)}]`"
    return "none" if value in (None, (), {}) else f"`{value}`"


def test_the_page_has_a_table_for_every_model_and_no_other() -> None:
    assert set(SECTIONS) == set(MODELS)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_table_has_every_key_of_its_model_and_no_other(name: str) -> None:
    keys = {field.alias or key for key, field in MODELS[name].model_fields.items()}
    assert set(SECTIONS[name]) - SHORT_FORMS.get(name, set()) == keys


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_table_tells_the_defaults_as_they_are(name: str) -> None:
    for key, field in MODELS[name].model_fields.items():
        expected = shown_default(field)
        if expected is not None:
            assert SECTIONS[name][field.alias or key] == expected, key


def test_the_examples_of_the_sections_are_together_a_program_without_findings() -> None:
    smallest, *sections, limits = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    head = smallest.partition("campaigns:")[0]
    # Alone, the group of this one is used by nobody, and the event of that one neither.
    alone = [piece for piece in sections if piece.startswith("stacking:")]
    together = [piece for piece in sections if piece not in alone]
    campaign = "  review: {on: app_review, earn: {status: 5}}\n"
    assert lint(load(smallest)) == []
    assert lint(load(head + limits)) == []
    assert lint(load("".join(together) + campaign)) == []
    assert [finding.code for finding in lint(load(head + alone[0]))] == ["unused_group"]
