"""Velocity: how much may happen in how short a time before a person looks at it, or it is refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from setia.program.limits import PointAmount
from setia.program.names import Identifier, Part, Period

BY_HAND = "by_hand"
REDEMPTION = "redemption"
ACTS = frozenset({BY_HAND, REDEMPTION})
"""What a rule can watch beside events: points given by hand, and points spent on rewards."""


class MoreThan(Part):
    """What is still fine: so many events, or so many points of a type."""

    events: int | None = Field(default=None, ge=0, le=10**9)
    points: PointAmount | None = None

    @model_validator(mode="after")
    def _one_measure(self) -> MoreThan:
        if (self.events is None) == (self.points is None):
            message = "a rule counts either `events` or points (`points: 500 stars`); give exactly one of them"
            raise ValueError(message)
        return self


class Velocity(Part):
    """One rule: what happens for one member, by one operator or at one location within a time.

    `{per: member, every: 1h, more_than: {events: 5}, on: purchase, then: review}`.
    """

    per: Literal["member", "operator", "location"]
    every: Period
    """The length of any stretch of time in which it is counted, by when things occurred."""
    more_than: MoreThan
    on: Identifier | Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=50)]
    """Events, or `by_hand` (points given), or `redemption` (points spent)."""
    then: Literal["review", "refuse"] = "review"
    """`review`: the points come and cannot be used until a person approves them. `refuse`: it does not happen."""
    decide_within: Period | None = None
    """How long a review waits for a person; for ever without it."""
    otherwise: Literal["approve", "void"] = "void"
    """What becomes of a review that nobody has decided in time."""
    enabled: bool = True

    @property
    def watched(self) -> tuple[str, ...]:
        """What it counts."""
        return (self.on,) if isinstance(self.on, str) else self.on

    @model_validator(mode="after")
    def _makes_sense(self) -> Velocity:
        if not self.every.count:
            message = "nothing happens within no time; write 1h"
            raise ValueError(message)
        if self.then == "review" and REDEMPTION in self.watched:
            message = "what is spent cannot wait for a review; write `then: refuse`, or take `redemption` out of `on`"
            raise ValueError(message)
        if self.per == "location" and ACTS & set(self.watched):
            message = "only events have a location; write `per: operator`"
            raise ValueError(message)
        if self.decide_within is not None and (self.then != "review" or not self.decide_within.count):
            message = "`decide_within` is some time in which a review is decided; remove it, or write 7d"
            raise ValueError(message)
        return self
