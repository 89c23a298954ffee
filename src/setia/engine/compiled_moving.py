"""Transfers and exchanges made ready: conditions as functions, amounts in smallest units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

from setia.expressions import BOOL, Expression, compile_expression
from setia.program.definition import Program
from setia.program.moving import Exchange, MovingQuota, Transfer
from setia.program.names import Period
from setia.program.vocabulary import audience_vocabulary


@dataclass(frozen=True, slots=True)
class CompiledQuota:
    """So many times, or so many smallest units (`points`), in each period."""

    definition: MovingQuota
    most: int

    @property
    def of_points(self) -> bool:
        """Whether it counts points, and not how often."""
        return self.definition.points is not None


@dataclass(frozen=True, slots=True)
class MovingRules:
    """What holds for whoever gives points away, to somebody else or for other points."""

    least: int
    most: int | None
    points_older_than: Period | None
    members_older_than: Period | None
    when: Expression | None
    from_level: Mapping[str, str]
    quotas: tuple[CompiledQuota, ...]


@dataclass(frozen=True, slots=True)
class CompiledTransfer:
    """How points of one type are given."""

    points: str
    definition: Transfer
    giver: MovingRules
    receiver_when: Expression | None
    receiver_quotas: tuple[CompiledQuota, ...]


@dataclass(frozen=True, slots=True)
class CompiledExchange:
    """One exchange; `give` smallest units of one type are worth `get` of another."""

    id: str
    definition: Exchange
    rules: MovingRules
    give: int
    get: int

    def result(self, amount: int) -> tuple[int, int]:
        """What is taken of an amount and what comes for it, in smallest units: (taken, got).

        What comes is rounded down, and only what it takes to get that is taken: the rest stays with the member.
        """
        if self.definition.steps:
            steps = amount // self.give
            return steps * self.give, steps * self.get
        rate = Fraction(self.get, self.give)
        got = amount * rate.numerator // rate.denominator
        return -(-got * rate.denominator // rate.numerator), got

    def most_for(self, got: int) -> int:
        """The most that can be given for no more than `got`."""
        if self.definition.steps:
            return got // self.get * self.give
        rate = Fraction(self.get, self.give)
        return int(-(-(got + 1) * rate.denominator // rate.numerator)) - 1


def compile_transfers(program: Program, units: Mapping[str, int]) -> dict[str, CompiledTransfer]:
    """Make the transfers of a program ready; `units` is how many smallest units a whole point of each type has.

    Raises:
        ExpressionError: a condition does not compile. `setia.program.lint` finds it first, with its place.
    """
    conditions = _Conditions(program)
    return {
        points: CompiledTransfer(
            points=points,
            definition=one,
            giver=_rules(conditions, one, one.giving_quotas, units.get(points, 1)),
            receiver_when=conditions.read(one.receiver_when),
            receiver_quotas=_quotas(one.receiving_quotas, units.get(points, 1)),
        )
        for points, one in program.transfers.items()
    }


def compile_exchanges(program: Program, units: Mapping[str, int]) -> dict[str, CompiledExchange]:
    """Make the exchanges of a program ready; raises what `compile_transfers` does."""
    conditions = _Conditions(program)
    return {
        name: CompiledExchange(
            id=name,
            definition=one,
            rules=_rules(conditions, one, one.member_quotas, units.get(one.given, 1)),
            give=_whole(one.give[one.given], units.get(one.given, 1)),
            get=_whole(one.get[one.got], units.get(one.got, 1)),
        )
        for name, one in program.exchanges.items()
    }


class _Conditions:
    """Reads conditions; the vocabulary is made when the first one is there, since most programs move no points."""

    def __init__(self, program: Program) -> None:
        used = program.transfers or program.exchanges
        self._schema = audience_vocabulary(program) if used else None

    def read(self, source: str | None) -> Expression | None:
        return None if source is None or self._schema is None else compile_expression(source, self._schema, BOOL)


def _rules(
    conditions: _Conditions, part: Transfer | Exchange, quotas: tuple[MovingQuota, ...], unit: int
) -> MovingRules:
    return MovingRules(
        least=1 if part.least is None else _whole(part.least, unit),
        most=None if part.most is None else _whole(part.most, unit),
        points_older_than=part.points_older_than,
        members_older_than=part.members_older_than,
        when=conditions.read(part.when),
        from_level=part.from_level,
        quotas=_quotas(quotas, unit),
    )


def _quotas(quotas: tuple[MovingQuota, ...], unit: int) -> tuple[CompiledQuota, ...]:
    return tuple(
        CompiledQuota(one, (one.times or 0) if one.points is None else _whole(one.points, unit)) for one in quotas
    )


def _whole(amount: Decimal, unit: int) -> int:
    # What has more decimals than there are is a finding; an amount is never rounded down to nothing.
    return int((amount * unit).to_integral_value(ROUND_CEILING))
