"""Sums: what a member has done in a window of time, for conditions and amounts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from setia.program.names import Part
from setia.program.windows import Window

Counted = Annotated[str, Field(pattern=r"^(spend|orders|visits|points\.[a-z][a-z0-9_]{0,62}\.earned)$")]
"""What is summed: money spent on the program's basis, number of orders or visits, points earned."""


class Sum(Part):
    """One sum, which expressions read as `member.sums.NAME`: as it was before the event."""

    metric: Counted
    window: Window = Window()

    @field_validator("window")
    @classmethod
    def _of_no_tier_set(cls, value: Window) -> Window:
        if value.kind == "period":
            message = "a `period` is that of a tier set; write calendar_year, anniversary or `rolling 12mo`"
            raise ValueError(message)
        return value
