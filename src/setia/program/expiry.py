"""Expiry: when a lot of points ends."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from setia.program.names import Identifier, Part, Period


class Decay(Part):
    """Points of an inactive member that end by and by: `{every: 1mo, percent: 10}`."""

    every: Period
    """The time between two steps; the first step is where `inactivity` is over."""
    percent: Decimal = Field(gt=0, le=100, max_digits=9, decimal_places=6)
    """The share of what is there that ends at each step, rounded up to the smallest unit."""

    @field_validator("every")
    @classmethod
    def _in_days(cls, value: Period) -> Period:
        if value.unit in {"minutes", "hours"} or value.count == 0:
            message = "points decay every so many days, weeks, months or years; write for example 1mo"
            raise ValueError(message)
        return value


class Expiry(Part):
    """When a lot of points ends: by its age, on fixed days, or when the member does nothing. Nothing means never."""

    after: Period | None = None
    by_tier: dict[Identifier, Annotated[dict[Identifier, Period], Field(min_length=1)]] = Field(default_factory=dict)
    """Tier set -> level -> length: in place of `after` for whoever holds the level when the points are earned."""
    align: Literal["none", "month_end", "quarter_end", "half_year_end", "year_end"] = "none"
    first_day_counts: bool = False
    """Whether the day points are earned is the first of `after`: 20 days from 1 July then end on 20 July."""
    on: Annotated[tuple[str, ...], Field(max_length=24)] = ()
    """Days of the year, as `MM-DD`, or dates: points end on the first such day that is at least `after` away."""
    on_is: Literal["last_day", "gone"] = "last_day"
    """Whether a day of `on` is the last on which points can be used, or the first without them."""
    inactivity: Period | None = None
    """All points end when the member has not been active for this long."""
    extended_by: tuple[str, ...] = ()
    """The events that count as activity; empty means every event."""
    must_earn: bool = False
    """Whether an event counts as activity only if it earned points of this type."""
    decay: Decay | None = None
    """After `inactivity` points do not end at once, but a share of them in each step."""

    @model_validator(mode="after")
    def _one_kind(self) -> Expiry:
        if self.inactivity is not None and (self.after is not None or self.on or self.by_tier):
            message = "expiry by inactivity stands alone; remove `after`, `by_tier` and `on`, or `inactivity`"
            raise ValueError(message)
        if self.inactivity is None and (self.must_earn or self.decay is not None):
            message = "`must_earn` and `decay` belong to expiry by inactivity; add `inactivity`, for example 12mo"
            raise ValueError(message)
        if self.after is None and not self.by_tier:
            if self.align != "none":
                message = "`align` moves the end that `after` gives; add `after`, for example after: 6mo"
                raise ValueError(message)
            if self.first_day_counts:
                message = "`first_day_counts` tells how `after` is counted; add `after`, for example after: 20d"
                raise ValueError(message)
        if self.on_is != "last_day" and not self.on:
            message = '`on_is` tells what the days of `on` are; add `on`, for example on: ["12-31"]'
            raise ValueError(message)
        return self

    @property
    def by_calendar(self) -> bool:
        """Whether each lot has an end of its own, known when it is earned."""
        return self.after is not None or bool(self.on) or bool(self.by_tier)

    def length_for(self, levels: Mapping[str, str]) -> Period | None:
        """How long points last that are earned at these levels (tier set -> level).

        Of several tier sets that name the level held, the first one counts; where none does, `after`.
        """
        for tier_set, lengths in self.by_tier.items():
            level = levels.get(tier_set)
            if level in lengths:
                return lengths[level]
        return self.after
