"""Which units of an order's lines a discount is about: the cheapest, each n-th, what was bought and what is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple


class Run(NamedTuple):
    """Units of one line that cost the same each."""

    line: int
    price: Fraction
    units: int


def first(runs: Iterable[Run], units: int) -> list[Run]:
    """So many of the units, in their order."""
    taken = []
    for run in runs:
        count = min(run.units, units)
        if count > 0:
            taken.append(run._replace(units=count))
            units -= count
    return taken


def cheapest(runs: Iterable[Run], units: int) -> list[Run]:
    """So many of the cheapest units; of equal ones those of the earlier line."""
    return first(sorted(runs, key=lambda run: (run.price, run.line)), units)


def dearest(runs: Iterable[Run], units: int) -> list[Run]:
    """So many of the dearest units; of equal ones those of the earlier line."""
    return first(sorted(runs, key=_dearest_first), units)


def every(runs: Iterable[Run], step: int, units: int) -> list[Run]:
    """Of every `step` units, the dearest first, the last `units`; what does not fill a step gives none."""
    ordered = sorted(runs, key=_dearest_first)
    taken: dict[int, Run] = {}
    place = 0
    total = sum(run.units for run in ordered) // step * step
    for run in ordered:
        until = min(place + run.units, total)
        count = _marked(until, step, units) - _marked(place, step, units)
        if count > 0:
            taken[run.line] = run._replace(units=count)
        place += run.units
    return list(taken.values())


def _marked(place: int, step: int, units: int) -> int:
    """How many of the first `place` units are among the last `units` of their step."""
    whole, rest = divmod(place, step)
    return whole * units + max(0, rest - (step - units))


def given(free: Sequence[Run], bought: Sequence[Run], needed: int, each: int, *, repeat: bool) -> list[Run]:
    """The cheapest of the `free` units that are given: `each` for every `needed` units that are bought and paid.

    No unit is both bought and given: of 12 of the same goods, 2 are given by "10 and then 3".
    """
    lines = {run.line for run in bought}
    there = sum(run.units for run in bought)
    alone = sum(run.units for run in free if run.line not in lines)
    most = there // needed if repeat else min(1, there // needed)
    # Each further set gives more until the units of both together run out; the best is where that happens.
    full = min(most, (there + alone) // (needed + each))
    sets = max((full, min(most, full + 1)), key=lambda sets: min(each * sets, there + alone - needed * sets))
    units = min(each * sets, there + alone - needed * sets)
    spare = there - needed * sets
    taken = []
    for run in sorted(free, key=lambda run: (run.price, run.line)):
        count = min(run.units, units, spare if run.line in lines else run.units)
        if count > 0:
            taken.append(run._replace(units=count))
            units -= count
            spare -= count if run.line in lines else 0
    return taken


def whole_sets(selections: Sequence[tuple[Sequence[Run], int]], *, repeat: bool, most: int | None = None) -> list[Run]:
    """The units of as many whole bundles as there are: of each selection its dearest units, none of them twice.

    There are at most so many as `most` says.
    """
    lines: dict[int, int] = {run.line: run.units for runs, _ in selections for run in runs}
    # What fewer lines can give is chosen first, so that an overlapping choice does not take it away.
    selections = [
        (sorted(runs, key=_dearest_first), quantity)
        for runs, quantity in sorted(selections, key=lambda selection: len(selection[0]))
    ]
    # Halving: quantities go up to a billion, and selections that overlap may come to far fewer sets than each has.
    taken: list[Run] = []
    few, many = 0, _most_sets(selections, repeat=repeat)
    if most is not None:
        many = min(many, most)
    while few < many:
        sets = (few + many + 1) // 2
        found = _take(selections, dict(lines), sets)
        if found is None:
            many = sets - 1
        else:
            few, taken = sets, found
    return taken


def _most_sets(selections: Sequence[tuple[Sequence[Run], int]], *, repeat: bool) -> int:
    most = min(sum(run.units for run in runs) // quantity for runs, quantity in selections)
    return most if repeat else min(1, most)


def _take(selections: Sequence[tuple[Sequence[Run], int]], left: dict[int, int], sets: int) -> list[Run] | None:
    """The units of `sets` bundles, each selection ordered already; None where they overlap and there are not enough."""
    taken: list[Run] = []
    for runs, quantity in selections:
        chosen = first((run._replace(units=left[run.line]) for run in runs), quantity * sets)
        if sum(run.units for run in chosen) < quantity * sets:
            return None
        for run in chosen:
            left[run.line] -= run.units
        taken += chosen
    return taken


def _dearest_first(run: Run) -> tuple[Fraction, int]:
    return -run.price, run.line
