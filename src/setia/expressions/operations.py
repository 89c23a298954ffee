"""Which Python function computes which CEL function, by the types of its operands.

The checker has decided that an operation is allowed; this table decides what it does. Both the compiled form and the
interpreter take their operations from here, so they cannot differ in what `+` means.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from setia.expressions import containers, numeric, temporal, textual
from setia.expressions.numeric import OperationError
from setia.expressions.schema import BOOL, DECIMAL, DYN, INT, STRING, ListOf, MapOf, Message, Type
from setia.expressions.syntax import Call

Implementation: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One signature of a function: kinds of its parameters ("any" takes all) and what computes it."""

    parameters: tuple[str, ...]
    implementation: Implementation

    def accepts(self, kinds: tuple[str, ...]) -> bool:
        """Whether operands of these kinds fit; "dyn" may turn out to be anything."""
        return len(kinds) == len(self.parameters) and all(
            kind in {parameter, "dyn"} or parameter == "any"
            for kind, parameter in zip(kinds, self.parameters, strict=True)
        )


def identity(value: object) -> object:
    """`dyn(x)`, and conversions to the type a value already has."""
    return value


def _operations(*signatures: tuple[str, Implementation]) -> tuple[Operation, ...]:
    return tuple(Operation(tuple(parameters.split()), implementation) for parameters, implementation in signatures)


def _decimals(implementation: Implementation) -> tuple[tuple[str, Implementation], ...]:
    pairs = ("decimal decimal", "int decimal", "decimal int")
    return tuple((pair, implementation) for pair in pairs)


def _ordering(implementation: Implementation) -> tuple[Operation, ...]:
    same = ("int", "string", "bool", "timestamp", "duration")
    return _operations(*_decimals(implementation), *((f"{kind} {kind}", implementation) for kind in same))


def _calendar(in_zone: Implementation, of_span: Implementation | None = None) -> tuple[Operation, ...]:
    span = [("duration", of_span)] if of_span else []
    return _operations(("timestamp", in_zone), ("timestamp string", in_zone), *span)


OPERATIONS: dict[str, tuple[Operation, ...]] = {
    "_+_": _operations(
        ("int int", numeric.add_int),
        *_decimals(numeric.add_decimal),
        ("string string", textual.concatenate),
        ("list list", containers.concatenate),
        ("timestamp duration", temporal.add),
        ("duration timestamp", temporal.add_to_duration),
        ("duration duration", temporal.add_durations),
    ),
    "_-_": _operations(
        ("int int", numeric.subtract_int),
        *_decimals(numeric.subtract_decimal),
        ("timestamp timestamp", temporal.between),
        ("timestamp duration", temporal.subtract),
        ("duration duration", temporal.subtract_durations),
    ),
    "_*_": _operations(("int int", numeric.multiply_int), *_decimals(numeric.multiply_decimal)),
    "_/_": _operations(("int int", numeric.divide_int), *_decimals(numeric.divide_decimal)),
    "_%_": _operations(("int int", numeric.modulo_int)),
    "-_": _operations(("int", numeric.negate_int), ("decimal", numeric.negate_decimal)),
    "_<_": _ordering(operator.lt),
    "_<=_": _ordering(operator.le),
    "_>_": _ordering(operator.gt),
    "_>=_": _ordering(operator.ge),
    "_==_": _operations(("any any", containers.equals)),
    "_!=_": _operations(("any any", containers.differs)),
    "@in": _operations(("any any", containers.is_in)),
    "_[_]": _operations(("list any", containers.element_at), ("map any", containers.value_of)),
    "size": _operations(("string", len), ("list", len), ("map", len)),
    "dyn": _operations(("any", identity)),
    "int": _operations(
        ("int", identity),
        ("decimal", numeric.truncate),
        ("string", numeric.int_of_text),
        ("timestamp", temporal.seconds_of_timestamp),
    ),
    "double": _operations(("decimal", identity), ("int", numeric.exact), ("string", numeric.decimal_of_text)),
    "string": _operations(
        ("string", identity),
        ("int", str),
        ("decimal", numeric.text_of_decimal),
        ("bool", textual.text_of_bool),
        ("timestamp", temporal.text_of_timestamp),
        ("duration", temporal.text_of_duration),
    ),
    "bool": _operations(("bool", identity), ("string", textual.bool_of_text)),
    "timestamp": _operations(
        ("timestamp", identity), ("string", temporal.timestamp_of_text), ("int", temporal.timestamp_of_seconds)
    ),
    "duration": _operations(("duration", identity), ("string", temporal.duration_of_text)),
    "contains": _operations(("string string", textual.contains)),
    "startsWith": _operations(("string string", str.startswith)),
    "endsWith": _operations(("string string", str.endswith)),
    "matches": _operations(("string string", textual.matches)),
    "lowerAscii": _operations(("string", textual.lower_ascii)),
    "upperAscii": _operations(("string", textual.upper_ascii)),
    "trim": _operations(("string", textual.trim)),
    "reverse": _operations(("string", textual.reverse)),
    "split": _operations(("string string", textual.split), ("string string int", textual.split)),
    "join": _operations(("list", textual.join), ("list string", textual.join)),
    "replace": _operations(("string string string", textual.replace), ("string string string int", textual.replace)),
    "substring": _operations(("string int", textual.substring), ("string int int", textual.substring)),
    "charAt": _operations(("string int", textual.char_at)),
    "indexOf": _operations(("string string", textual.index_of), ("string string int", textual.index_of)),
    "lastIndexOf": _operations(("string string", textual.last_index_of), ("string string int", textual.last_index_of)),
    "getFullYear": _calendar(temporal.year),
    "getMonth": _calendar(temporal.month),
    "getDate": _calendar(temporal.date),
    "getDayOfMonth": _calendar(temporal.day_of_month),
    "getDayOfWeek": _calendar(temporal.day_of_week),
    "getDayOfYear": _calendar(temporal.day_of_year),
    "getHours": _calendar(temporal.hours, temporal.whole_hours),
    "getMinutes": _calendar(temporal.minutes, temporal.whole_minutes),
    "getSeconds": _calendar(temporal.seconds, temporal.whole_seconds),
    "getMilliseconds": _calendar(temporal.milliseconds, temporal.rest_milliseconds),
    "floor": _operations(("int", numeric.floor), ("decimal", numeric.floor)),
    "ceil": _operations(("int", numeric.ceil), ("decimal", numeric.ceil)),
    "round": _operations(("int", numeric.round_half_up), ("decimal", numeric.round_half_up)),
    "min": _operations(("int int", numeric.smaller), *_decimals(numeric.smaller_decimal)),
    "max": _operations(("int int", numeric.greater), *_decimals(numeric.greater_decimal)),
    "abs": _operations(("int", numeric.absolute_int), ("decimal", numeric.absolute_decimal)),
    "sum": _operations(("list", numeric.sum_numbers)),
    "days_between": _operations(("timestamp timestamp", temporal.days_between)),
}
_COMPARABLE = frozenset({BOOL.name, INT.name, DECIMAL.name, STRING.name, "timestamp", "duration"})
_PLAIN_EQUALITY: dict[str, Implementation] = {"_==_": operator.eq, "_!=_": operator.ne}


CONTROL = frozenset({"_&&_", "_||_", "!_", "_?_:_"})
"""What decides which of its operands are evaluated; these are no functions."""


def spoken(function: str) -> str:
    """The name of a function as users write it: `_+_` is "+", `@in` is "in"."""
    return {"-_": "-", "!_": "!", "_[_]": "[]", "_?_:_": "? :", "@in": "in"}.get(function) or (
        function.strip("_") if function.startswith("_") else function
    )


def static_kind(type_: Type) -> str:
    """The kind of a type, as the table above names it."""
    match type_:
        case ListOf():
            return "list"
        case MapOf():
            return "map"
        case Message():
            return "message"
        case _:
            return type_.name


def implementation(call: Call) -> Implementation | None:
    """What computes a call; None when nothing of ours does."""
    kinds = tuple(static_kind(argument.type) for argument in call.arguments)
    if call.function in _PLAIN_EQUALITY and _COMPARABLE.issuperset(kinds):
        # The checker has made sure that these are numbers, or of one type, so Python's equality is CEL's.
        return _PLAIN_EQUALITY[call.function]
    if call.function == "sum" and call.type == DECIMAL:
        # An empty list of decimals has a decimal sum, which only the types can tell.
        return numeric.sum_decimal
    fitting = [operation for operation in OPERATIONS.get(call.function, ()) if operation.accepts(kinds)]
    if not fitting:
        return None
    if DYN.name not in kinds or all(parameter == "any" for parameter in fitting[0].parameters):
        return fitting[0].implementation
    return _choosing(call.function, tuple(fitting))


def _choosing(function: str, candidates: tuple[Operation, ...]) -> Implementation:
    """An operation that looks at its operands first, because the checker could not."""

    def choose(*arguments: object) -> object:
        kinds = tuple(map(containers.kind_of, arguments))
        for operation in candidates:
            if operation.accepts(kinds):
                return operation.implementation(*arguments)
        raise OperationError(f"`{spoken(function)}` is not defined for {' and '.join(kinds)}")

    return choose
