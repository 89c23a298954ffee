"""Cart promotions: which apply to a purchase with prices before promotions, and what they leave of its lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec

from setia.engine.basis import gross
from setia.engine.compiled import CompiledProgram, TriggerPlan
from setia.engine.compiled_campaigns import CompiledCampaign
from setia.engine.considering import Facts, Match, consider
from setia.engine.decision import Considered, DiscountEffect, RefusedCode, ToPay
from setia.engine.discounting import SHIPPING, Chosen, Priced, Taken, take_off
from setia.engine.limits import UNLIMITED, Allowance
from setia.engine.occurrences import Line, Occurrence
from setia.engine.stacking import choose
from setia.engine.state import MemberState
from setia.expressions import EvaluationError, Expression
from setia.program.discounts import Discount

_ONE = Decimal(1)


class Promoted(msgspec.Struct):
    """A purchase after its promotions: `event` with what is left to pay, and why each promotion applied or not."""

    event: Occurrence
    effects: list[DiscountEffect]
    refused: list[RefusedCode]
    to_pay: ToPay
    considered: list[Considered]


def promote(
    program: CompiledProgram,
    plan: TriggerPlan,
    state: MemberState,
    event: Occurrence,
    facts: Facts,
    here: dt.datetime,
    shared: Mapping[str, Mapping[str, int]],
) -> Promoted:
    """Apply the promotions of a purchase; nothing given is changed.

    Conditions and lines are judged on the prices that came. Each promotion then takes off what the ones before it
    have left: those of higher priority first, in the order of the definition.
    """
    considered, matches = [], []
    for campaign in plan.promotions:
        limits = program.limits_of[campaign.id]
        allowance = Allowance(limits, here.date(), state.counters.limits, shared) if limits else UNLIMITED
        found: Match | Considered = Considered(campaign.id, "coupon")
        if code_for(campaign, event) is not None:
            found = consider(campaign, facts, event.occurred_at, here, allowance)
        if isinstance(found, Match):
            matches.append(found)
        considered.append(found.considered if isinstance(found, Match) else found)
    priced = _priced(event)
    digits = program.currency_digits
    chosen = {match.campaign.id: lines for match in matches if (lines := _chosen(match, facts)) is not None}
    alone = {
        match.campaign.id: take_off(_discount(match.campaign), priced, chosen[match.campaign.id], digits)
        for match in matches
        if match.campaign.id in chosen and (match.campaign.definition.group or match.campaign.definition.exclusive)
    }
    for match in matches:
        # What has nothing to take off keeps no other promotion out.
        if match.campaign.id in alone and not _does(alone[match.campaign.id]):
            match.considered.verdict = "nothing"
    applying = choose(
        [match for match in matches if match.considered.verdict == "matched"],
        program.definition.stacking,
        lambda match: Fraction(alone[match.campaign.id].total),
    )
    effects = []
    for match in applying:
        campaign = match.campaign
        taken = take_off(_discount(campaign), priced, chosen[campaign.id], digits)
        if not _does(taken):
            match.considered.verdict = "nothing"
            continue
        for line, cut in taken.cuts.items():
            priced[line].amount -= cut
        code = code_for(campaign, event) or None
        wanted = taken.wanted if taken.wanted != taken.total else None
        effects.append(DiscountEffect(campaign.id, taken.total, taken.cuts, wanted, taken.added_units, code))
    left = _left(event, priced)
    tax = sum(line.tax for line in left.lines) + left.shipping_tax
    to_pay = ToPay([line.amount for line in left.lines], left.shipping, left.discount, gross(left), tax)
    return Promoted(left, effects, _refused(plan, event, effects, considered), to_pay, considered)


def _refused(
    plan: TriggerPlan, event: Occurrence, effects: Iterable[DiscountEffect], considered: Iterable[Considered]
) -> list[RefusedCode]:
    """The codes that were shown and did nothing."""
    applied = {effect.code for effect in effects}
    verdicts = {one.campaign: one.verdict for one in considered}
    refused = []
    for code in event.codes:
        if code in applied:
            continue
        owner = next((one.id for one in plan.promotions if code.casefold() in one.codes), None)
        verdict = "unknown" if owner is None else verdicts[owner]
        # A promotion asked for by several of its codes applies once.
        reason: Any = "another_code" if verdict == "matched" else verdict
        refused.append(RefusedCode(code, reason, owner))
    return refused


def _does(taken: Taken) -> bool:
    return bool(taken.cuts or taken.added_units)


def code_for(campaign: CompiledCampaign, event: Occurrence) -> str | None:
    """The code by which a promotion was asked for; empty where it needs none, None where it needs one."""
    discount = _discount(campaign)
    if not discount.codes:
        return None if discount.coupon else ""
    return next((code for code in event.codes if code.casefold() in campaign.codes), None)


def _discount(campaign: CompiledCampaign) -> Discount:
    discount = campaign.definition.discount
    if discount is None:
        message = f"{campaign.id} is no promotion"
        raise TypeError(message)
    return discount


def _chosen(match: Match, facts: Facts) -> Chosen | None:
    """The lines a promotion is about; None, with the verdict `error`, where one of its conditions fails."""
    campaign = match.campaign
    lines = range(len(facts.event.lines)) if match.lines is None else match.lines
    try:
        bought = _selected(campaign.bought, facts)
        return Chosen(lines, bought, [_selected(part, facts) for part in campaign.bundle])
    except EvaluationError as error:
        match.considered.verdict = "error"
        match.considered.error = str(error)
        return None


def _selected(condition: Expression | None, facts: Facts) -> list[int]:
    lines = facts.event.lines
    if condition is None:
        return list(range(len(lines)))
    return [index for index, line in enumerate(lines) if condition.call(*facts.plain, line) is True]


def _priced(event: Occurrence) -> dict[int, Priced]:
    lines = {index: Priced(line.amount, line.tax, line.quantity, line.amount) for index, line in enumerate(event.lines)}
    if event.shipping:
        lines[SHIPPING] = Priced(event.shipping, event.shipping_tax, _ONE, event.shipping)
    return lines


def _left(event: Occurrence, priced: Mapping[int, Priced]) -> Occurrence:
    """The event with what is left of its amounts; tax goes down with them, and each line says what was taken off."""
    lines = tuple(_line(line, priced[index]) for index, line in enumerate(event.lines))
    # What the caller takes off the whole order comes last, and cannot be more than promotions have left.
    discount = min(event.discount, sum(line.amount for line in lines))
    shipping = priced.get(SHIPPING, Priced(0, 0, _ONE, 0))
    return msgspec.structs.replace(
        event, lines=lines, discount=discount, shipping=shipping.amount, shipping_tax=_tax(shipping)
    )


def _line(line: Line, now: Priced) -> Line:
    if now.amount == now.original:
        return line
    discount = line.discount + now.original - now.amount
    return msgspec.structs.replace(line, amount=now.amount, tax=_tax(now), discount=discount)


def _tax(now: Priced) -> int:
    if now.amount == now.original or not now.original:
        return now.tax
    return (2 * now.tax * now.amount + now.original) // (2 * now.original)
