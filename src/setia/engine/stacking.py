"""Which of the campaigns that matched apply: exclusive campaigns and exclusive groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from setia.engine.considering import Match
from setia.program.campaigns import Stacking


def choose(matches: Sequence[Match], stacking: Stacking, worth: Callable[[Match], object]) -> list[Match]:
    """The matches that apply, in the order given; those that do not get their verdict and the winner's name.

    An `exclusive` campaign keeps all others out; among several the highest priority wins, then the one declared first. In
    a group `worth` decides where it chooses by best value (greater is better), else the priority; ties go to the one
    declared first.
    """
    exclusive = [match for match in matches if match.campaign.definition.exclusive]
    if exclusive:
        winner = max(exclusive, key=lambda match: match.campaign.definition.priority)
        for match in matches:
            if match is not winner:
                _lose(match, winner, "exclusive")
        return [winner]
    members: dict[str, list[Match]] = {}
    for match in matches:
        if match.campaign.definition.group is not None:
            members.setdefault(match.campaign.definition.group, []).append(match)
    for name, rivals in members.items():
        if len(rivals) > 1:
            group = stacking.groups.get(name)
            if group is not None and group.choose == "best_value":
                winner = max(rivals, key=worth)  # type: ignore[arg-type]
            else:
                winner = max(rivals, key=lambda match: match.campaign.definition.priority)
            for match in rivals:
                if match is not winner:
                    _lose(match, winner, "group")
    return [match for match in matches if match.considered.verdict == "matched"]


def _lose(match: Match, winner: Match, verdict: str) -> None:
    match.considered.verdict = verdict  # type: ignore[assignment]
    match.considered.by = winner.campaign.id
