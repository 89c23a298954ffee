"""Windows: the time a metric is summed over."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Literal

from pydantic import model_serializer, model_validator

from setia.program.names import Part, Period

_ROLLING = re.compile(r"^\s*rolling\s+(\S+)\s*$")


class Window(Part):
    """The time a metric is summed over.

    `lifetime`, `calendar_year`, `rolling 12mo`, `anniversary`, fixed dates (`{starts: 2026-01-01, ends:
    2026-12-31}`, both inclusive), or `period`: since the member came into the level that is held, or kept it at a
    review.
    """

    kind: Literal["lifetime", "calendar_year", "rolling", "anniversary", "fixed", "period"] = "lifetime"
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
                "this is not a window; write lifetime, calendar_year, anniversary, period, `rolling 12mo`, "
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
