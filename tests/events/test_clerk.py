"""What a clerk does when a booking cannot go through: try again, or say so; and keep nothing."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors

from api_world import World
from events.shop import BASE, counts, findings, go_live, program, purchase, rows
from events.submitting import submission
from setia.db.engine import Database
from setia.events.booked import Booked
from setia.events.booking import Answer
from setia.events.clerk import Clerk
from setia.events.live import LivePrograms
from setia.events.problems import OutcomeUnknown
from setia.problems import InternalError, Problem, Unavailable


@pytest.fixture
def clerk(world: World) -> Iterator[Clerk]:
    world.enrol(card="1")
    with Clerk(world.database, LivePrograms(world.database)) as made:
        yield made


def kinds(answers: list[Answer]) -> list[type]:
    return [type(answer) for answer in answers]


def failing(clerk: Clerk, monkeypatch: pytest.MonkeyPatch, error: Exception, times: int = 10**9) -> list[int]:
    """Let the clerk's commits fail, `times` times; the list counts them."""
    connection = clerk._wire.get()
    commit = connection.commit
    failed: list[int] = []

    def broken() -> None:
        if len(failed) < times:
            failed.append(1)
            raise error
        commit()

    monkeypatch.setattr(connection, "commit", broken)
    return failed


@pytest.mark.parametrize("size", [1, 3])
def test_a_commit_that_fails_is_a_fault_of_ours_and_keeps_nothing(
    world: World, clerk: Clerk, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    before = counts(world)
    failing(clerk, monkeypatch, errors.CheckViolation("refused at commit"))
    answers = clerk.book(world.program_id, [submission(purchase(f"{n}")) for n in range(size)])
    assert kinds(answers) == [InternalError] * size
    assert counts(world) == before
    assert findings(world) == []


def test_a_commit_that_breaks_the_connection_leaves_the_outcome_unknown(
    world: World, clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(clerk, monkeypatch, psycopg.OperationalError("server closed the connection unexpectedly"))
    answers = clerk.book(world.program_id, [submission(purchase("1")), submission(purchase("2"))])
    assert kinds(answers) == [OutcomeUnknown] * 2
    assert {answer.status for answer in answers if isinstance(answer, Problem)} == {503}
    clerk.close()  # the next one is a connection without the fault
    answers = clerk.book(world.program_id, [submission(purchase("1")), submission(purchase("2"))])
    assert kinds(answers) == [Booked] * 2


def test_what_was_committed_before_the_connection_broke_is_known_afterwards(
    world: World, clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = clerk._wire.get()
    commit = connection.commit

    def breaks_after() -> None:
        commit()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(connection, "commit", breaks_after)
    assert kinds(clerk.book(world.program_id, [submission(purchase("1"))])) == [OutcomeUnknown]
    clerk.close()
    [answer] = clerk.book(world.program_id, [submission(purchase("1"))])
    assert isinstance(answer, Booked)
    assert (answer.replayed, world.count("event")) == (True, 2)


@pytest.mark.parametrize(
    "error", [errors.SerializationFailure("x"), errors.DeadlockDetected("x"), errors.UniqueViolation("x")]
)
def test_what_may_pass_is_tried_again(
    world: World, clerk: Clerk, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    failed = failing(clerk, monkeypatch, error, times=3)
    assert kinds(clerk.book(world.program_id, [submission(purchase("1"))])) == [Booked]
    assert (len(failed), world.count("event")) == (3, 2)


def test_what_never_passes_is_given_up(world: World, clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = failing(clerk, monkeypatch, errors.DeadlockDetected("x"))
    [answer] = clerk.book(world.program_id, [submission(purchase("1"))])
    assert isinstance(answer, InternalError | Unavailable)
    assert answer.status >= 500
    assert (len(failed), world.count("event")) == (8, 1)


def test_a_connection_that_was_cut_is_replaced(world: World, clerk: Clerk) -> None:
    pid = clerk._wire.get().info.backend_pid
    with world.database.transaction() as tx:
        tx.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
    first = clerk.book(world.program_id, [submission(purchase("1"))])
    assert kinds(first) in ([Unavailable], [Booked])
    assert kinds(clerk.book(world.program_id, [submission(purchase("1"))])) == [Booked]
    assert world.count("event") == 2


def test_a_database_that_is_away_is_said_to_be(world: World) -> None:
    programs = LivePrograms(world.database)
    with Database("postgresql://nobody@/nothing?host=/nonexistent") as nowhere, Clerk(nowhere, programs) as clerk:
        answers = clerk.book(world.program_id, [submission(purchase("1")), submission(purchase("2"))])
    assert kinds(answers) == [Unavailable] * 2


def test_a_budget_that_moved_is_read_again_with_its_lock(world: World, clerk: Clerk) -> None:
    campaigns = {"promo": {"on": "purchase", "earn": {"stars": 10}, "limits": [{"in_all": "25 stars"}]}}
    go_live(world, program(campaigns=campaigns))
    world.enrol(card="2")
    [_] = clerk.book(world.program_id, [submission(purchase("1"))])
    with world.database.raw_connection() as other:
        # Somebody spends while the clerk decides: what it read is no longer true when it writes.
        other.execute("UPDATE budget SET used = 20")
        answers: list[Any] = []
        work = threading.Thread(
            target=lambda: answers.extend(
                clerk.book(world.program_id, [submission(purchase("2", member={"card": "2"}))])
            )
        )
        work.start()
        work.join(0.3)
        assert work.is_alive()
    work.join(10)
    [answer] = answers
    assert [effect.amount for effect in answer.outcome.points] == [5]
    assert rows(world, "SELECT used FROM budget") == [(25,)]


def test_a_version_that_is_published_meanwhile_decides_the_next(world: World, clerk: Clerk) -> None:
    [one] = clerk.book(world.program_id, [submission(purchase("1"))])
    go_live(world, program(campaigns={**BASE, "more": {"on": "purchase", "earn": {"stars": 1}}}))
    [two] = clerk.book(world.program_id, [submission(purchase("2"))])
    assert isinstance(one, Booked)
    assert isinstance(two, Booked)
    assert (one.version, two.version, two.outcome.balances["stars"][0]) == (1, 2, 21)
