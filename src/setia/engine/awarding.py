"""How many points the matching campaigns give: rates, then multipliers, rounded once, cut by limits.

For each point type: the campaigns that earn, in the order declared; after each of them the multipliers that name it, in
the order declared. With rounding over the whole event all earning campaigns come first, then all multipliers, so that
the shares do not depend on which campaign a multiplier stands beside.

Factors below one come first: they lower what the campaign earns before it is rounded, so that nothing is granted only
to be taken away again. A sum of bonuses never goes below zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import lcm

import msgspec

from setia.engine.compiled_campaigns import CompiledEarn
from setia.engine.considering import Match, Raw
from setia.engine.decision import Arithmetic
from setia.engine.exact import Cell, fraction_text, rounded
from setia.engine.rates import MAX_POINTS, WHOLE
from setia.program.campaigns import Stacking
from setia.program.points import Rounding


class Award(msgspec.Struct, gc=False):
    """Points of one type from one campaign: per line (index, or WHOLE), before and after its limits."""

    campaign: str
    points: str
    wanted: int
    granted: int
    by_line: dict[int, int]


class _Base(msgspec.Struct, gc=False):
    match: Match
    earn: CompiledEarn
    raw: Raw
    multipliers: Sequence[Match]
    weights: dict[int, Fraction] = {}
    """What the factors below one leave of each line; for a sum of bonuses it may be negative and eats bonuses then."""


def award_points(
    matches: Sequence[Match], roundings: Mapping[str, Rounding], units: Mapping[str, int], stacking: Stacking
) -> list[Award]:
    """What the prepared matches earn. `units` is how many smallest units one point of each type has."""
    awards: list[Award] = []
    multipliers = [match for match in matches if match.factor is not None]
    bases_of: dict[str, list[_Base]] = {}
    for match in matches:
        for earn, raw in match.earns:
            fitting = _fitting(match, earn.points, raw, multipliers, stacking) if multipliers else ()
            bases_of.setdefault(earn.points, []).append(_Base(match, earn, raw, fitting))
    for points, rounding in roundings.items():
        bases = bases_of.get(points, ())
        unit = units[points]
        if rounding.scope == "event":
            shared = _Cells(rounding)
            for base in bases:
                _award_base(base, shared, unit, stacking, awards)
            for base in bases:
                _award_multipliers(base, shared, unit, stacking, awards)
        else:
            for base in bases:
                if not base.multipliers:
                    awards.append(_award_alone(base, rounding, unit))
                    continue
                cells = _Cells(rounding)
                _award_base(base, cells, unit, stacking, awards)
                _award_multipliers(base, cells, unit, stacking, awards)
    if stacking.multipliers == "best" and len(multipliers) > 1:
        _tell_losers(multipliers)
    failed = {match.campaign.id for match in multipliers if match.considered.verdict == "error"}
    return [award for award in awards if award.campaign not in failed] if failed else awards


class _Cells:
    """The running sums of one rounding scope: one for all, or one for each line."""

    __slots__ = ("_by_line", "_cells", "_mode", "_one")

    def __init__(self, rounding: Rounding) -> None:
        self._mode = rounding.mode
        self._by_line = rounding.scope == "line"
        self._one = Cell(rounding.mode)
        self._cells: dict[int, Cell] = {}

    def add(self, parts: list[tuple[int, int]], denominator: int) -> dict[int, int]:
        """Add fractions and return the whole part that each line brings."""
        if not self._by_line:
            add = self._one.add
            return {line: add(numerator, denominator) for line, numerator in parts}
        return {line: self.cell(line).add(numerator, denominator) for line, numerator in parts}

    def cell(self, line: int) -> Cell:
        """The running sum in which a line counts."""
        if not self._by_line:
            return self._one
        cell = self._cells.get(line)
        if cell is None:
            cell = self._cells[line] = Cell(self._mode)
        return cell


def _fitting(base: Match, points: str, raw: Raw, multipliers: Sequence[Match], stacking: Stacking) -> list[Match]:
    """The multipliers that work on a campaign's points of one type."""
    name = base.campaign.id
    fitting = []
    for match in multipliers:
        multiplier = match.campaign.multiplier
        if (
            multiplier is not None
            and match is not base
            and (multiplier.of is None or name in multiplier.of)
            and (multiplier.points is None or points in multiplier.points)
        ):
            fitting.append(match)
    if stacking.multipliers == "best" and len(fitting) > 1:
        winner = max(fitting, key=lambda match: _brings(match, raw))
        for match in fitting:
            if match is not winner:
                # It may still win on another campaign; `_tell_losers` says it of those that did not.
                match.considered.by = winner.campaign.id
        return [winner]
    return fitting


def _by_line(parts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return parts if parts and parts[0][0] != WHOLE else []


def _brings(match: Match, raw: Raw) -> Fraction:
    """What a multiplier adds to a base. Its factor alone does not tell, where it counts few lines."""
    touched = sum(numerator for line, numerator in raw.parts if match.lines is None or line in match.lines)
    return ((match.factor or Fraction(0)) - 1) * touched


def _award_alone(base: _Base, rounding: Rounding, unit: int) -> Award:
    """What a base brings that nothing multiplies and that is rounded by itself: `_award_base` without cells to keep."""
    raw, earn = base.raw, base.earn
    denominator, mode = raw.denominator, rounding.mode
    if rounding.scope == "line":
        by_line = {line: rounded(numerator, denominator, mode) for line, numerator in raw.parts}
    else:
        by_line = {}
        running = total = 0
        for line, numerator in raw.parts:
            running += numerator
            before, total = total, rounded(running, denominator, mode)
            by_line[line] = total - before
    exact = (raw.numerator, denominator)
    arithmetic = Arithmetic(earn.points, earn.text, raw.basis, exact, 0, 0, _by_line(raw.parts))
    return _award(base.match, earn.points, by_line, unit, arithmetic)


def _award_base(base: _Base, cells: _Cells, unit: int, stacking: Stacking, awards: list[Award]) -> None:
    raw, earn = base.raw, base.earn
    lowered = _lowered(base, stacking) if base.multipliers else raw
    by_line = cells.add(lowered.parts, lowered.denominator)
    exact = (raw.numerator, raw.denominator)
    arithmetic = Arithmetic(earn.points, earn.text, raw.basis, exact, 0, 0, _by_line(raw.parts))
    award = _award(base.match, earn.points, by_line, unit, arithmetic)
    if award.granted != award.wanted:
        # Multipliers multiply what was really given, and the fraction that was cut is gone with it.
        _settle(cells, by_line, award)
        base.raw = Raw(list(award.by_line.items()), 1, str(award.granted), award.granted)
        base.weights = {}
    awards.append(award)


def _lowered(base: _Base, stacking: Stacking) -> Raw:
    """What a base earns after the factors below one that work on it; each is told its part."""
    lowering = [match for match in base.multipliers if match.factor is not None and match.factor < 1]
    if not lowering:
        return base.raw
    raw = base.raw
    weights = dict.fromkeys((line for line, _ in raw.parts), Fraction(1))
    for match in lowering:
        factor = match.factor or Fraction(0)
        taken = Fraction(0)
        for line, numerator in raw.parts:
            if match.lines is None or line in match.lines:
                before = weights[line]
                weights[line] = before * factor if stacking.multipliers == "product" else before + factor - 1
                taken += (max(before, _NONE) - max(weights[line], _NONE)) * Fraction(numerator, raw.denominator)
        match.considered.arithmetic.append(_step(base, match, -taken))
    base.weights = weights
    shares = [(line, Fraction(numerator, raw.denominator) * max(weights[line], _NONE)) for line, numerator in raw.parts]
    return _raw(shares, raw.basis)


_NONE = Fraction(0)


def _raw(shares: list[tuple[int, Fraction]], basis: str) -> Raw:
    denominator = lcm(*(share.denominator for _, share in shares))
    parts = [(line, share.numerator * (denominator // share.denominator)) for line, share in shares]
    return Raw(parts, denominator, basis, sum(numerator for _, numerator in parts))


def _award_multipliers(base: _Base, cells: _Cells, unit: int, stacking: Stacking, awards: list[Award]) -> None:
    raw = base.raw
    for match in base.multipliers:
        factor = match.factor
        if factor is None or factor < 1:
            continue
        touched = [(line, numerator) for line, numerator in raw.parts if match.lines is None or line in match.lines]
        if stacking.multipliers == "product" or base.weights:
            shares = _weighted(base, touched, factor, stacking)
            bonus = _raw(shares, raw.basis)
        else:
            more = factor - 1
            parts = [(line, numerator * more.numerator) for line, numerator in touched]
            total = sum([numerator for _, numerator in parts])
            bonus = Raw(parts, raw.denominator * more.denominator, raw.basis, total)
        if bonus.numerator > MAX_POINTS * bonus.denominator:
            match.considered.verdict = "error"
            match.considered.error = f"it adds more than {MAX_POINTS} of the smallest unit of {base.earn.points}"
            continue
        by_line = cells.add(bonus.parts, bonus.denominator)
        step = _step(base, match, Fraction(bonus.numerator, bonus.denominator))
        step.exact, step.parts = (bonus.numerator, bonus.denominator), _by_line(bonus.parts)
        award = _award(match, base.earn.points, by_line, unit, step)
        if award.granted != award.wanted:
            _settle(cells, by_line, award)
        awards.append(award)


def _weighted(
    base: _Base, touched: list[tuple[int, int]], factor: Fraction, stacking: Stacking
) -> list[tuple[int, Fraction]]:
    """What a factor above one brings to each line, given the factors before it; the weights move along."""
    shares = []
    for line, numerator in touched:
        weight = base.weights.get(line, Fraction(1))
        if stacking.multipliers == "product":
            more = weight * (factor - 1)
            base.weights[line] = weight * factor
        else:
            # A sum below zero counts as zero: bonuses fill up what lowering factors took beyond everything, first.
            more = max(weight + factor - 1, _NONE) - max(weight, _NONE)
            base.weights[line] = weight + factor - 1
        shares.append((line, more * Fraction(numerator, base.raw.denominator)))
    return shares


def _step(base: _Base, match: Match, exact: Fraction) -> Arithmetic:
    """The arithmetic of a multiplier on one base. A lowering one has no points of its own: its amounts are telling."""
    factor = match.factor or Fraction(0)
    whole = -(-exact.numerator // exact.denominator)
    return Arithmetic(
        points=base.earn.points,
        rate=f"x {fraction_text(factor.numerator, factor.denominator)}",
        basis=fraction_text(base.raw.numerator, base.raw.denominator),
        exact=(exact.numerator, exact.denominator),
        wanted=whole,
        granted=whole,
        of=base.match.campaign.id,
    )


def _award(match: Match, points: str, by_line: dict[int, int], unit: int, arithmetic: Arithmetic) -> Award:
    granted = wanted = sum(by_line.values())
    if wanted > 0:
        granted, arithmetic.cut_by = match.allowance.points(points, unit, wanted)
        if granted != wanted:
            by_line = _cut(by_line, wanted - granted)
    arithmetic.wanted, arithmetic.granted = wanted, granted
    match.considered.arithmetic.append(arithmetic)
    return Award(match.campaign.id, points, wanted, granted, by_line)


def _settle(cells: _Cells, wanted: dict[int, int], award: Award) -> None:
    for line, amount in wanted.items():
        cell = cells.cell(line)
        cell.settle(cell.total - amount + award.by_line.get(line, 0))


def _cut(by_line: dict[int, int], excess: int) -> dict[int, int]:
    """Take `excess` away, from the last line backwards."""
    left: dict[int, int] = {}
    for line, amount in reversed(by_line.items()):
        taken = min(amount, excess)
        excess -= taken
        left[line] = amount - taken
    return dict(reversed(left.items()))


def _tell_losers(multipliers: Sequence[Match]) -> None:
    """A multiplier that was best nowhere was kept out by another; one that was best somewhere was not."""
    for match in multipliers:
        if match.considered.arithmetic:
            match.considered.by = None
        elif match.considered.by is not None:
            match.considered.verdict = "group"
