"""kill -9 of the server and of PostgreSQL under load: nothing that was acknowledged is lost, nothing is there twice."""

import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from events.shop import BASE, WELCOME, program
from faults.shop_under_fire import Client, Server
from setia.db.engine import Database
from setia.db.migrate import upgrade
from setia.events.rebuild import rebuild_states
from setia.identity.scopes import Scope
from setia.identity.service import create_key
from setia.ledger.verify import verify
from setia.program.definition import Program
from setia.versions.service import publish

pytestmark = [pytest.mark.slow, pytest.mark.faults]


@pytest.fixture
def server() -> Iterator[Server]:
    # Not pytest's folder: as root the database runs as another user, who cannot enter that.
    folder = Path(tempfile.mkdtemp(prefix="setia-crash-"))
    folder.chmod(0o711)
    made = Server(folder)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


def prepared(database: Database) -> tuple[int, str]:
    """A program that enrols strangers, with a budget that ends under load; its number, and a key."""
    upgrade(database)
    limits = [{"in_all": "500 stars"}]
    campaigns = {**BASE, **WELCOME, "promo": {"on": "purchase", "earn": {"stars": 3}, "limits": limits}}
    with database.transaction() as tx:
        whole = Program.model_validate(program("enrol", campaigns=campaigns))
        program_id = publish(tx, whole, "test").version.program_id
        return program_id, str(create_key(tx, program_id, "live", [Scope.EVENTS_WRITE]))


def acknowledged(clients: list[Client]) -> int:
    return sum(len(client.acknowledged) for client in clients)


def until_more(clients: list[Client], before: int) -> None:
    """Wait until events are acknowledged again: else the next blow would meet nobody."""
    deadline = time.monotonic() + 30
    while acknowledged(clients) <= before + 20:
        assert time.monotonic() < deadline, [client.last for client in clients]  # serve.log tells why
        assert all(client.unexpected == [] for client in clients), [client.unexpected for client in clients]
        time.sleep(0.02)


def test_nothing_is_lost_and_nothing_is_there_twice(server: Server) -> None:
    seed = random.randrange(10**9)  # noqa: S311 - no secret
    sys.stdout.write(f"seed {seed}\n")
    moments = random.Random(seed)  # noqa: S311 - no secret
    with Database(server.url) as database:
        program_id, key = prepared(database)
        database.engine.dispose()
        server.start()
        clients = [Client(server, key, f"c{number}") for number in range(3)]
        clients.append(Client(server, key, "batch", together=8))
        for client in clients:
            client.start()
        until_more(clients, 0)
        for victim in ("server", "database", "database", "server"):
            time.sleep(moments.uniform(0.1, 0.9))
            before = acknowledged(clients)
            if victim == "server":
                server.kill()
                server.start()
            else:
                server.kill_database()
            until_more(clients, before)
        time.sleep(0.3)
        for client in clients:
            client.leaving.set()
        for client in clients:
            client.join(60)
            assert not client.is_alive(), client.last
            assert client.acknowledged.keys() == client.events.keys()
        assert sum(client.retries for client in clients) > 0, "nothing was interrupted"

        sent = {external_id: event for client in clients for external_id, event in client.events.items()}
        with database.transaction() as tx:
            stored = tx.exec_driver_sql("SELECT external_id FROM event WHERE source = 'api'").scalars().all()
            members, points = tx.exec_driver_sql(
                "SELECT (SELECT count(*) FROM member), (SELECT sum(available) FROM wallet)"
            ).one()
        assert sorted(stored) == sorted(sent)
        assert members == len({event["member"]["card"] for event in sent.values()})
        assert points == 10 * len(sent) + 50 * members + min(3 * len(sent), 500)
        # Asked again, every event gets the answer that was acknowledged first.
        for client in clients:
            for external_id, event in client.events.items():
                assert client.insist(event) == client.acknowledged[external_id]
            client.hang_up()
        report = verify(database)
        assert report.findings == []
        assert rebuild_states(database, program_id, check=True).different == 0
