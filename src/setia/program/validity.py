"""Validity: how long a level that was reached is held before it is judged again."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_serializer, model_validator

from setia.program.names import Part, Period

ValidityKind = Literal["current", "calendar_year", "anniversary", "for_ever", "after", "every", "on"]
DayOfYear = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]

_WORDS = ("current", "calendar_year", "anniversary", "for_ever")
_PERIOD = re.compile(r"^\s*\d+\s*[a-z]+\s*$")


class Validity(Part):
    """When a level is judged again, on the program's calendar.

    - `current`: at every change of its metrics and at each midnight; the level follows the member up and down.
    - `calendar_year`: at the beginning of a year. `anniversary`: on the day of the year of the enrolment.
    - `12mo`, or `{after: 12mo, align: month_end}`: so long after the day it was reached or kept. The last day is the
      one that lies `after` away; with `first_day_counts` the one before it, as 20 days from 1 July end on 20 July.
    - `{every: 365d}`: at each such step since the enrolment.
    - `{on: ["01-01", "07-01"]}`: at the beginning of these days of the year, written `MM-DD`.
    - `for_ever`: never.
    """

    kind: ValidityKind = "for_ever"
    after: Period | None = None
    align: Literal["none", "month_end", "quarter_end", "half_year_end", "year_end"] = "none"
    first_day_counts: bool = False
    every: Period | None = None
    on: Annotated[tuple[DayOfYear, ...], Field(max_length=24)] = ()

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, value: object) -> object:
        if isinstance(value, str):
            if _PERIOD.match(value):
                return {"kind": "after", "after": value}
            if value not in _WORDS:
                message = (
                    f"{value!r} is not a validity; write {', '.join(_WORDS)}, a length of time such as 12mo, "
                    '{every: 365d} or {on: ["01-01"]}'
                )
                raise ValueError(message)
            return {"kind": value}
        if isinstance(value, dict) and "kind" not in value:
            kinds = [kind for kind in ("after", "every", "on") if value.get(kind)]
            if len(kinds) != 1:
                message = "a validity has exactly one of `after`, `every` and `on`; remove the others"
                raise ValueError(message)
            return {"kind": kinds[0], **value}
        return value

    @field_validator("after", "every")
    @classmethod
    def _in_days(cls, value: Period | None) -> Period | None:
        if value is not None and (value.unit in {"minutes", "hours"} or value.count == 0):
            message = "levels are held for days, weeks, months or years; write for example 12mo"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _complete(self) -> Validity:
        fits = (
            (self.after is not None) == (self.kind == "after")
            and (self.every is not None) == (self.kind == "every")
            and bool(self.on) == (self.kind == "on")
            and (self.kind == "after" or (self.align == "none" and not self.first_day_counts))
        )
        if not fits:
            message = f"a validity of kind {self.kind} has keys that do not fit; `align` goes with `after`"
            raise ValueError(message)
        return self

    @model_serializer
    def _to_short_form(self) -> Any:
        if self.kind == "every":
            return {"every": str(self.every)}
        if self.kind == "on":
            return {"on": list(self.on)}
        if self.kind != "after":
            return self.kind
        if self.align == "none" and not self.first_day_counts:
            return str(self.after)
        more = {} if self.align == "none" else {"align": self.align}
        return {"after": str(self.after), **more} | ({"first_day_counts": True} if self.first_day_counts else {})
