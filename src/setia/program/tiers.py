"""Tier sets: levels that members reach by a metric in a window of time."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, model_serializer, model_validator

from setia.program.names import Identifier, Part, Period, Text

Metric = Annotated[str, Field(pattern=r"^(spend|orders|visits|points\.[a-z][a-z0-9_]{0,62}\.(earned|balance))$")]
"""What is measured: money spent on the program's basis, number of orders or visits, points earned, or points held."""

_ROLLING = re.compile(r"^\s*rolling\s+(\S+)\s*$")


class Window(Part):
    """The time a metric is summed over.

    `lifetime`, `calendar_year`, `rolling 12mo`, `anniversary`, or fixed dates (`{starts: 2026-01-01, ends:
    2026-12-31}`, both inclusive).
    """

    kind: Literal["lifetime", "calendar_year", "rolling", "anniversary", "fixed"] = "lifetime"
    length: Period | None = None
    starts: dt.date | None = None
    ends: dt.date | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if isinstance(value, str):
            rolling = _ROLLING.match(value)
            return {"kind": "rolling", "length": rolling[1]} if rolling else {"kind": value}
        if isinstance(value, dict) and value and "kind" not in value:
            return {"kind": "fixed", **value}
        return value

    @model_validator(mode="after")
    def _complete(self) -> Window:
        fits = (
            (self.length is not None) == (self.kind == "rolling")
            and (self.starts is not None) == (self.kind == "fixed")
            and (self.ends is not None) == (self.kind == "fixed")
        )
        if not fits:
            message = (
                "this is not a window; write lifetime, calendar_year, anniversary, `rolling 12mo`, "
                "or fixed dates {starts: 2026-01-01, ends: 2026-12-31}"
            )
            raise ValueError(message)
        if self.length is not None and self.length.unit in {"minutes", "hours"}:
            message = "a rolling window is counted in days, weeks, months or years; write for example `rolling 30d`"
            raise ValueError(message)
        if self.starts is not None and self.ends is not None and self.ends < self.starts:
            message = (
                f"the window ends ({self.ends}) before it starts ({self.starts}); exchange them, or correct the year"
            )
            raise ValueError(message)
        return self

    @model_serializer
    def _to_short_form(self) -> Any:
        if self.kind == "rolling":
            return f"rolling {self.length}"
        if self.kind == "fixed":
            return {"starts": self.starts, "ends": self.ends}
        return self.kind


class Level(Part):
    """One level: reached at `from_`, kept from `keep_from` (by default the same)."""

    id: Identifier
    name: Text | None = None
    from_: Annotated[Decimal, Field(alias="from", ge=0, max_digits=21, decimal_places=9)]
    keep_from: Decimal | None = Field(default=None, ge=0, max_digits=21, decimal_places=9)

    @model_validator(mode="after")
    def _cheaper_to_keep(self) -> Level:
        if self.keep_from is not None and self.keep_from > self.from_:
            message = (
                f"keeping a level ({self.keep_from}) cannot ask for more than reaching it ({self.from_}); "
                "lower `keep_from`"
            )
            raise ValueError(message)
        return self


class TierSet(Part):
    """A ladder of levels.

    A member always holds the highest level whose `from` the metric has reached; the first level starts at 0, so that
    everyone has one. Members rise at once and fall only at review.
    """

    id: Identifier
    name: Text | None = None
    metric: Metric
    window: Window = Window()
    levels: Annotated[tuple[Level, ...], Field(min_length=1, max_length=50)]
    downgrade: Literal["one_level", "to_fit", "never"] = "to_fit"
    grace: Period | None = None

    @model_validator(mode="after")
    def _ordered(self) -> TierSet:
        seen: set[str] = set()
        for level in self.levels:
            if level.id in seen:
                message = f"level {level.id!r} stands twice in tier set {self.id!r}; rename one of them"
                raise ValueError(message)
            seen.add(level.id)
        if self.levels[0].from_ != 0:
            first = self.levels[0]
            message = (
                f"the first level of {self.id!r} starts at 0, so that every member has one, and "
                f"{first.id!r} starts at {first.from_}; write `from: 0` there, or add a level before it"
            )
            raise ValueError(message)
        for lower, higher in zip(self.levels, self.levels[1:], strict=False):
            if higher.from_ <= lower.from_:
                message = (
                    f"levels rise: {higher.id!r} (from {higher.from_}) "
                    f"does not lie above {lower.id!r} (from {lower.from_}); order them from the lowest to the highest"
                )
                raise ValueError(message)
        return self
