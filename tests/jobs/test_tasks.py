"""What each job does, one at a time: look, settle within a time, put off what fails, tidy up."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

import procrastinate
import pytest
from structlog.testing import capture_logs

from api_world import World, definition
from events.shop import rows
from jobs.due_world import expiries, make_due
from setia.db.ids import format_id
from setia.events import settling as events_settling
from setia.events.live import LivePrograms
from setia.events.settling import Chunk, settle_chunk
from setia.events.time_entries import TimeEntries
from setia.jobs import settling as jobs_settling
from setia.jobs.app import make_app, make_pool
from setia.jobs.settling import FIRST_PAUSE, LONGEST_PAUSE, LOOK, SETTLE, Settling
from setia.jobs.tidying import TIDY
from setia.program.definition import Program
from setia.versions.service import publish

_WAITING = """
SELECT task_name, args, round(extract(epoch FROM scheduled_at - now())) FROM procrastinate.procrastinate_jobs
WHERE status = 'todo' ORDER BY id
"""


@pytest.fixture
def chunks_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_settling, "CHUNK", 3)


def _with_app(
    world: World, work: Callable[[procrastinate.App], Awaitable[None]], settling: Settling | None = None
) -> None:
    async def run() -> None:
        app = make_app(settling or Settling(world.database, LivePrograms(world.database)))
        async with make_pool(world.database) as pool, app.open_async(pool):
            await work(app)

    asyncio.run(run())


def _call(world: World, task: str, settling: Settling | None = None, **arguments: Any) -> None:
    async def work(app: procrastinate.App) -> None:
        await app.tasks[task](**arguments)

    _with_app(world, work, settling)


def test_a_look_defers_one_job_for_a_program_however_often(world: World) -> None:
    make_due(world, 1)
    _call(world, LOOK, timestamp=0)
    _call(world, LOOK, timestamp=60)
    assert rows(world, _WAITING) == [(SETTLE, {"program_id": world.program_id, "failures": 0}, None)]


def test_a_look_leaves_programs_alone_in_which_nothing_is_due_or_whose_time_stands(world: World) -> None:
    # given members whose points end in a day, and a test program whose clock stands
    make_due(world, 1)
    with world.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE member_state SET due_at = now() + interval '1 day'")
        test = publish(tx, Program.model_validate(definition("tried")), "test", mode="test").version.program_id
        tx.exec_driver_sql(
            "INSERT INTO member (id, program_id, status, enrolled_at) "
            f"VALUES (gen_random_uuid(), {test}, 'active', now())"
        )
        tx.exec_driver_sql(
            "INSERT INTO member_state (member_id, program_id, updated_at, due_at) "
            f"SELECT id, program_id, now(), now() - interval '1 day' FROM member WHERE program_id = {test}"
        )
    _call(world, LOOK, timestamp=0)
    assert rows(world, _WAITING) == []


def test_a_job_whose_time_is_over_lets_others_go_first(world: World, chunks_of_three: None) -> None:
    make_due(world, 9)
    settling = Settling(world.database, LivePrograms(world.database), seconds=0)
    _call(world, SETTLE, settling, program_id=world.program_id)
    assert expiries(world) == (0, 0)
    assert [row[:2] for row in rows(world, _WAITING)] == [(SETTLE, {"program_id": world.program_id, "failures": 0})]


def test_a_job_with_more_than_a_chunk_asks_others_to_join_in(world: World, chunks_of_three: None) -> None:
    make_due(world, 4)
    _call(world, SETTLE, program_id=world.program_id)
    assert expiries(world) == (4, 4)
    assert [row[:2] for row in rows(world, _WAITING)] == [(SETTLE, {"program_id": world.program_id, "failures": 0})]


@pytest.fixture
def ill(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The members, by card, for whom nothing can be booked."""
    cards: list[str] = []
    of_lots = TimeEntries.of_lots

    def failing(entries: TimeEntries, member: Any, *more: Any) -> Any:
        known = rows(world, f"SELECT value FROM member_identifier WHERE member_id = '{member.id}'")
        if known[0][0] in cards:
            raise RuntimeError("this member is ill")
        return of_lots(entries, member, *more)

    monkeypatch.setattr(TimeEntries, "of_lots", failing)
    return cards


def test_a_member_who_cannot_be_settled_holds_up_nobody(world: World, chunks_of_three: None, ill: list[str]) -> None:
    make_due(world, 5)
    ill.append("1")
    with capture_logs() as logs:
        _call(world, SETTLE, program_id=world.program_id)
    assert expiries(world) == (4, 4)
    [(member,)] = rows(world, "SELECT member_id FROM member_identifier WHERE value = '1'")
    assert {line["member"] for line in logs if line["event"] == "member_not_settled"} == {format_id("mem", member)}

    # who is well again is settled the next time
    ill.clear()
    _call(world, SETTLE, program_id=world.program_id)
    assert expiries(world) == (5, 5)


def test_what_is_so_with_a_whole_chunk_is_a_fault_of_the_job(
    world: World, chunks_of_three: None, ill: list[str]
) -> None:
    make_due(world, 3)
    ill += ["0", "1", "2"]
    with pytest.raises(RuntimeError, match="ill"):
        _call(world, SETTLE, program_id=world.program_id)
    assert expiries(world) == (0, 0)


def test_a_job_with_one_chunk_asks_nobody(world: World, chunks_of_three: None) -> None:
    make_due(world, 2)
    _call(world, SETTLE, program_id=world.program_id)
    assert expiries(world) == (2, 2)
    assert rows(world, _WAITING) == []


@pytest.mark.parametrize(
    ("failures", "pause"), [(0, FIRST_PAUSE), (1, 2 * FIRST_PAUSE), (5, 32 * FIRST_PAUSE), (30, LONGEST_PAUSE)]
)
def test_a_job_that_fails_is_tried_again_after_longer_and_longer(
    world: World, monkeypatch: pytest.MonkeyPatch, failures: int, pause: int
) -> None:
    def broken(*_arguments: Any) -> Chunk:
        raise RuntimeError("this program is ill")

    monkeypatch.setattr(jobs_settling, "settle_chunk", broken)
    with pytest.raises(RuntimeError, match="ill"):
        _call(world, SETTLE, program_id=world.program_id, failures=failures)
    [(task, arguments, seconds)] = rows(world, _WAITING)
    assert (task, arguments) == (SETTLE, {"program_id": world.program_id, "failures": failures + 1})
    assert pause - 5 <= seconds <= pause
    # and a look does not hasten it
    make_due(world, 1)
    _call(world, LOOK, timestamp=0)
    assert len(rows(world, _WAITING)) == 1


def test_a_program_that_fails_does_not_hold_up_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    make_due(world, 2)

    def half_broken(database: Any, programs: Any, program_id: int, now: dt.datetime) -> Chunk:
        if program_id == world.other_program_id:
            raise RuntimeError("this program is ill")
        return settle_chunk(database, programs, program_id, now)

    async def work(app: procrastinate.App) -> None:
        for program_id in (world.other_program_id, world.program_id):
            await app.configure_task(SETTLE).defer_async(program_id=program_id)
        await app.run_worker_async(wait=False, listen_notify=False)

    monkeypatch.setattr(jobs_settling, "settle_chunk", half_broken)
    _with_app(world, work)
    assert expiries(world) == (2, 2)
    ended = "SELECT (args ->> 'program_id')::int, status::text FROM procrastinate.procrastinate_jobs"
    assert set(rows(world, f"{ended} WHERE status <> 'todo' AND task_name = '{SETTLE}'")) == {
        (world.other_program_id, "failed"),
        (world.program_id, "succeeded"),
    }


def test_tidying_ends_jobs_of_lost_workers_and_forgets_old_ones(world: World) -> None:
    with world.database.transaction() as tx:
        tx.exec_driver_sql("""
            SET LOCAL search_path = procrastinate;
            INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()), (now() - interval '1 hour');
            INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id)
                SELECT 'default', CASE WHEN last_heartbeat = now() THEN 'of a living' ELSE 'of a lost' END, 'doing', id
                FROM procrastinate_workers ORDER BY id;
            INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES
                ('default', 'failed lately', 'failed'), ('default', 'failed long ago', 'failed');
            INSERT INTO procrastinate_events (job_id, type, at)
                SELECT id, 'failed', now() - CASE WHEN task_name = 'failed lately' THEN interval '6 days'
                                                  ELSE interval '8 days' END
                FROM procrastinate_jobs WHERE status = 'failed';
        """)
    _call(world, TIDY, timestamp=0)
    assert rows(world, "SELECT task_name, status::text FROM procrastinate.procrastinate_jobs ORDER BY id") == [
        ("of a living", "doing"),
        ("of a lost", "failed"),
        ("failed lately", "failed"),
    ]
