"""Pydantic's errors as findings: one for each place, in words for people who write programs."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from setia.program.definition import Program
from setia.program.findings import Finding, Path, in_order, pointer
from setia.program.nearest import hint as nearest_hint
from setia.program.positions import Sources

# Where a value fits none of the types it may have, Pydantic complains once for each; the most telling complaint wins.
_RANK = ("extra_forbidden", "missing", "value_error", "string_pattern_mismatch", "too_short", "literal_error")
MOST = 200
"""Findings of one validation: enough to work on, and few enough that a hostile text costs little."""
_LONGEST = 300
_RENAMED = {
    "extra_forbidden": "unknown_key",
    "missing": "missing_key",
    "string_pattern_mismatch": "bad_name",
}
_REFERENCE = "the reference of the program definition tells what belongs here"
_KINDS = {
    "string_type": "a text belongs here",
    "bool_type": "true or false belongs here",
    "bool_parsing": "true or false belongs here",
    "int_type": "a whole number belongs here",
    "int_parsing": "a whole number belongs here",
    "int_from_float": "a whole number belongs here",
    "decimal_type": "a number belongs here",
    "decimal_parsing": "a number belongs here",
    "dict_type": "keys and values belong here, as in `key: value`",
    "model_type": "keys and values belong here, as in `key: value`",
    "model_attributes_type": "keys and values belong here, as in `key: value`",
    "tuple_type": "a list belongs here, as in [one, two]",
}


def model_findings(error: ValidationError, data: Any, sources: Sources | None) -> list[Finding]:
    """Translate a failed validation of `data` as a `Program`. `sources` is None for data without text."""
    best: dict[tuple[Path, bool], ErrorDetails] = {}
    for details in error.errors(include_url=False):
        path, is_key = _path(details["loc"], data)
        if details["type"] in {"extra_forbidden", "missing"}:
            is_key = details["type"] == "extra_forbidden"
        place = (path, is_key)
        if place not in best or _rank(details) < _rank(best[place]):
            best[place] = details
    # "Not a text" about a whole value says nothing once another finding lies inside it: the value was the other kind.
    for place, details in list(best.items()):
        from_union = len(details["loc"]) > len(place[0])
        if from_union and any(path[: len(place[0])] == place[0] and path != place[0] for path, _ in best):
            del best[place]
    places = list(best.items())
    found = [_finding(path, details, data, sources, is_key=is_key) for (path, is_key), details in places[:MOST]]
    if len(places) > MOST:
        message = f"{len(places) - MOST} further findings are not shown"
        found.append(_placed("too_many", message, "correct these first", (), sources, missing=True))
    return in_order(found)


def _rank(details: ErrorDetails) -> tuple[int, int]:
    kind = details["type"]
    # Deeper is nearer to what the author meant: they wrote something that almost fits.
    return (_RANK.index(kind) if kind in _RANK else len(_RANK), -len(details["loc"]))


def _path(loc: tuple[int | str, ...], data: Any) -> tuple[Path, bool]:
    """Keep of Pydantic's location what is a step into the data; the rest names types and unions."""
    path: list[str | int] = []
    for number, part in enumerate(loc):
        if part == "[key]":
            return tuple(path), True
        if _has(data, part):
            data = data[part]
            path.append(part)
        elif isinstance(data, dict) and number == len(loc) - 1 and isinstance(part, str):
            path.append(part)
    return tuple(path), False


def _has(data: Any, part: int | str) -> bool:
    """Whether `data` is a mapping or list with something at `part`."""
    if isinstance(data, dict):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and part < len(data)


def _finding(path: Path, details: ErrorDetails, data: Any, sources: Sources | None, *, is_key: bool) -> Finding:
    kind = details["type"]
    message, hint = _words(path, details, data)
    code = _RENAMED.get(kind, "bad_value")
    return _placed(code, message, hint, path, sources, missing=kind == "missing", is_key=is_key)


def _placed(
    code: str,
    message: str,
    hint: str,
    path: Path,
    sources: Sources | None,
    *,
    missing: bool = False,
    is_key: bool = False,
) -> Finding:
    where = pointer(path)
    if sources is None:
        return Finding("error", code, message, hint, path=where)
    if missing:
        # What is not there is said of what should hold it.
        place = sources.key(path[:-1]) if len(path) > 1 else sources.value(())
    else:
        place = sources.key(path) if is_key else sources.value(path)
    return Finding("error", code, message, hint, place.file, place.line, place.column, where)


def _words(path: Path, details: ErrorDetails, data: Any) -> tuple[str, str]:
    kind, given = details["type"], details.get("input")
    context = details.get("ctx", {})
    name = str(path[-1]) if path else "the definition"
    message = _KINDS.get(kind, details["msg"])
    hint = "" if given is None or kind.startswith(("date_", "datetime_")) else f"found {_shown(given)}"
    match kind:
        case "extra_forbidden":
            message = f"there is no setting {name!r} here"
            hint = nearest_hint(name, known_keys(path[:-1], data), of="settings")
        case "missing":
            message, hint = f"{name!r} is missing", f"add `{name}: ...`"
        case "value_error":
            message, _, hint = str(context.get("error", details["msg"])).partition("; ")
        case "literal_error":
            values = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
            message = f"{_shown(given)} is not possible here"
            hint = nearest_hint(str(given), values, of="possible values")
        case "string_pattern_mismatch" if str(context.get("pattern", "")).startswith("^[a-z][a-z0-9_"):
            message = f"{_shown(given)} is not a name"
            hint = "names begin with a letter: lower case, digits and `_` only"
        case "string_pattern_mismatch":
            message = f"{_shown(given)} does not have the form this place needs"
            hint = _form(str(context.get("pattern", "")))
    return _cut(message), _cut(hint or _otherwise(kind, given))


def _otherwise(kind: str, given: Any) -> str:
    """What to do where nothing more telling is known: no finding leaves its reader without a hint."""
    if given is None:
        return "write a value, or leave the setting out"
    if kind.startswith(("date_", "datetime_")):
        return "write a date as 2026-03-01"
    return _REFERENCE if isinstance(given, dict | list) else f"found {_shown(given)}; {_REFERENCE}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _form(pattern: str) -> str:
    if pattern.startswith("^(spend|"):
        return "metrics: spend, orders, visits, points.<type>.earned, points.<type>.balance"
    if pattern == "^[A-Z]{3}$":
        return "write the currency's code in capitals, for example EUR"
    if pattern == "^[A-Z]{2}$":
        return "write the country's code in capitals, for example DE"
    return "write a language as `en`, `de` or `pt-BR`" if "[a-z]{2,3}" in pattern else f"the form is {pattern}"


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def known_keys(path: Path, data: Any) -> list[str]:
    """Return the settings that the definition's models know at `path`, as they are written."""
    found: list[Any] = [Program]
    for part in path:
        data = data[part] if _has(data, part) else None
        found = [inner for annotation in found for inner in _step(annotation, part)]
    names = {
        field.alias or name: None
        for model in found
        if isinstance(model, type) and issubclass(model, BaseModel)
        for name, field in model.model_fields.items()
    }
    return list(names)


def _step(annotation: Any, part: str | int) -> Iterator[Any]:
    for candidate in _unfold(annotation):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            for name, field in candidate.model_fields.items():
                if part == (field.alias or name):
                    yield from _unfold(field.annotation)
        elif get_origin(candidate) is dict:
            yield from _unfold(get_args(candidate)[1])
        elif get_origin(candidate) in {list, tuple} and isinstance(part, int):
            yield from _unfold(get_args(candidate)[0])


def _unfold(annotation: Any) -> Iterator[Any]:
    """Look through `Annotated` and unions."""
    if get_origin(annotation) is Annotated:
        yield from _unfold(get_args(annotation)[0])
    elif get_origin(annotation) in {Union, types.UnionType}:
        for candidate in get_args(annotation):
            yield from _unfold(candidate)
    else:
        yield annotation
