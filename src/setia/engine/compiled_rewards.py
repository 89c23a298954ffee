"""Rewards made ready: conditions as functions, prices in smallest units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from zoneinfo import ZoneInfo

from setia.engine.compiled_campaigns import CompiledSchedule, compile_schedule
from setia.expressions import BOOL, Expression, compile_expression
from setia.program.definition import Program
from setia.program.rewards import Reward
from setia.program.vocabulary import audience_vocabulary, vocabulary


@dataclass(frozen=True, slots=True)
class CompiledPrice:
    """What one costs for those for whom `when` holds (None: for everybody), in smallest units."""

    when: Expression | None
    points: dict[str, int]
    money: int


@dataclass(frozen=True, slots=True)
class CompiledReward:
    """One reward of a version."""

    id: str
    definition: Reward
    schedule: CompiledSchedule | None
    when: Expression | None
    prices: tuple[CompiledPrice, ...]
    """In the order in which they are tried; the last one is everybody's."""
    lines: Expression | None
    """Which lines of an order a discount is taken off; None means all of them."""


def compile_rewards(
    program: Program, zone: ZoneInfo, units: Mapping[str, int], currency_digits: int
) -> dict[str, CompiledReward]:
    """Make the rewards of a program ready; `units` is how many smallest units a whole point of each type has.

    Raises:
        ExpressionError: a condition does not compile. `setia.program.lint` finds it first, with its place.
    """
    schema = audience_vocabulary(program) if program.rewards else None

    def condition(source: str | None) -> Expression | None:
        return None if source is None or schema is None else compile_expression(source, schema, BOOL)

    def lines(source: str | None) -> Expression | None:
        return (
            None
            if source is None
            else compile_expression(source, vocabulary(program, "purchase", with_line=True), BOOL)
        )

    def price(when: str | None, cost: Mapping[str, Decimal], money: Decimal) -> CompiledPrice:
        # What has more decimals than there are is a finding; a price is never rounded down to nothing.
        points = {name: _whole(amount * units.get(name, 1)) for name, amount in cost.items()}
        return CompiledPrice(condition(when), points, _whole(money.scaleb(currency_digits)))

    return {
        name: CompiledReward(
            id=name,
            definition=reward,
            schedule=compile_schedule(reward.schedule, zone),
            when=condition(reward.when),
            prices=(
                *(price(one.when, one.cost, one.money) for one in reward.prices),
                price(None, reward.cost, reward.money),
            ),
            lines=lines(None if reward.worth is None else reward.worth.lines),
        )
        for name, reward in program.rewards.items()
    }


def _whole(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_CEILING))
