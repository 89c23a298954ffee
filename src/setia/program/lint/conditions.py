"""What can be known of a condition without an event: that it is never true, and which values it compares with."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
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

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "_==_": operator.eq,
    "_!=_": operator.ne,
    "_<_": operator.lt,
    "_<=_": operator.le,
    "_>_": operator.gt,
    "_>=_": operator.ge,
}
_MIRRORED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_", "_==_": "_==_", "_!=_": "_!=_"}

_RANGES: dict[str, tuple[int, int]] = {
    "time.month": (1, 12),
    "time.day": (1, 31),
    "time.hour": (0, 23),
    "time.minute": (0, 59),
    "time.weekday": (1, 7),
    "time.week": (1, 53),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path operator value`, as in `member.tiers.status == "gold"`, with the literal's node for its position."""

    path: str
    operator: str
    value: Any
    literal: Literal


def path_of(node: Node) -> str | None:
    """Return the dotted name a node reads, or None when it is not a plain name."""
    if isinstance(node, Variable):
        return node.name
    if isinstance(node, Select):
        start = path_of(node.operand)
        return None if start is None else f"{start}.{node.field}"
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


def never(conditions: Iterable[Node]) -> str | None:
    """Say why conditions can never all be true at once, or None when they may be.

    It judges constants, comparisons of a name with literals, and what `&&` and `||` make of them; the rest it takes as
    possible. So it finds slips of the pen, not every contradiction.
    """
    known: dict[str, _Known] = {}
    for condition in conditions:
        for clause in flatten(condition, "_&&_"):
            reason = _clause(clause, known)
            if reason is not None:
                return reason
    return next((reason for path, facts in known.items() if (reason := facts.contradiction(path))), None)


@dataclass(slots=True)
class _Known:
    """What the clauses so far say about one name."""

    allowed: set[Any] | None = None
    excluded: set[Any] = field(default_factory=set)
    above: list[tuple[Number, bool]] = field(default_factory=list)
    below: list[tuple[Number, bool]] = field(default_factory=list)

    def allow(self, values: set[Any]) -> None:
        self.allowed = values if self.allowed is None else self.allowed & values

    def contradiction(self, path: str) -> str | None:
        """Say why the name has no value that fits, or None."""
        bounds = _RANGES.get(path)
        above = self.above if bounds is None else [*self.above, (bounds[0], True)]
        below = self.below if bounds is None else [*self.below, (bounds[1], True)]
        if self.allowed is not None:
            fits = [value for value in self.allowed - self.excluded if _within(value, above, below)]
            if not fits and bounds is not None and not any(bounds[0] <= value <= bounds[1] for value in self.allowed):
                return f"{path} lies between {bounds[0]} and {bounds[1]}"
            return None if fits else f"{path} cannot have a value that fits all parts of the condition"
        if above and below:
            # Of equal bounds the exclusive one is the stricter.
            low = max(above, key=lambda bound: (bound[0], not bound[1]))
            high = min(below, key=lambda bound: (bound[0], bound[1]))
            if low[0] > high[0] or (low[0] == high[0] and not (low[1] and high[1])):
                return f"{path} cannot lie both above {low[0]} and below {high[0]}"
        return None


def _within(value: Any, above: list[tuple[Number, bool]], below: list[tuple[Number, bool]]) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return not above and not below
    return all(value >= bound if equal else value > bound for bound, equal in above) and all(
        value <= bound if equal else value < bound for bound, equal in below
    )


def _clause(clause: Node, known: dict[str, _Known]) -> str | None:
    """Note what a clause demands; return why it can never be true, if so."""
    if isinstance(clause, Literal):
        return "the condition is always false" if clause.value is False else None
    if not isinstance(clause, Call):
        path = path_of(clause)
        if path is not None and clause.type == BOOL:
            known.setdefault(path, _Known()).allow({True})
        return None
    return _call(clause, known)


def _call(call: Call, known: dict[str, _Known]) -> str | None:
    reason: str | None = None
    if call.function == "_||_":
        reasons = [never([part]) for part in flatten(call, "_||_")]
        reason = reasons[0] if all(reasons) else None
    elif call.function == "!_":
        (operand,) = call.arguments
        path = path_of(operand)
        if isinstance(operand, Literal) and operand.value is True:
            reason = "the condition is always false"
        elif path is not None and operand.type == BOOL:
            known.setdefault(path, _Known()).allow({False})
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
