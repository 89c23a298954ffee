"""How many points the matching campaigns give: rates, then multipliers, rounded once, cut by limits.

For each point type: the campaigns that earn, in the order declared; after each of them the multipliers that name it, in
the order declared. With rounding over the whole event all earning campaigns come first, then all multipliers, so that the
shares do not depend on which campaign a multiplier stands beside.

Factors below one come first: they lower what the campaign earns before it is rounded, so that nothing is granted only to
be taken away again. A sum of bonuses never goes below zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import lcm

import msgspec

from setia.engine.compiled_campaigns import CompiledEarn
from setia.engine.considering import Match, Raw
from setia.engine.decision import Arithmetic
from setia.engine.exact import Cell, fraction_text
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


def award_points(
    matches: Sequence[Match], roundings: Mapping[str, Rounding], units: Mapping[str, int], stacking: Stacking
) -> list[Award]:
    """What the prepared matches earn. `units` is how many smallest units one point of each type has."""
    awards: list[Award] = []
    multipliers = [match for match in matches if match.factor is not None]
    bases_of: dict[str, list[_Base]] = {}
    for match in matches:
        for earn, raw in match.earns:
            fitting = _fitting(match, earn.points, multipliers, stacking) if multipliers else ()
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
                cells = _Cells(rounding)
                _award_base(base, cells, unit, stacking, awards)
                if base.multipliers:
                    _award_multipliers(base, cells, unit, stacking, awards)
    if stacking.multipliers == "best" and len(multipliers) > 1:
        _tell_losers(multipliers)
    return awards


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


def _fitting(base: Match, points: str, multipliers: Sequence[Match], stacking: Stacking) -> list[Match]:
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
        return [max(fitting, key=lambda match: match.factor or 0)]
    return fitting


def _award_base(base: _Base, cells: _Cells, unit: int, stacking: Stacking, awards: list[Award]) -> None:
    raw, earn = base.raw, base.earn
    lowered = _lowered(base, stacking) if base.multipliers else raw
    by_line = cells.add(lowered.parts, lowered.denominator)
    arithmetic = Arithmetic(earn.points, earn.text, raw.basis, (raw.numerator, raw.denominator), 0, 0)
    award = _award(base.match, earn.points, by_line, unit, arithmetic)
    if award.granted != award.wanted:
        # Multipliers multiply what was really given, and the fraction that was cut is gone with it.
        _settle(cells, by_line, award)
        base.raw = Raw(list(award.by_line.items()), 1, str(award.granted), award.granted)
    awards.append(award)


def _lowered(base: _Base, stacking: Stacking) -> Raw:
    """What a base earns after the factors below one that work on it; each is told its part."""
    lowering = [match for match in base.multipliers if match.factor is not None and match.factor < 1]
    if not lowering:
        return base.raw
    raw = base.raw
    left = {line: Fraction(numerator, raw.denominator) for line, numerator in raw.parts}
    for match in lowering:
        taken = Fraction(0)
        for line, numerator in raw.parts:
            if match.lines is None or line in match.lines:
                whole = left[line] if stacking.multipliers == "product" else Fraction(numerator, raw.denominator)
                part = min(left[line], whole * (1 - match.factor))  # type: ignore[operator] # filtered above
                left[line] -= part
                taken += part
        match.considered.arithmetic.append(_step(base, match, -taken))
    denominator = lcm(*(part.denominator for part in left.values()))
    parts = [(line, part.numerator * (denominator // part.denominator)) for line, part in left.items()]
    return Raw(parts, denominator, raw.basis, sum(numerator for _, numerator in parts))


def _award_multipliers(base: _Base, cells: _Cells, unit: int, stacking: Stacking, awards: list[Award]) -> None:
    raw = base.raw
    running = dict.fromkeys((line for line, _ in raw.parts), Fraction(1))
    for match in base.multipliers:
        factor, parts, denominator = match.factor, raw.parts, raw.denominator
        if factor is None or factor < 1:
            if stacking.multipliers == "product" and factor is not None:
                _multiply(running, match, factor)
            continue
        bonus = factor - 1
        touched = [(line, numerator) for line, numerator in parts if match.lines is None or line in match.lines]
        if stacking.multipliers == "product":
            shares = {line: Fraction(numerator, denominator) * running[line] * bonus for line, numerator in touched}
            _multiply(running, match, factor)
            denominator = lcm(*(share.denominator for share in shares.values()))
            parts = [(line, share.numerator * (denominator // share.denominator)) for line, share in shares.items()]
        else:
            parts = [(line, numerator * bonus.numerator) for line, numerator in touched]
            denominator *= bonus.denominator
        by_line = cells.add(parts, denominator)
        step = _step(base, match, Fraction(sum(numerator for _, numerator in parts), denominator))
        award = _award(match, base.earn.points, by_line, unit, step)
        if award.granted != award.wanted:
            _settle(cells, by_line, award)
        awards.append(award)


def _multiply(running: dict[int, Fraction], match: Match, factor: Fraction) -> None:
    for line in running:
        if match.lines is None or line in match.lines:
            running[line] *= factor


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
    """A multiplier that was best nowhere was kept out by another."""
    used = [match for match in multipliers if match.considered.arithmetic]
    for match in multipliers:
        if not match.considered.arithmetic and used:
            match.considered.verdict = "group"
            match.considered.by = max(used, key=lambda winner: winner.factor or 0).campaign.id
