"""One campaign made ready: its expressions as functions, its rates and factors as whole numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from setia.engine.calendar import midnight
from setia.engine.exact import ratio
from setia.engine.expressions import BOOL, Expression, compile_expression
from setia.program.campaigns import Campaign, Schedule
from setia.program.currencies import minor_digits
from setia.program.definition import Program
from setia.program.earning import Earn
from setia.program.vocabulary import vocabulary

_WEEKDAYS = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
_MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class CompiledSchedule:
    """A schedule as numbers: moments in UTC, weekdays from Monday = 0, minutes of the local day."""

    starts: dt.datetime | None
    ends: dt.datetime | None
    days: frozenset[int] | None
    from_minute: int | None
    to_minute: int

    def covers(self, moment: dt.datetime, here: dt.datetime) -> bool:
        """Whether the campaign runs at `moment`, which is `here` on the program's clock."""
        if self.starts is not None and moment < self.starts:
            return False
        if self.ends is not None and moment >= self.ends:
            return False
        weekday = here.weekday()
        if self.from_minute is not None:
            minute = here.hour * 60 + here.minute
            if self.from_minute <= self.to_minute:
                if not self.from_minute <= minute < self.to_minute:
                    return False
            elif minute < self.to_minute:
                weekday = (weekday - 1) % 7  # after midnight it still belongs to the day on which it began
            elif minute < self.from_minute:
                return False
        return self.days is None or weekday in self.days


@dataclass(frozen=True, slots=True)
class CompiledEarn:
    """A rate: `numerator / denominator` smallest units of points for each unit of what is counted.

    What is counted is the smallest unit of the currency for amounts, millionths for quantities, and one for the rest.
    """

    points: str
    definition: Earn
    text: str
    numerator: int
    denominator: int
    step: int
    """For whole steps: the step in the smallest unit of the currency; else 0."""
    expression: Expression | None
    by_line: bool
    """Whether the expression is evaluated for each line."""


@dataclass(frozen=True, slots=True)
class CompiledMultiplier:
    """A factor as a fraction, or as an expression."""

    of: frozenset[str] | None
    """The campaigns it multiplies; None means all."""
    points: frozenset[str] | None
    factor: tuple[int, int] | None
    expression: Expression | None


@dataclass(frozen=True, slots=True)
class CompiledCampaign:
    """A campaign for one type of event."""

    id: str
    definition: Campaign
    schedule: CompiledSchedule | None
    when: Expression | None
    lines: Expression | None
    earns: tuple[CompiledEarn, ...]
    deducts: tuple[CompiledEarn, ...]
    multiplier: CompiledMultiplier | None
    attributes: tuple[tuple[str, Expression], ...]
    values: tuple[tuple[str, Expression], ...]
    inputs: frozenset[str]


def compile_campaign(program: Program, name: str, campaign: Campaign, trigger: str) -> CompiledCampaign:
    """Make one campaign ready for one type of event."""
    plain = vocabulary(program, trigger, with_line=False)
    with_line = vocabulary(program, trigger, with_line=True) if trigger == "purchase" else plain
    when = compile_expression(campaign.when, plain, BOOL) if campaign.when is not None else None
    lines = compile_expression(campaign.lines, with_line, BOOL) if campaign.lines is not None else None
    multiplier = None
    if campaign.multiply is not None:
        by = campaign.multiply.by
        fixed = _number(by)
        multiplier = CompiledMultiplier(
            of=None if campaign.multiply.of == "all" else frozenset(_names(campaign.multiply.of)),
            points=frozenset(campaign.multiply.points) or None,
            factor=ratio(fixed) if fixed is not None else None,
            expression=None if fixed is not None else compile_expression(str(by), plain),
        )
    return CompiledCampaign(
        id=name,
        definition=campaign,
        schedule=_compile_schedule(campaign.schedule, ZoneInfo(program.program.timezone)),
        when=when,
        lines=lines,
        earns=tuple(_compile_earn(program, points, earn, trigger) for points, earn in campaign.earn.items()),
        deducts=tuple(_compile_earn(program, points, earn, trigger) for points, earn in campaign.deduct.items()),
        multiplier=multiplier,
        attributes=tuple((key, compile_expression(text, plain)) for key, text in campaign.set.items()),
        values=tuple((key, compile_expression(text, plain)) for key, text in campaign.effect.values.items())
        if campaign.effect
        else (),
        inputs=when.references if when is not None else frozenset(),
    )


def _names(of: str | tuple[str, ...]) -> tuple[str, ...]:
    return (of,) if isinstance(of, str) else of


def _number(by: Decimal | str) -> Decimal | None:
    if isinstance(by, Decimal):
        return by
    try:
        return Decimal(by)
    except ArithmeticError:
        return None


def _compile_schedule(schedule: Schedule | None, zone: ZoneInfo) -> CompiledSchedule | None:
    if schedule is None:
        return None
    starts = schedule.starts
    if starts is not None:
        starts = starts.astimezone(dt.UTC) if isinstance(starts, dt.datetime) else midnight(starts, zone)
    ends = schedule.ends
    if ends is not None:
        # A date as an end includes that day, as people mean it.
        whole_day = not isinstance(ends, dt.datetime)
        ends = midnight(ends + dt.timedelta(days=1), zone) if whole_day else ends.astimezone(dt.UTC)  # type: ignore[union-attr]
    return CompiledSchedule(
        starts=starts,
        ends=ends,
        days=None if schedule.days is None else frozenset(_WEEKDAYS[day] for day in schedule.days),
        from_minute=None if schedule.from_ is None else _minute(schedule.from_),
        to_minute=_MINUTES_A_DAY if schedule.to is None else _minute(schedule.to),
    )


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


QUANTITY_SCALE = 10**6
"""Quantities are counted in millionths: the finest that an event may give."""


def _compile_earn(program: Program, points: str, earn: Earn, trigger: str) -> CompiledEarn:
    unit = 10 ** program.points[points].decimals
    numerator, denominator, step, expression = unit, 1, 0, None
    by_line = False
    if earn.points is not None:
        numerator, denominator = ratio(earn.points)
        numerator *= unit
    if earn.per is not None:
        money, parts = ratio(earn.per * 10 ** minor_digits(program.program.currency))
        if earn.kind == "per_whole_amount":
            # A step is a whole number of the smallest unit; lint refuses finer ones.
            step = money // parts
        else:
            numerator *= parts
            denominator *= money
    if earn.kind == "per_unit":
        denominator *= QUANTITY_SCALE
    if earn.expression is not None:
        schema = vocabulary(program, trigger, with_line=trigger == "purchase")
        expression = compile_expression(earn.expression, schema)
        by_line = any(path == "line" or path.startswith("line.") for path in expression.references)
    return CompiledEarn(points, earn, _text(earn), numerator, denominator, step, expression, by_line)


def _text(earn: Earn) -> str:
    """The rate as its author wrote it."""
    if earn.expression is not None:
        return earn.expression
    return str(earn.model_dump())
