"""A body comes at once, in pieces, or not at all; and what is known already is answered like the first time."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

from api_world import World
from events.shop import booked, purchase
from setia.problems import InternalError


def test_a_body_in_pieces_is_one_body(world: World) -> None:
    world.enrol(card="1")
    raw = json.dumps(purchase("a")).encode()

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(raw), 50):
            yield raw[start : start + 50]

    answer = world.client.request(
        "POST",
        "/v1/events",
        content=pieces(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {world.owner}"},
    )
    assert answer.status_code == 201, answer.text
    assert (answer.json()["external_id"], answer.headers["content-type"]) == ("a", "application/json")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "idempotent-replayed" not in answer.headers
    again = world.call("POST", "/v1/events", json=purchase("a"))
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.json() == answer.json()


def test_who_leaves_before_the_body_is_whole_has_booked_nothing(world: World) -> None:
    world.enrol(card="1")
    before = world.count("event")
    sent: list[dict[str, Any]] = []
    coming: Iterator[dict[str, Any]] = iter(
        [
            {"type": "http.request", "body": b'{"type": "purch', "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> dict[str, Any]:
        return next(coming)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/events",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"authorization", f"Bearer {world.owner}".encode())],
    }
    asyncio.run(world.app(scope, receive, send))  # type: ignore[arg-type]  # messages as plain dictionaries
    assert sent[0]["status"] == InternalError().status
    assert world.count("event") == before
    assert booked(world, purchase("later"))["external_id"] == "later"
