"""Which of the campaigns that matched apply: exclusive campaigns and exclusive groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from setia.engine.considering import Match
from setia.engine.decision import Verdict
from setia.program.campaigns import Stacking


def choose(matches: Sequence[Match], stacking: Stacking, worth: Callable[[Match], Fraction]) -> list[Match]:
    """The matches that apply, in the order given; those that do not get their verdict and the winner's name.

    An `exclusive` campaign keeps all others out; among several the highest priority wins, then the one declared first.
    In a group `worth` decides where it chooses by best value (greater is better), else the priority; ties go to the one
    declared first.
    """
    exclusive = [match for match in matches if match.campaign.definition.exclusive]
    if exclusive:
        winner = max(exclusive, key=_priority)
        _lose(matches, winner, "exclusive")
        return [winner]
    groups: dict[str, list[Match]] = {}
    for match in matches:
        if match.campaign.definition.group is not None:
            groups.setdefault(match.campaign.definition.group, []).append(match)
    for name, rivals in groups.items():
        group = stacking.groups.get(name)
        by_value = group is not None and group.choose == "best_value"
        winner = max(rivals, key=worth if by_value else _priority)
        _lose(rivals, winner, "group")
    return [match for match in matches if match.considered.verdict == "matched"]


def _priority(match: Match) -> Fraction:
    return Fraction(match.campaign.definition.priority)


def _lose(rivals: Sequence[Match], winner: Match, verdict: Verdict) -> None:
    for match in rivals:
        if match is not winner:
            match.considered.verdict = verdict
            match.considered.by = winner.campaign.id
