"""Calls whose result, or whose failure, is known from the text: better told when publishing than when a member buys."""

from __future__ import annotations

from setia.expressions import syntax, temporal, textual
from setia.expressions.numeric import OperationError
from setia.expressions.syntax import Call, Node


class NotAvailable(Exception):  # noqa: N818 - not an error of the program, but a finding about a text
    """Something that CEL has and our expressions do not, or that can never have a value."""

    def __init__(self, position: int, message: str) -> None:
        self.position = position
        self.message = message
        super().__init__(message)


def fold(call: Call) -> Node:
    """The call, or the literal it amounts to. Raises NotAvailable when it could never have a value."""
    last = call.arguments[-1]
    if not (isinstance(last, syntax.Literal) and isinstance(last.value, str)):
        return call
    try:
        match call.function:
            case "timestamp":
                return syntax.Literal(call.position, call.type, temporal.timestamp_of_text(last.value))
            case "duration":
                return syntax.Literal(call.position, call.type, temporal.duration_of_text(last.value))
            case "matches":
                textual.pattern(last.value)
            case function if function.startswith("get"):
                temporal.zone_of(last.value)
    except OperationError as error:
        raise NotAvailable(last.position, str(error)) from None
    return call
