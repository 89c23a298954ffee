"""Short words for tests of moving points: a program with transfers and exchanges, members with points, requests."""

import itertools
from typing import Any

from httpx import Response

from api_world import World, definition
from events.shop import findings, go_live, rows
from setia.events.rebuild import rebuild_states

__all__ = ["findings", "rows"]

TIERS = [
    {
        "id": "status",
        "metric": "points.stars.earned",
        "window": "lifetime",
        "levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 1000}],
    }
]
POINTS = {
    "stars": {"name": {"en": "stars", "de": "Sterne", "ms": "bintang"}},
    "miles": {"expiry": {"after": "6mo"}},
    "status": {"spendable": False},
}
TRANSFERS: dict[str, Any] = {"stars": {}}
EXCHANGES: dict[str, Any] = {"miles_to_stars": {"give": {"miles": 100}, "get": {"stars": 3}}}
_keys = itertools.count()


def open_club(world: World, **more: Any) -> None:
    """Publish a program in which points move."""
    go_live(
        world,
        definition(**{"points": POINTS, "tiers": TIERS, "transfers": TRANSFERS, "exchanges": EXCHANGES, **more}),
    )


def member(world: World, card: str, stars: int = 0, **more: Any) -> str:
    """Enrol somebody, with stars by an adjustment; give the id."""
    found = str(world.call("POST", "/v1/members", json={"identifiers": {"card": card}, **more}).json()["id"])
    if stars:
        give(world, found, stars)
    return found


def give(world: World, member_id: str, amount: int, points: str = "stars", **more: Any) -> None:
    """Give points by hand, or take them."""
    body = {"points": points, "amount": amount, "reason": "test", **more}
    answer = post(world, f"/v1/members/{member_id}/adjustments", body, key=f"give-{next(_keys)}")
    assert answer.status_code == 201, answer.text


def post(world: World, path: str, body: Any, *, key: str | None = None, **more: Any) -> Response:
    """Send something, under a key or without one."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return world.call("POST", path, json=body, headers=headers, **more)


def ask(world: World, giver: str, receiver: str, amount: int = 50, *, key: str | None = None, **more: Any) -> Response:
    """Ask for a transfer."""
    body = {"from": {"id": giver}, "to": {"id": receiver}, "points": "stars", "amount": amount, **more}
    if key is None and "reference" not in more:
        key = f"move-{next(_keys)}"
    return post(world, "/v1/transfers", body, key=key)


def moved(world: World, giver: str, receiver: str, amount: int = 50, **more: Any) -> dict[str, Any]:
    """Ask for a transfer that must be made."""
    answer = ask(world, giver, receiver, amount, **more)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def exchange(world: World, who: str, amount: int, *, key: str | None = None, **more: Any) -> Response:
    """Ask for an exchange."""
    body = {"member": {"id": who}, "exchange": "miles_to_stars", "amount": amount, **more}
    return post(world, "/v1/exchanges", body, key=key or f"exchange-{next(_keys)}")


def available(world: World, who: str, points: str = "stars") -> int:
    """What a member can spend."""
    wallets = world.call("GET", f"/v1/members/{who}/wallets").json()["wallets"]
    found: int = next(one["available"] for one in wallets if one["points"] == points)
    return found


def lots(world: World, who: str, points: str | None = None) -> list[tuple[int, str | None]]:
    """A member's lots: what is left, and when it ends."""
    found = world.call("GET", f"/v1/members/{who}/lots").json()["lots"]
    return [(lot["remaining"], lot["expires_at"]) for lot in found if points in {None, lot["points"]}]


def told(world: World, who: str, language: str = "en") -> list[str]:
    """The sentences of a member's newest entry."""
    entries = world.call("GET", f"/v1/members/{who}/statement?locale={language}").json()["items"]
    found: list[str] = entries[0]["sentences"]
    return found


def sound(world: World) -> None:
    """Nothing is found, and what is counted again is the same."""
    assert findings(world) == []
    rebuilt = rebuild_states(world.database, world.program_id, check=True)
    assert (rebuilt.different, rebuilt.differences) == (0, [])
