"""From the tree to a Python function, which is what makes an evaluation cost less than a microsecond.

The function is plain Python: `and`, `or`, attribute access, one `for` loop per macro. It computes what the interpreter
computes, or raises; whatever it raises sends the evaluation to the interpreter, which knows CEL's rules for errors. So
nothing here may return a value where the interpreter would fail, and that is why reads of things that may be unset are
guarded wherever Python would carry a None on without complaint.
"""

from __future__ import annotations

import datetime as dt
import keyword
import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from setia.expressions import containers, numeric, syntax, textual
from setia.expressions.interpret import MOST_STEPS, TooManySteps, steps_per_element
from setia.expressions.operations import Implementation, implementation, static_kind
from setia.expressions.schema import BOOL, DECIMAL, DYN, INT, STRING, ListOf, MapOf, Message, Schema
from setia.expressions.syntax import Call, Node, flatten

_INFIX: dict[Implementation, str] = {
    operator.lt: "<",
    operator.le: "<=",
    operator.gt: ">",
    operator.ge: ">=",
    operator.eq: "==",
    operator.ne: "!=",
}
# These raise TypeError for a None by themselves, so their operands need no guard.
_STRICT = frozenset(
    {
        operator.lt,
        operator.le,
        operator.gt,
        operator.ge,
        numeric.add_int,
        numeric.subtract_int,
        numeric.multiply_int,
        numeric.divide_int,
        numeric.modulo_int,
        numeric.add_decimal,
        numeric.subtract_decimal,
        numeric.multiply_decimal,
        numeric.divide_decimal,
        len,
    }
)
# Python's `in` compares elements of these kinds as CEL does, when both sides are of one kind, or numbers.
_HASHABLE = frozenset({"string", "int", "decimal", "timestamp", "duration"})


class NotSet(Exception):  # noqa: N818 - never leaves the compiled function
    """The compiled function met a None."""


def need(value: object) -> object:
    """A value that must be set."""
    if value is None:
        raise NotSet
    return value


def finished(value: object, type_: object) -> object:
    """A value as a result of this type: decimals are decimals, and nothing is a float."""
    if type_ == DECIMAL:
        return numeric.exact(value)
    return containers.without_float(value) if type_ == DYN else value


def lower(root: Node, schema: Schema, again: Callable[[Exception, tuple[object, ...]], object]) -> Callable[..., Any]:
    """A function of the schema's variables, by position and in order, missing ones being not set.

    When it fails it returns what `again` returns for the exception and the arguments.
    """
    return _Lowering(schema, again).function(root)


class _Lowering:
    def __init__(self, schema: Schema, again: Callable[[Exception, tuple[object, ...]], object]) -> None:
        self.parameters = [f"v_{name}" for name in schema.variables]
        self.names: dict[str, Any] = {"need": need, "again": again, "TooManySteps": TooManySteps}
        self.definitions: list[str] = []
        # For each function being written, innermost last, the names it takes from outside.
        self.free: list[set[str]] = [set()]

    def function(self, root: Node) -> Callable[..., Any]:
        match root.type:
            case t if t == DECIMAL:
                result = f"{self.constant(numeric.exact)}({self.raw(root)})"
            case t if t == DYN:
                result = f"{self.constant(containers.without_float)}({self.value(root)})"
            case _:
                result = self.value(root)
        parameters = ", ".join(f"{name}=None" for name in self.parameters)
        arguments = "".join(f"{name}, " for name in self.parameters)
        budget = [f"        budget = [{MOST_STEPS}]"] if self.definitions else []
        lines = [
            *self.definitions,
            f"def expression({parameters}):",
            "    try:",
            *budget,
            f"        return {result}",
            "    except Exception as error:",
            f"        return again(error, ({arguments}))",
        ]
        # The text is written by this class alone: names are prefixed, strings are `repr`, numbers are constants.
        exec(compile("\n".join(lines), "<expression>", "exec"), self.names)  # noqa: S102 - no text of a user gets in
        function: Callable[..., Any] = self.names["expression"]
        return function

    def constant(self, value: object) -> str:
        """A name for a value or function that the text refers to."""
        name = f"k{len(self.names)}"
        self.names[name] = value
        return name

    def value(self, node: Node) -> str:
        """Python for the value of a node, which raises when the value is not set."""
        code = self.raw(node)
        match node:
            case syntax.Variable():
                return f"({code} or need({code}))"
            case syntax.Select(operand=operand) if isinstance(operand.type, Message) or node.type != DYN:
                return f"({code} or need({code}))"
            case Call(function="_[_]", arguments=(container, _)) if _may_hold_none(container, node):
                return f"need({code})"
            case _:
                return code

    def raw(self, node: Node) -> str:  # noqa: PLR0911 - one return for each kind of node
        """Python for a node, where a None does no harm because what is done with it raises."""
        match node:
            case syntax.Literal():
                return self.literal(node)
            case syntax.Variable():
                return self.local(f"v_{node.name}")
            case syntax.LoopVariable():
                return self.local(f"l_{node.key}")
            case syntax.Select():
                return self.select(node)
            case syntax.Presence():
                return self.presence(node.operand)
            case syntax.ListLiteral():
                return f"[{', '.join(map(self.value, node.items))}]"
            case syntax.MapLiteral():
                keys = "".join(f"{self.value(key)}, " for key, _ in node.entries)
                values = "".join(f"{self.value(value)}, " for _, value in node.entries)
                return f"{self.constant(containers.make_map)}(({keys}), ({values}))"
            case syntax.Macro():
                return self.macro(node)
            case _:
                return self.call(node)

    def local(self, name: str) -> str:
        self.free[-1].add(name)
        return name

    def literal(self, node: syntax.Literal) -> str:
        if isinstance(node.value, Decimal | dt.datetime | dt.timedelta):
            return self.constant(node.value)
        return f"({node.value!r})" if isinstance(node.value, int) else repr(node.value)

    def select(self, node: syntax.Select) -> str:
        operand = self.raw(node.operand)
        match node.operand.type:
            case Message(access="attribute") if keyword.iskeyword(node.field):
                return f"getattr({operand}, {node.field!r})"
            case Message(access="attribute"):
                return f"{operand}.{node.field}"
            case Message() | MapOf():
                return f"{operand}[{node.field!r}]"
            case _:
                return f"{self.constant(containers.member)}({operand}, {node.field!r})"

    def presence(self, node: Node) -> str:
        """Whether something is set; what is inside an unset message is not."""
        if not isinstance(node, syntax.Select):
            return f"({self.raw(node)} is not None)"
        before = f"{self.presence(node.operand)} and "
        operand = self.raw(node.operand)
        match node.operand.type:
            case Message(access="attribute"):
                return f"({before}{self.select(node)} is not None)"
            case Message():
                return f"({before}{operand}.get({node.field!r}) is not None)"
            case _:
                return f"({before}{self.constant(containers.has_key)}({operand}, {node.field!r}))"

    def flag(self, node: Node) -> str:
        """Python for a condition."""
        return self.value(node) if node.type == BOOL else f"{self.constant(containers.flag)}({self.value(node)})"

    def call(self, node: Call) -> str:  # noqa: PLR0911 - one return for each way to write a call
        match node.function:
            case "_&&_" | "_||_":
                word = " and " if node.function == "_&&_" else " or "
                return f"({word.join(map(self.flag, flatten(node, node.function)))})"
            case "!_":
                return f"(not {self.flag(node.arguments[0])})"
            case "_?_:_":
                condition, then, otherwise = node.arguments
                return f"({self.value(then)} if {self.flag(condition)} else {self.value(otherwise)})"
            case "@in" if (code := self.inclusion(*node.arguments)) is not None:
                return code
            case "_[_]" if (code := self.index(*node.arguments)) is not None:
                return code
            case "matches" if isinstance(regex := node.arguments[1], syntax.Literal) and _all_of(node, STRING):
                search = self.constant(textual.pattern(str(regex.value)).search)
                return f"({search}({self.value(node.arguments[0])}) is not None)"
        compute = implementation(node)
        write = self.raw if compute in _STRICT else self.value
        if compute in _INFIX:
            first, second = (write(_like(a, b)) for a, b in (node.arguments, node.arguments[::-1]))
            return f"({first} {_INFIX[compute]} {second})"
        return f"{self.constant(compute)}({', '.join(map(write, node.arguments))})"

    def inclusion(self, needle: Node, container: Node) -> str | None:
        """`in` by Python's own `in`, where that means the same."""
        match container.type:
            case ListOf(element=held) | MapOf(key=held):
                kinds = {static_kind(needle.type), static_kind(held)}
            case _:
                return None
        if not kinds <= _HASHABLE or (len(kinds) > 1 and kinds != {"int", "decimal"}):
            return None
        if isinstance(container, syntax.ListLiteral):
            literals = [item.value for item in container.items if isinstance(item, syntax.Literal)]
            if len(literals) == len(container.items):
                return f"({self.value(needle)} in {self.constant(frozenset(literals))})"
        return f"({self.value(needle)} in {self.raw(container)})"

    def index(self, container: Node, position: Node) -> str | None:
        """An index by a literal that Python understands as CEL does."""
        if isinstance(position, syntax.Literal):
            whole = isinstance(container.type, ListOf) and position.type == INT and str(position.value).isdigit()
            if whole or (isinstance(container.type, MapOf) and position.type == STRING):
                return f"{self.raw(container)}[{position.value!r}]"
        return None

    def macro(self, node: syntax.Macro) -> str:
        """A loop in a function of its own, called with what it needs from outside."""
        range_ = self.raw(node.range)
        if not isinstance(node.range.type, ListOf | MapOf):
            range_ = f"{self.constant(containers.elements)}({range_})"
        name, element = f"m_{node.key}", f"l_{node.key}"
        self.free.append(set())
        predicate = self.flag(node.predicate) if node.predicate else "True"
        transform = self.value(node.transform) if node.transform else element
        free = sorted(self.free.pop() - {element})
        self.free[-1].update(free)
        loop = f"for {element} in values"
        match node.kind:
            case "all":
                lines = [f"{loop}:", f"    if not {predicate}:", "        return False", "return True"]
            case "exists":
                lines = [f"{loop}:", f"    if {predicate}:", "        return True", "return False"]
            case "exists_one":
                lines = [f"return len([{element} {loop} if {predicate}]) == 1"]
            case _:
                lines = [f"return [{transform} {loop} if {predicate}]"]
        budget = [
            f"budget[0] -= len(values) * {steps_per_element(node)}",
            "if budget[0] < 0:",
            "    raise TooManySteps",
        ]
        self.definitions.append(f"def {name}({', '.join(['values', 'budget', *free])}):")
        self.definitions.extend(f"    {line}" for line in [*budget, *lines])
        return f"{name}({', '.join([range_, 'budget', *free])})"


def _may_hold_none(container: Node, node: Node) -> bool:
    return isinstance(container.type, MapOf) and node.type != DYN


def _all_of(node: Call, type_: object) -> bool:
    return all(argument.type == type_ for argument in node.arguments)


def _like(node: Node, other: Node) -> Node:
    """A whole number that is compared with a decimal as a decimal, which Python compares twice as fast."""
    if isinstance(node, syntax.Literal) and isinstance(node.value, int) and other.type == DECIMAL:
        return syntax.Literal(node.position, DECIMAL, Decimal(node.value))
    return node
