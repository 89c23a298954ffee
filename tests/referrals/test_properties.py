"""Whatever friends do, in whatever order: who wins follows from a few plain sentences, counted here once more."""

import datetime as dt
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api_world import World
from referrals.friends import (
    START,
    assert_sound,
    bring_back,
    buy,
    code_of,
    later,
    listed,
    member,
    open_shop,
    rows,
    stars,
)

FRIENDS, WINDOW, LEAST, CAP = 4, 14, 30, 2
friends = st.integers(0, FRIENDS - 1)
acts = st.one_of(
    st.tuples(st.just("buy"), friends, st.sampled_from([20, 30, 90])),
    st.tuples(st.just("return"), friends, st.sampled_from([0, 15])),
    st.tuples(st.just("wait"), st.sampled_from([1, 6, 20]), st.just(0)),
)


class Story:
    """What happened, as plainly as it can be said. Days are counted from the start, at nine o'clock."""

    def __init__(self) -> None:
        self.day = 0
        self.first: dict[int, tuple[int, int]] = {}
        """Friend -> day and amount of the first order."""
        self.left: dict[int, int] = {}
        self.left_in_time: dict[int, int] = {}

    def buy(self, friend: int, amount: int) -> None:
        if friend not in self.first:
            self.first[friend] = self.day, amount
            self.left[friend] = self.left_in_time[friend] = amount

    def bring_back(self, friend: int, amount: int) -> bool:
        """Whether so much of the first order (0: all of it) can come back."""
        if self.left.get(friend, 0) < max(amount, 1):
            return False
        self.left[friend] -= amount or self.left[friend]
        if self.day - self.first[friend][0] < WINDOW:
            self.left_in_time[friend] = self.left[friend]
        return True

    def qualified(self) -> Counter[str]:
        """How many friends have qualified in each month in which they were due."""
        due = [self.first[friend][0] + WINDOW for friend, left in self.left_in_time.items() if left >= LEAST]
        return Counter((START + dt.timedelta(days=day)).strftime("%Y-%m") for day in due)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(acts, max_size=14))
def test_who_wins_follows_from_the_story(world: World, told: list[tuple[str, int, int]]) -> None:
    terms: dict[str, Any] = {"after": f"{WINDOW}d", "at_least": str(LEAST), "caps": {"referrer": f"{CAP} per month"}}
    open_shop(world, key=f"story-{world.count('program')}", **terms)
    ada = member(world, "ada")
    code = code_of(world, ada)
    people = [member(world, f"f{number}", referral_code=code) for number in range(FRIENDS)]
    story, orders = Story(), 0
    for what, one, amount in told:
        if what == "wait":
            story.day += one
            later(world, one)
        elif what == "buy":
            orders += 1
            name = "first" if one not in story.first else f"more {orders}"
            buy(world, people[one], f"{amount}.00", f"{people[one]} {name}")
            story.buy(one, amount)
        elif story.bring_back(one, amount):
            part: dict[str, Any] = {"lines": [{"line": 0, "amount": f"{amount}.00"}]} if amount else {}
            bring_back(world, people[one], f"{people[one]} first", **part)
    later(world, 90)
    qualified = story.qualified()
    wins = sum(min(CAP, number) for number in qualified.values())
    found = Counter(one["state"] for one in listed(world))
    assert (found["won"], found["capped"]) == (wins, sum(qualified.values()) - wins)
    earned = rows(
        world,
        "SELECT coalesce(sum(p.amount), 0) FROM posting p WHERE p.campaign IN ('won', 'joined') AND p.source = 'issued'"
        f" AND p.member_id IN (SELECT id FROM member WHERE program_id = {world.program_id})",
    )
    assert earned == [(100 * wins + 50 * sum(qualified.values()),)]
    assert stars(world, ada) == [10 * FRIENDS + 100 * wins]
    assert_sound(world)


def test_the_story_tells_something() -> None:
    story = Story()
    story.buy(0, 90)
    story.buy(1, 20)
    assert story.bring_back(0, 15)
    assert not story.bring_back(1, 30)
    assert story.qualified() == {"2026-03": 1}
