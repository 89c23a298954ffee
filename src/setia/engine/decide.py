"""The decision: what one event means for one member under one program version."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

from setia.engine.awarding import Award, Order, award_points, multiplier_factor
from setia.engine.basis import BasisAmounts, basis_amounts
from setia.engine.calendar import after, expires_at, local
from setia.engine.compiled import CompiledProgram, TriggerPlan
from setia.engine.considering import Facts, Match, consider, readable
from setia.engine.counting import count
from setia.engine.decision import Considered, Decision, Explanation, Outcome, PointsEffect, TierChange
from setia.engine.facts import EventFacts, LocationFacts, MemberFacts, TimeFacts
from setia.engine.limits import Allowance, count_uses
from setia.engine.occurrences import Occurrence
from setia.engine.rates import WHOLE, raw_points
from setia.engine.stacking import choose
from setia.engine.state import Budgets, Counters, MemberState
from setia.engine.tiers import metric_value, rises
from setia.engine.expressions import EvaluationError
from setia.program.money import MoneyBasis


def decide(
    program: CompiledProgram, state: MemberState, event: Occurrence, now: dt.datetime, budgets: Budgets | None = None
) -> Decision:
    """Decide `event` for a member in `state`; nothing given is changed.

    `now` is the moment of arrival (UTC): points are earned and begin to age then. Schedules, windows and limits go by
    `event.occurred_at`. `budgets` are what campaigns have used over all members.

    The order is: schedules, conditions, lines and limits on uses of every campaign that the event's type can start;
    exclusive campaigns and groups; points earned, multiplied, rounded and cut; points deducted; attributes and tags;
    counters; tiers reached; tiers set; effects for the caller.
    """
    plan = program.plans.get(event.type, _NO_PLAN)
    here = local(event.occurred_at, program.zone)
    basis = basis_amounts(event, program.definition.money)
    facts = _facts(program, state, event, here, basis)
    shared = (budgets or Budgets()).used
    considered, matches = _consider_all(program, plan, state, event, facts, here, shared)
    order = _order(program, event, facts, matches, basis)
    applying = choose(matches, program.definition.stacking, lambda match: _worth(program, match, order))
    roundings = {name: point_type.rounding for name, point_type in program.definition.points.items()}
    awards = award_points(applying, order, roundings, program.definition.stacking)
    outcome = Outcome(points=_effects(program, awards, now), counted=_counted(event, basis))
    _deduct(program, applying, order, state, outcome)
    _set_attributes(applying, facts, outcome)
    _tag(applying, state, outcome)
    _custom_effects(applying, facts, outcome)
    outcome.uses = _uses(applying, outcome)
    counters = count(program, state.counters, outcome, event.occurred_at, state.enrolled_at)
    counters = _tiers(program, state, counters, here.date(), applying, outcome)
    return Decision(
        program_version=program.version,
        outcome=outcome,
        counters=counters,
        explanation=Explanation(considered=considered, inputs=_inputs(plan, facts), tiers=_ladder(program, state, outcome, counters, here.date())),
        budget_uses=_budget_uses(program, outcome, here.date()),
    )


_NO_PLAN = TriggerPlan((), ())


def _facts(program: CompiledProgram, state: MemberState, event: Occurrence, here: dt.datetime, basis: BasisAmounts) -> Facts:
    digits = program.currency_digits
    return Facts(
        EventFacts(event, basis, digits),
        MemberFacts(state, event, program.first_levels, program.point_digits, digits, program.attribute_types),
        LocationFacts(event.location, program.definition.locations.get(event.location)),
        TimeFacts(here),
    )


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
    day = here.date()
    for campaign in plan.campaigns:
        allowance = Allowance(program.limits_of[campaign.id], day, state.counters.limits, shared)
        found = consider(campaign, facts, event.occurred_at, here, allowance)
        if isinstance(found, Match):
            matches.append(found)
            considered.append(found.considered)
        else:
            considered.append(found)
    return considered, matches


def _order(program: CompiledProgram, event: Occurrence, facts: Facts, matches: list[Match], basis: BasisAmounts) -> Order:
    of_basis: dict[MoneyBasis, BasisAmounts] = {}
    bases = {}
    for match in matches:
        own = match.campaign.definition.basis
        if own is None:
            bases[match.campaign.id] = basis
        else:
            if own not in of_basis:
                of_basis[own] = basis_amounts(event, own)
            bases[match.campaign.id] = of_basis[own]
    return Order(event, facts, bases, program.currency_digits, program.point_digits)


def _worth(program: CompiledProgram, match: Match, order: Order) -> Fraction:
    """What a match is worth to the member, to choose the best of a group: money where point types have a value, one
    where they have none. A multiplier is worth its factor, which ranks it among multipliers.
    """
    if match.campaign.multiplier is not None and not match.campaign.earns:
        return multiplier_factor(match, order)
    worth = Fraction(0)
    for earn in match.campaign.earns:
        try:
            raw = raw_points(earn, match, order.facts, order.event, order.bases[match.campaign.id], order.digits)
        except EvaluationError:
            continue  # awarding meets the same error and reports it
        value = program.definition.points[earn.points].value
        worth += Fraction(sum(part for _, part in raw.parts), raw.denominator) * Fraction(1 if value is None else value)
    return worth


def _effects(program: CompiledProgram, awards: list[Award], now: dt.datetime) -> list[PointsEffect]:
    effects = []
    for award in awards:
        if not award.granted and award.granted == award.wanted:
            continue
        point_type = program.definition.points[award.points]
        delay = point_type.available_after
        available_at = None if delay is None else after(now, delay, program.zone)
        by_line = {line: amount for line, amount in award.by_line.items() if amount and line != WHOLE}
        effects.append(
            PointsEffect(
                points=award.points,
                amount=award.granted,
                campaign=award.campaign,
                wanted=award.wanted if award.wanted != award.granted else None,
                by_line=by_line,
                available_at=available_at,
                expires_at=expires_at(available_at or now, point_type.expiry, program.zone),
            )
        )
    return effects


def _counted(event: Occurrence, basis: BasisAmounts) -> dict[str, int]:
    if event.type == "purchase":
        return {"orders": 1, "spend": basis.total}
    return {"visits": 1} if event.type == "visit" else {}


def _deduct(program: CompiledProgram, matches: list[Match], order: Order, state: MemberState, outcome: Outcome) -> None:
    """Take points away, never more than there are where the point type blocks going below zero."""
    earned: dict[str, int] = {}
    for effect in outcome.points:
        if effect.available_at is None:
            earned[effect.points] = earned.get(effect.points, 0) + effect.amount
    for match in matches:
        for rate in match.campaign.deducts:
            try:
                raw = raw_points(rate, match, order.facts, order.event, order.bases[match.campaign.id], order.digits)
            except EvaluationError as error:
                match.considered.verdict = "error"
                match.considered.error = str(error)
                continue
            wanted = sum(part for _, part in raw.parts) // raw.denominator
            balance = state.balances.get(rate.points)
            there = (balance.available if balance else 0) + earned.get(rate.points, 0)
            blocked = program.definition.points[rate.points].negative == "block"
            amount = min(wanted, max(0, there)) if blocked else wanted
            if wanted:
                earned[rate.points] = earned.get(rate.points, 0) - amount
                cut = -wanted if amount != wanted else None
                outcome.points.append(PointsEffect(rate.points, -amount, match.campaign.id, wanted=cut))


def _set_attributes(matches: list[Match], facts: Facts, outcome: Outcome) -> None:
    for match in matches:
        for name, expression in match.campaign.attributes:
            value = _evaluated(match, expression, facts)
            if value is not None:
                outcome.attributes[name] = value


def _custom_effects(matches: list[Match], facts: Facts, outcome: Outcome) -> None:
    for match in matches:
        effect = match.campaign.definition.effect
        if effect is not None:
            values = {name: _evaluated(match, expression, facts) for name, expression in match.campaign.values}
            if match.considered.verdict == "matched":
                outcome.custom.append((match.campaign.id, effect.name, values))


def _evaluated(match: Match, expression: Any, facts: Facts) -> Any:  # noqa: ANN401 - JSON of any kind
    try:
        return readable(expression.call(*facts.plain()))
    except EvaluationError as error:
        match.considered.verdict = "error"
        match.considered.error = str(error)
        return None


def _tag(matches: list[Match], state: MemberState, outcome: Outcome) -> None:
    tags = set(state.tags)
    for match in matches:
        for tag in match.campaign.definition.tag:
            if tag not in tags:
                tags.add(tag)
                outcome.tags_added.append(tag)
        for tag in match.campaign.definition.untag:
            if tag in tags:
                tags.discard(tag)
                outcome.tags_removed.append(tag)


def _uses(matches: list[Match], outcome: Outcome) -> list[str]:
    """The campaigns that had an effect. One that came to nothing is not used up by it, and says so."""
    giving = {effect.campaign for effect in outcome.points if effect.amount}
    uses = []
    for match in matches:
        definition, considered = match.campaign.definition, match.considered
        if considered.verdict != "matched":
            continue
        other = definition.set or definition.tag or definition.untag or definition.tier or definition.effect
        if match.campaign.id in giving or other:
            uses.append(match.campaign.id)
        else:
            cut = next((step.cut_by for step in considered.arithmetic if step.cut_by), None)
            unused_multiplier = definition.multiply is not None and not considered.arithmetic
            considered.verdict = "limit" if cut else "base" if unused_multiplier else "nothing"
            considered.limit = cut
    return uses


def _tiers(
    program: CompiledProgram, state: MemberState, counters: Counters, day: dt.date, matches: list[Match], outcome: Outcome
) -> Counters:
    if not program.tier_sets:
        return counters
    changes = rises(program, counters, _available(state, outcome), day, state.enrolled_at)
    held = {tier_set.definition.id: tier_set.levels[tier_set.index(counters.tiers.get(tier_set.definition.id))].id for tier_set in program.tier_sets}
    held |= {change.tier_set: change.after for change in changes}
    for match in matches:
        if match.considered.verdict == "matched":
            for tier_set_id, level in match.campaign.definition.tier.items():
                if held[tier_set_id] != level:
                    changes.append(TierChange(tier_set_id, held[tier_set_id], level, match.campaign.id))
                    held[tier_set_id] = level
    outcome.tiers = changes
    if changes:
        counters.tiers = counters.tiers | {change.tier_set: change.after for change in changes}
    return counters


def _available(state: MemberState, outcome: Outcome) -> dict[str, int]:
    available = {points: balance.available for points, balance in state.balances.items()}
    for effect in outcome.points:
        if effect.available_at is None:
            available[effect.points] = available.get(effect.points, 0) + effect.amount
    return available


def _ladder(program: CompiledProgram, state: MemberState, outcome: Outcome, counters: Counters, day: dt.date) -> dict[str, str]:
    ladder = {}
    for tier_set in program.tier_sets:
        value = metric_value(program, tier_set, counters, _available(state, outcome), day, state.enrolled_at)
        place = tier_set.index(counters.tiers.get(tier_set.definition.id))
        following = tier_set.levels[place + 1].threshold if place + 1 < len(tier_set.levels) else None
        ladder[tier_set.definition.id] = f"{value}/{following}" if following is not None else str(value)
    return ladder


def _inputs(plan: TriggerPlan, facts: Facts) -> dict[str, Any]:
    roots = {"event": facts.event, "member": facts.member, "location": facts.location, "time": facts.time}
    inputs: dict[str, Any] = {}
    for path in plan.inputs:
        root, *fields = path.split(".")
        value: Any = roots.get(root)
        for field in fields:
            value = value.get(field) if isinstance(value, dict) else getattr(value, field, None)
        if isinstance(value, bool | int | str) or hasattr(value, "as_tuple"):
            inputs[path] = readable(value)
    return inputs


def _budget_uses(program: CompiledProgram, outcome: Outcome, day: dt.date) -> dict[str, dict[str, int]]:
    used: dict[str, dict[str, int]] = {}
    for campaign in outcome.uses:
        limits = program.limits_of.get(campaign)
        if limits:
            granted: dict[str, int] = {}
            for effect in outcome.points:
                if effect.campaign == campaign and effect.amount > 0:
                    granted[effect.points] = granted.get(effect.points, 0) + effect.amount
            used |= count_uses(limits, day, granted, "all")
    return used
