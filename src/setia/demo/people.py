"""Made-up members: who they are and how they live with the coffee bar."""

from __future__ import annotations

import datetime as dt
import random
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
    return person, dice
