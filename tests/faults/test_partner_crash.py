"""kill -9 of a worker between a partner's answer and its booking: it is asked again under one id, and booked once."""

import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from api_world import SECRET, World, assert_problem
from events.shop import findings, rows
from jobs.due_world import wait_until
from partner import Partner, Reply, says
from rewards.counter import member, open_shop, redeemed, wallet
from setia.partners.addresses import parse_networks
from setia.partners.outbox import IN_FLIGHT, PAUSES
from setia.rewards.partner_sender import PartnerSender

pytestmark = [pytest.mark.slow, pytest.mark.faults]
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
# As a guide's partner does: what it has answered once, it answers again.
ANSWERS = {"delivered": says(200, b'{"code": "KINO-77"}'), "refused": says(200, b'{"refused": "sold out"}')}


@pytest.fixture
def worker(database_url: str, tmp_path: Path, world: World) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own that runs jobs on the database of the test."""
    assert world.database is not None  # the database is migrated and has its program before jobs look at it
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SETIA_")}
    settings = {
        "SETIA_DATABASE_URL": database_url,
        "SETIA_DATA_DIR": str(tmp_path),
        "SETIA_SECRET_KEY": SECRET,
        "SETIA_PARTNER_NETWORKS": "127.0.0.0/8",
    }
    with (tmp_path / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "setia", "worker"],
            env=clean | settings,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
    yield process
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize(("meant", "reply"), ANSWERS.items())
def test_what_was_answered_and_not_booked_is_asked_again_and_booked_once(
    world: World, worker: subprocess.Popen[bytes], database_url: str, meant: str, reply: Reply
) -> None:
    with Partner(reply).open() as partner, psycopg.connect(database_url) as other:
        film = {"kind": "partner", "partner": "Odeon", "cost": {"stars": 100}, "stock": 2}
        open_shop(world, rewards={"film": {**film, "webhook": {"url": partner.url}}})
        who = member(world)
        # given somebody who is at work for the member, so that the answer, which is there, cannot be booked yet
        made = redeemed(world, who, "film", confirm=True)
        other.execute("SELECT FROM member_state WHERE member_id = %s FOR UPDATE", [who.removeprefix("mem_")])
        wait_until(lambda: rows(world, BLOCKED) == [(1,)])
        assert len(partner.seen) == 1
        # when the process dies at that moment
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        other.rollback()
        wait_until(lambda: rows(world, BLOCKED) == [(0,)])
        path = f"/v1/redemptions/{made['id']}"
        found = world.call("GET", path).json()
        assert (found["state"], found["delivery"]["state"], found["delivery"]["tries"]) == ("confirmed", "waiting", 1)
        assert wallet(world) == [(300, 0)]
        assert findings(world) == []
        # then nobody can take the points back meanwhile, and the next worker asks again
        give_up = world.call("POST", f"{path}/delivery/give-up", json={"reason": "silent"})
        assert_problem(give_up, 409, "redemption_state_conflict")
        home, programs = parse_networks("127.0.0.0/8"), world.app.state.programs
        sender = PartnerSender(world.database, programs, SECRET.encode, home)
        now = dt.datetime.now(dt.UTC)
        assert sender.send_due(now) == 0
        assert sender.send_due(now + PAUSES[0] + IN_FLIGHT) == 1
        assert sender.send_due(now + dt.timedelta(days=1)) == 0
    assert len({(headers["webhook-id"], body) for headers, body in partner.seen}) == 1
    assert len(partner.seen) == 2
    found = world.call("GET", path).json()
    assert (found["delivery"]["state"], found["delivery"]["tries"]) == (meant, 2)
    assert wallet(world) == ([(300, 0)] if meant == "delivered" else [(400, 0)])
    assert found["code"] == ("KINO-77" if meant == "delivered" else None)
    booked = rows(world, "SELECT count(*)::int FROM journal WHERE kind = 'redemption'")
    assert booked == ([(1,)] if meant == "delivered" else [(2,)])
    assert findings(world) == []
