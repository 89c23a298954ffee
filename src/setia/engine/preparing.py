"""Everything that a matching campaign has to evaluate, before anything is granted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec

from setia.engine.basis import BasisAmounts
from setia.engine.compiled_campaigns import CompiledMultiplier
from setia.engine.considering import Facts, Match, readable
from setia.engine.occurrences import Occurrence
from setia.engine.rates import raw_points, repeated
from setia.expressions import EvaluationError
from setia.program.events import AttributeType

LARGEST_FACTOR = 1000


class Order(msgspec.Struct, frozen=True, gc=False):
    """The event with what has been worked out about it."""

    event: Occurrence
    facts: Facts
    bases: Mapping[str, BasisAmounts]
    """Campaign -> what counts on its basis."""
    digits: int
    """Decimals of the currency."""
    point_digits: Mapping[str, int]


def prepare(match: Match, order: Order) -> bool:
    """Evaluate what the campaign gives; False, with the verdict `error`, where one of its expressions fails."""
    campaign = match.campaign
    try:
        if campaign.earns or campaign.deducts:
            basis = order.bases[campaign.id]
            arguments = (match, order.facts, order.event, basis, order.digits)
            match.earns = [(rate, raw_points(rate, *arguments)) for rate in campaign.earns]
            if campaign.deducts:
                match.deducts = [(rate, raw_points(rate, *arguments)) for rate in campaign.deducts]
            if match.times > 1:
                match.earns = [(rate, repeated(raw, match.times)) for rate, raw in match.earns]
                match.deducts = [(rate, repeated(raw, match.times)) for rate, raw in match.deducts]
        if campaign.multiplier is not None:
            match.factor = _factor(campaign.multiplier, order.facts)
        if campaign.attributes:
            plain = order.facts.plain
            match.attributes = {
                name: attribute_value(type_, value.call(*plain), name) for name, type_, value in campaign.attributes
            }
        if campaign.values:
            plain = order.facts.plain
            match.values = {name: readable(value.call(*plain)) for name, value in campaign.values}
    except EvaluationError as error:
        match.considered.verdict = "error"
        match.considered.error = str(error)
        return False
    return True


_LARGEST_INTEGER = 2**53 - 1
_LONGEST_TEXT = 10_000


def attribute_value(type_: AttributeType, value: object, name: str) -> Any:
    """A value as an attribute of a type keeps it: exact, and never silently of another type.

    Raises:
        EvaluationError: the value is not of the type.
    """
    if isinstance(value, Decimal) and type_ == "integer" and value == value.to_integral_value():
        value = int(value)
    fits = {
        "string": isinstance(value, str) and len(value) <= _LONGEST_TEXT,
        "integer": isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST_INTEGER,
        "number": isinstance(value, int | Decimal) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        "date": isinstance(value, str) and _is_day(value),
        "string_list": isinstance(value, list | tuple) and all(isinstance(item, str) for item in value),
    }[type_]
    if not fits:
        message = f"{value!r} cannot be the attribute {name}, which is of type {type_}"
        raise EvaluationError(message, name)
    return list(value) if isinstance(value, tuple) else value


def _is_day(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _factor(multiplier: CompiledMultiplier, facts: Facts) -> Fraction:
    if multiplier.factor is not None:
        return multiplier.factor
    text = multiplier.text
    value = multiplier.expression.call(*facts.plain)  # type: ignore[union-attr] # it has one where it has no factor
    try:
        factor = Fraction(value)
    except (TypeError, ValueError, OverflowError) as problem:
        message = f"{text} gave {value!r}, which is not a number"
        raise EvaluationError(message, text) from problem
    if not 0 <= factor <= LARGEST_FACTOR:
        message = f"{text} gave {value}; a factor lies between 0 and {LARGEST_FACTOR}"
        raise EvaluationError(message, text)
    return factor
