"""Payments at once: points are held once, whoever asks."""

import pytest

from api_world import World
from faults.test_reward_races import assert_sound, at_once, statuses
from payments.test_router import PAY, end, held, pay
from rewards.counter import member, open_shop, wallet

pytestmark = pytest.mark.slow


def test_many_baskets_with_points_for_three(world: World) -> None:
    open_shop(world, rewards={"pay": PAY})
    who = member(world, 399)
    answers = at_once([lambda n=n: pay(world, who, f"b{n}", points=100) for n in range(30)])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {201: 3, 409: 27}
    assert wallet(world) == [(99, 300)]
    assert_sound(world)


def test_a_payment_is_confirmed_or_cancelled(world: World) -> None:
    open_shop(world, rewards={"pay": PAY})
    who = member(world, 400)
    found = held(world, who, points=400)
    answers = at_once([lambda what=what: end(world, found, what) for what in ("confirm", "cancel") * 10])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {200: 10, 409: 10}
    assert wallet(world) in ([(0, 0)], [(400, 0)])
    assert_sound(world)
