"""Which of the campaigns that matched apply: exclusive campaigns and exclusive groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from setia.engine.considering import Match
from setia.engine.decision import Verdict
from setia.program.campaigns import Stacking


def choose(matches: Sequence[Match], stacking: Stacking, worth: Callable[[Match], Fraction]) -> list[Match]:
    """The matches that apply, in the order given; those that do not get their verdict and the winner's name.

    An `exclusive` campaign keeps all others out but those that apply `always`; among several the highest priority wins,
    then the one declared first. In a group `worth` decides where it chooses by best value (greater is better), else the
    priority; ties go to the one declared first.
    """
    exclusive = [match for match in matches if match.campaign.definition.exclusive]
    if exclusive:
        winner = max(exclusive, key=_priority)
        _lose([match for match in matches if not match.campaign.definition.always], [winner], "exclusive")
    groups: dict[str, list[Match]] = {}
    for match in _left(matches):
        if match.campaign.definition.group is not None:
            groups.setdefault(match.campaign.definition.group, []).append(match)
    for name, rivals in groups.items():
        group = stacking.groups.get(name)
        by_value = group is not None and group.choose == "best_value"
        # Sorting keeps the order of those that are equal: the one declared first comes first.
        best = sorted(rivals, key=worth if by_value else _priority, reverse=True)
        _lose(rivals, best[: 1 if group is None else group.most], "group")
    return _left(matches)


def _left(matches: Sequence[Match]) -> list[Match]:
    return [match for match in matches if match.considered.verdict == "matched"]


def _priority(match: Match) -> Fraction:
    return Fraction(match.campaign.definition.priority)


def _lose(rivals: Sequence[Match], winners: Sequence[Match], verdict: Verdict) -> None:
    names = {winner.campaign.id for winner in winners}
    for match in rivals:
        if match.campaign.id not in names:
            match.considered.verdict = verdict
            match.considered.by = winners[0].campaign.id
