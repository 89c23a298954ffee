"""Made-up members: who they are and how they live with the coffee bar."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from setia.members.enrolment import checked_member
from setia.members.member import NewMember
from setia.program.events import Members

_LOCALES = ("de", "de", "de", "en", "ms")
_DRINKS = ("espresso", "filter", "cappuccino", "latte", "tea")
_BARS = ("mitte", "neukoelln", "altona")
_BAR_SIZES = (5, 3, 2)
_OPENED_TODAY = 0.45
"""Part of the members that comes with the opening; the others come over the whole year."""
_BROUGHT = 0.16
"""How often somebody is brought by a member, where there is one already."""
_SOCIAL = 6
"""How uneven bringing friends is: at 1 everybody brings as many; the higher it is, the more the first members bring."""
_THEMSELVES = 0.2
"""How often the friend of somebody with the app is the same person once more, on the same telephone."""
_LATER = 0.25
"""How often a friend enrols at home, and comes another day, or never."""


class Person(NamedTuple):
    """One made-up member. Rates and chances are about visits, never about points or money."""

    number: int
    enrolled_at: dt.datetime
    visits_a_day: float
    leaves: float
    """The chance to be gone for good after a purchase."""
    bar: str
    oat: float
    own_cup: float
    hungry: float
    has_app: bool
    attributes: dict[str, Any]
    locale: str
    device: str | None = None
    """The telephone with the app."""
    brought_by: int | None = None
    """The number of the member whose code is given."""
    comes_later: bool = False
    """Whether the first visit is on another day than the enrolment."""

    @property
    def card(self) -> str:
        """The number of the card shown at the till."""
        return f"2026 {self.number // 10_000:04} {self.number % 10_000:04}"

    @property
    def external_id(self) -> str:
        """The shop's own id."""
        return f"demo-{self.number:05}"

    def as_member(self, members: Members, now: dt.datetime) -> NewMember:
        """What `POST /v1/members` makes of the same words."""
        return checked_member(
            members,
            now=now,
            identifiers={"card": self.card, "external_id": self.external_id},
            attributes=self.attributes,
            locale=self.locale,
            enrolled_at=self.enrolled_at,
        )


def draw_person(seed: int, number: int, first: dt.date, last: dt.date, zone: ZoneInfo) -> tuple[Person, random.Random]:
    """Draw a member, and give the dice that go on to draw the member's year."""
    dice = random.Random(f"{seed}/{number}")  # noqa: S311 - made-up people, no secrets
    days = (last - first).days
    day = min(int(dice.expovariate(1 / 10)), days) if dice.random() < _OPENED_TODAY else dice.randrange(days + 1)
    hour, minute, second = dice.randrange(8, 18), dice.randrange(60), dice.randrange(60)
    joined = first + dt.timedelta(days=day)
    likes_oat = dice.random() < 0.25
    birthday = dt.date(1950, 1, 1) + dt.timedelta(days=dice.randrange(20_000))
    person = Person(
        number=number,
        enrolled_at=dt.datetime(joined.year, joined.month, joined.day, hour, minute, second, tzinfo=zone),
        visits_a_day=dice.gammavariate(0.9, 0.19),
        leaves=dice.betavariate(0.6, 14),
        bar=dice.choices(_BARS, _BAR_SIZES)[0],
        oat=0.85 if likes_oat else 0.04,
        own_cup=0.6 if dice.random() < 0.12 else 0.0,
        hungry=dice.uniform(0.1, 0.8),
        has_app=dice.random() < 0.4,
        attributes={
            "birthday": birthday.isoformat(),
            "favourite_drink": dice.choice(_DRINKS),
            "newsletter": dice.random() < 0.5,
        },
        locale=dice.choice(_LOCALES),
    )
    return person._replace(device=f"telephone-{number}" if person.has_app else None), dice


def draw_friendship(seed: int, person: Person, earlier: Sequence[Person]) -> Person:
    """Let a member perhaps be brought by one of those with smaller numbers who has enrolled on an earlier day.

    The dice are their own: who is brought by nobody lives as if there were no friends.
    """
    dice = random.Random(f"{seed}/{person.number}/friend")  # noqa: S311 - made-up people, no secrets
    if not earlier or dice.random() >= _BROUGHT:
        return person
    friend = earlier[int(len(earlier) * dice.random() ** _SOCIAL)]
    if friend.enrolled_at.date() >= person.enrolled_at.date():
        return person
    device = friend.device if friend.device and dice.random() < _THEMSELVES else person.device
    return person._replace(brought_by=friend.number, device=device, comes_later=dice.random() < _LATER)
