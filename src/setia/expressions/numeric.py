"""Whole numbers of 64 bits and exact decimals.

Decimals are computed with 50 significant digits, half to even, wherever a result needs more than that (only division,
and products of very long numbers, do). Where CEL's doubles become infinite, these are errors: beyond 10 to the power
400, and when dividing by zero. Nothing here depends on the decimal context of the caller's thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import TypeAlias

Number: TypeAlias = int | Decimal

CONTEXT = Context(
    prec=50, rounding=ROUND_HALF_EVEN, Emin=-400, Emax=400, traps=[InvalidOperation, DivisionByZero, Overflow]
)
LOWEST, HIGHEST = -(2**63), 2**63 - 1
_INT = re.compile(r"[+-]?[0-9]{1,30}\Z")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?\Z")


class OperationError(ValueError):
    """An operation has no result for its operands; the message is for users."""


def within_64_bits(value: int) -> int:
    """The value itself, or an error where CEL would overflow."""
    if LOWEST <= value <= HIGHEST:
        return value
    raise OperationError("the result does not fit a whole number of 64 bits")


def add_int(a: int, b: int) -> int:
    """`a + b`."""
    if LOWEST <= (value := a + b) <= HIGHEST:
        return value
    return within_64_bits(value)


def subtract_int(a: int, b: int) -> int:
    """`a - b`."""
    if LOWEST <= (value := a - b) <= HIGHEST:
        return value
    return within_64_bits(value)


def multiply_int(a: int, b: int) -> int:
    """`a * b`."""
    if LOWEST <= (value := a * b) <= HIGHEST:
        return value
    return within_64_bits(value)


def divide_int(a: int, b: int) -> int:
    """`a / b` of whole numbers, cut off toward zero."""
    if b == 0:
        raise OperationError("division by zero")
    value = abs(a) // abs(b)
    return within_64_bits(value if (a < 0) == (b < 0) else -value)


def modulo_int(a: int, b: int) -> int:
    """`a % b`; the sign is that of `a`."""
    if b == 0:
        raise OperationError("division by zero")
    value = abs(a) % abs(b)
    return -value if a < 0 else value


def negate_int(a: int) -> int:
    """`-a`."""
    return within_64_bits(-a)


add_decimal = CONTEXT.add
subtract_decimal = CONTEXT.subtract
multiply_decimal = CONTEXT.multiply
negate_decimal = CONTEXT.minus


def divide_decimal(a: Number, b: Number) -> Decimal:
    """`a / b` to 50 significant digits."""
    if b == 0:
        raise OperationError("division by zero")
    return CONTEXT.divide(a, b)


def exact(value: object) -> Decimal:
    """A number as a decimal. Refuses float, which has already lost what was meant."""
    if type(value) is Decimal:
        return value
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise OperationError(f"a decimal number is needed, not {type(value).__name__}")
    return Decimal(value)


def _to_int(value: Number, rounding: str) -> int:
    # The size is looked at first: a decimal of 400 digits must not become an int of 400 digits.
    if isinstance(value, Decimal):
        if value.adjusted() > 20:  # 10**20 is beyond 64 bits, whatever the rounding
            within_64_bits(HIGHEST + 1)
        return within_64_bits(int(value.to_integral_value(rounding, CONTEXT)))
    return value


def floor(value: Number) -> int:
    """The greatest whole number that is not above the value."""
    return _to_int(value, ROUND_FLOOR)


def ceil(value: Number) -> int:
    """The least whole number that is not below the value."""
    return _to_int(value, ROUND_CEILING)


def round_half_up(value: Number) -> int:
    """The nearest whole number; a half goes away from zero."""
    return _to_int(value, ROUND_HALF_UP)


def truncate(value: Number) -> int:
    """`int(x)` of a decimal: what stands before the point."""
    return _to_int(value, ROUND_DOWN)


def absolute_int(value: int) -> int:
    """`abs(x)` of a whole number."""
    return within_64_bits(abs(value))


absolute_decimal = CONTEXT.abs


def smaller(a: Number, b: Number) -> Number:
    """`min(a, b)`; `a` when they are equal."""
    return min(a, b)


def greater(a: Number, b: Number) -> Number:
    """`max(a, b)`; `a` when they are equal."""
    return max(a, b)


def smaller_decimal(a: Number, b: Number) -> Decimal:
    """`min(a, b)` when one of them is a decimal."""
    return exact(smaller(a, b))


def greater_decimal(a: Number, b: Number) -> Decimal:
    """`max(a, b)` when one of them is a decimal."""
    return exact(greater(a, b))


def sum_decimal(values: Iterable[object]) -> Decimal:
    """`sum(list)` of decimals; 0 for an empty list."""
    total = Decimal(0)
    for value in values:
        total = CONTEXT.add(total, exact(value))
    return total


def sum_numbers(values: Iterable[object]) -> Number:
    """`sum(list)` of whole numbers, or of whole numbers and decimals; 0 for an empty list."""
    total: Number = 0
    for value in values:
        if type(value) is int and isinstance(total, int):
            total = add_int(total, value)
        else:
            total = CONTEXT.add(total, exact(value))
    return total


def int_of_text(text: str) -> int:
    """`int("12")`."""
    if not _INT.match(text):
        raise OperationError(f"{text[:40]!r} is not a whole number")
    return within_64_bits(int(text))


def decimal_of_text(text: str) -> Decimal:
    """`double("12.5")`, exactly as written."""
    if not _DECIMAL.match(text):
        raise OperationError(f"{text[:40]!r} is not a number")
    return CONTEXT.plus(Decimal(text))


def text_of_decimal(value: Number) -> str:
    """`string(12.50)` is "12.5": no exponent, no zeros at the end."""
    text = format(exact(value), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
