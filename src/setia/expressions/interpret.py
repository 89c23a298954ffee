"""The exact and slow way to evaluate: a walk over the tree, with CEL's rules for errors.

`false && error` and `error && false` are both false, and `true || error` is true, likewise inside `all` and `exists`.
The compiled form cannot afford that; it hands over to this one when it meets an error, and this one also knows which
part of the text failed and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from setia.expressions import containers, syntax
from setia.expressions.operations import Implementation, implementation
from setia.expressions.schema import DYN, MapOf, Message
from setia.expressions.syntax import Node

MOST_STEPS = 1_000_000
"""How much work macros may do in one evaluation: for each element one step per started 16 nodes of the macro's body."""


class Failure(Exception):  # noqa: N818 - becomes an EvaluationError, or is absorbed
    """A part of the expression has no value."""

    def __init__(self, message: str, node: Node) -> None:
        self.message = message
        self.node = node
        super().__init__(message)


class TooManySteps(Exception):  # noqa: N818 - becomes an EvaluationError
    """Macros would loop for too long. Nothing absorbs this."""

    message = f"more than {MOST_STEPS} steps"


def steps_per_element(macro: syntax.Macro) -> int:
    """The price of one element: its body without the bodies of inner macros, which pay for themselves."""
    return 1 + sum(map(_size, macro.body)) // 16


def path_of(node: Node) -> str | None:
    """Give "event.total" for a chain of selections that starts at a variable or an element; None for anything else."""
    match node:
        case syntax.Variable() | syntax.LoopVariable():
            return node.name
        case syntax.Select():
            return None if (operand := path_of(node.operand)) is None else f"{operand}.{node.field}"
        case syntax.Call(function="_[_]", arguments=(container, syntax.Literal(value=str(key)))):
            return None if (operand := path_of(container)) is None else f"{operand}.{key}"
        case _:
            return None


def field_of(node: syntax.Select, operand: object) -> object:
    """The content of a message's field, None when there is none."""
    message = node.operand.type
    if isinstance(message, Message) and message.access == "attribute":
        return getattr(operand, node.field, None)
    return operand.get(node.field) if isinstance(operand, dict | Mapping) else None


class Interpreter:
    """One evaluation with the given values of the schema's variables; None, or no entry, means not set."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = values
        self.elements: dict[int, object] = {}
        self.steps = MOST_STEPS
        # Choosing an operation costs more than most operations, and a macro's body comes round often.
        self.operations: dict[int, Implementation | None] = {}

    def value(self, node: Node) -> object:  # noqa: PLR0911 - one return for each kind of node
        """The value of a node. Raises Failure or TooManySteps."""
        match node:
            case syntax.Literal():
                return node.value
            case syntax.Variable():
                return self._set(self.values.get(node.name), node)
            case syntax.LoopVariable():
                return self.elements[node.key]
            case syntax.Select():
                return self._select(node)
            case syntax.Presence():
                return self._is_set(node.operand)
            case syntax.ListLiteral():
                return [self.value(item) for item in node.items]
            case syntax.MapLiteral():
                pairs = [(self.value(key), self.value(value)) for key, value in node.entries]
                return self._apply(node, containers.make_map, [key for key, _ in pairs], [value for _, value in pairs])
            case syntax.Macro():
                return self._macro(node)
            case _:
                return self._call(node)

    def _set(self, value: object, node: Node) -> object:
        if value is None:
            raise Failure(f"{path_of(node) or 'the value'} is not set", node)
        return value

    def _select(self, node: syntax.Select) -> object:
        operand = self.value(node.operand)
        if isinstance(node.operand.type, Message):
            return self._set(field_of(node, operand), node)
        try:
            value = containers.member(operand, node.field)
        except KeyError:
            return self._set(None, node)
        except ValueError as error:
            raise Failure(str(error), node) from error
        return value if node.type == DYN else self._set(value, node)

    def _is_set(self, node: Node) -> bool:
        """`has(node)`. A message that is not set has no fields that are."""
        if isinstance(node, syntax.Variable):
            return self.values.get(node.name) is not None
        if not isinstance(node, syntax.Select):
            # An element, or what an operation gave: it is there, or evaluating it fails.
            return self.value(node) is not None
        if not self._is_set(node.operand):
            return False
        operand = self.value(node.operand)
        if isinstance(node.operand.type, Message):
            return field_of(node, operand) is not None
        return bool(self._apply(node, containers.has_key, operand, node.field))

    def _call(self, node: syntax.Call) -> object:
        if node.function in {"_&&_", "_||_"}:
            return self._logic(node, stops=node.function == "_||_")
        if node.function == "!_":
            return not self._flag(node.arguments[0])
        if node.function == "_?_:_":
            condition, then, otherwise = node.arguments
            return self.value(then if self._flag(condition) else otherwise)
        arguments = [self.value(argument) for argument in node.arguments]
        if (operation := self.operations.get(id(node))) is None:
            operation = self.operations[id(node)] = implementation(node)
        result = self._apply(node, operation, *arguments)
        if node.function == "_[_]" and node.type != DYN and isinstance(node.arguments[0].type, MapOf):
            return self._set(result, node)
        return result

    def _apply(self, node: Node, operation: object, *arguments: object) -> object:
        try:
            return operation(*arguments)  # type: ignore[operator] # taken from the table of operations
        except Exception as error:  # whatever an operation raises, it has no value
            raise Failure(_reason(error), node) from error

    def _flag(self, node: Node) -> bool:
        return bool(self._apply(node, containers.flag, self.value(node)))

    def _logic(self, node: syntax.Call, *, stops: bool) -> bool:
        """`&&` and `||`: the first operand that equals `stops` decides; without one, an error counts."""
        return self._first(iter(node.arguments), stops=stops)

    def _first(self, predicates: Iterator[Node], *, stops: bool) -> bool:
        failure: Failure | None = None
        for predicate in predicates:
            try:
                if self._flag(predicate) is stops:
                    return stops
            except Failure as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return not stops

    def _macro(self, node: syntax.Macro) -> object:
        range_ = self._apply(node.range, containers.elements, self.value(node.range))
        values: Sequence[object] = list(range_)  # type: ignore[call-overload] # `elements` has made sure
        self.steps -= len(values) * steps_per_element(node)
        if self.steps < 0:
            raise TooManySteps
        if node.kind in {"all", "exists"}:
            assert node.predicate is not None  # noqa: S101 - these macros have one
            return self._first(self._each(node, values, node.predicate), stops=node.kind == "exists")
        chosen = [
            self.value(node.transform) if node.transform else True for element in values if self._chooses(node, element)
        ]
        return chosen if node.kind == "collect" else len(chosen) == 1

    def _each(self, node: syntax.Macro, values: Sequence[object], predicate: Node) -> Iterator[Node]:
        for element in values:
            self.elements[node.key] = element
            yield predicate

    def _chooses(self, node: syntax.Macro, element: object) -> bool:
        self.elements[node.key] = element
        return node.predicate is None or self._flag(node.predicate)


def _size(node: Node) -> int:
    if isinstance(node, syntax.Macro):
        return 1 + _size(node.range)
    return 1 + sum(map(_size, syntax.children(node)))


def _reason(error: Exception) -> str:
    """What to tell users of an exception: our own words, or what its kind means for a calculation."""
    if isinstance(error, ValueError) and type(error).__module__.startswith("setia."):
        return str(error)
    if isinstance(error, ArithmeticError):
        return "the number is too large"
    return "the value is of another type than the program says"
