"""How many points the matching campaigns give: rates, then multipliers, rounded once, cut by limits.

For each point type: the campaigns that earn, in the order declared; after each of them the multipliers that name it, in
the order declared. With rounding over the whole event all earning campaigns come first, then all multipliers, so that the
shares do not depend on which campaign a multiplier stands beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod

import msgspec

from setia.engine.basis import BasisAmounts
from setia.engine.compiled_campaigns import CompiledEarn, CompiledMultiplier
from setia.engine.considering import Facts, Match
from setia.engine.decision import Arithmetic
from setia.engine.exact import Cell, fraction_text
from setia.engine.occurrences import Occurrence
from setia.engine.rates import WHOLE, Raw, raw_points
from setia.engine.expressions import EvaluationError
from setia.program.campaigns import Stacking
from setia.program.points import Rounding


class Award(msgspec.Struct):
    """Points of one type from one campaign: per line (index, or WHOLE), before and after its limits."""

    campaign: str
    points: str
    wanted: int
    granted: int
    by_line: dict[int, int]
    arithmetic: Arithmetic


class Order(msgspec.Struct, frozen=True):
    """The event with what has been worked out about it."""

    event: Occurrence
    facts: Facts
    bases: dict[str, BasisAmounts]
    """Campaign -> what counts on its basis."""
    digits: int
    """Decimals of the currency."""
    point_digits: dict[str, int]


class _Base(msgspec.Struct):
    match: Match
    earn: CompiledEarn
    raw: Raw
    award: Award | None = None


def award_points(matches: Sequence[Match], order: Order, roundings: dict[str, Rounding], stacking: Stacking) -> list[Award]:
    """What the matches earn. A match whose expression fails gets the verdict `error` and gives nothing."""
    awards: list[Award] = []
    multipliers = _multipliers(matches, order)
    earning = [match for match in matches if match.campaign.earns]
    for points, rounding in roundings.items():
        bases = [base for match in earning for base in _bases(match, points, order)]
        if not bases:
            continue
        if rounding.scope == "event":
            shared = _Cells(rounding)
            for base in bases:
                _award_base(base, shared, order, awards)
            for base in bases:
                _award_multipliers(base, multipliers, stacking, shared, order, awards)
        else:
            for base in bases:
                cells = _Cells(rounding)
                _award_base(base, cells, order, awards)
                _award_multipliers(base, multipliers, stacking, cells, order, awards)
    return awards


class _Cells:
    """The running sums of one rounding scope: one for all, or one for each line."""

    __slots__ = ("_cells", "rounding")

    def __init__(self, rounding: Rounding) -> None:
        self.rounding = rounding
        self._cells: dict[int, Cell] = {}

    def cell(self, line: int) -> Cell:
        key = line if self.rounding.scope == "line" else WHOLE
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = Cell(self.rounding.mode)
        return cell


def _bases(match: Match, points: str, order: Order) -> list[_Base]:
    found = []
    for earn in match.campaign.earns:
        if earn.points == points:
            try:
                basis = order.bases[match.campaign.id]
                found.append(_Base(match, earn, raw_points(earn, match, order.facts, order.event, basis, order.digits)))
            except EvaluationError as error:
                match.considered.verdict = "error"
                match.considered.error = str(error)
    return found


def _award_base(base: _Base, cells: _Cells, order: Order, awards: list[Award]) -> None:
    raw = base.raw
    by_line = {line: cells.cell(line).add(numerator, raw.denominator) for line, numerator in raw.parts}
    award = _award(base.match, base.earn.points, by_line, order)
    award.arithmetic.rate = base.earn.text
    award.arithmetic.basis = raw.basis
    award.arithmetic.exact = raw.exact
    base.award = award
    if award.granted != award.wanted:
        # Multipliers multiply what was really given, and the fraction that was cut is gone with it.
        _settle(cells, by_line, award)
        base.raw = Raw(list(award.by_line.items()), 1, str(award.granted))
    awards.append(award)


def _settle(cells: _Cells, wanted: dict[int, int], award: Award) -> None:
    for line, amount in wanted.items():
        cell = cells.cell(line)
        cell.settle(cell.total - amount + award.by_line.get(line, 0))


def _award(match: Match, points: str, by_line: dict[int, int], order: Order) -> Award:
    wanted = sum(by_line.values())
    granted, cut_by = match.allowance.points(points, 10 ** order.point_digits[points], wanted) if wanted > 0 else (wanted, None)
    if granted != wanted:
        by_line = _cut(by_line, wanted - granted)
    arithmetic = Arithmetic(points, "", "", "", wanted, granted, cut_by=cut_by)
    if len(by_line) > 1 or WHOLE not in by_line:
        arithmetic.lines = {line: amount for line, amount in by_line.items() if amount and line != WHOLE}
    match.considered.arithmetic = [*match.considered.arithmetic, arithmetic]
    return Award(match.campaign.id, points, wanted, granted, by_line, arithmetic)


def _cut(by_line: dict[int, int], excess: int) -> dict[int, int]:
    """Take `excess` away, from the last line backwards."""
    left: dict[int, int] = {}
    for line, amount in reversed(by_line.items()):
        taken = min(max(amount, 0), excess)
        excess -= taken
        left[line] = amount - taken
    return dict(reversed(left.items()))


class _Factor(msgspec.Struct):
    match: Match
    multiplier: CompiledMultiplier
    factor: Fraction


def _multipliers(matches: Sequence[Match], order: Order) -> list[_Factor]:
    factors = []
    for match in matches:
        multiplier = match.campaign.multiplier
        if multiplier is not None:
            try:
                factors.append(_Factor(match, multiplier, _factor(multiplier, match, order)))
            except EvaluationError as error:
                match.considered.verdict = "error"
                match.considered.error = str(error)
    return factors


_LARGEST_FACTOR = 1000


def multiplier_factor(match: Match, order: Order) -> Fraction:
    """The factor of a multiplying match; 0 where its expression fails, which awarding then reports."""
    multiplier = match.campaign.multiplier
    try:
        return Fraction(0) if multiplier is None else _factor(multiplier, match, order)
    except EvaluationError:
        return Fraction(0)


def _factor(multiplier: CompiledMultiplier, match: Match, order: Order) -> Fraction:
    if multiplier.factor is not None:
        return Fraction(*multiplier.factor)
    text = str(match.campaign.definition.multiply.by)  # type: ignore[union-attr]
    value = multiplier.expression.call(*order.facts.plain())  # type: ignore[union-attr]
    try:
        factor = Fraction(value)
    except (TypeError, ValueError, OverflowError) as problem:
        message = f"{text} gave {value!r}, which is not a number"
        raise EvaluationError(message, text) from problem
    if not 0 <= factor <= _LARGEST_FACTOR:
        message = f"{text} gave {value}; a factor lies between 0 and {_LARGEST_FACTOR}"
        raise EvaluationError(message, text)
    return factor


def _award_multipliers(
    base: _Base, multipliers: list[_Factor], stacking: Stacking, cells: _Cells, order: Order, awards: list[Award]
) -> None:
    name, points = base.match.campaign.id, base.earn.points
    fitting = [
        factor
        for factor in multipliers
        if (factor.multiplier.of is None or name in factor.multiplier.of)
        and (factor.multiplier.points is None or points in factor.multiplier.points)
        and factor.match.campaign.id != name
    ]
    if not fitting or base.award is None:
        return
    if stacking.multipliers == "best" and len(fitting) > 1:
        best = max(fitting, key=lambda factor: factor.factor)
        for factor in fitting:
            if factor is not best:
                factor.match.considered.verdict = "group"
                factor.match.considered.by = best.match.campaign.id
        fitting = [best]
    for place, factor in enumerate(fitting):
        bonus = factor.factor - 1
        if stacking.multipliers == "product":
            bonus *= prod((earlier.factor for earlier in fitting[:place]), start=Fraction(1))
        chosen = factor.match.lines
        parts = [
            (line, numerator * bonus.numerator)
            for line, numerator in base.raw.parts
            if chosen is None or line in chosen
        ]
        denominator = base.raw.denominator * bonus.denominator
        by_line = {line: cells.cell(line).add(numerator, denominator) for line, numerator in parts}
        award = _award(factor.match, points, by_line, order)
        award.arithmetic.rate = f"x {fraction_text(factor.factor.numerator, factor.factor.denominator)}"
        award.arithmetic.of = name
        award.arithmetic.basis = base.raw.exact
        award.arithmetic.exact = fraction_text(sum(numerator for _, numerator in parts), denominator)
        if award.granted != award.wanted:
            _settle(cells, by_line, award)
        if award.granted < 0:
            _lower(base.award, award)
        awards.append(award)


def _lower(base: Award, award: Award) -> None:
    """A factor below one takes from its base what it lowers it by: nothing is granted only to be taken away again."""
    base.granted += award.granted
    base.by_line = {line: amount + award.by_line.get(line, 0) for line, amount in base.by_line.items()}
    base.arithmetic.granted = base.granted
    award.granted = 0
    award.by_line = {}
