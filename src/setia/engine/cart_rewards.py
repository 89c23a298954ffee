"""Rewards that are redeemed with an order: what each takes off which lines, what it costs, and why it cannot be had."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil

import msgspec

from setia.engine.basis import gross
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_rewards import CompiledReward
from setia.engine.considering import Facts
from setia.engine.decision import REDEMPTION, Outcome, PointsEffect, RewardEffect, ToPay
from setia.engine.discounting import SHIPPING, Chosen, Priced, take_off
from setia.engine.occurrences import Line, Occurrence, Wished
from setia.engine.reward_reasons import Reason, RefusedReward
from setia.engine.rewards import Used, Wish, hindrances, points_missing, price_for
from setia.engine.state import Balance, MemberState
from setia.engine.till_discounts import taken_off
from setia.engine.units import Run, dearest
from setia.expressions import EvaluationError
from setia.program.discounts import Discount
from setia.program.rewards import Worth

_ONE = Decimal(1)


class Redeemed(msgspec.Struct):
    """A purchase after its rewards.

    `event` says of each line what rewards have paid of it. What was given for nothing is not there any more, neither
    its price nor its units, so that nothing is earned on it. `places` are those of the effects among what was asked.
    """

    event: Occurrence
    effects: list[RewardEffect]
    places: list[int]
    refused: list[RefusedReward]


def redeem_in_cart(
    program: CompiledProgram,
    state: MemberState,
    event: Occurrence,
    facts: Facts,
    used: Mapping[str, Used] | None,
    now: dt.datetime,
) -> Redeemed:
    """Redeem the rewards that `event` asks for, after its promotions, in their order; nothing given is changed.

    `used` is what is taken of each; None where they were granted before, and the order is decided again: then nothing
    is in their way. Whether there are points enough is asked at the end, by `settle_points`: of all together.
    """
    cart = _Cart(program, state, event, facts, now)
    found = Redeemed(event, [], [], [])
    for place, wished in enumerate(event.redeem):
        one = cart.redeem(program.rewards[wished.reward], wished, None if used is None else used[wished.reward])
        if isinstance(one, RewardEffect):
            found.effects.append(one)
            found.places.append(place)
        else:
            found.refused.append(RefusedReward(place, wished.reward, one))
    found.event = cart.left()
    return found


def settle_points(
    program: CompiledProgram, state: MemberState, redeemed: Redeemed, outcome: Outcome, *, again: bool
) -> None:
    """Put what rewards cost among the effects; those that the points do not pay are refused, unless decided `again`.

    Costs add up. Points that the order itself earns, and that can be used at once, pay those rewards that say so: they
    are asked last, so that they leave to the others what was there before.
    """
    outcome.redeemed, outcome.to_pay = redeemed.effects, _to_pay(redeemed.event)
    left = {points: Balance(balance.available) for points, balance in state.balances.items()}
    earning = [
        (place, effect)
        for place, effect in zip(redeemed.places, redeemed.effects, strict=True)
        if program.rewards[effect.reward].definition.earned_pays
    ]
    before = [one for one in zip(redeemed.places, redeemed.effects, strict=True) if one not in earning]
    short = _pay(state, left, before)
    for earned in outcome.points:
        if earned.amount > 0 and not earned.is_pending:
            left.setdefault(earned.points, Balance()).available += earned.amount
    short += _pay(state, left, earning)
    if not again:
        redeemed.refused += short
    cost: dict[str, int] = {}
    for effect in redeemed.effects:
        for points, amount in effect.points.items():
            cost[points] = cost.get(points, 0) + amount
    outcome.points += [PointsEffect(points, -amount, REDEMPTION) for points, amount in cost.items()]


def _pay(
    state: MemberState, left: dict[str, Balance], effects: Sequence[tuple[int, RewardEffect]]
) -> list[RefusedReward]:
    """Take what rewards cost from what is left; those that it does not pay."""
    short = []
    for place, effect in effects:
        missing = list(points_missing(msgspec.structs.replace(state, balances=left), effect.points))
        if missing:
            short.append(RefusedReward(place, effect.reward, missing))
        for points, amount in effect.points.items():
            left.setdefault(points, Balance()).available -= amount
    return short


def _to_pay(event: Occurrence) -> ToPay:
    """What is left to pay of a purchase, after its promotions and rewards."""
    lines = [line.amount - line.rewarded for line in event.lines]
    tax = sum(_part(line.tax, line.amount - line.rewarded, line.amount) for line in event.lines) + event.shipping_tax
    total = gross(event) - sum(line.rewarded for line in event.lines)
    return ToPay(lines, event.shipping, event.discount, total, tax)


class _Cart:
    """An order while rewards are redeemed with it, one after the other."""

    def __init__(
        self, program: CompiledProgram, state: MemberState, event: Occurrence, facts: Facts, now: dt.datetime
    ) -> None:
        self._program, self._state, self._event, self._facts, self._now = program, state, event, facts, now
        self._priced = {
            index: Priced(line.amount, line.tax, line.quantity, line.amount) for index, line in enumerate(event.lines)
        }
        if event.shipping:
            self._priced[SHIPPING] = Priced(event.shipping, event.shipping_tax, _ONE, event.shipping)
        self._rewarded = dict.fromkeys(self._priced, 0)

    def redeem(self, reward: CompiledReward, wished: Wished, used: Used | None) -> RewardEffect | list[Reason]:
        """What one reward does, or every reason why it cannot be had."""
        quantity = self._quantity(reward, wished)
        if used is not None:
            reasons = hindrances(self._program, reward, self._state, used, self._now, Wish(quantity))
            if reasons:
                return reasons
        worth = reward.definition.worth
        if worth is None:
            return self._product(reward, wished, quantity)
        least = int(worth.least_total.scaleb(self._program.currency_digits))
        if used is not None and sum(line.amount for line in self._event.lines) < least:
            return [Reason("order_too_small", needed=least)]
        return self._discount(reward, worth, quantity)

    def left(self) -> Occurrence:
        """The order with what rewards have left of it."""
        lines = tuple(self._line(index, line) for index, line in enumerate(self._event.lines))
        shipping = self._priced.get(SHIPPING, Priced(0, 0, _ONE, 0))
        return msgspec.structs.replace(
            self._event,
            lines=lines,
            # What the caller takes off the whole order comes last, and cannot be more than is left.
            discount=min(self._event.discount, sum(line.amount - line.rewarded for line in lines)),
            shipping=shipping.amount,
            shipping_tax=_part(shipping.tax, shipping.amount, shipping.original),
        )

    def _line(self, index: int, line: Line) -> Line:
        now, rewarded = self._priced[index], self._rewarded[index]
        amount = now.amount + rewarded
        if amount == line.amount and not rewarded:
            return line
        return msgspec.structs.replace(
            line,
            quantity=now.quantity,
            amount=amount,
            tax=_part(line.tax, amount, line.amount),
            rewarded=rewarded,
        )

    def _quantity(self, reward: CompiledReward, wished: Wished) -> int:
        if wished.points is None:
            return wished.quantity
        costs = list(price_for(self._program, reward, self._state, self._now).points.values())
        # Points pay for as many as they are enough for; a price in several types, or none, says nothing about them.
        return wished.points // costs[0] if len(costs) == 1 else 0

    def _cost(self, reward: CompiledReward, quantity: int) -> dict[str, int]:
        return price_for(self._program, reward, self._state, self._now, quantity).points

    def _discount(self, reward: CompiledReward, worth: Worth, quantity: int) -> RewardEffect | list[Reason]:
        lines = self._lines(reward)
        amount = None if worth.amount is None else worth.amount * quantity
        taken = taken_off(worth, amount, self._priced, lines, self._program.currency_digits)
        if not taken.cuts:
            return [Reason("nothing_to_take_off")]
        for line, cut in taken.cuts.items():
            self._priced[line].amount -= cut
            self._rewarded[line] += cut
        needed = 1
        if worth.amount:
            # Nobody pays for more than was taken off.
            each = Fraction(worth.amount) * int(10**self._program.currency_digits)
            needed = min(quantity, ceil(taken.total / each))
        return RewardEffect(
            reward.id,
            needed,
            self._cost(reward, needed),
            taken.total,
            taken.cuts,
            wanted=None if needed == quantity else quantity,
        )

    def _lines(self, reward: CompiledReward) -> list[int]:
        worth, condition = reward.definition.worth, reward.lines
        if worth is not None and worth.on == "shipping":
            return [SHIPPING] if SHIPPING in self._priced else []
        lines = self._facts.event.lines
        if condition is None:
            return list(range(len(lines)))
        try:
            plain = self._facts.plain
            return [index for index, line in enumerate(lines) if condition.call(*plain, line) is True]
        except EvaluationError:
            return []

    def _product(self, reward: CompiledReward, wished: Wished, quantity: int) -> RewardEffect:
        """Units of the order first, the dearest of them; what it lacks is for the caller to add."""
        items = reward.definition.items if wished.sku is None else (wished.sku,)
        # What costs nothing any more is handed out already.
        lines = [
            index
            for index, line in enumerate(self._event.lines)
            if line.sku in items and self._priced[index].amount and self._priced[index].units
        ]
        runs = dearest([Run(line, self._priced[line].unit_price, self._priced[line].units) for line in lines], quantity)
        money = price_for(self._program, reward, self._state, self._now).money
        price = Decimal(money).scaleb(-self._program.currency_digits)
        there = sum(run.units for run in runs)
        cuts: dict[int, int] = {}
        if there:
            discount = Discount.model_construct(price=price, on="dearest", units=there)
            cuts = take_off(discount, self._priced, Chosen(lines), self._program.currency_digits).cuts
        for line, cut in cuts.items():
            self._priced[line].amount -= cut
        for run in runs:
            if not money:
                # Nothing is earned on what was handed out for nothing.
                self._priced[run.line].quantity -= run.units
        added = quantity - there
        return RewardEffect(
            reward.id,
            quantity,
            self._cost(reward, quantity),
            sum(cuts.values()),
            cuts,
            added_units=added,
            sku=items[0] if added else None,
            money=money * added,
        )


def _part(tax: int, amount: int, whole: int) -> int:
    """The tax in a part of a price."""
    if amount == whole or not whole:
        return tax
    return (2 * tax * amount + whole) // (2 * whole)
