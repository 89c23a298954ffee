"""What a rate is worth for an event before rounding: exact fractions of points, line by line."""

from __future__ import annotations

from decimal import Decimal
from math import lcm

import msgspec

from setia.engine.basis import BasisAmounts
from setia.engine.compiled_campaigns import QUANTITY_SCALE, CompiledEarn
from setia.engine.considering import Facts, Match
from setia.engine.exact import fraction_text, in_units, ratio
from setia.engine.occurrences import Occurrence
from setia.engine.expressions import EvaluationError

WHOLE = -2
"""Stands for the event as a whole where a line index is meant."""
SHIPPING = -1

MAX_POINTS = 10**14
"""More points than this from one rate is a slip, and refused; it also keeps every sum far inside 64 bits."""


class Raw(msgspec.Struct):
    """Points of one type before rounding: (line, numerator) over a common denominator, and what was counted."""

    parts: list[tuple[int, int]]
    denominator: int
    basis: str

    @property
    def exact(self) -> str:
        return fraction_text(sum(numerator for _, numerator in self.parts), self.denominator)


def raw_points(earn: CompiledEarn, chosen: Match, facts: Facts, event: Occurrence, basis: BasisAmounts, digits: int) -> Raw:
    """What `earn` is worth for the lines that `chosen` counts.

    `digits` are the decimals of the currency. Amounts over the whole order include shipping only where no lines are chosen.

    Raises:
        EvaluationError: its expression failed, or gave no number, a negative one, or one beyond all bounds.
    """
    indexes = range(len(event.lines)) if chosen.lines is None else chosen.lines
    numerator, denominator = earn.numerator, earn.denominator
    match earn.definition.kind:
        case "fixed":
            raw = Raw([(WHOLE, numerator)], denominator, "1")
        case "per_amount":
            amounts = _amounts(chosen, indexes, basis)
            parts = [(index, amount * numerator) for index, amount in amounts]
            raw = Raw(parts, denominator, in_units(sum(amount for _, amount in amounts), digits))
        case "per_whole_amount":
            raw = _whole_steps(earn, _amounts(chosen, indexes, basis), digits)
        case "per_unit":
            quantities = [(index, event.lines[index].quantity) for index in indexes]
            parts = [(index, int(quantity * QUANTITY_SCALE) * numerator) for index, quantity in quantities]
            counted = sum((quantity for _, quantity in quantities), Decimal(0))
            raw = Raw(parts, denominator, format(counted, "f"))
        case "per_line":
            raw = Raw([(index, numerator) for index in indexes], denominator, str(len(indexes)))
        case "expression":
            raw = _by_expression(earn, facts, indexes)
    if abs(sum(part for _, part in raw.parts)) > MAX_POINTS * raw.denominator:
        message = f"{earn.text} comes to more than {MAX_POINTS} of the smallest unit of {earn.points}"
        raise EvaluationError(message, earn.text)
    return raw


def _amounts(chosen: Match, indexes: range | tuple[int, ...], basis: BasisAmounts) -> list[tuple[int, int]]:
    amounts = [(index, basis.lines[index]) for index in indexes]
    if chosen.lines is None and basis.shipping:
        amounts.append((SHIPPING, basis.shipping))
    return amounts


def _whole_steps(earn: CompiledEarn, amounts: list[tuple[int, int]], digits: int) -> Raw:
    running = steps = 0
    parts = []
    for index, amount in amounts:
        running += amount
        reached = running // earn.step
        parts.append((index, (reached - steps) * earn.numerator))
        steps = reached
    return Raw(parts, earn.denominator, in_units(running, digits))


def _by_expression(earn: CompiledEarn, facts: Facts, indexes: range | tuple[int, ...]) -> Raw:
    expression = earn.expression
    assert expression is not None  # noqa: S101 - compile_earn gives every rate of this kind its expression
    plain = facts.plain()
    lines = facts.event.lines
    if earn.by_line:
        values = [(index, expression.call(*plain, lines[index])) for index in indexes]
    elif facts.event.type == "purchase":
        values = [(WHOLE, expression.call(*plain, None))]
    else:
        values = [(WHOLE, expression.call(*plain))]
    fractions = [(index, ratio(_amount(value, earn))) for index, value in values]
    denominator = lcm(*(bottom for _, (_, bottom) in fractions))
    parts = [(index, top * (denominator // bottom) * earn.numerator) for index, (top, bottom) in fractions]
    return Raw(parts, denominator * earn.denominator, "1")


def _amount(value: object, earn: CompiledEarn) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        message = f"{earn.text} gave {value!r}, which is not a number"
        raise EvaluationError(message, earn.text)
    number = Decimal(value)
    if not number.is_finite() or number < 0:
        message = f"{earn.text} gave {number}, but points are never negative; use `deduct` to take points away"
        raise EvaluationError(message, earn.text)
    return number
