"""The schema for editors accepts what the program accepts, and refuses the slips an editor should underline."""

import json
from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings

from program.strategies import Data, program_data
from setia.program.json_schema import program_json_schema
from setia.program.limits import Limit
from setia.program.templates import names, template_folder
from setia.program.yaml_text import load

SCHEMA = program_json_schema()
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)


def as_json(data: Any) -> Any:
    return json.loads(
        json.dumps(data, default=lambda value: float(value) if isinstance(value, Decimal) else str(value))
    )


def test_it_is_a_schema_of_the_dialect_it_names() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(SCHEMA)


def test_every_model_says_what_it_is() -> None:
    silent = [name for name, model in SCHEMA["$defs"].items() if not model.get("description") or not model.get("title")]
    assert silent == []


@pytest.mark.parametrize("name", names())
def test_templates_fit(name: str) -> None:
    data = as_json(load(template_folder(name)).data)
    assert [error.message for error in VALIDATOR.iter_errors(data)] == []


@pytest.mark.parametrize(
    "limit",
    [
        {"per": "member", "every": "event", "earn": "5 stars"},
        {"per": "member", "earn": "5 stars", "crossing": "whole"},
        {"per": "member", "every": "event", "units": 3},
        {"units": 3},
        {"in_all": "3 units", "every": "day"},
    ],
)
def test_every_form_of_a_limit_fits(limit: Data) -> None:
    campaign = {"on": "purchase", "earn": {"stars": 1}, "limits": [limit]}
    data = as_json(load(template_folder(names()[0])).data) | {"campaigns": {"base": campaign}}
    assert Limit.model_validate(limit).model_dump(exclude_defaults=True)
    assert [error.message for error in VALIDATOR.iter_errors(data)] == []


@given(program_data())
@settings(max_examples=50)
def test_generated_programs_fit(data: Data) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(as_json(data))] == []


@pytest.mark.parametrize(
    "change",
    [
        {"campaign": {}},
        {"points": {}},
        {"points": {"Stars": {}}},
        {"points": {"stars": {"roundng": "ceil"}}},
        {"points": {"stars": {"rounding": "up"}}},
        {"points": {"stars": {"available_after": "14 days"}}},
        {"campaigns": {"base": {"on": "purchase", "earn": {"stars": "1 each 1.00"}}}},
        {"campaigns": {"base": {"on": "purchase", "earn": {"stars": -1}}}},
        {"campaigns": {"base": {"earn": {"stars": 1}}}},
        {"campaigns": {"base": {"on": "purchase", "earn": {"stars": 1}, "limits": [{"per": "member"}]}}},
        {"campaigns": {"base": {"on": "purchase", "earn": {"stars": 1}, "limits": [{"in_all": 5}]}}},
        {"tiers": [{"id": "a", "metric": "money", "levels": [{"id": "x", "from": 0}]}]},
        {"tiers": [{"id": "a", "metric": "spend", "window": "12mo", "levels": [{"id": "x", "from": 0}]}]},
        {"program": {"id": "x", "name": "X"}},
    ],
)
def test_slips_do_not_fit(change: dict[str, Any]) -> None:
    data = {"program": {"id": "x", "name": "X", "currency": "EUR"}, "points": {"stars": {}}}
    assert VALIDATOR.is_valid(data)
    assert not VALIDATOR.is_valid(data | change)
