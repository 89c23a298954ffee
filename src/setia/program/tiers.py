"""Tier sets: levels that members reach by metrics in windows of time, hold for a while, and keep or lose at review."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from setia.program.names import Identifier, Part, Period, Text
from setia.program.validity import Validity
from setia.program.windows import Window

Metric = Annotated[str, Field(pattern=r"^(spend|orders|visits|points\.[a-z][a-z0-9_]{0,62}\.(earned|balance))$")]
"""What is measured: money spent on the program's basis, number of orders or visits, points earned, or points held."""

Amount = Annotated[Decimal, Field(ge=0, max_digits=21, decimal_places=9)]


def _check_keeping(keep_from: Decimal | None, from_: Decimal | None) -> None:
    if keep_from is not None and from_ is not None and keep_from > from_:
        message = f"keeping a level ({keep_from}) cannot ask for more than reaching it ({from_}); lower `keep_from`"
        raise ValueError(message)


class Criterion(Part):
    """One way into a level: a metric in a window that reaches `from_`, or `keep_from` to keep the level."""

    metric: Metric
    window: Window = Window()
    from_: Annotated[Amount, Field(alias="from")]
    keep_from: Amount | None = None

    @model_validator(mode="after")
    def _cheaper_to_keep(self) -> Criterion:
        _check_keeping(self.keep_from, self.from_)
        return self


class Level(Part):
    """One level: reached at `from_` of the tier set's metric, kept from `keep_from` (by default the same).

    Instead of `from` it may have criteria of its own: `any` of them is enough, or `all` of them are needed.
    """

    id: Identifier
    name: Text | None = None
    from_: Annotated[Amount | None, Field(alias="from")] = None
    keep_from: Amount | None = None
    any: Annotated[tuple[Criterion, ...], Field(max_length=10)] = ()
    all: Annotated[tuple[Criterion, ...], Field(max_length=10)] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Level:
        _check_keeping(self.keep_from, self.from_)
        if [self.from_ is not None, bool(self.any), bool(self.all)].count(True) != 1:
            message = f"level {self.id!r} needs exactly one of `from`, `any` and `all`"
            raise ValueError(message)
        if self.keep_from is not None and self.from_ is None:
            message = "`keep_from` goes with `from`; criteria have a `keep_from` of their own"
            raise ValueError(message)
        return self

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """Its own criteria, whether any or all of them are needed."""
        return self.any or self.all


class TierSet(Part):
    """A ladder of levels.

    The first level starts at 0, so that everyone has one. Members rise at once and fall only when the level they hold
    is judged: at review, which `validity` sets.
    """

    id: Identifier
    name: Text | None = None
    metric: Metric | None = None
    """What `from` and `keep_from` of the levels count; needed unless every level has criteria of its own."""
    window: Window = Window()
    levels: Annotated[tuple[Level, ...], Field(min_length=1, max_length=50)]
    validity: Validity | None = None
    """How long a level is held. By default as the windows say: to the end of the calendar year or the anniversary year,
    `current` for a rolling window or a balance, for ever with lifetime or fixed dates.
    """
    downgrade: Literal["one_level", "to_fit", "never"] = "to_fit"
    """Where a member comes who has not kept the level: one level lower, to the highest level still kept, or nowhere."""
    grace: Period | None = None
    """How much longer the level stays after a review that was not passed; what is counted until then still helps."""
    extend: Literal["at_review", "at_once"] = "at_review"
    """`at_once`: whoever qualifies again while holding a level begins a new period of validity."""
    reset_points: tuple[Identifier, ...] = ()
    """The point types whose available points are set to zero at each review."""
    warn_before: Period = Period(count=30, unit="days")
    """How long before a review the member who would fall is told: the event `tier_ending`."""
    on_return: Literal["at_once", "at_review"] = "at_once"
    """When a member falls whose rise a return takes back: at once, to the level held before, or at the next review."""
    on_change: Literal["at_review", "at_once"] = "at_review"
    """When members are judged by new settings of this tier set: at their next review, or as soon as they are live."""

    @model_validator(mode="after")
    def _ordered(self) -> TierSet:
        seen: set[str] = set()
        for level in self.levels:
            if level.id in seen:
                message = f"level {level.id!r} stands twice in tier set {self.id!r}; rename one of them"
                raise ValueError(message)
            seen.add(level.id)
        first = self.levels[0]
        if first.from_ != 0:
            start = f"starts at {first.from_}" if first.from_ is not None else "has criteria"
            message = (
                f"the first level of {self.id!r} starts at 0, so that every member has one, and "
                f"{first.id!r} {start}; write `from: 0` there, or add a level before it"
            )
            raise ValueError(message)
        rising = [level for level in self.levels if level.from_ is not None]
        for lower, higher in itertools.pairwise(rising):
            if lower.from_ is not None and higher.from_ is not None and higher.from_ <= lower.from_:
                message = (
                    f"levels rise: {higher.id!r} (from {higher.from_}) "
                    f"does not lie above {lower.id!r} (from {lower.from_}); order them from the lowest to the highest"
                )
                raise ValueError(message)
        if self.metric is None and any(level.from_ for level in self.levels):
            message = f"the levels of {self.id!r} have `from`, so the tier set needs a `metric`, such as spend"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _period_ends(self) -> TierSet:
        endless = self.held_for.kind in {"current", "for_ever"}
        if endless and any(window.kind == "period" for _, window in self.measured):
            message = "a window over the `period` needs a `validity` that ends it, such as 12mo"
            raise ValueError(message)
        if endless and self.reset_points:
            message = (
                f"`reset_points` waits for a review, and the levels of {self.id!r} have none; add a `validity` that "
                "ends, such as calendar_year"
            )
            raise ValueError(message)
        return self

    @field_validator("grace")
    @classmethod
    def _grace_in_days(cls, value: Period | None) -> Period | None:
        if value is not None and (value.unit in {"minutes", "hours"} or value.count == 0):
            message = "a grace is counted in days, weeks, months or years; write for example 2mo"
            raise ValueError(message)
        return value

    @property
    def measured(self) -> tuple[tuple[str, Window], ...]:
        """Every metric with its window that a level asks for, without doubles."""
        own = ((self.metric, self.window),) if self.metric is not None else ()
        more = tuple((one.metric, one.window) for level in self.levels for one in level.criteria)
        return tuple(dict.fromkeys(own + more))

    @property
    def held_for(self) -> Validity:
        """The validity, or the one that follows from the windows."""
        if self.validity is not None:
            return self.validity
        kinds = {"balance" if metric.endswith(".balance") else window.kind for metric, window in self.measured}
        if kinds & {"rolling", "balance"}:
            return Validity(kind="current")
        if "calendar_year" in kinds:
            return Validity(kind="calendar_year")
        return Validity(kind="anniversary" if "anniversary" in kinds else "for_ever")
