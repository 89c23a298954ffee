"""Lists, maps and values whose type is only known while evaluating."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from setia.expressions.numeric import OperationError
from setia.expressions.textual import LONGEST

_KINDS: dict[type, str] = {
    bool: "bool",
    int: "int",
    Decimal: "decimal",
    str: "string",
    dt.datetime: "timestamp",
    dt.timedelta: "duration",
    list: "list",
    tuple: "list",
    dict: "map",
    type(None): "null",
}
_NUMBERS = frozenset({"int", "decimal"})


def kind_of(value: object) -> str:
    """The name of a value's type in expressions. Refuses float; objects of other classes are "message"."""
    if (kind := _KINDS.get(type(value))) is not None:
        return kind
    if isinstance(value, float):
        raise OperationError("a decimal number is needed, not float")
    return "map" if isinstance(value, Mapping) else "message"


def equals(a: object, b: object) -> bool:
    """CEL's equality of any two values: numbers by value, never across other types, parts one by one."""
    first, second = kind_of(a), kind_of(b)
    if first != second:
        return first in _NUMBERS and second in _NUMBERS and a == b
    if isinstance(a, Sequence) and isinstance(b, Sequence) and first == "list":
        return len(a) == len(b) and all(map(equals, a, b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return len(a) == len(b) and all(has_key(b, key) and equals(value, b[key]) for key, value in a.items())
    return a == b


def differs(a: object, b: object) -> bool:
    """`a != b`."""
    return not equals(a, b)


def is_in(value: object, container: object) -> bool:
    """`value in container`: an element of a list, a key of a map."""
    kind = kind_of(container)
    if kind == "map":
        return has_key(container, value)
    if kind != "list":
        raise OperationError(f"`in` needs a list or a map, not {kind}")
    assert isinstance(container, Sequence)  # noqa: S101 - what `kind_of` has just found, for the type checker
    return any(equals(value, element) for element in container)


def has_key(container: object, key: object) -> bool:
    """Whether a map has a key. CEL keeps `true` and `1` apart where Python does not."""
    if not isinstance(container, Mapping):
        raise OperationError(f"a map is needed, not {kind_of(container)}")
    kind = kind_of(key)
    if kind not in {"bool", "int", "decimal", "string"} or key not in container:
        return False
    return not isinstance(key, int | Decimal) or any(equals(key, known) for known in container)


def element_at(values: Sequence[object], position: object) -> object:
    """`list[position]`, from 0; a negative position is an error, not the end."""
    if type(position) is Decimal and position == position.to_integral_value():
        position = int(position)
    if type(position) is not int:
        raise OperationError(f"the position in a list is an int, not {kind_of(position)}")
    if not 0 <= position < len(values):
        raise OperationError(f"position {position} of a list of {len(values)}")
    return values[position]


def value_of(container: Mapping[object, object], key: object) -> object:
    """`map[key]`."""
    if not has_key(container, key):
        raise OperationError(f"the map has no key {key!r}")
    return container[key]


def concatenate(a: Sequence[object], b: Sequence[object]) -> list[object]:
    """`a + b` of lists."""
    if len(a) + len(b) > LONGEST:
        raise OperationError(f"a list of more than {LONGEST} elements")
    return [*a, *b]


def make_map(keys: Sequence[object], values: Iterable[object]) -> dict[object, object]:
    """`{key: value}`; each key once."""
    made = dict(zip(keys, values, strict=True))
    if len(made) < len(keys):
        raise OperationError("a map with the same key twice")
    return made


def flag(value: object) -> bool:
    """A value of type dyn where a bool is needed."""
    if isinstance(value, bool):
        return value
    raise OperationError(f"true or false is needed, not {kind_of(value)}")


def elements(value: object) -> Sequence[object] | Mapping[object, object]:
    """A value of type dyn where a list or map is needed."""
    if isinstance(value, list | tuple | Mapping):
        return value
    raise OperationError(f"a list or map is needed, not {kind_of(value)}")


def member(container: object, field: str) -> object:
    """`container.field` of a value of type dyn. Objects stay closed: their fields are known by schema only."""
    if not isinstance(container, Mapping):
        raise OperationError(f"a value of type {kind_of(container)} has no field {field!r}")
    return container[field]


def without_float(value: object) -> object:
    """A value of type dyn as a result, after a look for floats at its surface."""
    kind_of(value)
    return value
