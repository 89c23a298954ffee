"""Member attributes, checked against what the program says about them."""

import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from setia.problems import ErrorItem, Unprocessable
from setia.program.events import Attribute, Members

_MOST_INTEGER = 2**53 - 1
_MOST_STRINGS = 100
_SHOWN_VALUES = 20


class InvalidAttributes(Unprocessable):
    """One or more attributes are not what the program says they are."""

    code = "invalid_attributes"
    title = "These attributes do not fit the program"


def check_attributes(members: Members, given: Mapping[str, Any], pointer: str = "#/attributes") -> dict[str, Any]:
    """Give the attributes as they are stored, or raise `InvalidAttributes` that points at every fault.

    Null stands for "remove it" and is passed on. Numbers stay what JSON made of them: attributes are facts about a
    person, never money or points.
    """
    errors: list[ErrorItem] = []
    checked: dict[str, Any] = {}
    for name, value in given.items():
        place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        attribute = members.attributes.get(name)
        if attribute is None:
            known = ", ".join(members.attributes) or "none"
            errors.append(
                ErrorItem(pointer=place, message="The program has no such attribute.", hint=f"It has: {known}.")
            )
            continue
        try:
            checked[name] = None if value is None else _check(attribute, value)
        except ValueError as error:
            errors.append(ErrorItem(pointer=place, message=f"It {error}."))
    if errors:
        raise InvalidAttributes(errors=errors)
    return checked


def merge(current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes after changes: null removes (RFC 7396, one level deep)."""
    merged = {**current, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def _check(attribute: Attribute, value: Any) -> Any:
    match attribute.type:
        case "string":
            return _string(attribute, value)
        case "integer":
            return _integer(value)
        case "number":
            return _number(value)
        case "boolean":
            if not isinstance(value, bool):
                raise ValueError("must be true or false")  # noqa: TRY004 - one kind of fault for the caller
            return value
        case "date":
            return _date(value)
        case "string_list":
            return _strings(attribute, value)


def _string(attribute: Attribute, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004 - one kind of fault for the caller
    if len(value) > attribute.max_length:
        raise ValueError(f"must have at most {attribute.max_length} characters")
    if "\0" in value:
        raise ValueError("must not hold the character NUL")
    if attribute.values and value not in attribute.values:
        shown = ", ".join(attribute.values[:_SHOWN_VALUES])
        raise ValueError(f"must be one of {shown}" + (", ..." if len(attribute.values) > _SHOWN_VALUES else ""))
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")  # noqa: TRY004 - likewise
    if abs(value) > _MOST_INTEGER:
        # Beyond it programs in JavaScript and JSON parsers of many languages read another number.
        raise ValueError("must lie between -9007199254740991 and 9007199254740991")
    return value


def _number(value: Any) -> int | float | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number")  # noqa: TRY004 - likewise
    if not math.isfinite(value) or not -_MOST_INTEGER <= value <= _MOST_INTEGER:
        raise ValueError("must lie between -9007199254740991 and 9007199254740991")
    return value


def _date(value: Any) -> str:
    if isinstance(value, str) and len(value) == 10:
        try:
            return dt.date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise ValueError("must be a date as YYYY-MM-DD")


def _strings(attribute: Attribute, value: Any) -> list[str]:
    if not isinstance(value, list):
        raise ValueError("must be a list of texts")  # noqa: TRY004 - one kind of fault for the caller
    if len(value) > _MOST_STRINGS:
        raise ValueError(f"must have at most {_MOST_STRINGS} texts")
    return [_string(attribute, one) for one in value]
