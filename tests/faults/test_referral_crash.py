"""Processes that are killed while a friend's purchase leads to a reward: it comes later, once, and nothing is lost."""

import datetime as dt
import multiprocessing
import signal

import pytest

from api_world import World
from faults.dying_friends import buy_and_die
from referrals.friends import assert_sound, buy, open_shop, pair, stars, states
from setia.referrals.due import go_on_due

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("where", ["before", "within"])
def test_a_process_that_is_killed_between_purchase_and_reward(world: World, where: str) -> None:
    open_shop(world, live=True)
    ada, bob = pair(world)
    url = world.database.url.render_as_string(hide_password=False)
    process = multiprocessing.get_context("spawn").Process(target=buy_and_die, args=(url, world.owner, bob, where))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    # The purchase was committed, and nothing of the reward.
    assert states(world) == [("joined", None)]
    assert stars(world, ada, bob) == [10, 5]
    # The client sends it again, as after any answer that was lost; a repetition is no news.
    assert buy(world, bob, "20.00", "o1").headers["idempotent-replayed"] == "true"
    assert states(world) == [("joined", None)]
    assert go_on_due(world.database, world.app.state.programs, dt.datetime.now(dt.UTC)) == 1
    assert stars(world, ada, bob) == [110, 55]
    assert_sound(world)
