"""The JSON Schema of a definition, for editors: what YAML may say, short forms included."""

from __future__ import annotations

import copy
from typing import Any

from setia.program.definition import Program

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NAME = "[a-z][a-z0-9_]{0,62}"
_NUMBER = r"\d{1,12}(\.\d{1,9})?"
_EXPRESSION: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 10_000}

# Models that YAML writes as a short text, number or list. The rest of their schema comes from the models themselves.
_PERIOD: dict[str, Any] = {
    "type": "string",
    "pattern": r"^\s*\d{1,5}\s*(min|mo|h|d|w|y)\s*$",
    "examples": ["14d", "6mo"],
}
_RATE: dict[str, Any] = {
    "type": "string",
    "pattern": rf"^\s*{_NUMBER}(\s+per\s+(unit|line|(whole\s+)?{_NUMBER}))?\s*$",
    "examples": ["1 per 1.00", "2 per whole 5.00", "3 per unit", "10 per line"],
}
_POINTS: dict[str, Any] = {
    "type": "string",
    "pattern": rf"^\s*\d{{1,15}}(\.\d{{1,6}})?\s+{_NAME}\s*$",
    "examples": ["100 stars"],
}
_EVERY: dict[str, Any] = {"enum": ["day", "week", "month", "quarter", "year", "ever"], "default": "ever"}
_EVERY_OR_EVENT: dict[str, Any] = {"enum": ["event", *_EVERY["enum"]], "default": "ever"}
_USES: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 10**15}
_MODES = ["floor", "ceil", "half_up", "half_even"]

_SHORT_FORMS: dict[str, dict[str, Any]] = {
    "Wins": {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 10**9},
            {
                "type": "string",
                "pattern": r"^\s*\d{1,9}(\s+per\s+(day|week|month|quarter|year))?\s*$",
                "examples": ["10 per month"],
            },
            {"$self": True},
        ]
    },
    "Coupons": {"anyOf": [{"type": "boolean"}, {"$self": True}]},
    "Period": {"anyOf": [_PERIOD]},
    # Written `100 stars` and nothing else.
    "PointAmount": {"anyOf": [_POINTS]},
    "Rounding": {"anyOf": [{"enum": _MODES}, {"$self": True}]},
    "Window": {
        "anyOf": [
            {"enum": ["lifetime", "calendar_year", "anniversary"]},
            {"type": "string", "pattern": r"^\s*rolling\s+\d{1,5}(mo|d|w|y)\s*$", "examples": ["rolling 12mo"]},
            {
                "type": "object",
                "properties": {
                    "kind": {"const": "fixed"},
                    "starts": {"type": "string", "format": "date"},
                    "ends": {"type": "string", "format": "date"},
                },
                "required": ["starts", "ends"],
                "additionalProperties": False,
            },
        ]
    },
    "Earn": {
        "anyOf": [
            {"type": "number", "minimum": 0},
            _RATE,
            {
                "type": "object",
                "properties": {"kind": {"const": "expression"}, "expression": _EXPRESSION},
                "required": ["expression"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {
                    "kind": {"enum": ["fixed", "per_amount", "per_whole_amount", "per_unit", "per_line"]},
                    "points": {"$number": True},
                    "per": {"$number": True},
                },
                "required": ["kind", "points"],
                "additionalProperties": False,
            },
        ]
    },
    "Limit": {
        "anyOf": [
            {
                "type": "object",
                "properties": {"per": {"enum": ["member", "all"]}, "every": _EVERY, "uses": _USES},
                "required": ["uses"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {
                    "per": {"enum": ["member", "all"]},
                    "every": _EVERY_OR_EVENT,
                    "earn": _POINTS,
                    "crossing": {"enum": ["cut", "whole"], "default": "cut"},
                },
                "required": ["earn"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {"per": {"enum": ["member", "all"]}, "every": _EVERY_OR_EVENT, "units": _USES},
                "required": ["units"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {
                    "in_all": {"anyOf": [_POINTS, {"type": "string", "pattern": r"^\s*\d{1,15}\s+(uses|units)\s*$"}]},
                    "every": _EVERY,
                },
                "required": ["in_all"],
                "additionalProperties": False,
            },
        ]
    },
}
_NUMBER_FORMS: dict[str, Any] = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": rf"^{_NUMBER}$"}]
}


def program_json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a definition, with the titles and descriptions an editor shows.

    It accepts everything `load` accepts in shape; names that refer to each other and expressions are `lint`'s business.
    """
    schema: dict[str, Any] = Program.model_json_schema(by_alias=True, mode="validation")
    definitions = schema["$defs"]
    for name, short in _SHORT_FORMS.items():
        if name in definitions:
            definitions[name] = _with_short_form(name, definitions[name], short)
    tidy: dict[str, Any] = _tidy({"$schema": DIALECT, **schema, "title": "A loyalty program"})
    return tidy


def _with_short_form(name: str, model: dict[str, Any], short: dict[str, Any]) -> dict[str, Any]:
    choices = [_without_title(model) if choice == {"$self": True} else choice for choice in short["anyOf"]]
    result = {"title": name, "anyOf": choices}
    return result | ({"description": model["description"]} if "description" in model else {})


def _without_title(model: dict[str, Any]) -> dict[str, Any]:
    """Copy a model's schema without what the short form says about both of them."""
    return {key: value for key, value in copy.deepcopy(model).items() if key not in {"title", "description"}}


def _tidy(value: Any) -> Any:
    """Fill in numbers, and take away `default: null`: in a definition an absent setting is absent, not null."""
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value == {"$number": True}:
        return copy.deepcopy(_NUMBER_FORMS)
    tidy = {key: _tidy(item) for key, item in value.items() if not (key == "default" and item is None)}
    if isinstance(tidy.get("patternProperties"), dict) and "additionalProperties" not in tidy:
        # The pattern is that of a name; what does not fit it is not allowed either.
        tidy["additionalProperties"] = False
    return tidy
