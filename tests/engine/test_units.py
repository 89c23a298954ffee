"""Which units of lines a discount picks."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from setia.engine.units import Run, cheapest, dearest, every, given, whole_sets

RUNS = [Run(0, Fraction(300), 2), Run(1, Fraction(100), 1), Run(2, Fraction(100), 3)]
runs = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6)), max_size=5).map(
    lambda lines: [Run(line, Fraction(price), units) for line, (price, units) in enumerate(lines)]
)


def units(picked: list[Run]) -> dict[int, int]:
    found: dict[int, int] = {}
    for run in picked:
        found[run.line] = found.get(run.line, 0) + run.units
    return found


def test_the_cheapest_and_the_dearest_are_those_of_the_earlier_line_where_prices_are_equal() -> None:
    assert units(cheapest(RUNS, 2)) == {1: 1, 2: 1}
    assert units(dearest(RUNS, 3)) == {0: 2, 1: 1}
    assert units(cheapest(RUNS, 100)) == {0: 2, 1: 1, 2: 3}


@pytest.mark.parametrize(
    ("step", "each", "picked"),
    [(2, 1, {0: 1, 2: 2}), (3, 1, {1: 1, 2: 1}), (3, 2, {0: 1, 1: 1, 2: 2}), (4, 1, {2: 1}), (7, 1, {})],
)
def test_each_nth_unit_is_counted_from_the_dearest(step: int, each: int, picked: dict[int, int]) -> None:
    assert units(every(RUNS, step, each)) == picked


@pytest.mark.parametrize(
    ("there", "times", "free"),
    [
        *((10, "always", 0), (12, "always", 2), (13, "always", 3), (25, "always", 5), (26, "always", 6)),
        *((26, "once", 3), (12, "once", 2)),
    ],
)
def test_of_the_same_goods_no_unit_is_both_bought_and_given(there: int, times: str, free: int) -> None:
    goods = [Run(0, Fraction(100), there)]
    assert sum(units(given(goods, goods, 10, 3, repeat=times == "always")).values()) == free


def test_other_goods_are_given_as_far_as_they_are_there() -> None:
    bought, free = [Run(0, Fraction(500), 4)], [Run(1, Fraction(100), 3)]
    assert units(given(free, bought, 2, 1, repeat=True)) == {1: 2}
    assert units(given(free, bought, 2, 1, repeat=False)) == {1: 1}
    assert units(given(free, bought, 1, 2, repeat=True)) == {1: 3}
    assert given(free, bought, 5, 1, repeat=True) == []
    assert given([], bought, 2, 1, repeat=True) == []


def test_where_some_goods_can_be_both_enough_of_them_stay_bought() -> None:
    both, other = Run(0, Fraction(100), 2), Run(1, Fraction(200), 1)
    # The cheaper unit has to be paid, or nothing would have been bought for the other.
    assert units(given([both, other], [both], 2, 1, repeat=True)) == {1: 1}
    assert units(given([both._replace(units=3), other], [both._replace(units=3)], 2, 1, repeat=True)) == {0: 1}


def test_bundles_take_each_part_and_no_unit_twice() -> None:
    pen, book = Run(0, Fraction(100), 5), Run(1, Fraction(900), 2)
    assert units(whole_sets([([pen], 2), ([book], 1)], repeat=True)) == {0: 4, 1: 2}
    assert units(whole_sets([([pen], 2), ([book], 1)], repeat=False)) == {0: 2, 1: 1}
    # `any three` and `a pen`: the pens are not taken away by the wider choice.
    assert units(whole_sets([([pen, book], 3), ([pen], 1)], repeat=True)) == {0: 2, 1: 2}
    assert whole_sets([([pen], 6), ([book], 1)], repeat=True) == []
    assert whole_sets([([book], 2), ([book], 1)], repeat=True) == []
    billion = Run(0, Fraction(1), 10**9)
    assert units(whole_sets([([billion], 1), ([billion], 1)], repeat=True)) == {0: 10**9}


@for_all(runs, st.integers(2, 6), st.data())
def test_of_each_whole_step_so_many_units_are_picked(there: list[Run], step: int, data: st.DataObject) -> None:
    each = data.draw(st.integers(1, step - 1))
    picked = units(every(there, step, each))
    assert sum(picked.values()) == sum(run.units for run in there) // step * each
    assert all(count <= there[line].units for line, count in picked.items())


@for_all(runs, st.sets(st.integers(0, 4)), st.sets(st.integers(0, 4)), st.integers(1, 4), st.integers(1, 4))
def test_what_is_given_leaves_what_was_bought_for_it(
    there: list[Run], bought: set[int], free: set[int], needed: int, each: int
) -> None:
    buying = [run for run in there if run.line in bought]
    giving = [run for run in there if run.line in free]
    picked = units(given(giving, buying, needed, each, repeat=True))
    count = sum(picked.values())
    assert all(picked[line] <= there[line].units and line in free for line in picked)
    paid = sum(run.units - picked.get(run.line, 0) for run in buying)
    assert paid >= needed * -(-count // each)
    # As many as can be: no number of sets would give more.
    union = sum(run.units for run in there if run.line in bought | free)
    most = max(
        min(each * sets, union - needed * sets, sum(run.units for run in giving))
        for sets in range(sum(run.units for run in buying) // needed + 1)
    )
    assert count == most


@for_all(
    runs, st.lists(st.tuples(st.sets(st.integers(0, 4)), st.integers(1, 3)), min_size=1, max_size=3), st.booleans()
)
def test_bundles_are_whole(there: list[Run], parts: list[tuple[set[int], int]], repeat: bool) -> None:  # noqa: FBT001 - hypothesis draws it
    selections = [([run for run in there if run.line in lines], quantity) for lines, quantity in parts]
    picked = units(whole_sets(selections, repeat=repeat))
    size = sum(quantity for _, quantity in parts)
    assert sum(picked.values()) % size == 0
    assert repeat or sum(picked.values()) <= size
    assert all(count <= there[line].units for line, count in picked.items())
