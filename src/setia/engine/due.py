"""What time does next to a member, apart from its lots: levels that are judged, and points that end by inactivity.

Whoever settles a member asks for the next item, books it at its own moment, and asks again: so everything happens in
the order of time, however late.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal, NamedTuple

from setia.engine.calendar import after, after_day, step_after
from setia.engine.compiled import CompiledProgram
from setia.engine.reviews import review_due
from setia.engine.state import MemberState
from setia.engine.triggers import PointsEnd, Reach, next_occasions, reach_after


class DueItem(NamedTuple):
    """One thing that becomes due.

    `inactivity` or a step of `decay` of a point type, `review` of a tier set, or an occasion of a trigger of time.
    """

    at: dt.datetime
    order: int
    """Of several at one moment: points end before levels are judged, and triggers come last."""
    kind: Literal["decay", "inactivity", "review", "trigger"]
    subject: str
    key: str = ""
    """Which occasion of a trigger."""


def next_due(
    program: CompiledProgram, state: MemberState, since: dt.datetime, reach: Reach | None = None
) -> DueItem | None:
    """The first item that is due after `since`, up to which everything has been booked; None where nothing will be.

    It may come too early, never too late: what then comes to nothing is passed over. `reach` tells how far triggers of
    time have been looked at, where that differs, and what points end; without it, nobody warns of lots.
    """
    if reach is None:
        reach = reach_after(since, since, tuple(inactivity_ends(program, state)))
    return min(_items(program, state, since, reach), default=None)


def _items(program: CompiledProgram, state: MemberState, since: dt.datetime, reach: Reach) -> Iterator[DueItem]:
    for points in program.inactive:
        ends = inactivity_end(program, state, points)
        if ends is not None:
            decays = program.definition.points[points].expiry.decay is not None
            yield DueItem(ends, 0, "decay" if decays else "inactivity", points)
    for tier_set in program.tier_sets:
        at = review_due(program, tier_set, state, since)
        if at is not None:
            yield DueItem(at, 1, "review", tier_set.id)
    time = program.time
    if time.triggers or time.tells_tiers:
        for at, subject, key in next_occasions(program, state, reach):
            yield DueItem(at, 2, "trigger", subject, key)


def inactivity_ends(program: CompiledProgram, state: MemberState) -> Iterator[PointsEnd]:
    """What would end by inactivity next, for triggers that warn of it; nothing where none does."""
    for points in program.inactive if program.time.expiring else ():
        ends, balance = inactivity_end(program, state, points), state.balances.get(points)
        if ends is not None and balance is not None:
            decay, amount = program.definition.points[points].expiry.decay, balance.available + balance.pending
            earned_at = state.counters.active_at.get(points, state.enrolled_at)
            yield PointsEnd(points, amount if decay is None else share_of(amount, decay.percent), earned_at, ends)


def inactivity_end(program: CompiledProgram, state: MemberState, points: str) -> dt.datetime | None:
    """When points of a type end, or the next share of them, if nothing extends them; None where the member has none.

    Days and longer end with the local day, like lots.
    """
    expiry = program.definition.points[points].expiry
    balance = state.balances.get(points)
    if expiry.inactivity is None or balance is None or balance.available + balance.pending <= 0:
        return None
    active_at = state.counters.active_at.get(points, state.enrolled_at)
    if expiry.inactivity.unit in {"minutes", "hours"}:
        ends = after(active_at, expiry.inactivity, program.zone)
    else:
        ends = after_day(active_at, expiry.inactivity, program.zone)
    if expiry.decay is None:
        return ends
    return step_after(ends, expiry.decay.every, state.counters.decayed.get(points), program.zone)


def share_of(amount: int, percent: Decimal) -> int:
    """What one step of decay takes of an amount: rounded up, so that the last point ends as well."""
    numerator, denominator = percent.as_integer_ratio()
    return -(-amount * numerator // (100 * denominator))
