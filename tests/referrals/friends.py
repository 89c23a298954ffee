"""Short words for tests of referrals: a program with a clock, members who bring friends, what became of them."""

import datetime as dt
from typing import Any

from httpx import Response

from api_world import World, definition
from events.shop import findings, rows
from setia.events.rebuild import rebuild_states
from setia.identity.scopes import Scope
from setia.identity.service import create_key
from setia.program.definition import Program
from setia.versions.service import publish

START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
LINK = "https://shop.example/join?ref={code}"
CAMPAIGNS: dict[str, Any] = {
    "asked": {"on": "referral_invited", "earn": {"stars": 1}},
    "came": {"on": "referral_enrolled", "earn": {"stars": 10}},
    "welcome": {"on": "referral_accepted", "earn": {"stars": 5}},
    "won": {"on": "referral_won", "when": "event.data.level == 1", "earn": {"stars": 100}},
    "joined": {"on": "referral_joined", "earn": {"stars": 50}},
}


def open_shop(
    world: World, *, campaigns: dict[str, Any] | None = None, live: bool = False, key: str = "brought", **terms: Any
) -> None:
    """Publish a program with referrals, in test mode with a clock (or live); from now on it is the owner's."""
    with_referrals = definition(key, campaigns=campaigns or CAMPAIGNS, referrals={"friends": terms})
    program = Program.model_validate(with_referrals)
    with world.database.transaction() as tx:
        mode: Any = {} if live else {"mode": "test", "clock": START}
        world.program_id = publish(tx, program, "test", **mode).version.program_id
        world.owner = str(create_key(tx, world.program_id, "live" if live else "test", list(Scope)))


def later(world: World, days: float) -> None:
    """Let time pass, and do what comes due."""
    now = dt.datetime.fromisoformat(world.call("GET", "/v1/clock").json()["now"])
    answer = world.call("POST", "/v1/clock", json={"to": (now + dt.timedelta(days=days)).isoformat()})
    assert answer.status_code == 200, answer.text


def member(world: World, name: str, **more: Any) -> str:
    """Enrol somebody; give the id."""
    answer = enrol(world, name, **more)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def enrol(world: World, name: str, **more: Any) -> Response:
    """Ask to enrol somebody."""
    identifiers = {"external_id": name, **more.pop("identifiers", {})}
    return world.call("POST", "/v1/members", json={"identifiers": identifiers, **more})


def code_of(world: World, *members: str) -> str:
    """Give members codes; give the first one's."""
    answer = world.call("POST", "/v1/referrals/codes", json={"members": list(members)})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["codes"][0]["code"])


def invite(world: World, referrer: str, **friend: str) -> Response:
    """Invite a friend by an address."""
    return world.call("POST", "/v1/referrals", json={"referrer": referrer, "friend": friend})


def pair(world: World, **more: Any) -> tuple[str, str]:
    """A member and a friend who came by the member's code; their ids."""
    ada = member(world, "ada")
    return ada, member(world, "bob", referral_code=code_of(world, ada), **more)


def buy(world: World, who: str, amount: str = "20.00", order: str = "o1", **more: Any) -> Response:
    """Buy something."""
    event = {
        "type": "purchase",
        "external_id": order,
        "member": {"id": who},
        "lines": [{"sku": "latte", "amount": amount}],
        **more,
    }
    return world.call("POST", "/v1/events", json=event)


def bring_back(world: World, who: str, order: str = "o1", what: str = "return", **data: Any) -> None:
    """Return an order, a part of it, or cancel a return."""
    name = f"{what}-{order}-{world.count('event')}"
    event = {"type": what, "external_id": name, "member": {"id": who}, "data": {"order": order, **data}}
    answer = world.call("POST", "/v1/events", json=event)
    assert answer.status_code == 201, answer.text


def stars(world: World, *members: str) -> list[int]:
    """What members can spend."""
    found = []
    for who in members:
        wallets = world.call("GET", f"/v1/members/{who}/wallets").json()["wallets"]
        found.append(next(one["available"] for one in wallets if one["points"] == "stars"))
    return found


def listed(world: World, **query: str) -> list[dict[str, Any]]:
    """Referrals, as the API lists them."""
    answer = world.call("GET", "/v1/referrals", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def states(world: World, **query: str) -> list[tuple[str, str | None]]:
    """Where referrals are and why, the newest first."""
    return [(one["state"], one["reason"]) for one in listed(world, **query)]


def assert_sound(world: World) -> None:
    """The ledger is as it should be, and so are the counters."""
    assert findings(world) == []
    assert rebuild_states(world.database, world.program_id, check=True).different == 0


__all__ = ["rows"]
