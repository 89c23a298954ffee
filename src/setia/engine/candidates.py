"""Which campaigns of a large program can match an event at all, without asking each of them.

A program with a thousand campaigns has few that can match: most have ended, or name another shop, channel or tier.
Those are found by their dates and by the guards of their conditions (`event.location == "altona"`), so that a
decision costs what the candidates cost. What was passed over is not stored; `passed_over` says it again when somebody
asks why.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from setia.engine.compiled_campaigns import CompiledCampaign
from setia.engine.decision import Considered

INDEXED_FROM = 32
"""A plan with fewer campaigns is asked one by one: the explanation is then whole as it is stored."""

_MOST_STRETCHES = 64
_ALWAYS_SET = frozenset({"event.location", "event.channel", "event.source", "location.region"})

Guard = tuple[str, str, frozenset[str]]
"""(path, text of the clause, values)."""


class _Stretch:
    """The campaigns that run between two moments, by what their guards ask for."""

    __slots__ = ("always", "guarded")

    def __init__(self) -> None:
        self.always: list[int] = []
        self.guarded: dict[str, dict[str, list[int]]] = {}


class Candidates:
    """The index over the campaigns of one plan."""

    def __init__(self, campaigns: Sequence[CompiledCampaign]) -> None:
        self._campaigns = campaigns
        self._guards = [_guard(campaign) for campaign in campaigns]
        moments = {moment for campaign in campaigns for moment in _dates(campaign) if moment is not None}
        self._boundaries = sorted(moments)
        self._stretches: dict[int, _Stretch] = {}

    def at(self, moment: dt.datetime, facts: Mapping[str, Any]) -> list[CompiledCampaign]:
        """The campaigns to ask, in the order declared. `facts` are `event`, `member` and `location` by name."""
        stretch = self._stretch(bisect_right(self._boundaries, moment), moment)
        places = list(stretch.always)
        for path, by_value in stretch.guarded.items():
            places += by_value.get(_read(path, facts), ())
        places.sort()
        return [self._campaigns[place] for place in places]

    def passed_over(self, moment: dt.datetime, inputs: Mapping[str, Any], asked: set[str]) -> list[Considered]:
        """What to say of the campaigns that were not asked: out of their dates, or a guard that did not hold."""
        said = []
        for campaign, guard in zip(self._campaigns, self._guards, strict=True):
            if campaign.id not in asked:
                if guard is None or not campaign.runs_at(moment):
                    said.append(Considered(campaign.id, "schedule"))
                else:
                    path, clause, _ = guard
                    said.append(Considered(campaign.id, "condition", clause, {path: inputs.get(path)}))
        return said

    def _stretch(self, number: int, moment: dt.datetime) -> _Stretch:
        found = self._stretches.get(number)
        if found is None:
            found = _Stretch()
            running = [place for place, campaign in enumerate(self._campaigns) if campaign.runs_at(moment)]
            for place in running:
                guard = self._guards[place]
                if guard is None:
                    found.always.append(place)
                else:
                    by_value = found.guarded.setdefault(guard[0], {})
                    for value in guard[2]:
                        by_value.setdefault(value, []).append(place)
            if len(self._stretches) >= _MOST_STRETCHES:
                self._stretches.clear()
            self._stretches[number] = found
        return found


def _dates(campaign: CompiledCampaign) -> tuple[dt.datetime | None, dt.datetime | None]:
    return (None, None) if campaign.schedule is None else (campaign.schedule.starts, campaign.schedule.ends)


def _guard(campaign: CompiledCampaign) -> Guard | None:
    """The guard to index a campaign by: one about a path that always has a value."""
    if campaign.when is not None:
        for path, (clause, values) in campaign.when.guards.items():
            if path in _ALWAYS_SET or path.startswith("member.tiers."):
                return path, clause, values
    return None


def _read(path: str, facts: Mapping[str, Any]) -> Any:
    root, *fields = path.split(".")
    value = facts[root]
    for field in fields:
        value = value[field] if isinstance(value, Mapping) else getattr(value, field)
    return value
