"""Cart promotions: which apply to a purchase with prices before promotions, and what they leave of its lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec

from setia.engine.basis import gross
from setia.engine.compiled import CompiledProgram, TriggerPlan
from setia.engine.compiled_campaigns import CompiledCampaign
from setia.engine.considering import Facts, Match, consider
from setia.engine.coupons import Shown, discount_by, fault_of, shown_for, terms_of
from setia.engine.decision import Considered, DiscountEffect, RefusedCode, RefusedReason, ToPay
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
    shown: dict[str, list[Shown]] = {}
    why: dict[str, RefusedReason] = {}
    for campaign in plan.promotions:
        limits = program.limits_of[campaign.id]
        allowance = Allowance(limits, here.date(), state.counters.limits, shared) if limits else UNLIMITED
        found: Match | Considered = Considered(campaign.id, "coupon")
        if asked := shown_for(campaign, state, event):
            found = consider(campaign, facts, event.occurred_at, here, allowance)
        if isinstance(found, Match):
            matches.append(found)
            # Each coupon is a use of its promotion, and may be one too many.
            shown[campaign.id] = asked[: allowance.use(len(asked))[0]]
            why |= dict.fromkeys((one.code for one in asked[len(shown[campaign.id]) :]), "limit")
        considered.append(found.considered if isinstance(found, Match) else found)
    priced = _priced(event)
    digits = program.currency_digits
    chosen = {match.campaign.id: lines for match in matches if (lines := _chosen(match, facts)) is not None}
    alone = {
        match.campaign.id: list(_takings(match, shown, _copied(priced), chosen, digits))
        for match in matches
        if match.campaign.id in chosen and (match.campaign.definition.group or match.campaign.definition.exclusive)
    }
    for match in matches:
        # What has nothing to take off keeps no other promotion out.
        if match.campaign.id in alone and not any(_does(taken) for _, taken in alone[match.campaign.id]):
            why |= _came_to_nothing(match, alone[match.campaign.id])
    applying = choose(
        [match for match in matches if match.considered.verdict == "matched"],
        program.definition.stacking,
        lambda match: Fraction(sum(taken.total for _, taken in alone[match.campaign.id])),
    )
    effects: list[DiscountEffect] = []
    for match in applying:
        told = list(_takings(match, shown, priced, chosen, digits))
        effects += [_effect(match.campaign.id, one, taken) for one, taken in told if _does(taken)]
        why |= {one.code: "limit" if taken.is_limited else "nothing" for one, taken in told if not _does(taken)}
        if not any(_does(taken) for _, taken in told):
            _came_to_nothing(match, told)
        elif any(taken.is_limited for _, taken in told):
            match.considered.limit = match.allowance.units()[1]
    left = _left(event, priced)
    tax = sum(line.tax for line in left.lines) + left.shipping_tax
    to_pay = ToPay([line.amount for line in left.lines], left.shipping, left.discount, gross(left), tax)
    return Promoted(left, effects, _refused(plan, state, event, effects, considered, why), to_pay, considered)


def _takings(
    match: Match,
    shown: Mapping[str, Sequence[Shown]],
    priced: Mapping[int, Priced],
    chosen: Mapping[str, Chosen],
    digits: int,
) -> Iterator[tuple[Shown, Taken]]:
    """What each that was shown for a promotion takes off, one after the other; `priced` goes down with it."""
    name, discount = match.campaign.id, discount_of(match.campaign)
    left, _ = match.allowance.units()
    for one in shown[name]:
        taken = take_off(discount_by(discount, one, digits), priced, chosen[name], digits, left)
        yield one, taken
        left = None if left is None else left - taken.units
        for line, cut in taken.cuts.items():
            priced[line].amount -= cut
        for line, units in taken.free.items():
            # Two promotions may both give the same units.
            priced[line].free = min(priced[line].units, priced[line].free + units)


def _came_to_nothing(match: Match, found: Sequence[tuple[Shown, Taken]]) -> dict[str, RefusedReason]:
    """Say that a promotion takes nothing off, and why the codes that were shown for it do not."""
    limited = any(taken.is_limited for _, taken in found)
    match.considered.verdict = "limit" if limited else "nothing"
    match.considered.limit = match.allowance.units()[1] if limited else None
    return {one.code: "limit" if taken.is_limited else "nothing" for one, taken in found}


def _copied(priced: Mapping[int, Priced]) -> dict[int, Priced]:
    """Lines to try on what a promotion would take off alone."""
    return {line: msgspec.structs.replace(one) for line, one in priced.items()}


def _effect(campaign: str, shown: Shown, taken: Taken) -> DiscountEffect:
    wanted = taken.wanted if taken.wanted != taken.total else None
    coupon = None if shown.coupon is None else shown.coupon.id
    return DiscountEffect(
        campaign, taken.total, taken.cuts, wanted, taken.added_units, shown.code or None, coupon, taken.units
    )


def _refused(
    plan: TriggerPlan,
    state: MemberState,
    event: Occurrence,
    effects: Iterable[DiscountEffect],
    considered: Iterable[Considered],
    why: Mapping[str, RefusedReason],
) -> list[RefusedCode]:
    """The codes that were shown and did nothing; `why` is known of those that could have done something."""
    applied = {effect.code for effect in effects}
    verdicts = {one.campaign: one.verdict for one in considered}
    coupons = {one.code: one for one in state.coupons}
    promotions = {one.id: one for one in plan.promotions}
    refused = []
    for code in event.codes:
        if code in applied:
            continue
        owner = next((one.id for one in plan.promotions if code.casefold() in one.codes), None)
        reason: Any = None
        if owner is None and code in coupons:
            owner = coupons[code].campaign
            # Where its promotion has gone, or has no coupons any more, it is known and of no promotion.
            terms = terms_of(promotions[owner]) if owner in promotions else None
            reason = "unknown" if terms is None else fault_of(coupons[code], terms, state.id, event.occurred_at)
        if reason is None:
            verdict = "unknown" if owner is None else verdicts[owner]
            # A promotion asked for by several of its codes applies once, or with as many coupons as it allows.
            reason = why.get(code, "another_code") if verdict == "matched" else verdict
        refused.append(RefusedCode(code, reason, owner))
    return refused


def _does(taken: Taken) -> bool:
    return bool(taken.cuts or taken.added_units)


def discount_of(campaign: CompiledCampaign) -> Discount:
    """What a promotion takes off; raises TypeError for a campaign that is none."""
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
    quantity = line.quantity - now.free if now.free else line.quantity
    return msgspec.structs.replace(line, quantity=quantity, amount=now.amount, tax=_tax(now), discount=discount)


def _tax(now: Priced) -> int:
    if now.amount == now.original or not now.original:
        return now.tax
    return (2 * now.tax * now.amount + now.original) // (2 * now.original)
