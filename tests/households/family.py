"""Short words for tests of households: a program with them, members, requests."""

import itertools
from typing import Any

from httpx import Response

from api_world import World
from events.shop import booked, enrolled, go_live, program, purchase, rows
from rewards.counter import REWARDS

POINTS = {"stars": {"expiry": {"after": "6mo"}}, "status": {"spendable": False}}
PAY = {"kind": "payment", "cost": {"stars": 1}, "worth": {"amount": "0.01"}, "quantities": {"most": 100000}}


def publish(world: World, **settings: Any) -> None:
    """Publish a program with households."""
    rewards = {"coffee": REWARDS["coffee"], "pay": PAY}
    go_live(world, program(points=POINTS, households=settings, rewards=rewards))


def people(world: World, count: int = 3) -> list[str]:
    """Enrol members with the cards 1, 2, ..."""
    return [enrolled(world, str(number)) for number in range(1, count + 1)]


def made(world: World, owner: str, *others: str, role: str = "adult") -> str:
    """Make a household; give its id."""
    answer = world.call("POST", "/v1/households", json={"owner": owner}, headers={"Idempotency-Key": f"hh-{owner}"})
    assert answer.status_code == 201, answer.text
    found = str(answer.json()["id"])
    for one in others:
        assert join(world, found, one, role).status_code == 201
    return found


def join(world: World, household: str, member: str, role: str = "adult") -> Response:
    return world.call("POST", f"/v1/households/{household}/members", json={"member": member, "role": role})


def leave(world: World, household: str, member: str) -> Response:
    return world.call("POST", f"/v1/households/{household}/members/{member}/leave", json={"reason": "Moved out"})


def earn(world: World, card: int, amount: int, **more: Any) -> None:
    """Let the member with a card earn so many stars."""
    event = purchase(f"o{world.count('event')}", f"{amount}.00", member={"card": str(card)}, **more)
    booked(world, event)


def look(world: World, household: str) -> dict[str, Any]:
    answer = world.call("GET", f"/v1/households/{household}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def parts(world: World, household: str) -> list[int]:
    """What each has in the pool, in the order of joining."""
    return [one["contribution"]["stars"] for one in look(world, household)["members"]]


def spend(world: World, household: str, member: str, amount: int, reference: str = "r1", **more: Any) -> Response:
    """Pay with points of the pool."""
    body = {"member": member, "reward": "pay", "quantity": amount, "reference": reference, "confirm": True, **more}
    return world.call("POST", f"/v1/households/{household}/redemptions", json=body)


_keys = itertools.count()


def pooled(
    world: World, household: str, what: str, member: str, amount: int, points: str = "stars", key: str | None = None
) -> Response:
    body = {"member": member, "points": points, "amount": amount}
    headers = {"Idempotency-Key": key or f"pooled-{next(_keys)}"}
    return world.call("POST", f"/v1/households/{household}/{what}", json=body, headers=headers)


def wallets(world: World) -> list[int]:
    """The available stars of everybody, in the order of enrolment."""
    query = """
        SELECT coalesce(w.available, 0) FROM member m
        LEFT JOIN wallet w ON w.member_id = m.id AND w.point_type = 'stars' ORDER BY m.id
    """
    return [available for (available,) in rows(world, query)]
