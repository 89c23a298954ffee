"""What the guides for operators say of the database holds: the grants suffice, and a dump can be loaded again."""

import datetime as dt
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from api_world import World, make_world
from jobs.due_world import expiries, make_due, wait_until
from setia.db.embedded import EmbeddedServer
from setia.db.engine import Database
from setia.db.migrate import upgrade
from setia.events.live import LivePrograms
from setia.jobs.worker import Worker
from setia.ledger.verify import verify
from setia.settings import Settings

GUIDES = Path(__file__).parents[2] / "docs" / "how-to"
ROLE = "setia_server"
PURCHASE = {"type": "purchase", "currency": "EUR", "lines": [{"sku": "latte", "amount": "9.00"}]}


def blocks(page: str, language: str) -> list[str]:
    text = (GUIDES / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def as_server(database: Database) -> Iterator[Database]:
    """The database, seen by the role that the guide makes."""
    _, grants = blocks("production.md", "sql")
    with database.transaction() as tx:
        tx.exec_driver_sql(grants)
    url = database.url.update_query_dict({"options": f"-c role={ROLE}"})
    served = Database(url.render_as_string(hide_password=False))
    try:
        yield served
    finally:
        served.close()
        # Roles belong to the server, which other tests use too.
        with database.transaction() as tx:
            tx.exec_driver_sql(f"DROP OWNED BY {ROLE}")
            tx.exec_driver_sql(f"DROP ROLE {ROLE}")


def do_everything(world: World) -> None:
    member = world.enrol(card="4711")["id"]
    for number, who in enumerate(({"card": "4711"}, {"card": "1"}, None)):
        event = {**PURCHASE, "external_id": f"order-{number}"} | ({} if who is None else {"member": who})
        answer = world.call("POST", "/v1/events", json=event)
        assert answer.status_code == (422 if number == 1 else 201), answer.text
    place = f"/v1/members/{member}"
    body = {"points": "stars", "amount": 5, "reason": "Lost parcel"}
    answers = [
        world.call("POST", f"{place}/adjustments", json=body, headers={"Idempotency-Key": "one"}),
        world.call("PATCH", place, json={"tags": ["regular"]}),
        world.call("POST", f"{place}/suspend", json={"reason": "Asked for."}),
        world.call("POST", f"{place}/reactivate", json={"reason": "Asked for."}),
        world.call("GET", f"{place}/statement"),
        world.call("GET", "/readyz"),
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200, 200]


def test_the_grants_of_the_guide_are_enough_to_serve(as_server: Database) -> None:
    world = make_world(as_server)
    with world.client:
        do_everything(world)
    assert verify(as_server).is_clean


def test_the_grants_of_the_guide_are_enough_to_run_jobs(database: Database, as_server: Database) -> None:
    # given points that have ended, as the owner of the tables arranges it
    world = make_world(database)
    with world.client:
        make_due(world, 2)

    worker = Worker(as_server, LivePrograms(as_server))
    worker.start()
    wait_until(lambda: expiries(world) == (2, 2))
    worker.stop()
    assert verify(as_server).is_clean


@pytest.mark.parametrize("statement", ["DELETE FROM posting", "UPDATE journal SET actor = 'me'", "DELETE FROM event"])
def test_with_the_grants_of_the_guide_history_cannot_be_changed(as_server: Database, statement: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError) as refused, as_server.transaction() as tx:
        tx.exec_driver_sql(statement)
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)
    assert "permission denied" in str(refused.value.orig)


@pytest.mark.slow
def test_a_dump_made_as_the_guide_says_can_be_loaded_and_agrees(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, shared_server: EmbeddedServer
) -> None:
    folder = shared_server.data_dir.parent
    given, restored = folder / "backup-given", folder / "backup-restored"
    script = tmp_path_factory.mktemp("backup") / "backup.py"
    script.write_text(blocks("backup.md", "python")[0])
    dump = script.with_name("setia.dump")
    with Database.open(Settings(data_dir=given)) as database:
        upgrade(database)
        world = make_world(database)
        with world.client:
            do_everything(world)
        before = verify(database)

        run(script, "save", dump, given)

    run(script, "load", dump, restored)
    with Database.open(Settings(data_dir=restored)) as database:
        after = verify(database)
        assert after.is_clean
        assert after.totals == before.totals
        assert (after.entries, after.postings) == (before.entries, before.postings)
        with database.transaction() as tx:
            assert tx.execute(sa.text("SELECT max(booked_at) FROM journal")).scalar_one() <= dt.datetime.now(dt.UTC)


def run(script: Path, what: str, dump: Path, data_dir: Path) -> None:
    done = subprocess.run(
        [sys.executable, script, what, dump],
        env={"PATH": "/usr/bin:/bin", "SETIA_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
