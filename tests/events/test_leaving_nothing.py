"""A booking leaves nothing behind that Python has to look for: what it made is gone with its last name."""

import gc
from collections.abc import Iterator

import pytest

from api_world import World
from events.shop import STATUS, go_live, program, purchase
from events.submitting import submission
from setia.events.booked import Booked
from setia.events.clerk import Clerk
from setia.events.live import LivePrograms
from setia.garbage import look_seldom


@pytest.fixture
def collector() -> Iterator[None]:
    """Python's own settings again afterwards."""
    thresholds = gc.get_threshold()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("collector")
def test_a_booking_makes_no_cycles(world: World) -> None:
    go_live(world, program(tiers=[STATUS]))
    world.enrol(card="1")
    with Clerk(world.database, LivePrograms(world.database)) as clerk:
        # The first ones compile and fill caches.
        for number in range(2):
            clerk.book(world.program_id, [submission(purchase(f"first{number}"))])
        look_seldom()
        gc.disable()
        answers = clerk.book(world.program_id, [submission(purchase(f"{number}")) for number in range(20)])
        assert all(isinstance(answer, Booked) for answer in answers)
        del answers
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
    kinds = sorted({type(one).__qualname__ for one in gc.garbage})
    # Every member of every booking would stay until then, and be looked through: a fifth of what an event costs.
    assert kinds == []
