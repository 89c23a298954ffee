"""From the checker's serialized answer to our tree.

The field numbers are those of cel/expr/checked.proto and cel/expr/syntax.proto. What has no counterpart in our tree
raises `NotAvailable` with its position, so that the user sees an issue and never a crash.
"""

from __future__ import annotations

import re
import struct
from decimal import Decimal

from setia.expressions import schema as types
from setia.expressions import syntax, wire
from setia.expressions.constants import NotAvailable, fold
from setia.expressions.environment import PACKAGE
from setia.expressions.operations import CONTROL, implementation, spoken, static_kind
from setia.expressions.schema import ListOf, MapOf, Scalar, Schema, Type
from setia.expressions.syntax import Call, Node

_PRIMITIVES = {
    1: types.BOOL,
    2: types.INT,
    3: Scalar("uint"),
    4: types.DECIMAL,
    5: types.STRING,
    6: Scalar("bytes"),
}
_WELL_KNOWN = {2: types.TIMESTAMP, 3: types.DURATION}
NULL = Scalar("null")
_DECIMAL = re.compile(r"-?\s*((?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?)")
# Functions whose result has the type of their operands.
_POLYMORPHIC = frozenset({"_+_", "_-_", "_*_", "_/_", "-_", "min", "max", "abs", "sum", "_?_:_"})


def decode(checked: bytes, source: str, schema: Schema) -> Node:
    """The tree of a serialized `google.protobuf.Any` with a `cel.expr.CheckedExpr`."""
    return _Decoder(_bytes(wire.last(checked), 2), source, schema).expression()


class _Decoder:
    def __init__(self, checked: bytes, source: str, schema: Schema) -> None:
        self.source = source
        self.schema = schema
        whole = wire.last(checked)
        self.root = _bytes(whole, 4)
        self.types = {_int(entry, 1): _bytes(entry, 2) for entry in map(wire.last, wire.repeated(checked, 3))}
        positions = map(wire.last, wire.repeated(_bytes(whole, 5), 4))
        self.positions = {_int(entry, 1): _int(entry, 2) for entry in positions}
        # The names that macros have given to elements, innermost last, each with the id of its macro and its type.
        self.loops: list[tuple[str, int, Type]] = []

    def expression(self) -> Node:
        return self.node(self.root)

    def node(self, raw: bytes) -> Node:  # noqa: PLR0911 - one return for each kind of node
        message = wire.last(raw)
        id_ = _int(message, 2)
        position = self.positions.get(id_, 0)
        type_ = self.type(self.types.get(id_, b""))
        if 3 in message:
            return self.literal(position, type_, _bytes(message, 3))
        if 4 in message:
            return self.name(position, _text(wire.last(_bytes(message, 4)), 1))
        if 5 in message:
            return self.select(position, type_, wire.last(_bytes(message, 5)))
        if 6 in message:
            return self.call(position, type_, _bytes(message, 6))
        if 7 in message:
            items = tuple(map(self.node, wire.repeated(_bytes(message, 7), 1)))
            return syntax.ListLiteral(position, ListOf(types.DYN) if _any_dyn(items) else type_, items)
        if 8 in message:
            return self.map(position, type_, _bytes(message, 8))
        if 9 in message:
            return self.macro(position, id_, wire.last(_bytes(message, 9)))
        raise NotAvailable(position, "this is not available in Setia expressions")

    def type(self, raw: bytes) -> Type:
        """A type as we know it; those we do not know keep a name and no operation."""
        for number, value in wire.fields(raw):
            if isinstance(value, int):
                return _PRIMITIVES.get(value, NULL) if number == 3 else _WELL_KNOWN.get(value, NULL)
            if number == 6:
                return ListOf(self.type(_bytes(wire.last(value), 1)))
            if number == 7:
                entry = wire.last(value)
                key = self.type(_bytes(entry, 1))
                return MapOf(self.type(_bytes(entry, 2)), key if isinstance(key, Scalar) else NULL)
            if number == 9:
                name = value.decode()
                return self.schema.messages.get(name.removeprefix(f"{PACKAGE}."), Scalar(name))
            if number == 11:
                return Scalar("type")
        return types.DYN

    def literal(self, position: int, type_: Type, raw: bytes) -> Node:
        ((number, value),) = wire.fields(raw)
        if number == 1:
            return syntax.Literal(position, NULL, None)
        if isinstance(value, int) and number in {2, 3}:
            return syntax.Literal(position, type_, bool(value) if number == 2 else wire.signed(value))
        if isinstance(value, bytes) and number == 5:
            return syntax.Literal(position, type_, self.decimal(position, struct.unpack("<d", value)[0]))
        if isinstance(value, bytes) and number == 6:
            return syntax.Literal(position, type_, value.decode())
        raise NotAvailable(position, f"a literal of type {type_} is not available in Setia expressions")

    def decimal(self, position: int, value: float) -> Decimal:
        """The number as the text has it. The checker's double has lost all digits beyond the seventeenth."""
        found = _DECIMAL.match(self.source, position)
        if value in {float("inf"), float("-inf")} or not found:
            raise NotAvailable(position, "the number is too large")
        written = Decimal(found[1])
        # Signs are folded into the literal: `--1.5` is the literal 1.5, found at its first sign.
        return written if value >= 0 else -written

    def name(self, position: int, name: str) -> Node:
        for loop, key, type_ in reversed(self.loops):
            if loop == name:
                return syntax.LoopVariable(position, type_, name, key)
        name = name.removeprefix(".")
        if name not in self.schema.variables:
            raise NotAvailable(position, f"`{name}` as a value is not available in Setia expressions")
        return syntax.Variable(position, self.schema.variables[name], name)

    def select(self, position: int, type_: Type, message: dict[int, wire.Value]) -> Node:
        operand = self.node(_bytes(message, 1))
        if isinstance(operand.type, MapOf):
            type_ = operand.type.value
        selected = syntax.Select(position, type_, operand, _text(message, 2))
        return syntax.Presence(position, types.BOOL, selected) if 3 in message else selected

    def call(self, position: int, type_: Type, raw: bytes) -> Node:
        message = wire.last(raw)
        function = _text(message, 2)
        receiver = [self.node(_bytes(message, 1))] if 1 in message else []
        arguments = tuple(receiver + [self.node(argument) for argument in wire.repeated(raw, 3)])
        if function in {"_==_", "_!=_"} and (compared := _compared_with_null(arguments)) is not None:
            presence = syntax.Presence(position, types.BOOL, compared)
            return presence if function == "_!=_" else Call(position, types.BOOL, "!_", (presence,))
        if function == "_?_:_" and type_ == types.DECIMAL:
            # `premium ? 2.5 : 1` is a decimal on both sides.
            arguments = (arguments[0], *(_as_decimal(argument) for argument in arguments[1:]))
        made = Call(position, _result(function, arguments, type_), function, arguments)
        if function not in CONTROL and implementation(made) is None:
            raise NotAvailable(position, f"`{spoken(function)}` is not available in Setia expressions")
        return fold(made)

    def map(self, position: int, type_: Type, raw: bytes) -> Node:
        entries = [wire.last(entry) for entry in wire.repeated(raw, 2)]
        if 1 in wire.last(raw):
            raise NotAvailable(position, "making a message is not available in Setia expressions")
        pairs = tuple((self.node(_bytes(entry, 3)), self.node(_bytes(entry, 4))) for entry in entries)
        kinds = {static_kind(key.type) for key, _ in pairs}
        # Python's dict takes 1 and true for one key; with keys of one type the question does not come up.
        if len(kinds) > 1 or not kinds <= {"bool", "int", "string"}:
            raise NotAvailable(position, "a map needs keys of one type: all string, all int or all bool")
        written = [key.value for key, _ in pairs if isinstance(key, syntax.Literal)]
        if len(set(written)) < len(written):
            raise NotAvailable(position, "a map with the same key twice")
        if isinstance(type_, MapOf) and _any_dyn(tuple(value for _, value in pairs)):
            type_ = MapOf(types.DYN, type_.key)
        return syntax.MapLiteral(position, type_, pairs)

    def macro(self, position: int, id_: int, message: dict[int, wire.Value]) -> Node:
        """The loop that a macro was expanded to, recognised by what it starts from.

        `all` starts from true, `exists` from false, `exists_one` from 0, `map` and `filter` from an empty list.
        """
        range_ = self.node(_bytes(message, 2))
        start = wire.last(_bytes(message, 4))
        step, arguments = _call(_bytes(message, 6))
        self.loops.append((_text(message, 1), id_, _element(range_.type)))
        made: Node
        if 3 not in start:
            predicate = None if step == "_+_" else self.node(arguments[0])
            appended = arguments[1] if step == "_+_" else _call(arguments[1])[1][1]
            transform = self.node(wire.repeated(_bytes(wire.last(appended), 7), 1)[0])
            type_ = ListOf(transform.type)
            made = syntax.Macro(position, type_, "collect", range_, id_, predicate, transform)
        elif step == "_?_:_":
            made = syntax.Macro(position, types.BOOL, "exists_one", range_, id_, self.node(arguments[0]), None)
        elif step == "_&&_":
            made = syntax.Macro(position, types.BOOL, "all", range_, id_, self.node(arguments[1]), None)
        else:
            made = syntax.Macro(position, types.BOOL, "exists", range_, id_, self.node(arguments[1]), None)
        self.loops.pop()
        return made


def _element(range_: Type) -> Type:
    if isinstance(range_, ListOf):
        return range_.element
    return range_.key if isinstance(range_, MapOf) else types.DYN


def _any_dyn(nodes: tuple[Node, ...]) -> bool:
    return any(node.type == types.DYN for node in nodes)


def _result(function: str, arguments: tuple[Node, ...], checked: Type) -> Type:
    """The type of a call's result, told again from its operands.

    The checker gives `a["x"] + 1`, with `a` of type dyn, the type of the first overload that would fit, and is right as
    far as its own evaluator goes, which looks at the values. We rely on types, so what comes from dyn has to stay dyn.
    """
    first = arguments[0].type if arguments else checked
    if function == "_[_]":
        return first.value if isinstance(first, MapOf) else _element(first)
    if function in _POLYMORPHIC:
        operands = arguments[1:] if function == "_?_:_" else arguments
        if _any_dyn(operands) or (function == "sum" and first == ListOf(types.DYN)):
            return types.DYN
        if any(operand.type == ListOf(types.DYN) for operand in operands):
            return ListOf(types.DYN)
    return checked


def _as_decimal(node: Node) -> Node:
    return Call(node.position, types.DECIMAL, "double", (node,)) if node.type == types.INT else node


def _compared_with_null(arguments: tuple[Node, ...]) -> Node | None:
    """The other side of a comparison with `null`, if it is something that can be unset.

    What is inside a value of type dyn can be null itself, so there the comparison stays one.
    """
    null = [isinstance(argument, syntax.Literal) and argument.value is None for argument in arguments]
    other = arguments[0] if null[1] else arguments[1]
    field = isinstance(other, syntax.Select) and isinstance(other.operand.type, types.Message)
    return other if any(null) and (field or isinstance(other, syntax.Variable)) else None


def _call(raw: bytes) -> tuple[str, list[bytes]]:
    call = _bytes(wire.last(raw), 6)
    return _text(wire.last(call), 2), wire.repeated(call, 3)


def _bytes(message: dict[int, wire.Value], number: int) -> bytes:
    value = message.get(number, b"")
    return value if isinstance(value, bytes) else b""


def _text(message: dict[int, wire.Value], number: int) -> str:
    return _bytes(message, number).decode()


def _int(message: dict[int, wire.Value], number: int) -> int:
    value = message.get(number, 0)
    return value if isinstance(value, int) else 0
