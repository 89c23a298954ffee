"""Velocity and reviews at once: counted exactly over members, threads and programs, and decided once."""

import pytest

from api_world import World
from events.shop import booked, enrolled, go_live, program, purchase, rows, send
from faults.test_reward_races import assert_sound, at_once, statuses
from reviews.test_deciding import decide, publish, reviewed, wallet
from rewards.counter import REWARDS, ask, member

pytestmark = pytest.mark.slow


def test_an_operator_is_counted_over_members(world: World) -> None:
    rule = {"per": "operator", "every": "1d", "more_than": {"events": 7}, "on": "purchase", "then": "refuse"}
    go_live(world, program(velocity={"rule": rule}))
    for number in range(10):
        enrolled(world, str(number))
    sent = [purchase(f"o{number}", member={"card": str(number % 10)}) for number in range(60)]
    answers = at_once([lambda one=one: send(world, one) for one in sent])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {201: 7, 409: 53}
    assert world.count("velocity_use") == 7
    assert_sound(world)


def test_a_member_is_counted_by_points(world: World) -> None:
    rule = {"per": "member", "every": "1d", "more_than": {"points": "35 stars"}, "on": "purchase", "then": "review"}
    go_live(world, program(velocity={"rule": rule}))
    enrolled(world)
    answers = at_once([lambda n=n: send(world, purchase(f"o{n}")) for n in range(20)])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {201: 20}
    assert wallet(world) == (30, 170)
    assert world.count("velocity_review") == 17
    assert_sound(world)


def test_redemptions_by_one_operator(world: World) -> None:
    rule = {"per": "operator", "every": "1d", "more_than": {"events": 5}, "on": "redemption", "then": "refuse"}
    go_live(world, program(velocity={"rule": rule}, rewards={"coffee": REWARDS["coffee"]}))
    people = [member(world, 150, str(number)) for number in range(20)]
    answers = at_once([lambda who=who: ask(world, who, reference=who, confirm=True) for who in people])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {201: 5, 409: 15}
    assert rows(world, "SELECT sum(available) FROM wallet") == [(15 * 150,)]
    assert_sound(world)


def test_a_review_is_decided_once(world: World) -> None:
    publish(world)
    enrolled(world)
    booked(world, purchase("o1"))
    review = reviewed(world)
    answers = at_once([lambda what=what: decide(world, review, what) for what in ("approve", "void") * 15])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {200: 15, 409: 15}
    assert wallet(world) in ((10, 0), (0, 0))
    assert sum("idempotent-replayed" not in one.headers for one in answers if one.status_code == 200) == 1
    assert_sound(world)
