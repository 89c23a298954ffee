"""What can be known of a condition without an event: that it is never true, and which values it compares with."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, TypeAlias

from setia.program.expression_language import (
    BOOL,
    Call,
    ListLiteral,
    Literal,
    Node,
    Select,
    Variable,
    flatten,
    walk,
)

Number: TypeAlias = int | Decimal
_Bound: TypeAlias = tuple[Number, bool]
"""A number, and whether it is itself within."""

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "_==_": operator.eq,
    "_!=_": operator.ne,
    "_<_": operator.lt,
    "_<=_": operator.le,
    "_>_": operator.gt,
    "_>=_": operator.ge,
}
_MIRRORED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_", "_==_": "_==_", "_!=_": "_!=_"}

_OPPOSITE = {"_==_": "_!=_", "_!=_": "_==_", "_<_": "_>=_", "_>=_": "_<_", "_>_": "_<=_", "_<=_": "_>_"}
_SWAPPED = {"_&&_": "_||_", "_||_": "_&&_"}

_RANGES: dict[str, tuple[int, int | None]] = {
    "time.month": (1, 12),
    "time.day": (1, 31),
    "time.hour": (0, 23),
    "time.minute": (0, 59),
    "time.weekday": (1, 7),
    "time.week": (1, 53),
    # Money and counts are never negative: an event with less than 0 is refused, and so is a purchase without lines.
    **dict.fromkeys(
        (f"event.{name}" for name in ("total", "gross", "shipping", "tax", "discount", "quantity")), (0, None)
    ),
    **dict.fromkeys((f"line.{name}" for name in ("amount", "gross", "tax", "discount", "quantity")), (0, None)),
    **dict.fromkeys((f"member.lifetime.{name}" for name in ("orders", "visits", "spend")), (0, None)),
    "size(event.lines)": (1, None),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path operator value`, as in `member.tiers.status == "gold"`, with the literal's node for its position."""

    path: str
    operator: str
    value: Any
    literal: Literal


def path_of(node: Node) -> str | None:
    """Return the dotted name a node reads, or None when it is not a plain name; a size is `size(event.lines)`."""
    if isinstance(node, Variable):
        return node.name
    if isinstance(node, Select):
        start = path_of(node.operand)
        return None if start is None else f"{start}.{node.field}"
    if isinstance(node, Call) and node.function == "size" and len(node.arguments) == 1:
        measured = path_of(node.arguments[0])
        return None if measured is None else f"size({measured})"
    return None


def comparisons(root: Node) -> Iterator[Comparison]:
    """Find the comparisons of a name with literals, anywhere in an expression; `in [...]` counts as several `==`."""
    for node in walk(root):
        if isinstance(node, Call) and len(node.arguments) == 2:
            yield from _comparisons(node)


def _comparisons(call: Call) -> Iterator[Comparison]:
    left, right = call.arguments
    if call.function == "@in" and isinstance(right, ListLiteral):
        path = path_of(left)
        if path is not None:
            yield from (Comparison(path, "_==_", item.value, item) for item in right.items if isinstance(item, Literal))
    elif call.function in _COMPARISONS:
        if isinstance(left, Literal):
            left, right, function = right, left, _MIRRORED[call.function]
        else:
            function = call.function
        path = path_of(left)
        if path is not None and isinstance(right, Literal):
            yield Comparison(path, function, right.value, right)


def never(conditions: Iterable[Node], trigger: str | None = None) -> str | None:
    """Say why conditions can never all be true at once, or None when they may be; `trigger` is the event they are for.

    It judges constants, comparisons of a name with literals, and what `&&` and `||` make of them; the rest it takes as
    possible. So it finds slips of the pen, not every contradiction.
    """
    known: dict[str, _Known] = {}
    if trigger is not None:
        known["event.type"] = _Known(given=trigger)
    for condition in conditions:
        for clause in flatten(condition, "_&&_"):
            reason = _clause(clause, known, trigger)
            if reason is not None:
                return reason
    return next((reason for path, facts in known.items() if (reason := facts.contradiction(path))), None)


@dataclass(slots=True)
class _Known:
    """What the clauses so far say about one name."""

    given: str | None = None
    allowed: set[Any] | None = None
    excluded: set[Any] = field(default_factory=set)
    above: list[_Bound] = field(default_factory=list)
    below: list[_Bound] = field(default_factory=list)

    def allow(self, values: set[Any]) -> None:
        self.allowed = values if self.allowed is None else self.allowed & values

    def contradiction(self, path: str) -> str | None:
        """Say why the name has no value that fits, or None."""
        if self.given is not None and (
            self.given in self.excluded or (self.allowed is not None and self.given not in self.allowed)
        ):
            return f"{path} is always {self.given!r} here"
        least, most = _RANGES.get(path, (None, None))
        outermost_above: list[_Bound] = [] if least is None else [(least, True)]
        outermost_below: list[_Bound] = [] if most is None else [(most, True)]
        outside = f"{path} lies between {least} and {most}" if most is not None else f"{path} is never below {least}"
        above = [*self.above, *outermost_above]
        below = [*self.below, *outermost_below]
        if self.allowed is not None:
            fits = [value for value in self.allowed - self.excluded if _within(value, above, below)]
            if self.allowed and not any(_within(value, outermost_above, outermost_below) for value in self.allowed):
                return outside
            return None if fits else f"{path} cannot have a value that fits all parts of the condition"
        too_low = least is not None and any(not _within(least, (), [bound]) for bound in self.below)
        if too_low or (most is not None and any(not _within(most, [bound], ()) for bound in self.above)):
            return outside
        if above and below:
            # Of equal bounds the exclusive one is the stricter.
            low = max(above, key=lambda bound: (bound[0], not bound[1]))
            high = min(below, key=lambda bound: (bound[0], bound[1]))
            if low[0] > high[0] or (low[0] == high[0] and not (low[1] and high[1])):
                return f"{path} cannot lie both above {low[0]} and below {high[0]}"
        return None


def _within(value: Any, above: Sequence[_Bound], below: Sequence[_Bound]) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return not above and not below
    return all(value >= bound if equal else value > bound for bound, equal in above) and all(
        value <= bound if equal else value < bound for bound, equal in below
    )


def _clause(clause: Node, known: dict[str, _Known], trigger: str | None) -> str | None:
    """Note what a clause demands; return why it can never be true, if so."""
    if isinstance(clause, Literal):
        return "the condition is always false" if clause.value is False else None
    if not isinstance(clause, Call):
        path = path_of(clause)
        if path is not None and clause.type == BOOL:
            known.setdefault(path, _Known()).allow({True})
        return None
    return _call(clause, known, trigger)


def _call(call: Call, known: dict[str, _Known], trigger: str | None) -> str | None:
    reason: str | None = None
    if call.function == "_||_":
        reasons = [never([part], trigger) for part in flatten(call, "_||_")]
        reason = reasons[0] if all(reasons) else None
    elif call.function == "!_":
        (operand,) = call.arguments
        path = path_of(operand)
        if isinstance(operand, Literal) and operand.value is True:
            reason = "the condition is always false"
        elif path is not None and operand.type == BOOL:
            known.setdefault(path, _Known()).allow({False})
        elif (opposite := _opposite(operand)) is not None:
            reasons = [_clause(clause, known, trigger) for clause in flatten(opposite, "_&&_")]
            reason = next(filter(None, reasons), None)
    elif call.function in _COMPARISONS and all(isinstance(part, Literal) for part in call.arguments):
        left, right = (part.value for part in call.arguments if isinstance(part, Literal))
        if not _holds(call.function, left, right):
            reason = "the condition is always false"
    elif call.function == "@in" and isinstance(call.arguments[1], ListLiteral):
        items = call.arguments[1].items
        path = path_of(call.arguments[0])
        if path is not None and all(isinstance(item, Literal) for item in items):
            known.setdefault(path, _Known()).allow({item.value for item in items if isinstance(item, Literal)})
    else:
        _note(call, known)
    return reason


def _opposite(node: Node) -> Node | None:
    """Return the tree that is true where this one is false, without a `!` in front; None when there is none."""
    if not isinstance(node, Call):
        return None
    if node.function == "!_":
        return node.arguments[0]
    if node.function in _OPPOSITE:
        return replace(node, function=_OPPOSITE[node.function])
    if node.function in _SWAPPED:
        parts = tuple(_opposite(part) or Call(part.position, BOOL, "!_", (part,)) for part in node.arguments)
        return replace(node, function=_SWAPPED[node.function], arguments=parts)
    return None


def _holds(function: str, left: Any, right: Any) -> bool:
    try:
        return _COMPARISONS[function](left, right)
    except TypeError:
        return True


def _note(call: Call, known: dict[str, _Known]) -> None:
    """Note a comparison of a name with a literal."""
    if call.function not in _COMPARISONS:
        return
    for comparison in _comparisons(call):
        facts = known.setdefault(comparison.path, _Known())
        value = comparison.value
        if comparison.operator == "_==_":
            facts.allow({value})
        elif comparison.operator == "_!=_":
            facts.excluded.add(value)
        elif isinstance(value, int | Decimal) and not isinstance(value, bool):
            equal = comparison.operator in {"_<=_", "_>=_"}
            (facts.below if comparison.operator in {"_<_", "_<=_"} else facts.above).append((value, equal))
