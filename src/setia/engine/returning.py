"""Deciding a return: the order again without what came back, and the difference to what stands of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from setia.engine.calendar import period_key
from setia.engine.compiled import CompiledProgram
from setia.engine.counting import count_return, count_tiers
from setia.engine.decide import decide
from setia.engine.decision import Decision, Explanation, Outcome, PointsEffect, Undone
from setia.engine.holding import hold, own_level
from setia.engine.limits import count_uses
from setia.engine.occurrences import Occurrence
from setia.engine.returned import Returned
from setia.engine.returns import Stands, difference, remaining, stands
from setia.engine.reviews import fallen_to
from setia.engine.state import Budgets, Counters, MemberState
from setia.engine.tiers import reached, values_on


class PastOrder(msgspec.Struct, frozen=True):
    """An order as it was decided: the version and the member's facts of then, its outcome and those of its returns."""

    event: Occurrence
    program: CompiledProgram
    before: MemberState
    booked_at: dt.datetime
    outcomes: Sequence[Outcome]


def decide_return(
    program: CompiledProgram, state: MemberState, past: PastOrder, returned: Sequence[Returned], now: dt.datetime
) -> Decision:
    """Decide what a return takes back; nothing given is changed.

    `returned` is everything that came back of the order, this return last. The difference is between what stands of it
    and what it would have given; amounts below 0 are to be taken back. Levels whose rise hung on the order fall, where
    the tier set says so.

    Raises:
        TooMuchReturned: more comes back than is left.
    """
    now_stands = stands(past.outcomes)
    kept, again = remaining(past.event, returned), None
    if kept is not None:
        again = decide(past.program, past.before, kept, past.booked_at, _budgets_left(past, now_stands))
    effects, counted, gone = difference(now_stands, again.outcome if again is not None else None)
    if again is not None:
        effects = [_as_given(effect, again.outcome) for effect in effects]
    outcome = Outcome(
        points=effects, counted=counted, undoes=Undone(past.event.id, past.event.occurred_at, gone, returned[-1])
    )
    counters = count_return(program, state.counters, outcome, _undone(outcome), state.enrolled_at)
    ladder = _fall(program, state, counters, past, outcome, now)
    count_tiers(program, counters, outcome, now)
    explanation = again.explanation if again is not None else Explanation()
    return Decision(
        program_version=program.version,
        outcome=outcome,
        counters=counters,
        explanation=msgspec.structs.replace(explanation, tiers=ladder),
        budget_uses=_given_back(program, outcome, past),
    )


def _as_given(effect: PointsEffect, again: Outcome) -> PointsEffect:
    """What a return gives, rarely enough, can be used and ends as what the order gives now does."""
    if effect.amount < 0:
        return effect
    for given in again.points:
        if (given.campaign, given.points) == (effect.campaign, effect.points):
            return msgspec.structs.replace(effect, available_at=given.available_at, expires_at=given.expires_at)
    return effect


def _undone(outcome: Outcome) -> Undone:
    if outcome.undoes is None:
        message = "this is not the outcome of a return"
        raise TypeError(message)
    return outcome.undoes


def _budgets_left(past: PastOrder, now_stands: Stands) -> Budgets:
    """Budgets of which exactly that is left which the order took: deciding it again finds what it found then."""
    day = past.event.occurred_at.astimezone(past.program.zone).date()
    used: dict[str, dict[str, int]] = {}
    for key, (campaign, limit) in past.program.limits.items():
        if limit.per != "all":
            continue
        if limit.uses is not None:
            left = limit.uses - (campaign in now_stands.uses)
        elif limit.earn is not None:
            points = limit.earn.points
            most = int(limit.earn.amount * past.program.units[points])
            left = most - now_stands.points.get((campaign, points), 0)
        else:
            continue
        used[key] = {period_key(limit.every, day): left}
    return Budgets(used)


def _given_back(program: CompiledProgram, outcome: Outcome, past: PastOrder) -> dict[str, dict[str, int]]:
    """What budgets over all members get back, below 0, in the periods of the order's day."""
    if not program.has_budgets:
        return {}
    day = past.event.occurred_at.astimezone(program.zone).date()
    undone = _undone(outcome)
    by_campaign: dict[str, dict[str, int]] = {name: {} for name in undone.uses}
    for effect in outcome.points:
        granted = by_campaign.setdefault(effect.campaign, {})
        granted[effect.points] = granted.get(effect.points, 0) + effect.amount
    back: dict[str, dict[str, int]] = {}
    for campaign, granted in by_campaign.items():
        limits = program.limits_of.get(campaign, ())
        back |= count_uses(limits, day, granted, "all", -1 if campaign in undone.uses else 0)
    return back


def _fall(
    program: CompiledProgram,
    state: MemberState,
    counters: Counters,
    past: PastOrder,
    outcome: Outcome,
    now: dt.datetime,
) -> dict[str, str]:
    """Take back the levels that the member rose to by or after the order, and has not reached without it."""
    ladder: dict[str, str] = {}
    available = _available(state, outcome)
    day = now.astimezone(program.zone).date()
    then = past.event.occurred_at.astimezone(program.zone).date()
    for tier_set in program.tier_sets:
        held = own_level(tier_set, counters)
        values = values_on(program, counters, available, day, state.enrolled_at)
        own_day = values_on(program, counters, available, then, state.enrolled_at)
        level = held
        period = counters.periods.get(tier_set.id)
        if tier_set.is_current:
            level = fallen_to(tier_set, held, values)
        elif (
            tier_set.definition.on_return == "at_once"
            and period is not None
            and period.risen_from is not None
            and period.since >= past.booked_at
        ):
            without = max(reached(tier_set, values), reached(tier_set, own_day), tier_set.index(period.risen_from))
            level = min(held, without)
        if level != held:
            hold(tier_set, counters, level, outcome)
        if tier_set.measures:
            ladder[tier_set.id] = str(values(tier_set.measures[0]))
    return ladder


def _available(state: MemberState, outcome: Outcome) -> Mapping[str, int]:
    available = {points: balance.available for points, balance in state.balances.items()}
    for effect in outcome.points:
        available[effect.points] = max(0, available.get(effect.points, 0) + effect.amount)
    return available
