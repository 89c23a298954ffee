"""The decision: what one event means for one member under one program version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from setia.engine.awarding import Award, award_points
from setia.engine.basis import BasisAmounts, basis_amounts
from setia.engine.calendar import local
from setia.engine.cart_rewards import redeem_in_cart, settle_points
from setia.engine.climbing import climb
from setia.engine.compiled import CompiledProgram, TriggerPlan
from setia.engine.compiled_campaigns import CompiledCampaign
from setia.engine.considering import Facts, Match, consider, readable
from setia.engine.counting import count, count_moves, count_tiers
from setia.engine.coupons import gifts, uses_of
from setia.engine.decision import Considered, Decision, Explanation, Outcome, PointsEffect
from setia.engine.facts import EventFacts, LocationFacts, MemberFacts, TimeFacts
from setia.engine.limits import UNLIMITED, Allowance, count_uses, units_by_campaign
from setia.engine.occurrences import Occurrence
from setia.engine.offers import Instances, changes, consider_offer
from setia.engine.preparing import Order, prepare
from setia.engine.promoting import Promoted, promote
from setia.engine.rates import WHOLE
from setia.engine.rewards import Used
from setia.engine.stacking import choose
from setia.engine.state import Budgets, MemberState
from setia.engine.sums import sums_of
from setia.engine.waiting import moves_of
from setia.program.events import ASSIGNED


def decide(
    program: CompiledProgram,
    state: MemberState,
    event: Occurrence,
    now: dt.datetime,
    budgets: Budgets | None = None,
    used: Mapping[str, Used] | None = None,
) -> Decision:
    """Decide `event` for a member in `state`; nothing given is changed.

    `now` is the moment of arrival (UTC): points are earned and begin to age then. Schedules, windows and limits go by
    `event.occurred_at`. `budgets` are what campaigns have used over all members, `used` is what is taken of the rewards
    that are redeemed with a purchase; None where they were granted before.

    The order is: cart promotions; rewards redeemed with the purchase; schedules, conditions, lines and limits on uses
    of every campaign that the event's type can start; exclusive campaigns and groups; points earned, multiplied,
    rounded and cut; points deducted; attributes and tags; what rewards cost; counters; tiers reached; tiers set;
    effects for the caller.
    """
    plan = program.plans.get(event.type, _NO_PLAN)
    here = local(event.occurred_at, program.zone)
    day = here.date()
    basis, facts = _seen(program, state, event, here)
    shared = (budgets or _NO_BUDGETS).used
    promoted = redeemed = None
    if event.pricing == "before":
        # Points are earned on what the promotions leave.
        promoted = promote(program, plan, state, event, facts, here, shared)
        event = promoted.event
        basis, facts = _seen(program, state, event, here)
        if event.redeem:
            redeemed = redeem_in_cart(program, state, event, facts, used, now)
            event = redeemed.event
            basis, facts = _seen(program, state, event, here)
    considered, matches = _consider_all(program, plan, state, event, facts, here, shared)
    order = Order(event, facts, _bases(matches, event, basis), program.currency_digits, program.point_digits)
    stacking = program.definition.stacking
    matches = [match for match in matches if prepare(match, order)]
    applying = choose(matches, stacking, lambda match: _worth(program, match)) if plan.rivals else matches
    awards = award_points(applying, program.roundings, program.units, stacking)
    outcome = Outcome(points=_effects(program, state, awards, now), counted=_counted(event, basis))
    if plan.acts:
        _deduct(program, applying, state, outcome)
        _tag(applying, state, outcome)
        for match in applying:
            outcome.attributes |= match.attributes
            if match.campaign.definition.effect is not None:
                effect = (match.campaign.id, match.campaign.definition.effect.name, match.values)
                outcome.custom += [effect] * match.times
        outcome.coupons = gifts(program, applying, order.bases, now)
    outcome.uses = _uses(applying, outcome)
    if plan.offers:
        outcome.offers = changes(program, state.counters, event, considered)
    if promoted is not None:
        _take_off(promoted, state, outcome)
        considered = promoted.considered + considered
    if redeemed is not None:
        settle_points(program, state, redeemed, outcome, again=used is None)
    outcome.extends = _extends(program, state, event, outcome)
    outcome.moves = moves_of(program, event, state.waiting) if state.waiting else []
    outcome.active = list(program.time.activity.get(event.type, ()))
    outcome.fired = event.fired
    counters = count(program, state.counters, outcome, day, event.occurred_at, state.enrolled_at)
    count_moves(program, counters, outcome, event.occurred_at, now, state.enrolled_at)
    ladder = climb(program, state, counters, day, now, applying, outcome)
    count_tiers(program, counters, outcome, now)
    explanation = Explanation(considered, _inputs(plan, facts), ladder)
    if event.type == "purchase" and (state.attributes or state.tags):
        _keep_facts(program, state, explanation)
    return Decision(
        program_version=program.version,
        outcome=outcome,
        counters=counters,
        explanation=explanation,
        budget_uses=_budget_uses(program, outcome, day) if program.has_budgets else {},
        refused=[] if redeemed is None else redeemed.refused,
    )


_NO_PLAN = TriggerPlan((), (), rivals=False, acts=False)
_NO_BUDGETS = Budgets()


def _take_off(promoted: Promoted, state: MemberState, outcome: Outcome) -> None:
    """Say what promotions did."""
    outcome.discounts, outcome.refused, outcome.to_pay = promoted.effects, promoted.refused, promoted.to_pay
    outcome.uses += [effect.campaign for effect in promoted.effects]
    if state.coupons:
        outcome.coupons = uses_of(promoted.effects, state.coupons) + outcome.coupons


def _keep_facts(program: CompiledProgram, state: MemberState, explanation: Explanation) -> None:
    """Keep what a return would decide by again: attributes and tags have no history of their own."""
    explanation.tags = state.tags
    known = program.attribute_types
    explanation.attributes = {name: readable(value) for name, value in state.attributes.items() if name in known}


def _seen(
    program: CompiledProgram, state: MemberState, event: Occurrence, here: dt.datetime
) -> tuple[BasisAmounts, Facts]:
    """What of an event's money counts, and what expressions read."""
    basis = basis_amounts(event, program.definition.money)
    digits = program.currency_digits
    facts = Facts(
        EventFacts(event, basis, digits),
        MemberFacts(
            state,
            event,
            program.levels_of,
            program.point_digits,
            digits,
            program.attribute_types,
            lambda: sums_of(program, state, event.occurred_at),
        ),
        LocationFacts(event.location, program.definition.locations.get(event.location)),
        TimeFacts(here),
    )
    return basis, facts


def _consider_all(
    program: CompiledProgram,
    plan: TriggerPlan,
    state: MemberState,
    event: Occurrence,
    facts: Facts,
    here: dt.datetime,
    shared: dict[str, dict[str, int]],
) -> tuple[list[Considered], list[Match]]:
    considered, matches = [], []
    day, used = here.date(), state.counters.limits
    granted: dict[str, int] = {}
    instances = Instances(state.counters) if plan.offers else None
    campaigns: Sequence[CompiledCampaign] = plan.campaigns
    if plan.candidates is not None:
        campaigns = plan.candidates.at(event.occurred_at, facts.by_name())
    for campaign in campaigns:
        limits = program.limits_of[campaign.id]
        allowance = Allowance(limits, day, used, shared, granted) if limits else UNLIMITED
        if instances is not None and campaign.definition.offer is not None:
            for each in consider_offer(program, campaign, instances, facts, event, here, allowance):
                if isinstance(each, Match):
                    matches.append(each)
                considered.append(each.considered if isinstance(each, Match) else each)
            continue
        found = consider(campaign, facts, event.occurred_at, here, allowance)
        if isinstance(found, Match):
            matches.append(found)
            considered.append(found.considered)
        else:
            considered.append(found)
    return considered, matches


def _bases(matches: list[Match], event: Occurrence, basis: BasisAmounts) -> dict[str, BasisAmounts]:
    """What counts for each campaign: on the program's basis, or on one of its own."""
    bases = {}
    for match in matches:
        own = match.campaign.definition.basis
        bases[match.campaign.id] = basis if own is None else basis_amounts(event, own)
    return bases


def _worth(program: CompiledProgram, match: Match) -> Fraction:
    """What a match is worth to the member, to choose the best of a group.

    Money where point types have a value, one for each point where they have none. A multiplier is worth its factor,
    which ranks it among multipliers.
    """
    if match.factor is not None and not match.earns:
        return match.factor
    worth = Fraction(0)
    for earn, raw in match.earns:
        value = program.definition.points[earn.points].value
        unit = program.units[earn.points]
        points = Fraction(raw.numerator, raw.denominator * unit)
        left = match.allowance.left(earn.points, unit)
        if left is not None:
            points = min(points, Fraction(left, unit))
        worth += points * Fraction(1 if value is None else value)
    return worth


def _effects(program: CompiledProgram, state: MemberState, awards: list[Award], now: dt.datetime) -> list[PointsEffect]:
    effects = []
    # Levels before the event, as conditions see them.
    levels = program.levels_of(state.counters) if program.by_tier else {}
    for award in awards:
        granted, wanted = award.granted, award.wanted
        if not granted and granted == wanted:
            continue
        validity = program.validity(award.points, now, award.campaign, levels)
        effects.append(
            PointsEffect(
                award.points,
                granted,
                award.campaign,
                wanted if wanted != granted else None,
                {line: amount for line, amount in award.by_line.items() if amount and line != WHOLE},
                *validity,
            )
        )
    return effects


def _counted(event: Occurrence, basis: BasisAmounts) -> dict[str, int]:
    if event.type == "purchase":
        return {"orders": 1, "spend": basis.total}
    return {"visits": 1} if event.type == "visit" else {}


def _deduct(program: CompiledProgram, matches: list[Match], state: MemberState, outcome: Outcome) -> None:
    """Take points away, never more than there are where the point type blocks going below zero."""
    earned: dict[str, int] = {}
    for effect in outcome.points:
        if not effect.is_pending:
            earned[effect.points] = earned.get(effect.points, 0) + effect.amount
    for match in matches:
        for rate, raw in match.deducts:
            wanted = raw.numerator // raw.denominator
            balance = state.balances.get(rate.points)
            there = (balance.available if balance else 0) + earned.get(rate.points, 0)
            blocked = program.definition.points[rate.points].negative == "block"
            amount = min(wanted, max(0, there)) if blocked else wanted
            if wanted:
                earned[rate.points] = earned.get(rate.points, 0) - amount
                cut = -wanted if amount != wanted else None
                outcome.points.append(PointsEffect(rate.points, -amount, match.campaign.id, wanted=cut))


def _extends(program: CompiledProgram, state: MemberState, event: Occurrence, outcome: Outcome) -> list[str]:
    """The point types that end by inactivity and live longer by this event.

    Points that come to somebody without any begin a time of their own, whatever brought them: else they could have
    ended before they came.
    """
    if not program.inactive:
        return []
    earned = {effect.points for effect in outcome.points if effect.amount > 0}
    extended = []
    for points, events in program.inactive.items():
        # What time or friends do is no activity, unless it is named; nor is that somebody is given an offer.
        counts = event.type in events or (
            not events and event.type != ASSIGNED and not program.time.is_made(event.type)
        )
        if counts and program.definition.points[points].expiry.must_earn:
            counts = points in earned
        balance = state.balances.get(points)
        if counts or (points in earned and (balance is None or balance.available + balance.pending <= 0)):
            extended.append(points)
    return extended


def _tag(matches: list[Match], state: MemberState, outcome: Outcome) -> None:
    """Add and take tags in the order of the campaigns; what is left of it in the end is the effect."""
    tags = set(state.tags)
    for match in matches:
        tags |= set(match.campaign.definition.tag)
        tags -= set(match.campaign.definition.untag)
    before = set(state.tags)
    outcome.tags_added = sorted(tags - before)
    outcome.tags_removed = sorted(before - tags)


def _uses(matches: list[Match], outcome: Outcome) -> list[str]:
    """The campaigns that had an effect. One that came to nothing is not used up by it, and says so."""
    giving = {effect.campaign for effect in outcome.points if effect.amount}
    giving |= {change.by for change in outcome.coupons if change.by is not None}
    uses = []
    for match in matches:
        considered = match.considered
        if considered.verdict != "matched":
            continue
        gives = match.campaign.id in giving
        if considered.offer is not None and match.earns and not match.deducts:
            # Another instance of the same offer may be the one that gives.
            gives = any(step.granted for step in considered.arithmetic)
        if gives or match.campaign.acts or any(step.granted < 0 for step in considered.arithmetic):
            uses += [match.campaign.id] * match.times
        else:
            cut = next((step.cut_by for step in considered.arithmetic if step.cut_by), None)
            unused = match.campaign.multiplier is not None and not considered.arithmetic
            considered.verdict = "limit" if cut else "base" if unused else "nothing"
            considered.limit = cut
    return uses


def _inputs(plan: TriggerPlan, facts: Facts) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for path, root, fields in plan.inputs:
        value: Any = facts.plain[root]
        for field in fields:
            value = value.get(field) if isinstance(value, dict) else getattr(value, field, None)
        if isinstance(value, str | int):
            inputs[path] = value
        elif isinstance(value, Decimal):
            inputs[path] = format(value, "f")
    return inputs


def _budget_uses(program: CompiledProgram, outcome: Outcome, day: dt.date) -> dict[str, dict[str, int]]:
    used: dict[str, dict[str, int]] = {}
    units = units_by_campaign(outcome.discounts)
    for campaign in dict.fromkeys(outcome.uses):
        limits = program.limits_of.get(campaign)
        if limits:
            granted: dict[str, int] = {}
            for effect in outcome.points:
                if effect.campaign == campaign and effect.amount > 0:
                    granted[effect.points] = granted.get(effect.points, 0) + effect.amount
            used |= count_uses(limits, day, granted, "all", outcome.uses.count(campaign), units.get(campaign, 0))
    return used
