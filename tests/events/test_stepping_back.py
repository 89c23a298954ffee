"""Events whose member is being booked for step back, and nobody else waits for them."""

import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from api_world import World
from events.shop import findings, purchase, rows
from events.submitting import submission
from setia.events import committer
from setia.events.booked import Booked
from setia.events.booking import Answer, Submission
from setia.events.clerk import Clerk
from setia.events.committer import Committer
from setia.events.live import LivePrograms
from setia.events.rebuild import rebuild_states


class WatchedClerk(Clerk):
    """Notes how it was asked to book, and waits for the gate before it does."""

    def __init__(self, world: World) -> None:
        super().__init__(world.database, LivePrograms(world.database))
        self.gate = threading.Event()
        self.asked: list[tuple[str, list[str | None]]] = []
        self.put_off = threading.Event()

    def book(self, program_id: int, submissions: Sequence[Submission]) -> list[Answer]:
        self._note("all", submissions)
        return super().book(program_id, submissions)

    def book_free(self, program_id: int, submissions: Sequence[Submission]) -> list[Answer | None]:
        self._note("free", submissions)
        answers = super().book_free(program_id, submissions)
        if None in answers:
            self.put_off.set()
        return answers

    def _note(self, how: str, submissions: Sequence[Submission]) -> None:
        assert self.gate.wait(20)
        self.asked.append((how, [one.draft.sent.external_id for one in submissions]))


@pytest.fixture
def clerk(world: World) -> Iterator[WatchedClerk]:
    for card in ("1", "2"):
        world.enrol(card=card)
    with WatchedClerk(world) as made:
        yield made


@pytest.fixture
def queue(clerk: WatchedClerk) -> Iterator[Committer]:
    running = Committer(clerk)
    running.start()
    yield running
    clerk.gate.set()
    running.stop()


@contextmanager
def busy(world: World, card: str) -> Iterator[None]:
    """Somebody else books for a member until the block ends."""
    with world.database.raw_connection() as connection:
        connection.execute(
            "SELECT FROM member_state WHERE member_id = (SELECT member_id FROM member_identifier WHERE value = %s) "
            "FOR UPDATE",
            (card,),
        )
        yield


def of(card: str, external_id: str, **more: Any) -> Mapping[str, Any]:
    return purchase(external_id, member={"card": card}, **more)


def told(answers: Sequence[Answer | None]) -> list[str]:
    """In short: what each event came to."""
    return [
        "later" if answer is None else str(answer.outcome.balances["stars"][0]) if isinstance(answer, Booked)
        else answer.code
        for answer in answers
    ]  # fmt: skip


def test_who_is_free_is_booked_and_the_others_are_put_off(world: World, clerk: WatchedClerk) -> None:
    clerk.gate.set()
    events = [
        of("2", "a"),
        of("1", "b"),
        of("3", "nobody"),
        of("2", "b", amount="11.00"),  # the same key as an event that waits: it must not come first
        of("2", "c"),  # the member's next, after one that waits
        of("2", "a"),
    ]
    with busy(world, "1"):
        answers = clerk.book_free(world.program_id, [submission(event) for event in events])
    assert told(answers) == ["10", "later", "unknown_member", "later", "later", "later"]
    assert rows(world, "SELECT external_id FROM event WHERE source = 'api'") == [("a",)]
    rest = [events[place] for place in (1, 3, 4, 5)]
    again = clerk.book(world.program_id, [submission(event) for event in rest])
    assert told(again) == ["10", "external_id_reused", "20", "10"]
    assert findings(world) == []


def test_the_neighbours_of_a_busy_member_are_answered_meanwhile(
    world: World, clerk: WatchedClerk, queue: Committer
) -> None:
    with busy(world, "1"):
        waits = queue.submit(world.program_id, [submission(of("1", "a")), submission(of("2", "b"))])
        free = queue.submit(world.program_id, [submission(of("2", "c"))])
        clerk.gate.set()
        assert told(free.result(10)) == ["20"]
        assert not waits.done()
    assert told(waits.result(10)) == ["10", "10"]
    # Alone, it has nothing better to do than to wait for the member.
    assert clerk.asked == [("free", ["a", "b", "c"]), ("all", ["a"])]
    assert queue._events_waiting == 0


def test_an_event_waits_for_its_member_in_the_end(
    world: World, clerk: WatchedClerk, queue: Committer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer, "MOST_PUT_OFF", 1)
    with busy(world, "1"):
        first = queue.submit(world.program_id, [submission(of("1", "a"))])
        clerk.gate.set()
        assert clerk.put_off.wait(10)
    assert told(first.result(10)) == ["10"]
    clerk.gate.clear()
    clerk.put_off.clear()
    clerk.asked.clear()
    with busy(world, "1"):
        first = queue.submit(world.program_id, [submission(of("1", "b"))])
        while queue._events_waiting:
            pass
        second = queue.submit(world.program_id, [submission(of("2", "c"))])
        clerk.gate.set()
        assert clerk.put_off.wait(10)
    assert (told(first.result(10)), told(second.result(10))) == (["20"], ["10"])
    # It has stepped back as often as it may: the other waits with it.
    assert clerk.asked == [("free", ["b"]), ("all", ["b", "c"])]


def test_what_was_put_off_does_not_fill_the_next_transaction(
    world: World, clerk: WatchedClerk, queue: Committer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer, "MOST_TOGETHER", 2)
    with busy(world, "1"):
        futures = [
            queue.submit(world.program_id, [submission(of("1", f"{n}a")), submission(of("2", f"{n}b"))])
            for n in range(3)
        ]
        clerk.gate.set()
        until = threading.Event()
        while len(clerk.asked) < 3 and not until.wait(0.001):
            pass
    assert [told(future.result(10)) for future in futures] == [["10", "10"], ["20", "20"], ["30", "30"]]
    together = [ids for _, ids in clerk.asked]
    assert sorted(id_ for ids in together[:3] for id_ in ids if id_ and "b" in id_) == ["0b", "1b", "2b"]
    assert max(len(ids) for ids in together) > 2


@pytest.mark.slow
def test_two_queues_that_share_few_members(world: World) -> None:
    cards = [str(number) for number in range(1, 31)]
    for card in cards:
        world.enrol(card=card)
    programs = LivePrograms(world.database)
    queues = [Committer(Clerk(world.database, programs)) for _ in range(2)]
    for queue in queues:
        queue.start()
    before = committer._put_off._value.get()
    chance = random.Random(5)  # noqa: S311 - it draws cards
    futures = []
    for round_ in range(12):
        for number, queue in enumerate(queues):
            events = [of(chance.choice(cards), f"{number}-{round_}-{index}") for index in range(40)]
            futures.append(queue.submit(world.program_id, [submission(event) for event in events]))
    for future in futures:
        assert all(isinstance(answer, Booked) for answer in future.result(60))
    for queue in queues:
        queue.stop()
    assert committer._put_off._value.get() > before
    assert rows(world, "SELECT count(*) FROM event WHERE source = 'api'") == [(960,)]
    assert rows(world, "SELECT sum(available) FROM wallet WHERE point_type = 'stars'") == [(9600,)]
    assert findings(world) == []
    assert rebuild_states(world.database, world.program_id, check=True).different == 0
    # Of one request a member's events are booked in the order given, though some stepped back and others did not.
    order = rows(
        world,
        "SELECT count(*) FROM (SELECT split_part(external_id, '-', 3)::int AS index, "
        "lag(split_part(external_id, '-', 3)::int) OVER ("
        "PARTITION BY e.member_id, split_part(external_id, '-', 1), split_part(external_id, '-', 2) ORDER BY j.seq"
        ") AS before FROM event e JOIN journal j ON j.id = e.id WHERE e.source = 'api') x WHERE before > index",
    )
    assert order == [(0,)]
