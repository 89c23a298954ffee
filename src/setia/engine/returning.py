"""Deciding a return: the order again without what came back, and the difference to what stands of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from setia.engine.calendar import period_key
from setia.engine.climbing import rung
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_tiers import CompiledTierSet
from setia.engine.counting import count_return, count_tiers, recount
from setia.engine.decide import decide
from setia.engine.decision import Decision, Explanation, Outcome, PointsEffect, Undone
from setia.engine.holding import hold, own_level
from setia.engine.limits import count_uses
from setia.engine.occurrences import Occurrence
from setia.engine.returned import Returned
from setia.engine.returned_offers import taken_back
from setia.engine.returns import Stands, bought, difference, remaining, stands
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
        again = decide(past.program, past.before, bought(kept), past.booked_at, _budgets_left(past, now_stands))
    effects, counted, gone = difference(now_stands, again.outcome if again is not None else None)
    if again is not None:
        effects = [_as_given(effect, again.outcome) for effect in effects]
    undone = Undone(
        past.event.id,
        past.event.occurred_at,
        gone,
        returned[-1],
        past.program.version,
        _closed(program, state.counters, past),
    )
    outcome = Outcome(points=effects, counted=counted, undoes=undone)
    outcome.offers = taken_back(
        state.counters, past.before.counters, past.outcomes, again.outcome if again is not None else None
    )
    counters = count_return(program, state.counters, outcome, undone, state.enrolled_at)
    ladder = _fall(program, state, counters, past, outcome, now)
    count_tiers(program, counters, outcome, now)
    explanation = again.explanation if again is not None else Explanation()
    return Decision(
        program_version=program.version,
        outcome=outcome,
        counters=counters,
        explanation=msgspec.structs.replace(explanation, tiers=ladder),
        budget_uses=_given_back(outcome, undone, past),
    )


def _as_given(effect: PointsEffect, again: Outcome) -> PointsEffect:
    """What a return gives, rarely enough, can be used and ends as what the order gives now does."""
    if effect.amount < 0:
        return effect
    given = {(one.campaign, one.points): one for one in again.points if one.amount > 0}
    like = given[effect.campaign, effect.points]
    return msgspec.structs.replace(
        effect, available_at=like.available_at, expires_at=like.expires_at, waits_for=like.waits_for
    )


def _closed(program: CompiledProgram, counters: Counters, past: PastOrder) -> list[str]:
    """The windows over a period that has ended since the order counted, or that it ended itself by a rise."""
    enrolled_at, order = past.before.enrolled_at, past.event
    after = recount(
        program, past.before.counters, "event", past.outcomes[0], order.occurred_at, past.booked_at, enrolled_at
    )
    closed: list[str] = []
    for tier_set in program.tier_sets:
        periods = (one.periods.get(tier_set.id) for one in (past.before.counters, after, counters))
        if len(set(periods)) > 1:
            closed += tier_set.period_keys
    return closed


def _budgets_left(past: PastOrder, now_stands: Stands) -> Budgets:
    """Budgets of which exactly that is left which the order took: deciding it again finds what it found then."""
    day = past.event.occurred_at.astimezone(past.program.zone).date()
    used: dict[str, dict[str, int]] = {}
    for key, (campaign, limit) in past.program.limits.items():
        if limit.per != "all":
            continue
        if limit.earn is None:
            taken = (limit.uses or 0) - now_stands.uses.count(campaign)
        else:
            most = int(limit.earn.amount * past.program.units[limit.earn.points])
            taken = most - now_stands.points.get((campaign, limit.earn.points), 0)
        used[key] = {period_key(limit.every, day): taken}
    return Budgets(used)


def _given_back(outcome: Outcome, undone: Undone, past: PastOrder) -> dict[str, dict[str, int]]:
    """What the budgets of the order's version get back, below 0, in the periods of its day.

    It is what the order does not give any more, whether the points could be taken or had been spent.
    """
    program = past.program
    if not program.has_budgets:
        return {}
    day = past.event.occurred_at.astimezone(program.zone).date()
    by_campaign: dict[str, dict[str, int]] = {name: {} for name in undone.uses}
    for effect in outcome.points:
        granted = by_campaign.setdefault(effect.campaign, {})
        granted[effect.points] = granted.get(effect.points, 0) + effect.amount
    back: dict[str, dict[str, int]] = {}
    for campaign, granted in by_campaign.items():
        back |= count_uses(program.limits_of.get(campaign, ()), day, granted, "all", -undone.uses.count(campaign))
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
        held = level = own_level(tier_set, counters)
        values = values_on(program, counters, available, day, state.enrolled_at)
        if tier_set.is_current:
            level = fallen_to(tier_set, held, values)
        elif tier_set.definition.on_return == "at_once":
            own_day = values_on(program, counters, available, then, state.enrolled_at)
            without = max(reached(tier_set, values), reached(tier_set, own_day), _held_before(tier_set, counters, past))
            level = min(held, without)
        if level != held:
            hold(tier_set, counters, level, outcome)
        ladder[tier_set.id] = rung(tier_set, level, values)
    return ladder


def _held_before(tier_set: CompiledTierSet, counters: Counters, past: PastOrder) -> int:
    """The level that does not hang on the order: held before it, or kept at a review since."""
    held, period = own_level(tier_set, counters), counters.periods.get(tier_set.id)
    if period is None or not period.risen:
        return held
    stays = (*period.risen, (tier_set.levels[held].id, period.since))
    before = [name for name, since in stays if since is None or since < past.booked_at]
    return tier_set.index(before[-1] if before else stays[0][0])


def _available(state: MemberState, outcome: Outcome) -> Mapping[str, int]:
    """What is available after the return as the ladder sees it: pending points are taken first, and none below zero."""
    available = {points: balance.available for points, balance in state.balances.items()}
    pending = {points: balance.pending for points, balance in state.balances.items()}
    for effect in outcome.points:
        points, amount = effect.points, effect.amount
        if amount < 0:
            waiting = min(-amount, pending.get(points, 0))
            pending[points] = pending.get(points, 0) - waiting
            amount += waiting
        if not effect.is_pending:
            available[points] = max(0, available.get(points, 0) + amount)
    return available
