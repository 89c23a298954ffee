"""What one discount takes off an order: from each line and from shipping, exact, and never more than there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import msgspec

from setia.engine.exact import rounded
from setia.engine.units import Run, cheapest, dearest, every, given_in_cart, whole_sets
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
    """What it would take without `at_most` and where there is enough."""
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


def take_off(discount: Discount, priced: Mapping[int, Priced], chosen: Chosen, digits: int) -> Taken:
    """Work out a discount on lines as they are now; nothing given is changed. `digits` are those of the currency."""
    added = 0
    if discount.on == "shipping":
        shipping = priced.get(SHIPPING)
        step = _step(discount, priced, chosen.lines, digits)
        raw = {} if shipping is None else _of_lines(discount, {SHIPPING: shipping}, step, digits)
    elif discount.free == "added":
        raw, added = {}, _sets(discount, priced, chosen) * (discount.units or 1)
    else:
        step = _step(discount, priced, chosen.lines, digits)
        picked = _picked(discount, priced, chosen)
        if picked is None:
            raw = _of_lines(discount, {line: priced[line] for line in chosen.lines}, step, digits)
        else:
            raw = _of_units(discount, priced, picked, digits)
    wanted = sum(raw.values(), Fraction(0))
    cuts = _capped(discount, raw, priced, digits)
    return Taken(cuts, _whole(wanted, discount), added)


def _whole(amount: Fraction, discount: Discount) -> int:
    return rounded(amount.numerator, amount.denominator, discount.rounding)


def _minor(amount: Decimal, digits: int) -> Fraction:
    return Fraction(amount) * int(10**digits)


def _step(discount: Discount, priced: Mapping[int, Priced], lines: Collection[int], digits: int) -> Step | None:
    """The last step that the chosen lines reach."""
    reached = None
    if discount.steps_by == "quantity":
        there: Fraction = sum((Fraction(priced[line].quantity) for line in lines), Fraction(0))
        levels = [Fraction(step.from_) for step in discount.steps]
    else:
        there = Fraction(sum(priced[line].original for line in lines))
        levels = [_minor(step.from_, digits) for step in discount.steps]
    for step, level in zip(discount.steps, levels, strict=True):
        if there >= level:
            reached = step
    return reached


def _of_lines(discount: Discount, lines: Mapping[int, Priced], step: Step | None, digits: int) -> dict[int, Fraction]:
    """What is taken off whole lines, before any cap."""
    percent = discount.percent if step is None else step.percent
    amount = discount.amount if step is None else step.amount
    if percent is not None:
        share = Fraction(percent) / 100
        original = discount.base == "original"
        return {line: share * (one.original if original else one.amount) for line, one in lines.items()}
    if amount is None:
        return {}  # steps of which none is reached
    return _spread(discount, _minor(amount, digits), lines)


def _spread(discount: Discount, amount: Fraction, lines: Mapping[int, Priced]) -> dict[int, Fraction]:
    """An amount over lines by what they cost, or evenly; what one cannot bear the others do."""
    left = {line: Fraction(one.amount) for line, one in lines.items() if one.amount > 0}
    net = {line: lines[line].net_share if discount.tax == "excluded" else Fraction(1) for line in left}
    cuts = dict.fromkeys(left, Fraction(0))
    # An amount without tax is spread over what the lines cost without tax, and takes their tax along.
    rest = min(amount, sum((left[line] * net[line] for line in left), Fraction(0)))
    while rest > 0:
        open_ = {line: left[line] - cuts[line] for line in left if left[line] > cuts[line]}
        weights = {
            line: Fraction(1) if discount.spread == "evenly" else there * net[line] for line, there in open_.items()
        }
        whole = sum(weights.values(), Fraction(0))
        given = Fraction(0)
        for line, there in open_.items():
            part = min(rest * weights[line] / whole, there * net[line])
            cuts[line] += part / net[line]
            given += part
        rest -= given
    return cuts


def _runs(priced: Mapping[int, Priced], lines: Collection[int]) -> list[Run]:
    return [Run(line, priced[line].unit_price, priced[line].units) for line in lines if priced[line].units]


def _sets(discount: Discount, priced: Mapping[int, Priced], chosen: Chosen) -> int:
    """How often what has to be bought is there."""
    needed = discount.buy.quantity if discount.buy is not None else 1
    sets = sum(priced[line].units for line in chosen.bought) // needed
    return sets if discount.repeat else min(1, sets)


def _picked(discount: Discount, priced: Mapping[int, Priced], chosen: Chosen) -> list[Run] | None:
    """The units that are discounted; None where it is about whole lines."""
    runs = _runs(priced, chosen.lines)
    units = discount.units
    if discount.buy is not None:
        if set(chosen.lines) == set(chosen.bought):
            bought = sum(run.units for run in runs)
            given = given_in_cart(bought, discount.buy.quantity, units or 1, repeat=discount.repeat)
        else:
            given = _sets(discount, priced, chosen) * (units or 1)
        return cheapest(runs, given)
    if discount.bundle:
        selections = [
            (_runs(priced, lines), part.quantity) for lines, part in zip(chosen.bundle, discount.bundle, strict=True)
        ]
        return whole_sets(selections, repeat=discount.repeat)
    if discount.every is not None:
        return every(runs, discount.every, units or 1)
    if discount.on in {"cheapest", "dearest"}:
        return (cheapest if discount.on == "cheapest" else dearest)(runs, units or 1)
    if units is not None:
        return dearest(runs, units)
    return runs if discount.on == "lines" and discount.percent is None else None


def _of_units(
    discount: Discount, priced: Mapping[int, Priced], picked: Sequence[Run], digits: int
) -> dict[int, Fraction]:
    """What is taken off units, before any cap."""
    cuts: dict[int, Fraction] = {}
    share = Fraction(discount.percent) / 100 if discount.percent is not None else None
    per_bundle = sum(part.quantity for part in discount.bundle)
    bundles = sum(run.units for run in picked) // per_bundle if per_bundle else 0
    whole = sum((run.price * run.units for run in picked), Fraction(0))
    together = None
    if bundles and discount.price is not None:
        together = max(Fraction(0), whole - _minor(discount.price, digits) * bundles)
    elif bundles and discount.amount is not None:
        together = min(whole, _minor(discount.amount, digits) * bundles)
    for run in picked:
        if together is not None:
            cut = together * run.price * run.units / whole if whole else Fraction(0)
        elif share is not None:
            one = priced[run.line]
            unit = Fraction(one.original) / Fraction(one.quantity) if discount.base == "original" else run.price
            cut = share * unit * run.units
        elif discount.price is not None:
            cut = max(Fraction(0), run.price - _minor(discount.price, digits)) * run.units
        else:
            off = _minor(discount.amount or Decimal(0), digits)
            if discount.tax == "excluded" and priced[run.line].net_share:
                off /= priced[run.line].net_share
            cut = min(run.price, off) * run.units
        cuts[run.line] = cuts.get(run.line, Fraction(0)) + cut
    return cuts


def _capped(
    discount: Discount, raw: Mapping[int, Fraction], priced: Mapping[int, Priced], digits: int
) -> dict[int, int]:
    """Whole smallest units of the currency for each line: the rounded sum, shared out so that it adds up."""
    most_each = None if discount.at_most_per_line is None else _minor(discount.at_most_per_line, digits)
    cuts = {
        line: min(cut, Fraction(priced[line].amount), *(() if most_each is None else (most_each,)))
        for line, cut in raw.items()
        if cut > 0 and priced[line].amount > 0
    }
    whole = sum(cuts.values(), Fraction(0))
    if discount.at_most is not None and whole > (most := _minor(discount.at_most, digits)):
        cuts = {line: cut * most / whole for line, cut in cuts.items()}
        whole = most
    total = min(_whole(whole, discount), sum(priced[line].amount for line in cuts))
    shares = {line: int(cut) for line, cut in cuts.items()}
    # The smallest units that rounding has left over go to the largest fractions, those of earlier lines first.
    order = sorted(cuts, key=lambda line: (shares[line] - cuts[line], line))
    for line in order * 2:
        if sum(shares.values()) >= total:
            break
        if shares[line] < priced[line].amount:
            shares[line] += 1
    return {line: share for line, share in shares.items() if share}
