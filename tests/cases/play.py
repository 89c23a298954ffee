"""A case while it is played: its program is published, and its events happen one after the other."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cases.amounts import exact
from cases.draft import Draft, identifier
from cases.published import Data
from cases.shop import Answer, Shop
from cases.timeline import Timeline

SOMEBODY = "m"
"""Who a case is about when it names nobody."""


@dataclass
class Step:
    """One event that happened, and how everybody stood after it."""

    event: Data
    who: str
    """Whom it was about."""
    at: dt.datetime
    answer: Answer | None
    points: dict[str, Decimal]
    levels: dict[str, str | None]

    @property
    def balance(self) -> Decimal:
        """The points that its member could use afterwards."""
        return self.points.get(self.who, Decimal(0))

    @property
    def level(self) -> str | None:
        """The level that its member held afterwards."""
        return self.levels.get(self.who)

    def earned(self, draft: Draft) -> Decimal:
        """The points that it gave."""
        effects = self.answer.effects if self.answer else []
        unit = Decimal(1).scaleb(-int(draft.points.get("decimals", 0)))
        return sum((effect["amount"] * unit for effect in effects if effect["kind"] == "earn"), Decimal(0))


@dataclass
class Play:
    """What is there while a case is played."""

    draft: Draft
    shop: Shop
    timeline: Timeline
    steps: list[Step] = field(default_factory=list)
    asked: dict[str, Any] = field(default_factory=dict)
    """Answers to what events of a case ask (`query_...`)."""
    probed: dict[str, str | None] = field(default_factory=dict)
    """The level on days that a case asks for."""
    opening: list[Data] = field(default_factory=list)
    """The events of type `state` so far: where a variant starts again."""
    somebody: str = SOMEBODY
    """Whom events without a member are about now: a variant has a member of its own."""

    @property
    def opened_again(self) -> bool:
        """Whether a variant has begun anew."""
        return self.somebody != SOMEBODY

    def member_of(self, event: Data) -> str | None:
        """Who an event is about; None for a guest."""
        name = event.get("member", self.somebody)
        return None if name is None else str(name)

    def named(self, event: Data) -> str:
        """Who an event is about, where it cannot be a guest."""
        return self.member_of(event) or self.somebody

    def balance(self, name: str) -> Decimal:
        """The points that a member can use."""
        return self.shop.wallet(name)["available"]

    def level(self, name: str) -> str | None:
        """The level of a member, as the case calls it; None without a ladder."""
        standing = self.shop.standing(name)
        return None if standing is None else self.draft.level_names[str(standing["level"])]

    def put_in_level(self, name: str, level: str, at: dt.datetime) -> None:
        """Give a member a level that the case takes for granted."""
        if self.level(name) != level:
            event = {"type": "put_in_level", "data": {"level": identifier(level)}}
            answer = self.shop.send(event, name, at)
            if self.level(name) != level:
                # One that follows a metric falls again at once; a level given by hand does not.
                self.shop.give_level(name, identifier(level))
            if answer.problem is not None or self.level(name) != level:
                raise AssertionError(f"{name} is not in level {level}: {answer.body}")

    def set_points(self, name: str, points: object) -> None:
        """Give or take points by hand until a member has so many."""
        difference = exact(points) - self.balance(name)
        if difference:
            answer = self.shop.adjust(name, difference)
            if answer.problem is not None:
                raise AssertionError(f"{name} cannot have {points}: {answer.body}")

    def probe(self, days: list[str], until: dt.datetime | None = None) -> None:
        """Look at the level on days, in the evening, that lie before a moment; without one, on all that are left."""
        for day in sorted(set(days) - self.probed.keys()):
            evening = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(18), dt.UTC)
            if until is None or evening < until:
                self.shop.move_clock(evening)
                self.probed[day] = self.level(self.somebody)

    def note(self, event: Data, at: dt.datetime, answer: Answer | None) -> None:
        """Write down what an event did."""
        points = {name: self.balance(name) for name in self.shop.members}
        levels = {name: self.level(name) for name in self.shop.members} if self.draft.tiers else {}
        self.steps.append(Step(event, self.named(event), at, answer, points, levels))
