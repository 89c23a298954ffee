"""A worker asks partners by itself."""

from api_world import SECRET, World
from jobs.due_world import wait_until
from partner import Partner, says
from rewards.counter import findings, member, open_shop, redeemed
from setia.jobs.worker import Worker
from setia.rewards.part import partner_sender
from setia.settings import Settings


def test_a_worker_asks_the_partner_soon(world: World) -> None:
    with Partner(says(200, b'{"code": "K-1"}')).open() as partner:
        film = {"kind": "partner", "partner": "Odeon", "cost": {"stars": 1}, "webhook": {"url": partner.url}}
        open_shop(world, rewards={"film": film})
        made = redeemed(world, member(world), "film", confirm=True)
        settings = Settings(secret_key=SECRET, partner_networks="127.0.0.0/8")
        programs = world.app.state.programs
        worker = Worker(world.database, programs, sender=partner_sender(world.database, programs, settings))
        worker.start()
        try:
            wait_until(lambda: world.call("GET", f"/v1/redemptions/{made['id']}").json()["code"] == "K-1")
        finally:
            worker.stop()
        assert len(partner.seen) == 1
    assert findings(world) == []
