"""Whether a campaign matches an event, and if not, why: the first reason in a fixed order.

Order: schedule, condition, lines, limits on uses. Exclusive groups are settled afterwards among those that matched.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec

from setia.engine.compiled_campaigns import CompiledCampaign, CompiledEarn
from setia.engine.decision import Considered
from setia.engine.facts import EventFacts, LocationFacts, MemberFacts, TimeFacts
from setia.engine.limits import UNLIMITED, Allowance
from setia.expressions import EvaluationError, Expression


class Facts:
    """What expressions read. `plain` holds it in the order in which an expression without a line takes it."""

    __slots__ = ("event", "plain")

    def __init__(self, event: EventFacts, member: MemberFacts, location: LocationFacts, time: TimeFacts) -> None:
        self.event = event
        self.plain = (event, member, location, time)

    def by_name(self) -> dict[str, Any]:
        """The facts by the names under which expressions know them."""
        return dict(zip(("event", "member", "location", "time"), self.plain, strict=True))


class Match(msgspec.Struct, gc=False):
    """A campaign that matched, the lines that it counts (None: all of them), and what its limits allow.

    `preparing.prepare` evaluates the rest: what its rates are worth, its factor, and the values it sets. It is done
    before anything is granted, so that a campaign with a failing expression gives nothing, and not a part.
    """

    campaign: CompiledCampaign
    considered: Considered
    lines: tuple[int, ...] | None
    allowance: Allowance
    times: int = 1
    """How often what it gives is given: an offer gives once for each completion."""
    earns: Sequence[tuple[CompiledEarn, Raw]] = ()
    deducts: Sequence[tuple[CompiledEarn, Raw]] = ()
    factor: Fraction | None = None
    attributes: dict[str, Any] = {}
    values: dict[str, Any] = {}
    amounts: tuple[list[tuple[int, int]], int, str] | None = None
    """Once a rate has asked: what the lines come to on its basis, together, and that as text."""


class Raw(msgspec.Struct, gc=False):
    """Points of one type before rounding: (line, numerator) over a common denominator, and what was counted."""

    parts: list[tuple[int, int]]
    denominator: int
    basis: str
    numerator: int
    """The sum of all parts."""


def consider(
    campaign: CompiledCampaign, facts: Facts, moment: dt.datetime, here: dt.datetime, allowance: Allowance
) -> Match | Considered:
    """Judge one campaign at `moment`, which is `here` on the program's clock."""
    name = campaign.id
    if campaign.schedule is not None and not campaign.schedule.covers(moment, here):
        return Considered(name, "schedule")
    lines = None
    try:
        if campaign.when is not None and campaign.when.call(*facts.plain) is not True:
            return _failed(campaign, campaign.when, facts)
        if campaign.lines is not None:
            select, plain = campaign.lines.call, facts.plain
            lines = tuple([index for index, line in enumerate(facts.event.lines) if select(*plain, line) is True])
    except EvaluationError as error:
        return Considered(name, "error", error=str(error))
    if lines is not None and not lines:
        return Considered(name, "lines", clause=campaign.definition.lines)
    if allowance is not UNLIMITED:
        exhausted = allowance.exhausted()
        if exhausted is not None:
            return Considered(name, "limit", limit=exhausted)
    return Match(campaign, Considered(name, "matched"), lines, allowance)


def _failed(campaign: CompiledCampaign, when: Expression, facts: Facts) -> Considered:
    clause, read, error = when.explain_failure(*facts.plain)
    return Considered(campaign.id, "condition", clause, {path: readable(value) for path, value in read.items()}, error)


def readable(value: object) -> Any:
    """A value as JSON keeps it: decimals as text, records by their main name, moments in ISO 8601."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): readable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [readable(item) for item in value]
    return getattr(value, "sku", None) or getattr(value, "type", None) or str(value)
