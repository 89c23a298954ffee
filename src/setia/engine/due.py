"""What time does next to a member, apart from its lots: levels that are judged, and points that end by inactivity.

Whoever settles a member asks for the next item, books it at its own moment, and asks again: so everything happens in
the order of time, however late.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Literal, NamedTuple

from setia.engine.calendar import after
from setia.engine.compiled import CompiledProgram
from setia.engine.reviews import review_due
from setia.engine.state import MemberState


class DueItem(NamedTuple):
    """One thing that becomes due: `inactivity` of a point type, `review` of a tier set."""

    at: dt.datetime
    order: int
    """Of several at one moment: points end before levels are judged."""
    kind: Literal["inactivity", "review"]
    subject: str


def next_due(program: CompiledProgram, state: MemberState, since: dt.datetime) -> DueItem | None:
    """The first item that is due after `since`, up to which everything has been booked; None where nothing will be.

    It may come too early, never too late: what then comes to nothing is passed over.
    """
    return min(_items(program, state, since), default=None)


def _items(program: CompiledProgram, state: MemberState, since: dt.datetime) -> Iterator[DueItem]:
    for points in program.inactive:
        ends = inactivity_end(program, state, points)
        if ends is not None:
            yield DueItem(ends, 0, "inactivity", points)
    for tier_set in program.tier_sets:
        at = review_due(program, tier_set, state, since)
        if at is not None:
            yield DueItem(at, 1, "review", tier_set.id)


def inactivity_end(program: CompiledProgram, state: MemberState, points: str) -> dt.datetime | None:
    """When the points of a type end if nothing extends them; None where the member has none."""
    length = program.definition.points[points].expiry.inactivity
    balance = state.balances.get(points)
    if length is None or balance is None or balance.available + balance.pending <= 0:
        return None
    return after(state.counters.active_at.get(points, state.enrolled_at), length, program.zone)
