"""One campaign made ready: its expressions as functions, its rates and factors as whole numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from setia.engine.calendar import FIRST_DAY, LAST_DAY
from setia.engine.exact import ratio
from setia.expressions import BOOL, Expression, compile_expression
from setia.program.campaigns import Campaign, Schedule
from setia.program.currencies import minor_digits
from setia.program.definition import Program
from setia.program.earning import Earn, EarnKind
from setia.program.events import AttributeType
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
    kind: EarnKind
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
    """A factor, or the expression that gives it."""

    of: frozenset[str] | None
    """The campaigns it multiplies; None means all."""
    points: frozenset[str] | None
    factor: Fraction | None
    expression: Expression | None
    text: str


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
    attributes: tuple[tuple[str, AttributeType, Expression], ...]
    values: tuple[tuple[str, Expression], ...]
    bought: Expression | None
    """Which lines a discount's `buy` counts; None means all of them."""
    bundle: tuple[Expression | None, ...]
    """Which lines each part of a discount's bundle counts."""
    codes: frozenset[str]
    """The codes of a discount, folded: capitals do not matter."""
    inputs: frozenset[str]
    acts: bool
    """Whether it has an effect other than earning and multiplying, so that it is used though it earns nothing."""

    def runs_at(self, moment: dt.datetime) -> bool:
        """Whether `moment` lies between its dates; days and hours are not looked at."""
        schedule = self.schedule
        return schedule is None or (
            (schedule.starts is None or schedule.starts <= moment) and (schedule.ends is None or moment < schedule.ends)
        )


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
            factor=Fraction(fixed) if fixed is not None else None,
            expression=None if fixed is not None else compile_expression(str(by), plain),
            text=str(by),
        )
    buy = campaign.discount.buy if campaign.discount is not None else None
    return CompiledCampaign(
        id=name,
        definition=campaign,
        schedule=compile_schedule(campaign.schedule, ZoneInfo(program.program.timezone)),
        when=when,
        lines=lines,
        earns=tuple(_compile_earn(program, points, earn, trigger) for points, earn in campaign.earn.items()),
        deducts=tuple(_compile_earn(program, points, earn, trigger) for points, earn in campaign.deduct.items()),
        multiplier=multiplier,
        attributes=tuple(
            (key, program.members.attributes[key].type, compile_expression(text, plain))
            for key, text in campaign.set.items()
        ),
        values=tuple((key, compile_expression(text, plain)) for key, text in campaign.effect.values.items())
        if campaign.effect
        else (),
        bought=None if buy is None or buy.lines is None else compile_expression(buy.lines, with_line, BOOL),
        bundle=tuple(
            None if part.lines is None else compile_expression(part.lines, with_line, BOOL)
            for part in (campaign.discount.bundle if campaign.discount is not None else ())
        ),
        codes=frozenset(code.casefold() for code in campaign.discount.codes) if campaign.discount else frozenset(),
        inputs=when.references if when is not None else frozenset(),
        acts=bool(campaign.set or campaign.tag or campaign.untag or campaign.tier or campaign.effect),
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


def compile_schedule(schedule: Schedule | None, zone: ZoneInfo) -> CompiledSchedule | None:
    """A schedule on the clock of `zone`; None where there is none."""
    if schedule is None:
        return None
    from_minute = None if schedule.from_ is None else _minute(schedule.from_)
    to_minute = _MINUTES_A_DAY if schedule.to is None else _minute(schedule.to)
    # Hours over midnight belong to the day on which they began: the first night begins on the first day, and the last
    # night ends in the morning after the last day.
    overnight = to_minute if from_minute is not None and to_minute < from_minute else 0
    return CompiledSchedule(
        starts=_bound(schedule.starts, zone, 0, overnight),
        ends=_bound(schedule.ends, zone, 1, overnight),  # a date as an end includes that day, as people mean it
        days=None if schedule.days is None else frozenset(_WEEKDAYS[day] for day in schedule.days),
        from_minute=from_minute,
        to_minute=to_minute,
    )


def _bound(bound: dt.datetime | dt.date | None, zone: ZoneInfo, days: int, minutes: int) -> dt.datetime | None:
    """A moment as it is; a date as the local time so many days and minutes of the clock after its midnight; UTC."""
    if bound is None:
        return None
    if isinstance(bound, dt.datetime):
        return bound.astimezone(dt.UTC)
    day = min(max(bound, FIRST_DAY), LAST_DAY)  # 9999-12-31 is how many write "for ever"
    here = dt.datetime.combine(day, dt.time(minutes // 60, minutes % 60), tzinfo=zone) + dt.timedelta(days=days)
    return here.astimezone(dt.UTC)


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
    return CompiledEarn(points, earn.kind, _text(earn), numerator, denominator, step, expression, by_line)


def _text(earn: Earn) -> str:
    """The rate as its author wrote it."""
    if earn.expression is not None:
        return earn.expression
    return str(earn.model_dump())
