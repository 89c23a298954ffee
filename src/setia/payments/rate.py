"""From points or money to how many of a payment are redeemed, and back."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from setia.engine.compiled_rewards import CompiledReward
from setia.events.live import LiveProgram
from setia.problems import ErrorItem, NotFound, Unprocessable


class NoSuchPayment(NotFound):
    """The program takes no points as payment under this name, or there is no such payment."""

    code = "payment_not_found"
    title = "There is no such payment"


class InvalidPayment(Unprocessable):
    """An amount that the rate cannot make."""

    code = "invalid_payment"
    title = "This cannot be paid so"


class Sum(NamedTuple):
    """What is to be paid: so many points of the smallest unit, or so much money in that of the currency."""

    points: int | None
    money: int | None


def payment_of(live: LiveProgram, name: str | None) -> CompiledReward:
    """The way to pay that is meant; without a name the only one there is. Raises `NoSuchPayment`."""
    ways = {one.id: one for one in live.compiled.rewards.values() if one.definition.kind == "payment"}
    if name is None and len(ways) == 1:
        return next(iter(ways.values()))
    if name in ways:
        return ways[name]
    known = ", ".join(ways) or "none: it has no reward of the kind `payment`"
    missing = "Say which `payment` is meant." if name is None else f"The program has no payment {name!r}."
    raise NoSuchPayment(f"{missing} It has: {known}.")


def quantity_of(live: LiveProgram, reward: CompiledReward, cost: Mapping[str, int], wanted: Sum) -> int:
    """How many of a payment, which cost `cost` each, come to the points, or to no more than the money.

    For money they are the fewest that are worth as much: what rounding takes away is not paid for.

    Raises:
        InvalidPayment: both or none are given, the points are no multiple of the cost, or what they are worth is
            less than the smallest unit of the currency.
    """
    if (wanted.points is None) == (wanted.money is None):
        raise _fault("points", "Give either `points` or `money`.", "The other one follows by the rate.")
    [each] = cost.values()
    worth, units = reward.definition.worth, 10**live.compiled.currency_digits
    rate = Fraction(0) if worth is None else Fraction(worth.amount or 0) * units
    if wanted.points is not None:
        if wanted.points % each:
            raise _fault("points", f"must be a multiple of {each}", "The rate is for so many at a time.")
        if rate and wanted.points // each * rate < 1:
            hint = f"Give at least {ceil(1 / rate) * each}."
            raise _fault("points", "are worth less than the smallest unit of money", hint)
        return wanted.points // each
    if worth is None or not rate or wanted.money is None:
        raise _fault("money", "The points of this payment are worth nothing.", "Give `points`.")
    money = wanted.money if worth.most is None else min(wanted.money, int(worth.most * units))
    quantity = int(money // rate)
    fewest = ceil(int(quantity * rate) / rate)
    if not fewest:
        raise _fault("money", "is less than the fewest points are worth", f"One unit is worth {worth.amount:f}.")
    return max(fewest, min(quantity, reward.definition.quantities.least))


def _fault(field: str, message: str, hint: str) -> InvalidPayment:
    return InvalidPayment("Nothing was paid.", errors=[ErrorItem(pointer=f"#/{field}", message=message, hint=hint)])
