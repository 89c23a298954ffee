"""What a rate is worth for an event before rounding: exact fractions of points, line by line."""

from __future__ import annotations

from decimal import Decimal
from math import lcm

from setia.engine.basis import BasisAmounts
from setia.engine.compiled_campaigns import QUANTITY_SCALE, CompiledEarn
from setia.engine.considering import Facts, Match, Raw
from setia.engine.exact import in_units, ratio
from setia.engine.occurrences import Occurrence
from setia.expressions import EvaluationError

WHOLE = -2
"""Stands for the event as a whole where a line index is meant."""
SHIPPING = -1

MAX_POINTS = 10**14
"""More points than this from one rate is a slip, and refused; it also keeps every sum far inside 64 bits."""


def raw_points(
    earn: CompiledEarn, chosen: Match, facts: Facts, event: Occurrence, basis: BasisAmounts, digits: int
) -> Raw:
    """What `earn` is worth for the lines that `chosen` counts.

    `digits` are the decimals of the currency. Amounts over the whole order include shipping only where no lines are
    chosen.

    Raises:
        EvaluationError: its expression failed, or gave no number, a negative one, or one beyond all bounds.
    """
    numerator, denominator = earn.numerator, earn.denominator
    kind = earn.kind
    if kind == "per_amount":
        # A campaign that gives points of two types asks twice.
        known = chosen.amounts
        if known is None:
            amounts = _amounts(chosen, basis)
            counted = sum([amount for _, amount in amounts])
            known = chosen.amounts = (amounts, counted, in_units(counted, digits))
        parts = [(index, amount * numerator) for index, amount in known[0]]
        raw = Raw(parts, denominator, known[2], known[1] * numerator)
    elif kind == "fixed":
        raw = Raw([(WHOLE, numerator)], denominator, "1", numerator)
    elif kind == "per_whole_amount":
        raw = _whole_steps(earn, _amounts(chosen, basis), digits)
    elif kind == "per_unit":
        quantities = [(index, event.lines[index].quantity) for index in _indexes(chosen, event)]
        parts = [(index, int(quantity * QUANTITY_SCALE) * numerator) for index, quantity in quantities]
        units = sum([quantity for _, quantity in quantities], Decimal(0))
        raw = Raw(parts, denominator, format(units, "f"), sum([part for _, part in parts]))
    elif kind == "per_line":
        parts = [(index, numerator) for index in _indexes(chosen, event)]
        raw = Raw(parts, denominator, str(len(parts)), numerator * len(parts))
    else:
        raw = _by_expression(earn, facts, _indexes(chosen, event))
    if raw.numerator > MAX_POINTS * raw.denominator:
        message = f"{earn.text} comes to more than {MAX_POINTS} of the smallest unit of {earn.points}"
        raise EvaluationError(message, earn.text)
    return raw


def repeated(raw: Raw, times: int) -> Raw:
    """The same points several times over, as an offer gives them that one event completes several times.

    Raises:
        EvaluationError: they are beyond all bounds.
    """
    if raw.numerator * times > MAX_POINTS * raw.denominator:
        message = f"{times} times {raw.basis} comes to more than {MAX_POINTS} of the smallest unit"
        raise EvaluationError(message, raw.basis)
    parts = [(line, numerator * times) for line, numerator in raw.parts]
    return Raw(parts, raw.denominator, raw.basis, raw.numerator * times)


def _indexes(chosen: Match, event: Occurrence) -> range | tuple[int, ...]:
    return range(len(event.lines)) if chosen.lines is None else chosen.lines


def _amounts(chosen: Match, basis: BasisAmounts) -> list[tuple[int, int]]:
    if chosen.lines is not None:
        return [(index, basis.lines[index]) for index in chosen.lines]
    amounts = list(enumerate(basis.lines))
    if basis.shipping:
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
    return Raw(parts, earn.denominator, in_units(running, digits), steps * earn.numerator)


def _by_expression(earn: CompiledEarn, facts: Facts, indexes: range | tuple[int, ...]) -> Raw:
    expression = earn.expression
    assert expression is not None  # noqa: S101 - compile_earn gives every rate of this kind its expression
    if earn.by_line:
        lines = facts.event.lines
        values = [(index, expression.call(*facts.plain, lines[index])) for index in indexes]
    else:
        values = [(WHOLE, expression.call(*facts.plain))]
    fractions = [(index, ratio(_amount(value, earn))) for index, value in values]
    denominator = lcm(*(bottom for _, (_, bottom) in fractions))
    parts = [(index, top * (denominator // bottom) * earn.numerator) for index, (top, bottom) in fractions]
    return Raw(parts, denominator * earn.denominator, "1", sum(part for _, part in parts))


def _amount(value: object, earn: CompiledEarn) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        message = f"{earn.text} gave {value!r}, which is not a number"
        raise EvaluationError(message, earn.text)
    number = Decimal(value)
    if not number.is_finite() or number < 0:
        message = f"{earn.text} gave {number}, but points are never negative; use `deduct` to take points away"
        raise EvaluationError(message, earn.text)
    return number
