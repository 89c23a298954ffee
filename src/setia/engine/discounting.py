"""What one discount takes off an order: from each line and from shipping, exact, and never more than there is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import NamedTuple

import msgspec

from setia.engine.exact import rounded
from setia.engine.units import Run, cheapest, dearest, every, first, given, whole_sets
from setia.program.discounts import Discount, Step

SHIPPING = -1
"""The place of shipping among lines."""


class Priced(msgspec.Struct):
    """One line, or shipping, as promotions have left it: amounts in the smallest unit of the currency, with tax."""

    original: int
    tax: int
    quantity: Decimal
    amount: int
    free: int = 0
    """The units that were handed out for nothing: nothing is earned on them."""

    @property
    def units(self) -> int:
        """Its whole units; what is sold by weight has those, and a rest that no discount by unit touches."""
        return int(self.quantity)

    @property
    def unit_price(self) -> Fraction:
        """What one unit costs now."""
        if not self.quantity:
            return Fraction(0)
        numerator, denominator = self.quantity.as_integer_ratio()
        return Fraction(self.amount * denominator, numerator)

    @property
    def net_share(self) -> Fraction:
        """Which part of what it costs is not tax."""
        return Fraction(self.original - self.tax, self.original) if self.original else Fraction(1)


class Taken(msgspec.Struct, frozen=True):
    """What a discount takes: from each line (SHIPPING: from shipping), and units that the caller is to add for free."""

    cuts: dict[int, int]
    wanted: int
    """What it would take without its caps, from lines that other promotions have left as they were."""
    added_units: int = 0
    free: dict[int, int] = {}
    """Of each line, the units that were picked and cost nothing any more."""
    units: int = 0
    """How many units are discounted, those to add included."""
    is_limited: bool = False
    """Whether it would discount more units, were it not for the most that were allowed."""

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.cuts.values())


class Chosen(msgspec.Struct, frozen=True):
    """The lines a discount is about: those it is taken off, those of `buy`, and those of each part of a bundle."""

    lines: Sequence[int]
    bought: Sequence[int] = ()
    bundle: Sequence[Sequence[int]] = ()


class _Measure(msgspec.Struct, frozen=True):
    """How much is taken off: one of the three, or nothing where no step is reached. Amounts in the smallest unit."""

    percent: Fraction | None = None
    amount: Fraction | None = None
    price: Fraction | None = None


def take_off(
    discount: Discount, priced: Mapping[int, Priced], chosen: Chosen, digits: int, most_units: int | None = None
) -> Taken:
    """Work out a discount on lines as they are now; nothing given is changed. `digits` are those of the currency.

    `most_units` is how many units limits let it discount (None: any number).
    """
    if discount.free == "added":
        units = _sets(discount, priced, chosen) * (discount.units or 1)
        granted = units if most_units is None else min(units, most_units)
        return Taken({}, 0, granted, units=granted, is_limited=granted < units)
    measure = _measure(discount, priced, chosen.lines, digits)
    if discount.on == "shipping":
        return _whole(discount, priced, [line for line in priced if line == SHIPPING], measure, digits)
    if not _by_units(discount, measure) and (most_units is None or not discount.has_units):
        return _whole(discount, priced, chosen.lines, measure, digits)
    picked = _picked(discount, priced, chosen)
    raw = _of_units(discount, priced, picked, measure)
    wanted = rounded(sum(raw.parts.values()), raw.over, discount.rounding)
    # What costs nothing is not discounted, and not counted.
    is_limited = most_units is not None and _units_of(priced, picked) > most_units
    if is_limited:
        picked = _fewer(discount, priced, chosen, picked, most_units or 0)
        raw = _of_units(discount, priced, picked, measure)
    free: dict[int, int] = {}
    if measure.percent == 1:
        for run in picked:
            free[run.line] = free.get(run.line, 0) + run.units
    cuts = _capped(discount, raw, priced, digits)
    units = sum(run.units for run in picked if run.line in cuts)
    return Taken(cuts, wanted, free=free, units=units, is_limited=is_limited)


def _whole(
    discount: Discount, priced: Mapping[int, Priced], lines: Collection[int], measure: _Measure, digits: int
) -> Taken:
    """What is taken off whole lines, or shipping."""
    raw = _of_lines(discount, {line: priced[line] for line in lines}, measure)
    wanted = rounded(sum(raw.parts.values()), raw.over, discount.rounding)
    cuts = _capped(discount, raw, priced, digits)
    return Taken(cuts, wanted, units=sum(priced[line].units for line in cuts) if discount.has_units else 0)


def _units_of(priced: Mapping[int, Priced], runs: Iterable[Run]) -> int:
    return sum(run.units for run in runs if priced[run.line].amount)


class _Exact(NamedTuple):
    """What is taken off each line, before it is rounded: numerators over one denominator.

    Whole numbers, because sums and comparisons of fractions were nine tenths of what a promotion took.
    """

    parts: dict[int, int]
    over: int


def _over_one(cuts: Mapping[int, Fraction]) -> _Exact:
    over = lcm(*(cut.denominator for cut in cuts.values()))
    return _Exact({line: cut.numerator * (over // cut.denominator) for line, cut in cuts.items()}, over)


def _minor(amount: Decimal, digits: int) -> Fraction:
    return Fraction(amount) * int(10**digits)


def _measure(discount: Discount, priced: Mapping[int, Priced], lines: Collection[int], digits: int) -> _Measure:
    """How much is taken off: as the discount says, or as the last step does that the chosen lines reach."""
    if discount.price is not None:
        return _Measure(price=_minor(discount.price, digits))
    step: Discount | Step | None = _step(discount, priced, lines, digits) if discount.steps else discount
    if step is None:
        return _Measure()
    if step.percent is not None:
        return _Measure(percent=Fraction(step.percent) / 100)
    return _Measure(amount=None if step.amount is None else _minor(step.amount, digits))


def _step(discount: Discount, priced: Mapping[int, Priced], lines: Collection[int], digits: int) -> Step | None:
    if discount.steps_by == "quantity":
        there: Fraction = sum((Fraction(priced[line].quantity) for line in lines), Fraction(0))
        levels = [Fraction(step.from_) for step in discount.steps]
    else:
        there = Fraction(sum(priced[line].original for line in lines))
        levels = [_minor(step.from_, digits) for step in discount.steps]
    reached = [step for step, level in zip(discount.steps, levels, strict=True) if there >= level]
    return reached[-1] if reached else None


def _of_lines(discount: Discount, lines: Mapping[int, Priced], measure: _Measure) -> _Exact:
    """What is taken off whole lines, before any cap."""
    share = measure.percent
    if share is not None:
        original = discount.base == "original"
        each = {line: one.original if original else one.amount for line, one in lines.items()}
        return _Exact({line: amount * share.numerator for line, amount in each.items()}, share.denominator)
    if measure.amount is None:
        return _Exact({}, 1)
    if discount.spread == "by_value" and discount.tax == "included":
        return _by_value(measure.amount, lines)
    return _over_one(_spread(discount, measure.amount, lines))


def _by_value(amount: Fraction, lines: Mapping[int, Priced]) -> _Exact:
    """An amount over lines by what they cost: no line gets more than that."""
    left = {line: one.amount for line, one in lines.items() if one.amount > 0}
    whole = sum(left.values())
    if amount >= whole:
        return _Exact(left, 1)
    return _Exact({line: there * amount.numerator for line, there in left.items()}, whole * amount.denominator)


def _net(discount: Discount, one: Priced) -> Fraction:
    """Which part of a price the discount's amounts are about: what is not tax, or all of it."""
    return one.net_share if discount.tax == "excluded" else Fraction(1)


def _spread(discount: Discount, amount: Fraction, lines: Mapping[int, Priced]) -> dict[int, Fraction]:
    """An amount over lines by what they cost, or evenly; what one cannot bear the others do."""
    # An amount without tax is spread over what the lines cost without tax, and takes their tax along.
    net = {line: _net(discount, one) for line, one in lines.items()}
    left = {line: one.amount * net[line] for line, one in lines.items() if one.amount * net[line] > 0}
    cuts = dict.fromkeys(left, Fraction(0))
    rest = min(amount, sum(left.values(), Fraction(0)))
    while rest > 0:
        weights = left if discount.spread == "by_value" else {line: Fraction(1) for line in left if left[line]}
        whole = sum(weights.values(), Fraction(0))
        parts = {line: min(rest * weight / whole, left[line]) for line, weight in weights.items()}
        for line, part in parts.items():
            cuts[line] += part / net[line]
        left = {line: there - parts.get(line, 0) for line, there in left.items()}
        rest -= sum(parts.values(), Fraction(0))
    return cuts


def _runs(priced: Mapping[int, Priced], lines: Collection[int]) -> list[Run]:
    return [Run(line, priced[line].unit_price, priced[line].units) for line in lines if priced[line].units]


def _sets(discount: Discount, priced: Mapping[int, Priced], chosen: Chosen) -> int:
    """How often what has to be bought is there."""
    needed = discount.buy.quantity if discount.buy is not None else 1
    sets = sum(priced[line].units for line in chosen.bought) // needed
    return sets if discount.repeat else min(1, sets)


def _by_units(discount: Discount, measure: _Measure) -> bool:
    """Whether it is about units; else about whole lines."""
    return bool(
        discount.buy is not None
        or discount.bundle
        or discount.every is not None
        or discount.units is not None
        or discount.on in {"cheapest", "dearest"}
        or (discount.on == "lines" and measure.percent is None)
    )


def _bundles(discount: Discount, priced: Mapping[int, Priced], chosen: Chosen, most: int | None) -> list[Run]:
    """The units of whole bundles."""
    selections = [
        (_runs(priced, lines), part.quantity) for lines, part in zip(chosen.bundle, discount.bundle, strict=True)
    ]
    return whole_sets(selections, repeat=discount.repeat, most=most)


def _picked(discount: Discount, priced: Mapping[int, Priced], chosen: Chosen) -> list[Run]:
    """The units that are discounted."""
    units = discount.units
    if discount.bundle:
        return _bundles(discount, priced, chosen, None)
    runs = _runs(priced, chosen.lines)
    if discount.buy is not None:
        bought = _runs(priced, chosen.bought)
        return given(runs, bought, discount.buy.quantity, units or 1, repeat=discount.repeat)
    if discount.every is not None:
        return every(runs, discount.every, units or 1)
    if discount.on == "cheapest":
        return cheapest(runs, units or 1)
    if discount.on == "dearest" or units is not None:
        return dearest(runs, units or 1)
    return runs


def _fewer(
    discount: Discount, priced: Mapping[int, Priced], chosen: Chosen, picked: Sequence[Run], most: int
) -> list[Run]:
    """So many of the units that are picked, in the order in which they are; of bundles only whole ones."""
    if discount.bundle:
        return _bundles(discount, priced, chosen, most // sum(part.quantity for part in discount.bundle))
    costing = [run for run in picked if priced[run.line].amount]
    # Of whole lines there is no order but theirs: the dearest are best for the member.
    by_choice = discount.on != "lines" or discount.every is not None or discount.buy is not None
    return first(costing, most) if by_choice else dearest(costing, most)


def _of_units(discount: Discount, priced: Mapping[int, Priced], picked: Sequence[Run], measure: _Measure) -> _Exact:
    """What is taken off units, before any cap."""
    together = _of_bundles(discount, priced, picked, measure) if discount.bundle else None
    cuts: dict[int, Fraction] = {}
    for run in picked:
        one = priced[run.line]
        net = _net(discount, one)
        if measure.percent is not None:
            original = Fraction(one.original) / Fraction(one.quantity)
            cut = measure.percent * (original if discount.base == "original" else run.price)
        elif together is not None:
            cut = together * run.price
        elif not net:
            cut = Fraction(0)
        elif measure.price is not None:
            cut = max(Fraction(0), run.price * net - measure.price) / net
        else:
            cut = min(run.price * net, measure.amount or Fraction(0)) / net
        cuts[run.line] = cuts.get(run.line, Fraction(0)) + cut * run.units
    return _over_one(cuts)


def _of_bundles(discount: Discount, priced: Mapping[int, Priced], picked: Sequence[Run], measure: _Measure) -> Fraction:
    """Which share of all their units is taken off bundles that have a price, or an amount, together."""
    bundles = sum(run.units for run in picked) // sum(part.quantity for part in discount.bundle)
    whole = sum((run.price * run.units * _net(discount, priced[run.line]) for run in picked), Fraction(0))
    if not whole:
        return Fraction(0)
    if measure.price is not None:
        return max(Fraction(0), whole - measure.price * bundles) / whole
    return min(whole, (measure.amount or Fraction(0)) * bundles) / whole


def _capped(discount: Discount, raw: _Exact, priced: Mapping[int, Priced], digits: int) -> dict[int, int]:
    """Whole smallest units of the currency for each line: the rounded sum, shared out so that it adds up."""
    # Caps are whole smallest units too, so that rounding never goes beyond them.
    cuts, over = raw
    if discount.at_most_per_line is not None:
        most_each = int(_minor(discount.at_most_per_line, digits)) * over
        cuts = {line: min(cut, most_each) for line, cut in cuts.items()}
    cuts = {line: min(cut, priced[line].amount * over) for line, cut in cuts.items()}
    whole = sum(cuts.values())
    if discount.at_most is not None and whole > (most := int(_minor(discount.at_most, digits))) * over:
        # Each in proportion: cut / over * most / (whole / over).
        cuts, over, whole = {line: cut * most for line, cut in cuts.items()}, whole, most * whole
    shares = {line: cut // over for line, cut in cuts.items()}
    # The smallest units that rounding has left over go to the largest fractions, those of earlier lines first. There
    # are at most as many of them as lines with a fraction, so none gets more than its cap or its price.
    left_over = rounded(whole, over, discount.rounding) - sum(shares.values())
    if left_over:
        for line in sorted(cuts, key=lambda line: (shares[line] * over - cuts[line], line))[:left_over]:
            shares[line] += 1
    return {line: share for line, share in shares.items() if share}
