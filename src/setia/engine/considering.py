"""Whether a campaign matches an event, and if not, why: the first reason in a fixed order.

Order: schedule, condition, lines, limits on uses. Exclusive groups are settled afterwards among those that matched.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec

from setia.engine.compiled_campaigns import CompiledCampaign
from setia.engine.decision import Considered
from setia.engine.facts import EventFacts, LocationFacts, MemberFacts, TimeFacts
from setia.engine.limits import Allowance
from setia.engine.expressions import EvaluationError


class Facts(msgspec.Struct, frozen=True):
    """What expressions read, in the order in which they take it."""

    event: EventFacts
    member: MemberFacts
    location: LocationFacts
    time: TimeFacts

    def plain(self) -> tuple[EventFacts, MemberFacts, LocationFacts, TimeFacts]:
        """The arguments of an expression without a line."""
        return self.event, self.member, self.location, self.time


class Match(msgspec.Struct):
    """A campaign that matched, the lines that it counts (None: all of them), and what its limits allow."""

    campaign: CompiledCampaign
    considered: Considered
    lines: tuple[int, ...] | None
    allowance: Allowance


def consider(
    campaign: CompiledCampaign, facts: Facts, moment: dt.datetime, here: dt.datetime, allowance: Allowance
) -> Match | Considered:
    """Judge one campaign at `moment`, which is `here` on the program's clock."""
    name = campaign.id
    if campaign.schedule is not None and not campaign.schedule.covers(moment, here):
        return Considered(name, "schedule")
    lines = None
    try:
        if campaign.when is not None and campaign.when.call(*facts.plain()) is not True:
            return _failed(campaign, facts)
        if campaign.lines is not None:
            select, plain = campaign.lines, facts.plain()
            lines = tuple(
                index for index, line in enumerate(facts.event.lines) if select.call(*plain, line) is True
            )
    except EvaluationError as error:
        return Considered(name, "error", error=str(error))
    if lines is not None and not lines:
        return Considered(name, "lines", clause=campaign.definition.lines)
    exhausted = allowance.exhausted()
    if exhausted is not None:
        return Considered(name, "limit", limit=exhausted)
    return Match(campaign, Considered(name, "matched"), lines, allowance)


def _failed(campaign: CompiledCampaign, facts: Facts) -> Considered:
    failure = campaign.when.explain(*facts.plain()) if campaign.when is not None else None
    if failure is None:
        return Considered(campaign.id, "condition", clause=campaign.definition.when)
    values = {path: readable(value) for path, value in failure.values.items()}
    return Considered(campaign.id, "condition", clause=failure.clause, values=values, error=failure.error)


def readable(value: object) -> Any:  # noqa: ANN401 - JSON of any kind
    """A value as JSON keeps it: decimals as text, records by their main name, moments in ISO 8601."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): readable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [readable(item) for item in value]
    return getattr(value, "sku", None) or getattr(value, "type", None) or str(value)
