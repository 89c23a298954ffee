"""Limits: how often, how much and how many units, per member and over all members."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, model_serializer, model_validator

from setia.program.names import Identifier, Part

LimitPeriod = Literal["event", "day", "week", "month", "quarter", "year", "ever"]
Crossing = Literal["cut", "whole"]
"""What becomes of the award that crosses a limit in points: it is cut, or given whole and the last one."""

_AMOUNT = re.compile(r"^\s*(\d{1,15}(?:\.\d{1,6})?)\s+([a-z][a-z0-9_]{0,62})\s*$")


class PointAmount(Part):
    """So many of one point type, written `100000 stars`."""

    amount: Decimal = Field(ge=0, max_digits=21, decimal_places=6)
    points: Identifier

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        match = _AMOUNT.match(value)
        if match is None:
            message = f"{value!r} is not an amount of points; write a number and the point type, such as `100 stars`"
            raise ValueError(message)
        return {"amount": match[1], "points": match[2]}

    @model_serializer
    def _to_text(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.points}"


class Limit(Part):
    """One limit, in uses, in points, or in units that a promotion discounts.

    `{per: member, every: day, uses: 1}`, `{per: member, every: month, earn: 500 stars}`,
    `{per: member, every: week, units: 3}`, or the budget of a campaign over all members, `{in_all: 100000 stars}`,
    `{in_all: 1000 uses}` or `{in_all: 1000 units}`.

    Days, weeks (from Monday), months, quarters and years are those of the program's time zone, of the moment the event
    occurred; `event` is each event by itself. A limit in points cuts what is granted, and the explanation shows
    `wanted` beside `granted`; with `crossing: whole` it lets the award that crosses it through, and none after it.
    """

    per: Literal["member", "all"] = "member"
    every: LimitPeriod = "ever"
    uses: int | None = Field(default=None, ge=0, le=10**15)
    earn: PointAmount | None = None
    units: int | None = Field(default=None, ge=0, le=10**15)
    """Of a cart promotion: how many units of articles it may discount."""
    crossing: Crossing = "cut"

    @model_validator(mode="before")
    @classmethod
    def _from_in_all(cls, value: object) -> object:
        if not isinstance(value, dict) or "in_all" not in value:
            return value
        rest: dict[str, Any] = {key: item for key, item in value.items() if key != "in_all"}
        for key in ("uses", "units", "earn"):
            if key in rest:
                message = f"`in_all` says how much there is for all; remove `{key}`, or write a limit of its own"
                raise ValueError(message)
        if rest.get("per", "all") != "all":
            message = "`in_all` is for all members together; remove `per`, or write how much each member may have"
            raise ValueError(message)
        budget = value["in_all"]
        counted = re.fullmatch(r"\s*(\d{1,15})\s+(uses|units)\s*", budget) if isinstance(budget, str) else None
        return {**rest, "per": "all", **({counted[2]: int(counted[1])} if counted else {"earn": budget})}

    @model_validator(mode="after")
    def _one_measure(self) -> Limit:
        if [self.uses is None, self.earn is None, self.units is None].count(False) != 1:
            message = "a limit counts `uses`, points (`earn: 100 stars`) or `units`; give exactly one of them"
            raise ValueError(message)
        if self.uses is not None and (self.every == "event" or self.crossing != "cut"):
            word = "`every: event`" if self.every == "event" else "`crossing`"
            message = f"{word} is about points; one event uses a campaign once, so write `earn`, or remove it"
            raise ValueError(message)
        if self.units is not None and self.crossing != "cut":
            message = "`crossing` is about points, and units are cut; remove it"
            raise ValueError(message)
        if self.per == "all" and self.crossing == "whole":
            message = "a budget over all members is never exceeded; remove `crossing`, or limit each member"
            raise ValueError(message)
        if self.per == "all" and self.every == "event":
            message = "one event is one member's; a budget over all members is for a day or longer, or for ever"
            raise ValueError(message)
        return self

    @model_serializer
    def _to_short_form(self) -> dict[str, Any]:
        if self.per == "all":
            return {"in_all": str(self), **({} if self.every == "ever" else {"every": self.every})}
        more = {} if self.crossing == "cut" else {"crossing": self.crossing}
        short = {"per": self.per, **({} if self.every == "ever" else {"every": self.every}), **more}
        if self.units is not None:
            return short | {"units": self.units}
        return short | ({"uses": self.uses} if self.uses is not None else {"earn": str(self)})

    def __str__(self) -> str:
        if self.units is not None:
            return f"{self.units} units"
        return f"{self.uses} uses" if self.uses is not None else str(self.earn)


class Cap(Part):
    """At most so many points of a type for a member, over all campaigns that earn it: `{every: day, points: 50}`."""

    every: LimitPeriod
    points: Decimal = Field(ge=0, max_digits=21, decimal_places=6)
    crossing: Crossing = "cut"
