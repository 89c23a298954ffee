"""Short words for tests of gift cards: a program with some kinds, cards, tills."""

from typing import Any

from httpx import Response

from api_world import World, definition
from events.shop import findings, go_live, rows
from setia.identity.scopes import Scope
from setia.identity.service import create_key

__all__ = ["findings", "rows"]

KINDS: dict[str, Any] = {
    "classic": {"name": {"en": "Gift card", "de": "Geschenkkarte"}, "country": "DE"},
    "small": {"value": "5.00", "most": "20.00", "most_balance": "30.00", "reloadable": False},
    "yearly": {"valid_for": "1y"},
    "swiss": {"currency": "CHF"},
}


def program(**more: Any) -> dict[str, Any]:
    """The program of `api_world` with gift cards."""
    return definition(**{"gift_cards": KINDS, **more})


def open_shop(world: World, **more: Any) -> None:
    """Publish the program with gift cards."""
    go_live(world, program(**more))


def post(world: World, path: str, key: str | None = None, **body: Any) -> Response:
    """Post to a path below `/v1`, with an Idempotency-Key of its own unless one is given."""
    headers = {"Idempotency-Key": key or f"k{world.count('gift_card_entry')}-{world.count('gift_card')}-{path[-40:]}"}
    return world.call("POST", f"/v1/{path}", json=body, headers=headers)


def issued(world: World, amount: int | None = 5000, kind: str = "classic", **more: Any) -> dict[str, Any]:
    """Issue a card."""
    answer = post(world, "gift-cards", kind=kind, amount=amount, **more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def act(world: World, card: dict[str, Any], what: str, **body: Any) -> Response:
    """Do something to a card."""
    return post(world, f"gift-cards/{card['id']}/{what}", **body)


def acted(world: World, card: dict[str, Any], what: str, **body: Any) -> dict[str, Any]:
    """The same, and it must be done."""
    answer = act(world, card, what, **body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def use(world: World, card: dict[str, Any], amount: int, reference: str = "1", **more: Any) -> Response:
    """Show a card at a till."""
    body = {"code": card["code"], "amount": amount, "till": "t1", "reference": reference, **more}
    return world.call("POST", "/v1/gift-card-uses", json=body)


def used(world: World, card: dict[str, Any], amount: int, reference: str = "1", **more: Any) -> dict[str, Any]:
    """The same, and it must be taken."""
    answer = use(world, card, amount, reference, **more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def end(world: World, use: dict[str, Any], what: str, key: str | None = None, **body: Any) -> Response:
    """Capture, release or refund."""
    return post(world, f"gift-card-uses/{use['id']}/{what}", key, **body)


def ended(world: World, use: dict[str, Any], what: str, **body: Any) -> dict[str, Any]:
    """The same, and it must be done."""
    answer = end(world, use, what, **body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def card(world: World, card: dict[str, Any]) -> dict[str, Any]:
    """How a card stands."""
    answer = world.call("GET", f"/v1/gift-cards/{card['id']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def money(world: World, shown: dict[str, Any]) -> tuple[int, int]:
    """What is on a card, and what is held of it."""
    found = card(world, shown)
    return found["balance"], found["held"]


def history(world: World, shown: dict[str, Any]) -> list[str]:
    """The kinds of a card's entries, the oldest first."""
    answer = world.call("GET", f"/v1/gift-cards/{shown['id']}/entries?limit=200")
    assert answer.status_code == 200, answer.text
    return [entry["kind"] for entry in reversed(answer.json()["items"])]


def at(world: World, moment: str) -> None:
    """Let the program live at a moment: it is put into test mode, with a key for that, and its clock is set."""
    with world.database.raw_connection() as connection:
        connection.execute("UPDATE program SET mode = 'test', clock = %s WHERE id = %s", (moment, world.program_id))
    if "_test_" not in world.owner:
        with world.database.transaction() as tx:
            world.owner = str(create_key(tx, world.program_id, "test", list(Scope)))
