"""The clock as the API shows and moves it."""

from __future__ import annotations

import datetime as dt
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from setia.clock.service import Advanced
from setia.program.names import Period
from setia.versions.service import ProgramRow

_BEFORE, _NOW = "2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z"


class ClockOut(BaseModel):
    """What time it is for the program."""

    mode: Literal["live", "test"] = Field(
        description="`live`: the real time. `test`: a clock that only advancing moves.", examples=["test"]
    )
    now: dt.datetime = Field(examples=[_NOW])
    timezone: str = Field(description="Whose days and hours count.", examples=["Europe/Berlin"])

    @classmethod
    def of(cls, program: ProgramRow, timezone: str) -> Self:
        """Show the time of a program."""
        return cls(mode=program.mode, now=program.now(dt.datetime.now(dt.UTC)), timezone=timezone)


class AdvanceIn(BaseModel):
    """Where to move the clock: to a moment, or on by a period. Exactly one of the two."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"by": "30d"}, {"to": "2026-06-01T00:00:00+02:00"}]}
    )

    to: AwareDatetime | None = Field(default=None, description="A moment with its offset, not before the clock.")
    by: str | None = Field(
        default=None,
        max_length=20,
        description="A whole number and a unit, as 12h, 30d, 6w, 2mo or 1y: days and longer on the program's calendar.",
    )

    @field_validator("by")
    @classmethod
    def _is_period(cls, value: str | None) -> str | None:
        if value is not None:
            Period.model_validate(value)
        return value

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.to is None) == (self.by is None):
            message = "give exactly one of `to` and `by`"
            raise ValueError(message)
        return self

    @property
    def goal(self) -> dt.datetime | Period:
        """The one that was given."""
        return self.to if self.to is not None else Period.model_validate(self.by)


class AdvancedOut(BaseModel):
    """Where the clock stood and stands, and what came due on the way."""

    before: dt.datetime = Field(examples=[_BEFORE])
    now: dt.datetime = Field(examples=[_NOW])
    days: int = Field(description="Local midnights at which something was due, the last moment included.", examples=[2])
    settled: int = Field(
        description="How often something was due there, for a member or of a hold and the like.", examples=[17]
    )

    @classmethod
    def of(cls, advanced: Advanced) -> Self:
        """Show what advancing did."""
        return cls(before=advanced.before, now=advanced.now, days=advanced.days, settled=advanced.settled)
