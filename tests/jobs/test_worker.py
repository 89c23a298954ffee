"""A worker settles what is due by itself, goes on when something fails, and stops when it is told to."""

import time
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from api_world import World
from events.shop import rows
from jobs.due_world import expiries, make_due, wait_until
from setia.db.engine import Database
from setia.events import settling as events_settling
from setia.events.live import LivePrograms
from setia.events.settling import Chunk, settle_chunk
from setia.jobs import settling as jobs_settling
from setia.jobs import worker as jobs_worker
from setia.jobs.app import make_app
from setia.jobs.settling import SETTLE
from setia.jobs.worker import Worker
from setia.ledger.verify import verify

_JOBS = "SELECT count(*) FROM procrastinate.procrastinate_jobs"
_WORKERS = "SELECT count(*) FROM procrastinate.procrastinate_workers"


@pytest.fixture
def chunks_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_settling, "CHUNK", 3)


def test_a_worker_finds_what_is_due_and_books_it_once(world: World, chunks_of_three: None) -> None:
    # given more members than fit into a chunk, whose points have ended
    make_due(world, 8)
    before = REGISTRY.get_sample_value("setia_settled_members_total") or 0

    # when a worker runs
    worker = Worker(world.database, LivePrograms(world.database))
    worker.start()
    wait_until(lambda: expiries(world) == (8, 8))
    wait_until(lambda: rows(world, _JOBS) == [(0,)])
    worker.stop()

    # then everything is booked, and it has left nothing behind
    assert rows(world, "SELECT sum(expired)::int, sum(remaining)::int FROM lot") == [(80, 0)]
    assert verify(world.database).findings == []
    assert rows(world, _WORKERS) == [(0,)]
    assert REGISTRY.get_sample_value("setia_settled_members_total") == before + 8
    ended = REGISTRY.get_sample_value("setia_jobs_total", {"task": SETTLE, "outcome": "succeeded"})
    assert ended is not None
    assert ended > 0


def test_workers_in_parallel_book_nothing_twice(world: World, chunks_of_three: None) -> None:
    make_due(world, 60)
    workers = [Worker(world.database, LivePrograms(world.database)) for _ in range(3)]
    for worker in workers:
        worker.start()
    wait_until(lambda: expiries(world)[0] >= 60)
    for worker in workers:
        worker.stop()
    assert expiries(world) == (60, 60)
    assert rows(world, "SELECT sum(expired)::int, sum(remaining)::int FROM lot") == [(600, 0)]
    assert verify(world.database).findings == []


def test_a_worker_that_is_told_to_stop_ends_after_its_chunk(
    world: World, chunks_of_three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a worker that has settled one chunk of several
    make_due(world, 9)
    worker = Worker(world.database, LivePrograms(world.database))

    def told_meanwhile(*arguments: Any) -> Chunk:
        worker.ask_to_stop()
        return settle_chunk(*arguments)

    monkeypatch.setattr(jobs_settling, "settle_chunk", told_meanwhile)
    worker.run()
    assert expiries(world) == (3, 3)
    # what is left over waits for another worker, perhaps beside other works of this minute
    waiting = "SELECT task_name, queueing_lock FROM procrastinate.procrastinate_jobs WHERE status = 'todo'"
    assert (SETTLE, f"{SETTLE}:{world.program_id}") in rows(world, waiting)

    # who goes on where it stopped
    monkeypatch.setattr(jobs_settling, "settle_chunk", settle_chunk)
    another = Worker(world.database, LivePrograms(world.database))
    another.start()
    wait_until(lambda: expiries(world) == (9, 9))
    another.stop()


def test_a_worker_can_be_stopped_before_it_has_begun(database: Database) -> None:
    worker = Worker(database, LivePrograms(database))
    worker.stop()
    worker.run()
    with database.transaction() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM procrastinate.procrastinate_events").scalar_one() == 0


def test_a_worker_is_stopped_while_it_begins(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(database, LivePrograms(database))

    def told_meanwhile(*arguments: Any) -> Any:
        worker.ask_to_stop()
        return make_app(*arguments)

    monkeypatch.setattr(jobs_worker, "make_app", told_meanwhile)
    worker.run()
    with database.transaction() as tx:
        assert tx.exec_driver_sql(_WORKERS).scalar_one() == 0


def test_without_its_tables_a_worker_waits_and_says_so_in_a_line(empty_database_url: str) -> None:
    with Database(empty_database_url) as database, capture_logs() as logs:
        worker = Worker(database, LivePrograms(database), pause_seconds=0.05)
        worker.start()
        wait_until(lambda: len(logs) > 1)
        worker.stop()
    assert logs[0] == {"event": "jobs_put_off", "kind": "ConnectorException", "log_level": "warning"}


def test_no_fault_ends_a_worker_for_good(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    make_due(world, 1)
    tries: list[float] = []

    def flaky(*arguments: Any) -> Any:
        tries.append(time.monotonic())
        if len(tries) == 1:
            raise RuntimeError
        return make_app(*arguments)

    monkeypatch.setattr(jobs_worker, "make_app", flaky)
    worker = Worker(world.database, LivePrograms(world.database), pause_seconds=0.01)
    worker.start()
    wait_until(lambda: expiries(world) == (1, 1))
    worker.stop()
    assert len(tries) == 2
