"""Group commit: everybody gets an answer, also when one event is poison, when it stops, and when too much waits."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

import pytest

from api_world import World
from events.shop import findings, purchase, rows
from events.submitting import submission
from setia.engine import decide as decide_module
from setia.events import committer, deciding
from setia.events.booked import Booked
from setia.events.booking import Answer, Submission
from setia.events.clerk import Clerk
from setia.events.committer import Committer
from setia.events.live import LivePrograms
from setia.problems import InternalError, Problem, Unavailable


class SlowClerk(Clerk):
    """Books only while the gate is open, and notes how many came together."""

    def __init__(self, world: World) -> None:
        super().__init__(world.database, LivePrograms(world.database))
        self.gate = threading.Event()
        self.sizes: list[tuple[int, int]] = []

    def book_free(self, program_id: int, submissions: Sequence[Submission]) -> list[Answer | None]:
        assert self.gate.wait(20)
        self.sizes.append((program_id, len(submissions)))
        return super().book_free(program_id, submissions)


@pytest.fixture
def clerk(world: World) -> SlowClerk:
    world.enrol(card="1")
    return SlowClerk(world)


@pytest.fixture
def queue(clerk: SlowClerk) -> Iterator[Committer]:
    running = Committer(clerk)
    running.start()
    yield running
    clerk.gate.set()
    running.stop()


def points(answers: list[Answer]) -> list[int]:
    return [answer.outcome.balances["stars"][0] for answer in answers if isinstance(answer, Booked)]


def waiting(queue: Committer) -> int:
    return queue._events_waiting


def until_taken(queue: Committer) -> None:
    """Wait until the first request has been taken, so that the next ones wait together."""
    deadline = time.monotonic() + 10
    while waiting(queue) and time.monotonic() < deadline:
        time.sleep(0.001)


def test_what_waits_is_booked_together_and_in_order(world: World, clerk: SlowClerk, queue: Committer) -> None:
    first = queue.submit(world.program_id, [submission(purchase("0"))])
    until_taken(queue)
    others = [queue.submit(world.program_id, [submission(purchase(f"{n}"))]) for n in range(1, 6)]
    two = queue.submit(world.program_id, [submission(purchase("6")), submission(purchase("7"))])
    clerk.gate.set()
    assert points(first.result(10)) == [10]
    assert [points(other.result(10)) for other in others] == [[20], [30], [40], [50], [60]]
    assert points(two.result(10)) == [70, 80]
    assert clerk.sizes == [(world.program_id, 1), (world.program_id, 7)]
    # One transaction has one moment of booking.
    assert rows(world, "SELECT count(DISTINCT booked_at) FROM journal WHERE seq > 2") == [(1,)]


def test_each_program_has_its_own_transaction(world: World, clerk: SlowClerk, queue: Committer) -> None:
    queue.submit(world.program_id, [submission(purchase("0"))])
    until_taken(queue)
    guest = {"type": "visit", "external_id": "g"}
    mine = queue.submit(world.program_id, [submission(purchase("1"))])
    theirs = queue.submit(world.other_program_id, [submission(guest)])
    later = queue.submit(world.program_id, [submission(guest)])
    clerk.gate.set()
    ids = [future.result(10)[0] for future in (mine, theirs, later)]
    assert [one.program_id for one in ids if isinstance(one, Booked)] == [1, 2, 1]
    assert clerk.sizes == [(1, 1), (1, 1), (2, 1), (1, 1)]


def test_no_transaction_is_larger_than_allowed(
    world: World, clerk: SlowClerk, queue: Committer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer, "MOST_TOGETHER", 3)
    futures = [queue.submit(world.program_id, [submission(purchase("0"))])]
    until_taken(queue)
    futures += [queue.submit(world.program_id, [submission(purchase(f"{n}"))]) for n in range(1, 8)]
    clerk.gate.set()
    assert [points(future.result(10)) for future in futures] == [[10 * n] for n in range(1, 9)]
    assert [size for _, size in clerk.sizes] == [1, 3, 3, 1]


def test_when_too_much_waits_more_is_refused_at_once(
    world: World, clerk: SlowClerk, queue: Committer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer, "MOST_WAITING", 4)
    first = queue.submit(world.program_id, [submission(purchase("0"))])
    until_taken(queue)
    full = queue.submit(world.program_id, [submission(purchase(f"{n}")) for n in range(1, 5)])
    with pytest.raises(Unavailable) as caught:
        queue.submit(world.program_id, [submission(purchase("5"))])
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (503, "1")
    clerk.gate.set()
    assert (points(first.result(10)), points(full.result(10))) == ([10], [20, 30, 40, 50])
    assert queue.submit(world.program_id, [submission(purchase("5"))]).result(10)
    assert (waiting(queue), world.count("event")) == (0, 7)


def test_a_stop_under_load_answers_everybody(world: World, clerk: SlowClerk) -> None:
    queue = Committer(clerk)
    queue.start()
    futures: list[Future[list[Answer]]] = []
    refused = 0
    stopping = threading.Thread(target=queue.stop)
    for number in range(60):
        if number == 40:
            stopping.start()
            clerk.gate.set()
        try:
            futures.append(queue.submit(world.program_id, [submission(purchase(f"{number}"))]))
        except Unavailable:
            refused += 1
        time.sleep(0.0005)
    stopping.join(20)
    answers = [future.result(0) for future in futures]
    assert all(isinstance(answer, Booked) for [answer] in answers)
    assert len(answers) + refused == 60
    assert world.count("event") == 1 + len(answers)
    with pytest.raises(Unavailable, match="stopping"):
        queue.submit(world.program_id, [submission(purchase("late"))])
    assert findings(world) == []


def test_who_has_gone_away_is_booked_all_the_same(world: World, clerk: SlowClerk, queue: Committer) -> None:
    queue.submit(world.program_id, [submission(purchase("0"))])
    until_taken(queue)
    gone = queue.submit(world.program_id, [submission(purchase("1"))])
    stays = queue.submit(world.program_id, [submission(purchase("2"))])
    assert gone.cancel()
    clerk.gate.set()
    assert points(stays.result(10)) == [30]
    assert world.count("event") == 4


def test_poison_does_not_hurt_its_neighbours(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.enrol(card="1")
    decide = decide_module.decide

    def poisoned(program: object, state: object, event: object, *more: object) -> object:
        if getattr(event, "external_id", None) == "poison":
            raise ZeroDivisionError
        return decide(program, state, event, *more)  # type: ignore[arg-type]  # a stand-in with the same shape

    monkeypatch.setattr(deciding, "decide", poisoned)
    with Clerk(world.database, LivePrograms(world.database)) as clerk:
        names = ["a", "poison", "b", "a", "c"]
        answers = clerk.book(world.program_id, [submission(purchase(name)) for name in names])
    assert [type(answer) for answer in answers] == [Booked, InternalError, Booked, Booked, Booked]
    assert points(answers) == [10, 20, 10, 30]
    assert [answer.replayed for answer in answers if isinstance(answer, Booked)] == [False, False, True, False]
    assert rows(world, "SELECT external_id FROM event WHERE source <> 'setia' ORDER BY external_id") == [
        ("a",), ("b",), ("c",),
    ]  # fmt: skip
    assert findings(world) == []


def test_a_problem_of_one_is_told_to_one(world: World, queue: Committer, clerk: SlowClerk) -> None:
    clerk.gate.set()
    futures = [
        queue.submit(world.program_id, [submission(purchase(f"{n}", member={"card": str(n)}))]) for n in range(3)
    ]
    answers = [future.result(10)[0] for future in futures]
    assert [answer.code if isinstance(answer, Problem) else "ok" for answer in answers] == [
        "unknown_member", "ok", "unknown_member",
    ]  # fmt: skip
