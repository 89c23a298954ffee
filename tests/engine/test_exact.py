"""Rounding against fractions, running sums, and fractions as text."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.engine.exact import Cell, fraction_text, in_units, ratio, rounded
from setia.program.points import RoundingMode

MODES: tuple[RoundingMode, ...] = ("floor", "ceil", "half_up", "half_even")
numerators = st.integers(-(10**20), 10**20)
denominators = st.integers(1, 10**12)


def oracle(value: Fraction, mode: RoundingMode) -> int:
    """Rounding as the standard library's fractions do it; half up is towards plus infinity, as `floor(x + 1/2)`."""
    return {
        "floor": floor(value),
        "ceil": ceil(value),
        "half_up": floor(value + Fraction(1, 2)),
        "half_even": round(value),
    }[mode]


@pytest.mark.parametrize(
    ("numerator", "denominator", "floored", "ceiled", "half_up", "half_even"),
    [
        (0, 1, 0, 0, 0, 0),
        (7, 1, 7, 7, 7, 7),
        (1, 2, 0, 1, 1, 0),
        (3, 2, 1, 2, 2, 2),
        (5, 2, 2, 3, 3, 2),
        (499, 1000, 0, 1, 0, 0),
        (501, 1000, 0, 1, 1, 1),
        (-1, 2, -1, 0, 0, 0),
        (-3, 2, -2, -1, -1, -2),
        (10**30 + 1, 2, 5 * 10**29, 5 * 10**29 + 1, 5 * 10**29 + 1, 5 * 10**29),
    ],
)
def test_each_mode_on_the_same_numbers(
    numerator: int, denominator: int, floored: int, ceiled: int, half_up: int, half_even: int
) -> None:
    assert [rounded(numerator, denominator, mode) for mode in MODES] == [floored, ceiled, half_up, half_even]


@given(numerators, denominators, st.sampled_from(MODES))
def test_rounding_agrees_with_fractions(numerator: int, denominator: int, mode: RoundingMode) -> None:
    assert rounded(numerator, denominator, mode) == oracle(Fraction(numerator, denominator), mode)


@given(st.decimals(-(10**9), 10**9, places=4), st.sampled_from(("floor", "ceil", "half_even")))
def test_rounding_agrees_with_decimals(value: Decimal, mode: RoundingMode) -> None:
    names = {"floor": ROUND_FLOOR, "ceil": ROUND_CEILING, "half_even": ROUND_HALF_EVEN}
    with localcontext(prec=60):
        assert rounded(*ratio(value), mode) == int(value.to_integral_value(names[mode]))


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(1, 10**6)), max_size=12), st.sampled_from(MODES))
def test_a_running_sum_gives_out_exactly_its_rounded_total(parts: list[tuple[int, int]], mode: RoundingMode) -> None:
    cell = Cell(mode)
    given_out = [cell.add(numerator, denominator) for numerator, denominator in parts]
    exact = sum((Fraction(*part) for part in parts), Fraction(0))
    assert sum(given_out) == cell.total == oracle(exact, mode)


def test_two_parts_of_0_6_are_0_and_1() -> None:
    cell = Cell("floor")
    assert [cell.add(6, 10), cell.add(6, 10)] == [0, 1]


def test_after_a_cut_the_sum_goes_on_from_what_was_given() -> None:
    # given a sum of 10.9, of which a limit let 4 through
    cell = Cell("floor")
    assert cell.add(109, 10) == 10
    # when it is settled
    cell.settle(4)
    # then the fraction that was cut is gone too
    assert cell.add(1, 10) == 0
    assert cell.add(9, 10) == 1
    assert cell.total == 5


@pytest.mark.parametrize(
    ("numerator", "denominator", "text"),
    [
        (0, 5, "0"),
        (25, 2, "12.5"),
        (24, 2, "12"),
        (37, 3, "37/3"),
        (2, 6, "1/3"),
        (7, 14, "0.5"),
        (-3, 2, "-1.5"),
        (-1, 3, "-1/3"),
        (1, 1000, "0.001"),
        (100, 8, "12.5"),
        (3, 12, "0.25"),
        (10**40, 1, "1" + "0" * 40),
    ],
)
def test_fractions_as_people_read_them(numerator: int, denominator: int, text: str) -> None:
    assert fraction_text(numerator, denominator) == text


@given(numerators, st.integers(1, 10**30) | st.builds(lambda a, b: 2**a * 5**b, st.integers(0, 90), st.integers(0, 40)))
def test_the_text_of_a_fraction_is_exact_and_short(numerator: int, denominator: int) -> None:
    text = fraction_text(numerator, denominator)
    value = Fraction(numerator, denominator)
    assert Fraction(text) == value
    if "/" in text:
        assert text == f"{value.numerator}/{value.denominator}"
    elif "." in text:
        assert not text.endswith("0")


@pytest.mark.parametrize(
    ("amount", "digits", "text"),
    [(1250, 2, "12.50"), (5, 3, "0.005"), (-5, 2, "-0.05"), (-1250, 2, "-12.50"), (7, 0, "7"), (0, 2, "0.00")],
)
def test_smallest_units_as_text(amount: int, digits: int, text: str) -> None:
    assert in_units(amount, digits) == text
