"""The levels that a case names, beside those that its program lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cases.published import Data

_RANKS = ("bronze", "silver", "gold", "platinum", "diamond")


def in_rank(levels: Sequence[str]) -> list[str]:
    """Levels that are named in any order, the lowest first, where all their names say which is higher."""
    if all(level.lower() in _RANKS for level in levels):
        return sorted(levels, key=lambda level: _RANKS.index(level.lower()))
    return list(levels)


def levels_named(event: Data) -> list[str]:
    """The levels that an event names: its member's, or those of several."""
    told = [event, *event.get("members", {}).values()] if event["type"] == "state" else [event]
    return [str(one["tier"]) for one in told if "tier" in one]


def with_those_of(events: Iterable[Data], levels: Sequence[str]) -> list[str]:
    """`levels` and those of events that are not among them, which are lower: what a table leaves out gives nothing."""
    named = dict.fromkeys(level for event in events for level in levels_named(event))
    return in_rank([*(level for level in named if level not in levels), *levels])
