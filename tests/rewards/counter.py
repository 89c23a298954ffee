"""Short words for tests of rewards: a program with some, members with points, requests."""

import datetime as dt
from typing import Any

from httpx import Response

from api_world import World, definition
from events.shop import findings, go_live, rows
from setia.rewards.expiring import expire_due

__all__ = ["findings", "rows"]

TIERS = [
    {
        "id": "status",
        "metric": "points.stars.earned",
        "window": "lifetime",
        "levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 1000}],
    }
]
REWARDS: dict[str, Any] = {
    "coffee": {
        "kind": "voucher",
        "name": {"en": "Free coffee", "de": "Gratiskaffee"},
        "cost": {"stars": 150},
        "quantities": {"most": 5},
        "valid_for": "30d",
    },
    "mug": {"kind": "physical", "cost": {"stars": 100}, "stock": 3, "money": "2.50", "per_member": {"uses": 2}},
    "cash": {
        "kind": "discount",
        "cost": {"stars": 1},
        "worth": {"amount": "0.01"},
        "quantities": {"least": 100, "most": 500},
    },
    "tenth": {"kind": "discount", "cost": {"stars": 10}, "worth": {"percent": 10, "most": "5.00", "least_total": "20"}},
    "card": {"kind": "gift_card", "card": "plain", "cost": {"stars": 200}, "worth": {"amount": "20.00"}},
    "cinema": {"kind": "partner", "cost": {"stars": 50}, "partner": "Kino", "code": {"pool": "cinema"}},
    "lounge": {"kind": "entitlement", "from_level": {"status": "gold"}, "valid_for": "1d"},
}


def program(**more: Any) -> dict[str, Any]:
    """The program of `api_world` with rewards."""
    return definition(**{"tiers": TIERS, "gift_cards": {"plain": {}}, "rewards": REWARDS, **more})


def open_shop(world: World, **more: Any) -> None:
    """Publish the program with rewards."""
    go_live(world, program(**more))


def member(world: World, stars: int = 400, card: str = "1") -> str:
    """Enrol somebody with stars, by an adjustment; give the id."""
    found = str(world.enrol(card=card)["id"])
    if stars:
        give(world, found, stars)
    return found


def give(world: World, member_id: str, stars: int, **more: Any) -> None:
    """Book stars for a member."""
    body = {"points": "stars", "amount": stars, "reason": "test", **more}
    headers = {"Idempotency-Key": f"give-{member_id}-{world.count('journal')}"}
    answer = world.call("POST", f"/v1/members/{member_id}/adjustments", json=body, headers=headers)
    assert answer.status_code == 201, answer.text


def ask(world: World, member_id: str, reward: str = "coffee", reference: str | None = "1", **more: Any) -> Response:
    """Ask for a reward."""
    body = {"member": member_id, "reward": reward, "reference": reference, **more}
    return world.call("POST", "/v1/redemptions", json={key: value for key, value in body.items() if value is not None})


def redeemed(world: World, member_id: str, reward: str = "coffee", reference: str = "1", **more: Any) -> dict[str, Any]:
    """Ask for a reward that must be had."""
    answer = ask(world, member_id, reward, reference, **more)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def do(world: World, redemption: str, what: str, **body: Any) -> Response:
    """Confirm, cancel or refund."""
    return world.call("POST", f"/v1/redemptions/{redemption}/{what}", json=body or None)


def done(world: World, redemption: str, what: str, **body: Any) -> dict[str, Any]:
    """The same, and it must be done."""
    answer = do(world, redemption, what, **body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def code(world: World, what: str, **body: Any) -> Response:
    """Do something with a code."""
    return world.call("POST", f"/v1/codes/{what}", json=body)


def wallet(world: World) -> list[tuple[Any, ...]]:
    """Available and held stars of everybody."""
    return rows(world, "SELECT available, held FROM wallet WHERE point_type = 'stars' ORDER BY member_id")


def overdue(world: World) -> int:
    """Let all holds be over, and book that."""
    with world.database.raw_connection() as connection:
        connection.execute("UPDATE redemption SET hold_until = now() - interval '1 second' WHERE state = 'held'")
    return expire_due(world.database, world.app.state.programs, dt.datetime.now(dt.UTC))
