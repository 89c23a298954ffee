"""The outlook: until when the level that a member holds is theirs, and what it comes to if nothing more happens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_tiers import CompiledTierSet
from setia.engine.counting import recount
from setia.engine.holding import own_level
from setia.engine.reviews import period_ends, review, review_due
from setia.engine.state import Balance, MemberState
from setia.engine.tiers import Need, needs_of, values_on

_MOST_REVIEWS = 1_000
"""A level that follows its metrics is judged whenever a day leaves a window: no window has more of them that matter."""


class Foreseen(NamedTuple):
    """What time will do to the available points of one type: so many more, or fewer; None: all of them end."""

    at: dt.datetime
    points: str
    amount: int | None


class Outlook(msgspec.Struct, frozen=True):
    """What will become of the level that a member holds, as things are now."""

    tier_set: str
    level: str
    valid_until: dt.datetime | None
    """When it ends (exclusive), or may end if it is kept at the next review; None where nothing ends it."""
    falls_to: str | None
    """The level it would fall to then; None if it would be kept, or is safe until then."""
    keep: list[Need]
    """What keeping it asks for."""
    keep_any_of: bool
    floor: str | None
    floor_until: dt.datetime | None
    in_grace: bool


def outlook(
    program: CompiledProgram,
    tier_set: CompiledTierSet,
    state: MemberState,
    now: dt.datetime,
    foreseen: Sequence[Foreseen] = (),
) -> Outlook:
    """Until when the level is held, and what it would come to if nothing more happened.

    `foreseen` is what will become of the points held, in order of time, where a tier set counts a balance.
    """
    counters = state.counters
    shows = tier_set.index(counters.tiers.get(tier_set.id))
    level = tier_set.levels[shows]
    period, floor = counters.periods.get(tier_set.id), counters.floors.get(tier_set.id)
    ends, falls_to = _end(program, tier_set, state, now, shows, foreseen) if shows else (None, None)
    available = {points: balance.available for points, balance in state.balances.items()}
    values = values_on(program, counters, available, now.astimezone(program.zone).date(), state.enrolled_at)
    return Outlook(
        tier_set=tier_set.id,
        level=level.id,
        valid_until=ends,
        falls_to=falls_to,
        keep=needs_of(level, values, keep=True),
        keep_any_of=level.any_of,
        floor=None if floor is None else floor.level,
        floor_until=None if floor is None else floor.until,
        in_grace=period is not None and period.grace_until is not None,
    )


def _end(
    program: CompiledProgram,
    tier_set: CompiledTierSet,
    state: MemberState,
    now: dt.datetime,
    shows: int,
    foreseen: Sequence[Foreseen],
) -> tuple[dt.datetime | None, str | None]:
    """Let time go on until the level that shows is lost, or its own period is renewed."""
    since, coming = now, list(foreseen) if tier_set.by_balance else []
    for _ in range(_MOST_REVIEWS + len(coming)):
        due = review_due(program, tier_set, state, since)
        # Points end before levels are judged at the same moment.
        if coming and (due is None or coming[0].at <= max(due, since)):
            since = max(since, coming[0].at)
            state = _after(state, coming.pop(0))
            continue
        if due is None:
            break
        since = max(due, since)
        found = review(program, tier_set, state, since)
        if found is None:
            continue
        outcome = found[0]
        counters = recount(program, state.counters, "review", outcome, since, since, state.enrolled_at)
        state = msgspec.structs.replace(state, counters=counters)
        after = tier_set.index(counters.tiers.get(tier_set.id))
        if after < shows:
            return since, tier_set.levels[after].id
        is_safe = tier_set.id in outcome.renewed and not tier_set.is_current
        if is_safe and own_level(tier_set, counters) == shows:
            return period_ends(program, tier_set, state), None
    return None, None


def _after(state: MemberState, change: Foreseen) -> MemberState:
    before = state.balances.get(change.points, Balance())
    left = 0 if change.amount is None else max(0, before.available + change.amount)
    after = msgspec.structs.replace(before, available=left)
    return msgspec.structs.replace(state, balances=state.balances | {change.points: after})
