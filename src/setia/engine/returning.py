"""Deciding a return: the order again without what came back, and the difference to what stands of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from setia.engine.calendar import period_key
from setia.engine.compiled import CompiledProgram
from setia.engine.counting import count, count_return, count_tiers, recount
from setia.engine.decide import decide
from setia.engine.decision import Decision, Explanation, Outcome, PointsEffect, Undone
from setia.engine.falling import Falling
from setia.engine.limits import count_uses
from setia.engine.occurrences import Occurrence
from setia.engine.returned import Returned
from setia.engine.returned_coupons import GrantedCoupon, UsedCoupon, coupons_again, granted_again, used_again
from setia.engine.returned_offers import taken_back
from setia.engine.returned_rewards import staying, wishes_again
from setia.engine.returns import bought, difference, remaining, stands
from setia.engine.state import Budgets, Counters, MemberState


class PastOrder(msgspec.Struct, frozen=True):
    """An order as it was decided: the version and the member's facts of then, its outcome and those of its returns."""

    event: Occurrence
    program: CompiledProgram
    before: MemberState
    booked_at: dt.datetime
    outcomes: Sequence[Outcome]
    used: Sequence[UsedCoupon] = ()
    granted: Sequence[GrantedCoupon] = ()


class CancelledReturn(msgspec.Struct, frozen=True):
    """A return that is taken back: its event, and what it did."""

    event: str
    outcome: Outcome


def decide_return(
    program: CompiledProgram,
    state: MemberState,
    past: PastOrder,
    returned: Sequence[Returned],
    now: dt.datetime,
    cancelled: CancelledReturn | None = None,
) -> Decision:
    """Decide what a return takes back, or what a cancelled one gives again; nothing given is changed.

    `returned` is everything that came back of the order, this return last; without the one that is `cancelled`. The
    difference is between what stands of the order and what it would have given; amounts below 0 are to be taken back.
    Levels whose rise hung on the order fall, where the tier set says so.

    Raises:
        TooMuchReturned: more comes back than is left.
    """
    kept, decided = remaining(past.event, returned), None
    coupons = coupons_again(past.program, past.event, kept, past.used)
    if kept is not None:
        before = msgspec.structs.replace(past.before, coupons=coupons.coupons)
        if kept.redeem:
            kept = wishes_again(past.program, past.event, kept, past.outcomes[0])
        decided = decide(past.program, before, bought(kept), past.booked_at, _budgets_left(past))
    again = None if decided is None else decided.outcome
    less = difference(stands(past.outcomes), again)
    effects = less.points if again is None else [_as_given(effect, again) for effect in less.points]
    order, version = past.event, past.program.version
    closed, by_order = _closed(program, state.counters, past)
    undone = Undone(order.id, order.occurred_at, less.gone, version=version, closed=closed, units=less.units)
    if cancelled is None:
        undone = msgspec.structs.replace(undone, returned=returned[-1])
    else:
        undone = msgspec.structs.replace(undone, cancels=cancelled.event)
        effects = _as_taken(effects, cancelled.outcome)
    offers = taken_back(state.counters, past.before.counters, past.outcomes, again)
    outcome = Outcome(points=effects, counted=less.counted, uses=less.instead, offers=offers, undoes=undone)
    outcome.coupons = used_again(past.program, past.used, again) + granted_again(past.granted, again)
    if again is not None:
        outcome.to_pay = again.to_pay
    if cancelled is not None:
        outcome.refused = coupons.refused
    outcome.refund = _refund(past, again)
    counters = count_return(program, state.counters, outcome, undone, state.enrolled_at)
    sums = _sums_without(program, counters, past, again, by_order)
    falling = Falling(program, state, counters, closed, sums, rises=cancelled is not None)
    ladder = falling.fall(outcome, order.occurred_at, past.booked_at, now)
    outcome.undoes = msgspec.structs.replace(undone, resumed=falling.resumed, hangs=falling.hangs)
    count_tiers(program, counters, outcome, now)
    explanation = Explanation() if decided is None else decided.explanation
    return Decision(
        program_version=program.version,
        outcome=outcome,
        counters=counters,
        explanation=msgspec.structs.replace(explanation, tiers=ladder),
        budget_uses=_given_back(outcome, undone, past),
        staying=staying(past.program, past.outcomes[0], again, cancels=cancelled is not None),
    )


def decide_nothing(program: CompiledProgram, state: MemberState, event: Occurrence) -> Decision:
    """The decision on an event that can do nothing any more, and that was accepted all the same."""
    day = event.occurred_at.astimezone(program.zone).date()
    counters = count(program, state.counters, Outcome(), day, event.occurred_at, state.enrolled_at)
    return Decision(program.version, Outcome(), counters, Explanation())


def _refund(past: PastOrder, again: Outcome | None) -> int | None:
    """What the customer gets back: what stood of the order to pay, less what is left to pay; None of final prices."""
    first = past.outcomes[0].to_pay
    if first is None:
        return None
    stood = first.total - sum(outcome.refund or 0 for outcome in past.outcomes[1:])
    return stood - (0 if again is None or again.to_pay is None else again.to_pay.total)


def _as_given(effect: PointsEffect, again: Outcome) -> PointsEffect:
    """What a return gives, rarely enough, can be used and ends as what the order gives now does."""
    if effect.amount < 0:
        return effect
    given = {(one.campaign, one.points): one for one in again.points if one.amount > 0}
    like = given[effect.campaign, effect.points]
    return msgspec.structs.replace(
        effect, available_at=like.available_at, expires_at=like.expires_at, waits_for=like.waits_for
    )


def _as_taken(effects: list[PointsEffect], taken: Outcome) -> list[PointsEffect]:
    """What comes again, at most what the return could take: what had been spent by then was never taken."""
    there: dict[tuple[str, str], int] = {}
    for effect in taken.points:
        key = effect.campaign, effect.points
        there[key] = there.get(key, 0) - effect.amount
    given = []
    for effect in effects:
        amount = min(effect.amount, max(0, there.get((effect.campaign, effect.points), 0)))
        wanted = None if amount == effect.amount else effect.amount
        given.append(msgspec.structs.replace(effect, amount=amount, wanted=wanted))
    return given


def _closed(program: CompiledProgram, counters: Counters, past: PastOrder) -> tuple[list[str], list[str]]:
    """The windows over a period that has ended since the order counted; of these, those that it ended itself last."""
    enrolled_at, order = past.before.enrolled_at, past.event
    after = recount(
        program, past.before.counters, "event", past.outcomes[0], order.occurred_at, past.booked_at, enrolled_at
    )
    closed: list[str] = []
    by_order: list[str] = []
    for tier_set in program.tier_sets:
        periods = (one.periods.get(tier_set.id) for one in (past.before.counters, after, counters))
        before, then, now = (None if period is None else period.since for period in periods)
        # A rise that is taken back opens the period before it again, with all that was booked since.
        if now is not None and now != before and past.booked_at <= now:
            closed += tier_set.period_keys
            by_order += tier_set.period_keys if then == now else ()
    return closed, by_order


def _sums_without(
    program: CompiledProgram, counters: Counters, past: PastOrder, again: Outcome | None, keys: Sequence[str]
) -> dict[str, int]:
    """What windows that the order ended had come to without it, with what has been counted in the next ones since."""
    before = past.before.counters
    if again is not None:
        occurred_at = past.event.occurred_at
        day = occurred_at.astimezone(program.zone).date()
        before = count(program, before, again, day, occurred_at, past.before.enrolled_at)
    return {key: sum(sum(one.windows.get(key, {}).values()) for one in (before, counters)) for key in keys}


def _budgets_left(past: PastOrder) -> Budgets:
    """Budgets of which exactly that is left which the order took: deciding it again finds what it found then."""
    day = past.event.occurred_at.astimezone(past.program.zone).date()
    then = stands(past.outcomes[:1])
    used: dict[str, dict[str, int]] = {}
    for key, (campaign, limit) in past.program.limits.items():
        if limit.per != "all":
            continue
        if limit.units is not None:
            taken = limit.units - then.units.get(campaign, 0)
        elif limit.earn is None:
            taken = (limit.uses or 0) - then.uses.count(campaign)
        else:
            most = int(limit.earn.amount * past.program.units[limit.earn.points])
            taken = most - then.points.get((campaign, limit.earn.points), 0)
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
    by_campaign: dict[str, dict[str, int]] = {name: {} for name in [*undone.uses, *outcome.uses, *undone.units]}
    for effect in outcome.points:
        granted = by_campaign.setdefault(effect.campaign, {})
        amount = effect.amount if effect.wanted is None else effect.wanted
        granted[effect.points] = granted.get(effect.points, 0) + amount
    back: dict[str, dict[str, int]] = {}
    for campaign, granted in by_campaign.items():
        uses = outcome.uses.count(campaign) - undone.uses.count(campaign)
        units = -undone.units.get(campaign, 0)
        back |= count_uses(program.limits_of.get(campaign, ()), day, granted, "all", uses, units)
    return back
