"""What one discount takes off an order: from each line and from shipping, exact, and never more than there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import msgspec

from setia.engine.exact import rounded
from setia.engine.units import Run, cheapest, dearest, every, given, whole_sets
from setia.program.discounts import Discount, Step

SHIPPING = -1
"""The place of shipping among lines."""


class Priced(msgspec.Struct):
    """One line, or shipping, as promotions have left it: amounts in the smallest unit of the currency, with tax."""

    original: int
    tax: int
    quantity: Decimal
    amount: int

    @property
    def units(self) -> int:
        """Its whole units; what is sold by weight has those, and a rest that no discount by unit touches."""
        return int(self.quantity)

    @property
    def unit_price(self) -> Fraction:
        """What one unit costs now."""
        return Fraction(self.amount) / Fraction(self.quantity) if self.quantity else Fraction(0)

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


def take_off(discount: Discount, priced: Mapping[int, Priced], chosen: Chosen, digits: int) -> Taken:
    """Work out a discount on lines as they are now; nothing given is changed. `digits` are those of the currency."""
    if discount.free == "added":
        return Taken({}, 0, _sets(discount, priced, chosen) * (discount.units or 1))
    measure = _measure(discount, priced, chosen.lines, digits)
    if discount.on == "shipping":
        raw = _of_lines(discount, {line: one for line, one in priced.items() if line == SHIPPING}, measure)
    else:
        picked = _picked(discount, measure, priced, chosen)
        if picked is None:
            raw = _of_lines(discount, {line: priced[line] for line in chosen.lines}, measure)
        else:
            raw = _of_units(discount, priced, picked, measure)
    wanted = sum(raw.values(), Fraction(0))
    return Taken(_capped(discount, raw, priced, digits), _whole(wanted, discount))


def _whole(amount: Fraction, discount: Discount) -> int:
    return rounded(amount.numerator, amount.denominator, discount.rounding)


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


def _of_lines(discount: Discount, lines: Mapping[int, Priced], measure: _Measure) -> dict[int, Fraction]:
    """What is taken off whole lines, before any cap."""
    share = measure.percent
    if share is not None:
        original = discount.base == "original"
        return {line: share * (one.original if original else one.amount) for line, one in lines.items()}
    if measure.amount is None:
        return {}
    return _spread(discount, measure.amount, lines)


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


def _picked(discount: Discount, measure: _Measure, priced: Mapping[int, Priced], chosen: Chosen) -> list[Run] | None:
    """The units that are discounted; None where it is about whole lines."""
    runs = _runs(priced, chosen.lines)
    units = discount.units
    if discount.buy is not None:
        bought = _runs(priced, chosen.bought)
        return given(runs, bought, discount.buy.quantity, units or 1, repeat=discount.repeat)
    if discount.bundle:
        selections = [
            (_runs(priced, lines), part.quantity) for lines, part in zip(chosen.bundle, discount.bundle, strict=True)
        ]
        return whole_sets(selections, repeat=discount.repeat)
    if discount.every is not None:
        return every(runs, discount.every, units or 1)
    if discount.on == "cheapest":
        return cheapest(runs, units or 1)
    if discount.on == "dearest" or units is not None:
        return dearest(runs, units or 1)
    return runs if discount.on == "lines" and measure.percent is None else None


def _of_units(
    discount: Discount, priced: Mapping[int, Priced], picked: Sequence[Run], measure: _Measure
) -> dict[int, Fraction]:
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
    return cuts


def _of_bundles(discount: Discount, priced: Mapping[int, Priced], picked: Sequence[Run], measure: _Measure) -> Fraction:
    """Which share of all their units is taken off bundles that have a price, or an amount, together."""
    bundles = sum(run.units for run in picked) // sum(part.quantity for part in discount.bundle)
    whole = sum((run.price * run.units * _net(discount, priced[run.line]) for run in picked), Fraction(0))
    if not whole:
        return Fraction(0)
    if measure.price is not None:
        return max(Fraction(0), whole - measure.price * bundles) / whole
    return min(whole, (measure.amount or Fraction(0)) * bundles) / whole


def _capped(
    discount: Discount, raw: Mapping[int, Fraction], priced: Mapping[int, Priced], digits: int
) -> dict[int, int]:
    """Whole smallest units of the currency for each line: the rounded sum, shared out so that it adds up."""
    # Caps are whole smallest units too, so that rounding never goes beyond them.
    most_each = None if discount.at_most_per_line is None else int(_minor(discount.at_most_per_line, digits))
    cuts = {
        line: min(cut, Fraction(priced[line].amount), *(() if most_each is None else (Fraction(most_each),)))
        for line, cut in raw.items()
    }
    whole = sum(cuts.values(), Fraction(0))
    if discount.at_most is not None and whole > (most := Fraction(int(_minor(discount.at_most, digits)))):
        cuts = {line: cut * most / whole for line, cut in cuts.items()}
        whole = most
    shares = {line: int(cut) for line, cut in cuts.items()}
    # The smallest units that rounding has left over go to the largest fractions, those of earlier lines first. There
    # are at most as many of them as lines with a fraction, so none gets more than its cap or its price.
    left_over = _whole(whole, discount) - sum(shares.values())
    for line in sorted(cuts, key=lambda line: (shares[line] - cuts[line], line))[:left_over]:
        shares[line] += 1
    return {line: share for line, share in shares.items() if share}
