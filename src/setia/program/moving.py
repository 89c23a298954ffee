"""Moving points: what members may give each other, and what points can be exchanged for."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from setia.program.campaigns import Expression
from setia.program.names import Identifier, Part, Period, Text
from setia.program.rewards import RewardPeriod

MovedEnd = Literal["keep", "fresh"]
"""When points end that were moved: when they would have, or as if they had been earned now."""

_Points = Annotated[Decimal, Field(gt=0, le=10**12, max_digits=21, decimal_places=9)]
_Rate = Annotated[dict[Identifier, _Points], Field(min_length=1, max_length=1)]


class MovingQuota(Part):
    """So often, or so many points, in each period of the program's calendar: `{every: month, points: 500}`."""

    every: RewardPeriod = "ever"
    times: Annotated[int, Field(ge=1, le=10**9)] | None = None
    points: _Points | None = None
    """Whole points."""

    @model_validator(mode="after")
    def _one_measure(self) -> MovingQuota:
        if (self.times is None) == (self.points is None):
            message = "a quota counts either `times` or `points`; give exactly one of them"
            raise ValueError(message)
        return self


class _Moving(Part):
    """What giving and exchanging have in common."""

    least: _Points | None = None
    """At least so many points at once."""
    most: _Points | None = None
    """At most so many points at once."""
    points_older_than: Period | None = None
    """Only points that were earned so long ago can be moved."""
    members_older_than: Period | None = None
    """Only members who enrolled so long ago can move points."""
    when: Expression | None = None
    """Who can: a condition over `member` and `time`."""
    from_level: dict[Identifier, Identifier] = Field(default_factory=dict)
    """Tier set -> the lowest level that can."""

    @model_validator(mode="after")
    def _rising(self) -> _Moving:
        if self.least is not None and self.most is not None and self.most < self.least:
            message = f"at least {self.least} and at most {self.most} is nothing; raise `most`"
            raise ValueError(message)
        return self


class Transfer(_Moving):
    """How members give points of one type to each other. Without one, nobody can."""

    receiver_when: Expression | None = None
    """Who can be given points: a condition over `member`, the one who gets them, and `time`."""
    expiry: MovedEnd = "keep"
    """Whether points keep their end, or get a new one as if they had been earned by the receiver now."""
    gives: MovingQuota | tuple[MovingQuota, ...] = ()
    """How much one member can give."""
    receives: MovingQuota | tuple[MovingQuota, ...] = ()
    """How much one member can be given."""

    @property
    def giving_quotas(self) -> tuple[MovingQuota, ...]:
        """How much one member can give."""
        return (self.gives,) if isinstance(self.gives, MovingQuota) else self.gives

    @property
    def receiving_quotas(self) -> tuple[MovingQuota, ...]:
        """How much one member can be given."""
        return (self.receives,) if isinstance(self.receives, MovingQuota) else self.receives


class Exchange(_Moving):
    """Points of one type for points of another, at a rate: `give: {miles: 100}`, `get: {stars: 3}`."""

    name: Text | None = None
    give: _Rate
    """The point type that is given, and how many whole points of it are worth `get`."""
    get: _Rate
    """The point type that comes for it, and how many."""
    steps: bool = False
    """Whether only whole multiples of `give` are exchanged."""
    expiry: MovedEnd = "fresh"
    """Whether the new points end as if they had been earned now, or when those would have that were given."""
    per_member: MovingQuota | tuple[MovingQuota, ...] = ()
    """How much one member can exchange, in points that are given."""

    @property
    def member_quotas(self) -> tuple[MovingQuota, ...]:
        """How much one member can exchange."""
        return (self.per_member,) if isinstance(self.per_member, MovingQuota) else self.per_member

    @property
    def given(self) -> str:
        """The point type that is given."""
        return next(iter(self.give))

    @property
    def got(self) -> str:
        """The point type that comes for it."""
        return next(iter(self.get))

    @model_validator(mode="after")
    def _of_two_types(self) -> Exchange:
        if self.given == self.got:
            message = f"{self.given!r} for {self.got!r} is no exchange; name two point types"
            raise ValueError(message)
        return self
