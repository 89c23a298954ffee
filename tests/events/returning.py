"""Short words for what comes back of orders of the member with the card 1."""

from __future__ import annotations

from typing import Any

from httpx import Response

from api_world import World
from events.shop import booked, findings, rows, send
from setia.events.rebuild import rebuild_states

BASE: dict[str, Any] = {"base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}}}


def buy(world: World, order: str, *lines: tuple[str, str, str], card: str = "1", **more: Any) -> dict[str, Any]:
    """An order of lines: (sku, quantity, amount)."""
    wanted = [{"sku": sku, "quantity": quantity, "amount": amount} for sku, quantity, amount in lines]
    event = {"type": "purchase", "external_id": order, "member": {"card": card}, "lines": wanted, **more}
    return booked(world, event)


def back(number: str, order: str, kind: str = "return", card: str = "1", **data: Any) -> dict[str, Any]:
    """The event of a return."""
    return {"type": kind, "external_id": number, "member": {"card": card}, "data": {"order": order, **data}}


def give_back(world: World, number: str, order: str, **more: Any) -> dict[str, Any]:
    """A return that must be accepted."""
    return booked(world, back(number, order, **more))


def cancel(world: World, number: str, order: str, **more: Any) -> dict[str, Any]:
    """A `cancel` that must be accepted."""
    return booked(world, back(number, order, kind="cancel", **more))


def try_back(world: World, number: str, order: str, **more: Any) -> Response:
    """A return, whatever becomes of it."""
    return send(world, back(number, order, **more))


def adjust(world: World, amount: int, points: str = "stars") -> None:
    """Give points to the only member, or take them."""
    [(member,)] = rows(world, "SELECT id FROM member")
    answer = world.call(
        "POST",
        f"/v1/members/mem_{member.hex}/adjustments",
        json={"points": points, "amount": amount, "reason": "test"},
        headers={"Idempotency-Key": f"adjust-{world.count('journal')}"},
    )
    assert answer.status_code == 201, answer.text


def wallet(world: World, points: str = "stars") -> tuple[int, int]:
    """What all members together have: available and pending."""
    [(available, pending)] = rows(
        world, "SELECT sum(available)::int, sum(pending)::int FROM wallet WHERE point_type = %s", points
    )
    return available, pending


def assert_sound(world: World) -> None:
    """Nothing is found, and the counters are what the journal says."""
    assert findings(world) == []
    assert rebuild_states(world.database, world.program_id, check=True).different == 0
