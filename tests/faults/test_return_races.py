"""Returns, cancelled returns, orders with rewards, redemptions and a merge at the same moment: it all adds up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from httpx import Response

from api_world import World
from events.returning import BASE, assert_sound, back, buy, try_back, wallet
from events.shop import enrolled, go_live, program, rows, send

pytestmark = pytest.mark.slow
REWARDS: dict[str, Any] = {
    "five": {"kind": "discount", "cost": {"stars": 20}, "worth": {"amount": "5.00"}, "stock": 3},
    "mug": {"kind": "physical", "cost": {"stars": 30}, "stock": 5},
}
LIMITS = [{"per": "all", "earn": "100000 stars"}, {"per": "all", "uses": 1000}]


def _at_once(calls: Sequence[Callable[[], Response]]) -> list[Response]:
    gate = threading.Barrier(len(calls))

    def go(call: Callable[[], Response]) -> Response:
        gate.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(go, calls))


def _live(world: World) -> None:
    campaigns = {"base": BASE["base"] | {"limits": LIMITS}}
    go_live(world, program(campaigns=campaigns, points={"stars": {}}, tiers=[], rewards=REWARDS))


def test_as_many_come_back_as_there_were(world: World) -> None:
    _live(world)
    enrolled(world)
    buy(world, "a", ("x", "10", "100.00"))
    one = [{"line": 0, "quantity": 1}]
    answers = _at_once([lambda n=n: try_back(world, f"r{n}", "a", lines=one) for n in range(14)])  # type: ignore[misc]  # the default binds the loop variable
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [422] * 4
    assert wallet(world) == (0, 0)
    done = next(n for n, answer in enumerate(answers) if answer.status_code == 201)
    again = _at_once([lambda n=n: try_back(world, f"c{n}", f"r{done}", kind="cancel") for n in range(6)])  # type: ignore[misc]  # the default binds the loop variable
    assert sorted(answer.status_code for answer in again) == [201] + [422] * 5
    assert wallet(world) == (10, 0)
    assert_sound(world)


def test_everything_at_once(world: World) -> None:
    _live(world)
    who = {card: enrolled(world, card) for card in "123"}
    for card, member in who.items():
        body = {"points": "stars", "amount": 100, "reason": "test"}
        path, headers = f"/v1/members/{member}/adjustments", {"Idempotency-Key": f"give-{card}"}
        assert world.call("POST", path, json=body, headers=headers).status_code == 201
    orders = [(f"o{n}", "123"[n % 3]) for n in range(6)]
    redeeming: dict[str, Any] = {"pricing": "before", "redeem": [{"reward": "five"}]}
    for number, (order, card) in enumerate(orders):
        more = redeeming if number < 3 else {}
        buy(world, order, ("x", "1", "30.00"), ("y", "1", "25.00"), card=card, **more)

    def redeem(card: str, order: str) -> Response:
        wish = {"member": who[card], "reward": "mug", "reference": order, "confirm": True}
        return world.call("POST", "/v1/redemptions", json=wish)

    def order_again(card: str, order: str) -> Response:
        lines = [{"sku": "x", "amount": "30.00"}]
        event = {"type": "purchase", "external_id": f"p-{order}", "member": {"card": card}, "lines": lines}
        return send(world, event | redeeming)

    def batch_of(order: str) -> Response:
        parts = [back(f"b-{order}-{name}", name, card=card, amount="1.00") for name, card in orders[:3]]
        turned = parts if int(order[1:]) % 2 else parts[::-1]
        return world.call("POST", "/v1/events/batch", json={"events": turned})

    calls: list[Callable[[], Response]] = []
    for order, card in orders:
        calls += [
            lambda o=order, c=card: try_back(world, f"r-{o}", o, card=c, lines=[{"line": 0}]),  # type: ignore[misc]  # the default binds the loop variable
            lambda o=order, c=card: try_back(world, f"s-{o}", o, card=c),  # type: ignore[misc]  # as above
            lambda o=order, c=card: try_back(world, f"c-{o}", f"r-{o}", card=c, kind="cancel"),  # type: ignore[misc]  # as above
            lambda o=order, c=card: try_back(world, f"d-{o}", f"s-{o}", card=c, kind="cancel"),  # type: ignore[misc]  # as above
            lambda o=order, c=card: redeem(c, o),  # type: ignore[misc]  # as above
            lambda o=order, c=card: order_again(c, o),  # type: ignore[misc]  # as above
            lambda o=order: batch_of(o),  # type: ignore[misc]  # as above
        ]
    merge = {"duplicate": who["2"], "reason": "the same person"}
    path, headers = f"/v1/members/{who['1']}/merge", {"Idempotency-Key": "m"}
    calls.append(lambda: world.call("POST", path, json=merge, headers=headers))
    answers = _at_once(calls)
    assert {answer.status_code for answer in answers} <= {200, 201, 409, 422}
    assert max(used for (used,) in rows(world, "SELECT used FROM reward_stock WHERE reward = 'five'")) <= 3
    assert_sound(world)
