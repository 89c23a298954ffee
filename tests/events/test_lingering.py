"""Whether a committer waits a moment for more, and what it learns from it."""

import threading
import time
from collections.abc import Sequence

import pytest

from api_world import World
from events.shop import purchase
from events.submitting import submission
from setia.events import lingering
from setia.events.booked import Booked
from setia.events.booking import Answer, Submission
from setia.events.clerk import Clerk
from setia.events.committer import Committer
from setia.events.lingering import FEWEST, MOST, Lingering
from setia.events.live import LivePrograms


def test_nobody_is_waited_for_at_first() -> None:
    assert Lingering().target(7) == 0


@pytest.mark.parametrize(
    ("last", "waiting", "target"),
    [(FEWEST - 1, 9, 0), (FEWEST, 9, FEWEST + 9), (MOST, 0, MOST), (MOST + 1, 9, 0), (8, 8, 16)],
)
def test_those_who_were_answered_are_waited_for_beside_those_who_wait(last: int, waiting: int, target: int) -> None:
    linger = Lingering()
    linger.booked(last)
    assert linger.target(waiting) == target


def test_who_does_not_come_is_waited_for_less_and_less() -> None:
    linger = Lingering()
    linger.booked(10)
    left_alone = []
    for _ in range(9):
        pause = 0
        while not linger.target(0):
            pause += 1
        left_alone.append(pause)
        linger.waited(reached=False)
    assert left_alone == [0, 2, 4, 8, 16, 32, 64, 64, 64]


def test_who_comes_in_time_is_waited_for_again() -> None:
    linger = Lingering()
    linger.booked(10)
    for _ in range(3):
        linger.waited(reached=False)
    while not linger.target(0):
        pass
    linger.waited(reached=True)
    assert [linger.target(n) for n in range(3)] == [10, 11, 12]


class CountingClerk(Clerk):
    """Notes how many came together."""

    def __init__(self, world: World) -> None:
        super().__init__(world.database, LivePrograms(world.database))
        self.sizes: list[int] = []

    def book_free(self, program_id: int, submissions: Sequence[Submission]) -> list[Answer | None]:
        self.sizes.append(len(submissions))
        return super().book_free(program_id, submissions)


def test_those_who_send_without_pause_are_booked_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # So long that it is their coming which ends the waiting, however busy the machine is.
    monkeypatch.setattr(lingering, "SECONDS", 20.0)
    world.enrol(card="1")
    clerk = CountingClerk(world)
    queue = Committer(clerk)
    first = [queue.submit(world.program_id, [submission(purchase(f"0-{n}"))]) for n in range(6)]
    queue.start()
    for future in first:
        future.result(20)
    senders = [
        threading.Thread(target=lambda n=n: queue.submit(world.program_id, [submission(purchase(f"1-{n}"))]).result(60))
        for n in range(6)
    ]
    for sender in senders:
        time.sleep(0.01)
        sender.start()
    for sender in senders:
        sender.join(60)
    assert clerk.sizes == [6, 6]
    queue.stop()


def test_a_committer_that_waits_for_more_stops_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "SECONDS", 600.0)
    world.enrol(card="1")
    clerk = CountingClerk(world)
    queue = Committer(clerk)
    futures = [queue.submit(world.program_id, [submission(purchase(f"{n}"))]) for n in range(FEWEST)]
    queue.start()
    assert all(isinstance(answer, Booked) for future in futures for answer in future.result(20))
    late = queue.submit(world.program_id, [submission(purchase("late"))])
    stopping = threading.Thread(target=queue.stop)
    stopping.start()
    stopping.join(20)
    assert not stopping.is_alive()
    assert [type(answer) for answer in late.result(0)] == [Booked]
