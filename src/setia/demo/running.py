"""Sends the made-up year through the real way in, with the test clock moved along."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from setia.clock.service import advance
from setia.db.engine import Database, driver_connection
from setia.demo.cards import ACTOR, Cards
from setia.demo.friends import Friends
from setia.demo.people import Person
from setia.demo.year import Happening
from setia.engine.calendar import midnight
from setia.engine.decision import REDEMPTION, RewardEffect
from setia.events.afterwards import Afterwards
from setia.events.arrivals import draft
from setia.events.booked import Booked
from setia.events.booking import Booking, Submission
from setia.events.clerk import Clerk
from setia.events.committer import MOST_TOGETHER
from setia.events.live import LivePrograms
from setia.events.problems import RewardUnavailable
from setia.gift_cards.service import GiftCards
from setia.members.enrolment import Introduction
from setia.problems import Problem
from setia.program.definition import Program
from setia.referrals.service import Referrals
from setia.rewards.in_the_cart import InTheCart
from setia.versions.cache import VersionCache

STATEMENT = 8
"""How many entries of the shown member's statement are printed; the member is chosen by them."""

CLOSING = dt.time(20)
"""When the till hands in its day: after the last guest and before midnight, so that points age from their own day."""

_STARS, _ENOUGH = "stars", 100
_TEMPTED, _THRIFTY = 0.3, 0.5
"""How often somebody with enough stars redeems, and takes money off instead of a drink."""

Heard = Callable[[int], None]
_encode = msgspec.json.Encoder().encode


class Told:
    """What is remembered of one member while the year runs."""

    __slots__ = ("balances", "campaigns", "levels", "member_id", "person")

    def __init__(self, person: Person, member_id: UUID) -> None:
        self.person, self.member_id = person, member_id
        self.levels: dict[str, str] = {}
        self.balances: dict[str, tuple[int, int, int]] = {}
        """Available, pending and held points after the newest event."""
        self.campaigns: deque[tuple[bool, frozenset[str]]] = deque(maxlen=STATEMENT)
        """Of the newest events: whether a limit cut, and the campaigns that gave points."""

    @property
    def is_cut(self) -> bool:
        """Whether a limit cut one of the newest events."""
        return any(cut for cut, _ in self.campaigns)

    @property
    def variety(self) -> int:
        """How many campaigns the newest events show."""
        return len(frozenset[str]().union(*(names for _, names in self.campaigns)))


class Redeemed:
    """How often a reward was redeemed, for how many points of each type, and what it took off in the smallest unit."""

    def __init__(self) -> None:
        self.times = 0
        self.points: Counter[str] = Counter()
        self.amount = 0

    def add(self, effect: RewardEffect) -> None:
        """Take up one redemption."""
        self.times += 1
        self.points.update(effect.points)
        self.amount += effect.amount


class Tally:
    """What the answers said, summed up: the same answers that callers of the API get."""

    def __init__(self, friends: Friends, cards: Cards) -> None:
        self.friends, self.cards = friends, cards
        self.events = 0
        self.seconds = 0.0
        self.campaigns: dict[str, Counter[str]] = {}
        """Campaign -> point type -> points."""
        self.members: dict[UUID, Told] = {}
        self.people: dict[int, Told] = {}
        """The same by the member's number."""
        self.rewards: dict[str, Redeemed] = {}
        self.returns = 0

    def count(self, booked: Booked, person: Person) -> None:
        """Take up one answer."""
        self.events += 1
        outcome = booked.outcome
        self.returns += outcome.undoes is not None
        for reward in outcome.redeemed:
            self.rewards.setdefault(reward.reward, Redeemed()).add(reward)
        for effect in outcome.points:
            if effect.campaign == REDEMPTION:
                continue
            self.campaigns.setdefault(effect.campaign, Counter())[effect.points] += effect.amount
        if booked.member_id is None:
            return
        told = self.members.setdefault(booked.member_id, Told(person, booked.member_id))
        self.people[person.number] = told
        told.levels, told.balances = outcome.levels, outcome.balances
        cut = any(effect.wanted is not None and effect.wanted > effect.amount for effect in outcome.points)
        told.campaigns.append((cut, frozenset(effect.campaign for effect in outcome.points)))


def run_year(
    database: Database, program_id: int, year: Sequence[Happening], last: dt.date, heard: Heard, *, secret: bytes
) -> Tally:
    """Book everything day by day, up to the end of `last`; `heard` is told how many events were booked.

    `secret` is the installation's, of which the codes of gift cards are made: whoever serves the demo needs the same.

    The program is in test mode, and its clock stands at the beginning of the year. Each day it is moved to the hour of
    closing, with all that comes due on the way, and then the day's events are booked.

    Raises:
        Problem: an event was refused, which a made-up one never should be.
    """
    programs = LivePrograms(database, InTheCart())
    with database.transaction() as tx:
        zone = programs.live(driver_connection(tx), program_id).compiled.zone
    referrals = Referrals(database, programs, lambda: secret)
    tally = Tally(Friends(referrals, program_id), Cards(_gift_cards(database, programs, secret), program_id))
    afterwards = Afterwards()
    afterwards.add(referrals.heard)
    started = time.monotonic()
    with Clerk(database, programs, afterwards) as clerk:
        for day, happenings in groupby(year, key=lambda happening: happening.at.astimezone(zone).date()):
            advance(database, programs, program_id, dt.datetime.combine(day, CLOSING, tzinfo=zone))
            tally.cards.pass_time(day)
            today = list(happenings)
            for start in range(0, len(today), MOST_TOGETHER):
                together = today[start : start + MOST_TOGETHER]
                _book(database, programs, clerk, program_id, together, tally)
                heard(len(together))
    advance(database, programs, program_id, midnight(last + dt.timedelta(days=1), zone))
    tally.seconds = time.monotonic() - started
    return tally


def _gift_cards(database: Database, programs: LivePrograms, secret: bytes) -> GiftCards:
    def definition(program_id: int, number: int) -> Program:
        return programs.version(program_id, number).compiled.definition

    return GiftCards(database, VersionCache(definition), lambda: secret)


def _book(
    database: Database,
    programs: LivePrograms,
    clerk: Clerk,
    program_id: int,
    together: Sequence[Happening],
    tally: Tally,
) -> None:
    newcomers = [happening.person for happening in together if happening.event is None]
    # Nobody does anything before enrolling, so a batch's newcomers may come before its other events.
    for person, booked in zip(newcomers, _enrol(database, programs, program_id, newcomers, tally), strict=True):
        tally.count(booked, person)
    cards = tally.cards
    moved = [
        (happening, cards.shown(happening, happening.event)) for happening in together if happening.event is not None
    ]
    now = dt.datetime.now(dt.UTC)

    def submitted(body: dict[str, Any]) -> Submission:
        return Submission(cards.read(draft(_encode(body), now)), ACTOR)

    bodies = [with_reward(happening, event, tally.people.get(happening.person.number)) for happening, event in moved]
    answers = clerk.book(program_id, [submitted(body) for body in bodies])
    for (happening, event), answer in zip(moved, answers, strict=True):
        told = answer
        if isinstance(answer, RewardUnavailable):
            # Stars have ended since, or the day's drink was had: it is paid with money.
            [told] = clerk.book(program_id, [submitted(event)])
        if isinstance(told, Problem):
            raise told
        tally.count(told, happening.person)
        cards.heard(happening, event, told)


def with_reward(happening: Happening, event: dict[str, Any], told: Told | None) -> dict[str, Any]:
    """The event, a purchase perhaps with a reward that the member's stars pay, as far as the till has heard."""
    stars = 0 if told is None else told.balances.get(_STARS, (0, 0, 0))[0]
    if event["type"] != "purchase" or stars < _ENOUGH:
        return event
    dice = random.Random(f"{happening.person.number}/{happening.at}/reward")  # noqa: S311 - made-up people, no secrets
    if dice.random() > _TEMPTED:
        return event
    wish: dict[str, Any] = {"reward": "free_coffee", "sku": "cappuccino"}
    if dice.random() < _THRIFTY:
        wish = {"reward": "stars_for_money", "points": stars}
    return {**event, "pricing": "before", "redeem": [wish]}


def _enrol(
    database: Database, programs: LivePrograms, program_id: int, people: Sequence[Person], tally: Tally
) -> list[Booked]:
    """Enrol members as `POST /v1/members` does (`setia.events.enrolling`), several in one transaction."""
    if not people:
        return []
    friends = tally.friends
    referrers = [None if one.brought_by is None else tally.people[one.brought_by].member_id for one in people]
    friends.hand_out([one for one in referrers if one is not None])

    def work(tx: sa.Connection) -> tuple[list[Booked], list[Introduction]]:
        connection = driver_connection(tx)
        live = programs.live(connection, program_id)
        now = live.now(dt.datetime.now(dt.UTC))
        booking = Booking(connection, live, now)
        members = live.compiled.definition.members
        new = [person.as_member(members, now) for person in people]
        # Locked at once: nobody else books here who would have to wait.
        booked = booking.enrol_all(new, ACTOR, budgets_locked=True)
        booking.finish()
        introduced = [friends.introduce(*one) for one in zip(people, new, referrers, strict=True)]
        for introduction, one in zip(introduced, booked, strict=True):
            if one.member_id is not None:
                introduction.within(tx, one.member_id)
        return booked, introduced

    booked, introduced = database.run(work)
    for introduction in introduced:
        introduction.afterwards()
    return booked
