"""Rewards of an order that comes back: how many points stay spent on what is left of it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Outcome
from setia.engine.exact import rounded
from setia.engine.occurrences import Occurrence
from setia.program.rewards import Reward

Staying = dict[str, dict[str, int]]
"""Redemption -> point type -> what of it stays spent, in the smallest unit. What is not named stays as it is."""


def wishes_again(program: CompiledProgram, order: Occurrence, kept: Occurrence, first: Outcome) -> Occurrence:
    """What is left of an order, redeeming what it has of its rewards by their policies.

    In proportion to the goods that are left, a reward is used less often; one that would not be used at all is left
    out, so that the order decided again takes nothing off for it.
    """
    granted = {effect.reward: effect.quantity for effect in first.redeemed}
    bought = sum(line.amount for line in order.lines)
    share = Fraction(sum(line.amount for line in kept.lines), bought) if bought else Fraction(1)
    redeem = []
    for wished in order.redeem:
        if _reward(program, wished.reward).on_return == "proportional":
            exact = granted.get(wished.reward, 0) * share
            quantity = rounded(exact.numerator, exact.denominator, "half_up")
            if quantity:
                redeem.append(msgspec.structs.replace(wished, quantity=quantity, points=None))
        else:
            redeem.append(wished)
    return msgspec.structs.replace(kept, redeem=tuple(redeem))


def staying(program: CompiledProgram, first: Outcome, again: Outcome | None, *, cancels: bool = False) -> Staying:
    """What stays spent of the redemptions of an order; `again` is the order decided again (None: nothing is left).

    Where a return is cancelled, what had come back with it is among that again.
    """
    needs = {effect.reward: effect.points for effect in again.redeemed} if again is not None else {}
    found: Staying = {}
    for effect in first.redeemed:
        policy = _reward(program, effect.reward).on_return
        if effect.redemption is None or policy == "never":
            continue
        if policy == "whole_order" and again is not None:
            if cancels:
                found[effect.redemption] = dict(effect.points)
            continue
        found[effect.redemption] = _least(effect.points, needs.get(effect.reward, {}))
    return found


def _least(paid: Mapping[str, int], needed: Mapping[str, int]) -> dict[str, int]:
    return {points: min(amount, needed.get(points, 0)) for points, amount in paid.items()}


def _reward(program: CompiledProgram, name: str) -> Reward:
    return program.definition.rewards[name]
