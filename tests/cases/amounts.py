"""Money and points as the cases write them, and whether what was found is what was expected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

_POINTS = ("points", "points_earned", "credited", "available", "issued", "used", "base_points")


def exact(value: object) -> Decimal:
    """A number of a case as it is written; `Decimal(1.25)` would be another one than `1.25`."""
    return Decimal(str(value))


def money(value: object) -> str:
    """An amount of money as Setia's API reads it."""
    return f"{exact(value):.2f}" if exact(value) == exact(value).quantize(Decimal("0.01")) else f"{exact(value):f}"


def number(value: object) -> str:
    """A number as it is written in a definition: no exponent, no needless zeros."""
    text = f"{exact(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimal_text(value: object) -> str:
    """A decimal in an expression, where a whole number would be one without decimals."""
    text = number(value)
    return text if "." in text else f"{text}.0"


def decimals_of_points(*parts: object) -> int:
    """How many decimals points have in a case: those that its points are written with."""
    return max((-_exponent(value) for value in _points_in(parts)), default=0)


def _points_in(value: object, name: str = "") -> Iterator[Decimal]:
    match value:
        case dict():
            for key, item in value.items():
                yield from _points_in(item, str(key))
        case list() | tuple():
            for item in value:
                yield from _points_in(item, name)
        case str() | float() if name in _POINTS:
            try:
                yield exact(value)
            except InvalidOperation:
                return


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return min(exponent, 0) if isinstance(exponent, int) else 0


def same(expected: Any, found: Any) -> bool:
    """Whether two values are equal, where 5, 5.0 and "5.00" are one number and a moment is one in any spelling."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(same(value, found[key]) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(same, expected, found))
    if isinstance(expected, bool) or isinstance(found, bool) or expected is None or found is None:
        return expected is found
    try:
        return exact(expected) == exact(found)
    except InvalidOperation:
        return str(expected) == str(found)


def shown(value: Any) -> Any:
    """A value as JSON can show it."""
    match value:
        case Decimal():
            return number(value)
        case dict():
            return {str(key): shown(item) for key, item in value.items()}
        case list() | tuple():
            return [shown(item) for item in value]
        case dt.datetime() | dt.date():
            return value.isoformat()
        case _:
            return value
