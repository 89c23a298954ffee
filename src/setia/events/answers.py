"""What callers are told about an event, in their language."""

from __future__ import annotations

from typing import Any

import msgspec

from setia.db.ids import format_id
from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Considered, Hurried, PointsEffect
from setia.engine.exact import fraction_text
from setia.engine.sentences import sentences
from setia.engine.wording import campaign_name
from setia.events.booked import Booked
from setia.events.card_answers import CardPaymentOut, payment_out
from setia.events.coupon_answers import CouponChangeOut, coupons_out
from setia.events.discount_answers import DiscountOut, RefusedCodeOut, ToPayOut, promotions_out
from setia.events.offer_answers import OfferOut, OfferStepOut, offers_out, step_out
from setia.events.reward_answers import BoughtOut, RedeemedOut, bought_out, redeemed_out, refund_out


class BalanceOut(msgspec.Struct):
    """A wallet."""

    available: int
    pending: int
    held: int


class EffectOut(msgspec.Struct, omit_defaults=True):
    """One effect. `kind`: earn, deduct, release, cancel, tier, attribute, tag, untag or custom.

    `waits_for` is the event that pending points wait for, `review` the velocity rule by which a person has to approve
    them. Pending points of an `order` are released or cancelled.

    `by_line` tells which line (from 0; -1 is shipping) each part of the points came from; the rest came from the whole.
    """

    kind: str
    campaign: str | None = None
    points: str | None = None
    amount: int | None = None
    wanted: int | None = None
    by_line: dict[int, int] = {}
    available_at: Any = None
    expires_at: Any = None
    waits_for: str | None = None
    review: str | None = None
    order: str | None = None
    tier_set: str | None = None
    before: str | None = None
    after: str | None = None
    name: str | None = None
    value: Any = None


class EventOut(msgspec.Struct):
    """The answer to an event.

    `status`: `decided`; `kept` until somebody enrols with the identifiers it gave; `guest` when it named nobody.
    `granted` is what it changed per point type, `balances` and `tiers` how the member stood afterwards. Points are
    whole numbers of the point type's smallest unit: with two decimals, 150 is 1.50. Of a purchase with prices before
    promotions, `to_pay` is what they and its rewards left of it; of its return, `refund` is the money to give back, and
    `bought` are rewards that had been had for points which the return did not find any more.
    """

    id: str | None
    status: str
    type: str
    source: str
    external_id: str
    member: str | None
    occurred_at: Any
    received_at: Any
    program_version: int | None
    granted: dict[str, int]
    balances: dict[str, BalanceOut]
    tiers: dict[str, str]
    effects: list[EffectOut]
    sentences: list[str]
    offers: list[OfferOut]
    discounts: list[DiscountOut]
    refused_codes: list[RefusedCodeOut]
    coupons: list[CouponChangeOut]
    redeemed: list[RedeemedOut]
    to_pay: ToPayOut | None
    refund: str | None
    payment: CardPaymentOut | None
    bought: list[BoughtOut]


class LinePartOut(msgspec.Struct):
    """What one line brought before rounding. `line` is its place in the event, from 0; -1 is shipping."""

    line: int
    exact: str


class ArithmeticOut(msgspec.Struct, omit_defaults=True):
    """How one amount of points came about: `rate` on `basis` is `exact`, rounded `wanted`, after limits `granted`.

    `lines` is the same by line, before rounding; lines that are not named did not count. `of` is the campaign that was
    multiplied. The whole points of each line stand in the effects.
    """

    points: str
    rate: str
    basis: str
    exact: str
    wanted: int
    granted: int
    lines: list[LinePartOut] = []
    of: str | None = None
    cut_by: str | None = None


class ConsideredOut(msgspec.Struct, omit_defaults=True):
    """What became of one campaign, and why.

    `verdict`: matched; schedule, condition, lines, limit, group, exclusive, error, base, coupon, nothing, offer or
    progress. A failed condition has its first `clause` that failed and the `values` it read; `by` is the campaign that
    won. An offer stands once for each of its instances that counts, with `offer`; where none does, `clause` says how it
    stands.
    """

    campaign: str
    name: str
    verdict: str
    clause: str | None = None
    values: dict[str, Any] = {}
    error: str | None = None
    by: str | None = None
    limit: str | None = None
    arithmetic: list[ArithmeticOut] = []
    offer: OfferStepOut | None = None


class HurriedOut(msgspec.Struct):
    """A velocity rule that was broken: `counted` within `every` for the `subject`, where `most` is fine."""

    rule: str
    per: str
    subject: str
    every: str
    counted: int
    most: int
    points: str | None
    then: str


class ExplanationOut(msgspec.Struct):
    """Why an event did what it did: the version that decided, what it read, and every campaign it considered, in order.

    `tiers` is each ladder's metric against the next threshold, in the metric's smallest unit: `520/900`.
    """

    event: str
    status: str
    program_version: int | None
    inputs: dict[str, Any]
    considered: list[ConsideredOut]
    tiers: dict[str, str]
    velocity: list[HurriedOut]
    effects: list[EffectOut]
    sentences: list[str]


class CalculationOut(msgspec.Struct):
    """What an event would do. Nothing of it was kept."""

    status: str
    type: str
    program_version: int
    granted: dict[str, int]
    balances: dict[str, BalanceOut]
    tiers: dict[str, str]
    effects: list[EffectOut]
    sentences: list[str]
    offers: list[OfferOut]
    discounts: list[DiscountOut]
    refused_codes: list[RefusedCodeOut]
    coupons: list[CouponChangeOut]
    redeemed: list[RedeemedOut]
    to_pay: ToPayOut | None
    refund: str | None
    payment: CardPaymentOut | None
    considered: list[ConsideredOut]


def explanation_out(program: CompiledProgram | None, booked: Booked, locale: str) -> ExplanationOut:
    """The explanation of a booked event; `program` is the version that decided it."""
    explanation = booked.explanation
    considered = explanation.considered
    plan = program.plans.get(booked.type) if program is not None else None
    if plan is not None and plan.candidates is not None:
        asked = {one.campaign for one in considered}
        considered = [*considered, *plan.candidates.passed_over(booked.occurred_at, explanation.inputs, asked)]
    return ExplanationOut(
        event=format_id("evt", booked.id),
        status=booked.status,
        program_version=booked.version,
        inputs=explanation.inputs,
        considered=[_considered(program, one, locale) for one in considered],
        tiers=explanation.tiers,
        velocity=[_hurried(program, one) for one in explanation.velocity],
        effects=_effects(booked),
        sentences=sentences(program, booked.outcome, explanation, locale) if program is not None else [],
    )


def _hurried(program: CompiledProgram | None, broken: Hurried) -> HurriedOut:
    rule = None if program is None else program.definition.velocity.get(broken.rule)
    return HurriedOut(
        rule=broken.rule,
        per=broken.per,
        subject=broken.subject,
        every="" if rule is None else str(rule.every),
        counted=broken.counted,
        most=broken.most,
        points=broken.points,
        then=broken.then,
    )


def _considered(program: CompiledProgram | None, considered: Considered, locale: str) -> ConsideredOut:
    return ConsideredOut(
        campaign=considered.campaign,
        name=campaign_name(program, considered.campaign, locale) if program is not None else considered.campaign,
        verdict=considered.verdict,
        clause=considered.clause,
        values=considered.values,
        error=considered.error,
        by=considered.by,
        limit=considered.limit,
        arithmetic=[
            ArithmeticOut(
                points=step.points,
                rate=step.rate,
                basis=step.basis,
                exact=fraction_text(*step.exact),
                wanted=step.wanted,
                granted=step.granted,
                lines=[LinePartOut(line, fraction_text(part, step.exact[1])) for line, part in step.parts],
                of=step.of,
                cut_by=step.cut_by,
            )
            for step in considered.arithmetic
        ],
        offer=step_out(considered.offer),
    )


def event_out(program: CompiledProgram | None, booked: Booked, locale: str) -> EventOut:
    """The answer for a booked event; `program` is the version that decided it, None where none did."""
    outcome = booked.outcome
    promotions = promotions_out(program, outcome, locale)
    granted: dict[str, int] = {}
    for effect in outcome.points:
        granted[effect.points] = granted.get(effect.points, 0) + effect.amount
    answer = EventOut(
        id=format_id("evt", booked.id),
        status=booked.status,
        type=booked.type,
        source=booked.source,
        external_id=booked.external_id,
        member=format_id("mem", booked.member_id) if booked.member_id is not None else None,
        occurred_at=booked.occurred_at,
        received_at=booked.received_at,
        program_version=booked.version,
        granted=granted,
        balances={points: BalanceOut(*balance) for points, balance in outcome.balances.items()},
        tiers=outcome.levels,
        effects=_effects(booked),
        sentences=[],
        offers=offers_out(program, outcome.offers, locale),
        discounts=promotions.discounts,
        refused_codes=promotions.refused_codes,
        coupons=coupons_out(program, outcome.coupons, locale),
        redeemed=redeemed_out(program, outcome, locale),
        to_pay=promotions.to_pay,
        refund=refund_out(program, outcome),
        payment=payment_out(program, outcome),
        bought=bought_out(program, outcome, locale),
    )
    if program is not None:
        answer.sentences = sentences(program, outcome, booked.explanation, locale)
    return answer


def _effects(booked: Booked) -> list[EffectOut]:
    outcome = booked.outcome
    effects = [_points(effect) for effect in outcome.points]
    if outcome.moves:
        effects += [
            EffectOut(_MOVES[move.what], move.campaign, points=move.points, amount=move.amount, order=move.order)
            for move in outcome.moves
        ]
    if outcome.tiers:
        effects += [
            EffectOut("tier", change.campaign, tier_set=change.tier_set, before=change.before, after=change.after)
            for change in outcome.tiers
        ]
    if outcome.attributes or outcome.tags_added or outcome.tags_removed or outcome.custom:
        effects += [EffectOut("attribute", name=name, value=value) for name, value in outcome.attributes.items()]
        effects += [EffectOut("tag", name=tag) for tag in outcome.tags_added]
        effects += [EffectOut("untag", name=tag) for tag in outcome.tags_removed]
        effects += [EffectOut("custom", campaign, name=name, value=values) for campaign, name, values in outcome.custom]
    return effects


_MOVES = {"released": "release", "cancelled": "cancel"}


def _points(effect: PointsEffect) -> EffectOut:
    return EffectOut(
        kind="earn" if (effect.amount or effect.wanted or 0) >= 0 else "deduct",
        campaign=effect.campaign,
        points=effect.points,
        amount=effect.amount,
        wanted=effect.wanted,
        by_line=effect.by_line,
        available_at=effect.available_at,
        expires_at=effect.expires_at,
        waits_for=effect.waits_for,
        review=effect.review,
    )


encode = msgspec.json.Encoder(decimal_format="number").encode
