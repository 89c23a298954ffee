"""Exact arithmetic on points: fractions of whole numbers, and the one place where they are rounded."""

from __future__ import annotations

from decimal import Decimal
from math import gcd, lcm

from setia.program.points import RoundingMode


def rounded(numerator: int, denominator: int, mode: RoundingMode) -> int:
    """`numerator / denominator` as a whole number; `denominator` > 0. Halves go up, or to the even neighbour."""
    match mode:
        case "floor":
            return numerator // denominator
        case "ceil":
            return -(-numerator // denominator)
        case "half_up":
            return (2 * numerator + denominator) // (2 * denominator)
        case _:  # half_even
            low, rest = divmod(numerator, denominator)
            if 2 * rest == denominator:
                return low + (low & 1)
            return low + (2 * rest > denominator)


class Cell:
    """A running sum of exact fractions that is rounded as a whole.

    Parts are cut from the rounded running sum, so they are whole and always add up to the rounded total: with floor,
    0.6 and 0.6 give 0 and 1. That is what "rounded once" means.
    """

    __slots__ = ("denominator", "mode", "numerator", "total")

    def __init__(self, mode: RoundingMode) -> None:
        self.mode = mode
        self.numerator = 0
        self.denominator = 1
        self.total = 0

    def add(self, numerator: int, denominator: int) -> int:
        """Add a fraction and return the whole part that it brings."""
        if denominator != self.denominator:
            common = lcm(denominator, self.denominator)
            self.numerator *= common // self.denominator
            numerator *= common // denominator
            self.denominator = common
        self.numerator += numerator
        before = self.total
        self.total = rounded(self.numerator, self.denominator, self.mode)
        return self.total - before

    def settle(self, total: int) -> None:
        """Replace the sum so far by what was really given, after a limit cut it."""
        self.numerator = total
        self.denominator = 1
        self.total = total


def ratio(value: Decimal) -> tuple[int, int]:
    """A decimal as numerator and denominator in lowest terms."""
    return value.as_integer_ratio()


def fraction_text(numerator: int, denominator: int) -> str:
    """A fraction for people: `12.5`, or `37/3` where no decimal is exact."""
    common = gcd(numerator, denominator)
    numerator, denominator = numerator // common, denominator // common
    digits = _decimals(denominator)
    # Whole numbers all the way: a quotient of decimals keeps 28 digits and would call something exact that is not.
    return f"{numerator}/{denominator}" if digits is None else in_units(numerator * 10**digits // denominator, digits)


def _decimals(denominator: int) -> int | None:
    """How many decimals a fraction in lowest terms needs; None where no number of them is enough."""
    powers = []
    for prime in (2, 5):
        power = 0
        while denominator % prime == 0:
            denominator //= prime
            power += 1
        powers.append(power)
    return max(powers) if denominator == 1 else None


def in_units(amount: int, digits: int) -> str:
    """A whole number of smallest units as decimal text with exactly `digits` decimals: (1250, 2) is `12.50`."""
    if not digits:
        return str(amount)
    sign = "-" if amount < 0 else ""
    whole, part = divmod(abs(amount), 10**digits)
    return f"{sign}{whole}.{part:0{digits}d}"
