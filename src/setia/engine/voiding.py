"""Voiding: what becomes of levels when a review finds that points were never earned."""

from __future__ import annotations

import datetime as dt

from setia.engine.compiled import CompiledProgram
from setia.engine.counting import count_tiers
from setia.engine.decision import Outcome
from setia.engine.falling import Falling
from setia.engine.state import Counters, MemberState


def fall_by_void(
    program: CompiledProgram,
    state: MemberState,
    counters: Counters,
    outcome: Outcome,
    earned: tuple[dt.datetime, dt.datetime],
    now: dt.datetime,
) -> dict[str, str]:
    """Take back in `outcome` the levels that hung on voided points, as a return would; each ladder's arithmetic.

    `counters` are those after the points were taken out of sums and windows; the levels in them move along. `earned` is
    when the points were earned, and when that was booked. What a window over the member's own period had come to
    before the points ended it is not known any more: such a level stays until its review.
    """
    occurred_at, booked_at = earned
    closed: list[str] = []
    for tier_set in program.tier_sets:
        period = counters.periods.get(tier_set.id)
        if period is not None and period.since >= booked_at:
            closed += tier_set.period_keys
    falling = Falling(program, state, counters, closed, {})
    ladder = falling.fall(outcome, occurred_at, booked_at, now)
    outcome.voids = falling.hangs
    count_tiers(program, counters, outcome, now)
    return ladder
