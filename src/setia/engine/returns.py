"""Returns: what is left of an order, and the difference between what it gave and what it would have given.

The order is decided again as if the returned lines had never been bought, under the version and with the facts of its
day. What that gives less (rarely more) than what stands of the order is the outcome of the return.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import msgspec

from setia.engine.basis import gross
from setia.engine.decision import REDEMPTION, Outcome, PointsEffect
from setia.engine.limits import units_by_campaign
from setia.engine.occurrences import Line, Occurrence, Tender
from setia.engine.returned import Returned, ReturnedLine


class TooMuchReturned(ValueError):  # noqa: N818 - says what happened
    """More comes back than is left; `place` is that of the line among those returned, None for the order."""

    def __init__(self, message: str, place: int | None) -> None:
        super().__init__(message)
        self.place = place


class _Left(msgspec.Struct):
    """What is left of one line."""

    quantity: Fraction
    amount: Fraction


def remaining(order: Occurrence, returns: Iterable[Returned]) -> Occurrence | None:
    """The order as if what came back had never been bought; None where nothing is left of it.

    What was taken off the order as a whole, and how it was paid, goes down in proportion to its goods; shipping stays
    until everything has come back.

    Raises:
        TooMuchReturned: the last of `returns` brings back more than the ones before it have left.
    """
    left = [_Left(Fraction(line.quantity), Fraction(line.amount)) for line in order.lines]
    for returned in returns:
        if returned.lines:
            for place, part in enumerate(returned.lines):
                _take_line(order, left, part, place)
        elif returned.amount is not None:
            _take_amount(left, returned.amount)
        else:
            left = [_Left(Fraction(0), Fraction(0)) for _ in left]
    lines = [_line(line, part) for line, part in zip(order.lines, left, strict=True)]
    if not any(line.quantity for line in lines):
        return None
    bought = sum(line.amount for line in order.lines)
    share = Fraction(sum(line.amount for line in lines), bought) if bought else Fraction(1)
    less = msgspec.structs.replace(order, lines=tuple(lines), discount=_part(order.discount, share))
    return msgspec.structs.replace(less, tenders=_tenders(order, less))


def bought(left: Occurrence) -> Occurrence:
    """What is left of an order without the lines that have come back whole: they were never there."""
    return msgspec.structs.replace(left, lines=tuple(line for line in left.lines if line.quantity))


def _take_line(order: Occurrence, left: Sequence[_Left], part: ReturnedLine, place: int) -> None:
    if not 0 <= part.line < len(left):
        raise TooMuchReturned(f"the order has no line {part.line}", place)
    whole, there = order.lines[part.line], left[part.line]
    if part.quantity is not None:
        quantity = Fraction(part.quantity)
        if quantity > there.quantity:
            raise TooMuchReturned(f"only {_readable(there.quantity)} are left of line {part.line}", place)
        # What units have cost so far goes with them: a line of which an amount came back before has less to give.
        there.amount -= there.amount * quantity / there.quantity
        there.quantity -= quantity
    elif part.amount is not None:
        if part.amount > there.amount:
            raise TooMuchReturned(f"line {part.line} has less left than that", place)
        there.amount -= part.amount
        if not there.amount and whole.amount:
            there.quantity = Fraction(0)
    else:
        there.quantity = there.amount = Fraction(0)


def _take_amount(left: Sequence[_Left], amount: int) -> None:
    whole = sum((there.amount for there in left), Fraction(0))
    if amount > whole:
        raise TooMuchReturned("less than that is left of the order", None)
    for there in left:
        there.amount -= there.amount * amount / whole if whole else Fraction(0)
        if amount == whole:
            there.quantity = Fraction(0)


def _readable(quantity: Fraction) -> str:
    return format(Decimal(quantity.numerator) / Decimal(quantity.denominator), "f")


def _line(line: Line, left: _Left) -> Line:
    share = left.amount / line.amount if line.amount else left.quantity / Fraction(line.quantity)
    return msgspec.structs.replace(
        line,
        quantity=Decimal(left.quantity.numerator) / Decimal(left.quantity.denominator),
        amount=_part(line.amount, share),
        tax=_part(line.tax, share),
        discount=_part(line.discount, share),
    )


def _part(amount: int, share: Fraction) -> int:
    """The part of an amount, halves up."""
    part = amount * share
    return (2 * part.numerator + part.denominator) // (2 * part.denominator)


def _tenders(order: Occurrence, less: Occurrence) -> tuple[Tender, ...]:
    paid, pays = gross(order), gross(less)
    share = Fraction(pays, paid) if paid > 0 else Fraction(0)
    return tuple(Tender(tender.type, _part(tender.amount, share)) for tender in order.tenders)


class Stands(msgspec.Struct):
    """What stands of an order after the returns so far: points by campaign, what it counted, and campaigns used."""

    points: dict[tuple[str, str], int] = {}
    counted: dict[str, int] = {}
    uses: list[str] = []
    cancelled: set[tuple[str, str]] = set()
    """Whose pending points were taken back."""
    units: dict[str, int] = {}
    """Promotion -> the units that it discounts."""


def stands(outcomes: Iterable[Outcome]) -> Stands:
    """What the outcome of an order and those of its returns come to together."""
    found = Stands()
    for outcome in outcomes:
        for effect in outcome.points:
            # What rewards cost stands apart: it comes back as `redeemed` says, and not by difference.
            if effect.campaign != REDEMPTION and (outcome.undoes is not None or effect.amount > 0):
                key = effect.campaign, effect.points
                # What a return could not take back, because it was spent, does not stand any more all the same.
                wanted = effect.wanted if outcome.undoes is not None else None
                amount = effect.amount if wanted is None else wanted
                found.points[key] = found.points.get(key, 0) + amount
        for move in outcome.moves:
            if move.what == "cancelled":
                key = move.campaign, move.points
                found.points[key] = found.points.get(key, 0) - move.amount
                found.cancelled.add(key)
        for name, amount in outcome.counted.items():
            found.counted[name] = found.counted.get(name, 0) + amount
        found.uses = without([*found.uses, *outcome.uses], outcome.undoes.uses if outcome.undoes is not None else ())
        more = outcome.undoes.units if outcome.undoes is not None else units_by_campaign(outcome.discounts)
        for campaign, units in more.items():
            found.units[campaign] = found.units.get(campaign, 0) + (units if outcome.undoes is None else -units)
    return found


class Difference(NamedTuple):
    """Points by campaign (below 0: taken back), what is counted less, and campaigns used no more and used instead.

    `units` are those that promotions discount no more.
    """

    points: list[PointsEffect]
    counted: dict[str, int]
    gone: list[str]
    instead: list[str]
    units: dict[str, int]


def difference(now: Stands, again: Outcome | None) -> Difference:
    """From what stands to what the order gives when it is decided again (None: nothing, as if it had never been)."""
    wanted = stands([again]) if again is not None else Stands()
    effects = [
        PointsEffect(points, amount, campaign)
        for campaign, points in dict.fromkeys([*now.points, *wanted.points])
        if (amount := wanted.points.get((campaign, points), 0) - now.points.get((campaign, points), 0))
        # Pending points that were cancelled do not come back because a part of the order does.
        and (amount < 0 or (campaign, points) not in now.cancelled)
    ]
    counted, units = _less(now.counted, wanted.counted), _less(wanted.units, now.units)
    return Difference(effects, counted, without(now.uses, wanted.uses), without(wanted.uses, now.uses), units)


def without(names: Iterable[str], gone: Iterable[str]) -> list[str]:
    """The names, each as often as it stands there more than among those that are gone."""
    left, less = [], list(gone)
    for name in names:
        if name in less:
            less.remove(name)
        else:
            left.append(name)
    return left


def _less(now: Mapping[str, int], wanted: Mapping[str, int]) -> dict[str, int]:
    names = dict.fromkeys([*now, *wanted])
    return {name: amount for name in names if (amount := wanted.get(name, 0) - now.get(name, 0))}
