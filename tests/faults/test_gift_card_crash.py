"""kill -9 of the server and of PostgreSQL while tills take money: no acknowledged use is lost, none is there twice."""

import http.client
import itertools
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.shop_under_fire import Server
from gift_cards.drawer import program
from setia.db.engine import Database
from setia.db.migrate import upgrade
from setia.events.verify import verify
from setia.identity.scopes import Scope
from setia.identity.service import create_key
from setia.program.definition import Program
from setia.versions.service import publish

pytestmark = [pytest.mark.slow, pytest.mark.faults]
AWAY = (ConnectionError, http.client.HTTPException, TimeoutError, OSError)
ON_EACH = 10**9


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


class Till(threading.Thread):
    """Takes money from cards, one request after the other, each until it is acknowledged."""

    def __init__(self, server: Server, key: str, name: str, codes: list[str]) -> None:
        super().__init__(name=name, daemon=True)
        self._server, self._codes = server, codes
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.leaving = threading.Event()
        self.taken: dict[str, tuple[dict[str, Any], Any]] = {}
        self.retries = 0
        self.unexpected: list[tuple[int, bytes]] = []

    def run(self) -> None:
        for number in itertools.count():
            if self.leaving.is_set():
                break  # only between requests: every one that was sent is acknowledged in the end
            code = self._codes[number % len(self._codes)]
            body = {"code": code, "amount": 7 + number % 5, "till": self.name, "reference": str(number)}
            self.taken[str(number)] = body, self.insist("/v1/gift-card-uses", body)

    def insist(self, path: str, body: dict[str, Any], **headers: str) -> Any:
        """Send a request until it is acknowledged; give the answer."""
        while True:
            status, answer = self._post(path, body, headers)
            if status == 201:
                return json.loads(answer)
            if status not in {0, 500, 503}:
                self.unexpected.append((status, answer))
                raise AssertionError(answer)
            self.retries += 1
            time.sleep(0.05)

    def _post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=30)
        try:
            connection.request("POST", path, json.dumps(body), self._headers | headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except AWAY:
            return 0, b""
        finally:
            connection.close()


def until_more(tills: list[Till]) -> None:
    """Wait until more is acknowledged: else the next blow would meet nobody."""
    goal, deadline = sum(len(till.taken) for till in tills) + 15, time.monotonic() + 60
    while sum(len(till.taken) for till in tills) < goal:
        assert time.monotonic() < deadline
        assert all(till.unexpected == [] for till in tills), [till.unexpected for till in tills]
        time.sleep(0.02)


def test_no_cent_is_lost_or_taken_twice(server: Server) -> None:
    with Database(server.url) as database:
        upgrade(database)
        with database.transaction() as tx:
            program_id = publish(tx, Program.model_validate(program()), "test").version.program_id
            key = str(create_key(tx, program_id, "live", list(Scope)))
        database.engine.dispose()
        server.start()
        seller = Till(server, key, "seller", [])
        issue = {"kind": "classic", "amount": ON_EACH}
        cards = [seller.insist("/v1/gift-cards", issue, **{"Idempotency-Key": f"k{n}"}) for n in range(2)]
        tills = [Till(server, key, f"t{n}", [card["code"] for card in cards]) for n in range(3)]
        for till in tills:
            till.start()
        until_more(tills)
        for victim in ("server", "database", "server"):
            if victim == "server":
                server.kill()
                server.start()
            else:
                server.kill_database()
            until_more(tills)
        for till in tills:
            till.leaving.set()
        for till in tills:
            till.join(60)
            assert not till.is_alive()
            assert till.unexpected == []
        assert sum(till.retries for till in tills) > 0, "nothing was interrupted"

        wanted = [body["amount"] for till in tills for body, _ in till.taken.values()]
        with database.transaction() as tx:
            uses = tx.exec_driver_sql("SELECT count(*), sum(captured) FROM gift_card_use").one()
            balance = tx.exec_driver_sql("SELECT sum(balance) FROM gift_card").scalar_one()
        assert tuple(uses) == (len(wanted), sum(wanted))
        assert balance == 2 * ON_EACH - sum(wanted)
        # Asked again, every use gets the answer that was acknowledged first; so does the sale of each card.
        for till in tills:
            for body, answer in till.taken.values():
                assert till.insist("/v1/gift-card-uses", body) == answer
        again = [seller.insist("/v1/gift-cards", issue, **{"Idempotency-Key": f"k{n}"}) for n in range(2)]
        assert [one | {"code": None} for one in again] == [one | {"code": None} for one in cards]
        assert verify(database).findings == []
