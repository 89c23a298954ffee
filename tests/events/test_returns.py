"""Returns: an order decided again without what came back, and what becomes of points, sums and levels."""

from __future__ import annotations

from typing import Any

import pytest

from api_world import World
from events.shop import booked, enrolled, go_live, program, rows, send
from setia.events.verify import verify

CAMPAIGNS: dict[str, Any] = {
    "base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}},
    "big": {"on": "purchase", "when": "event.total >= 50.0", "earn": {"stars": 100}},
}


def _live(world: World, **more: Any) -> None:
    whole = program(campaigns=CAMPAIGNS, **more)
    go_live(world, whole)
    enrolled(world)


def _buy(world: World, order: str, *lines: tuple[str, str, str]) -> dict[str, Any]:
    wanted = [{"sku": sku, "quantity": quantity, "amount": amount} for sku, quantity, amount in lines]
    event = {"type": "purchase", "external_id": order, "member": {"card": "1"}, "currency": "EUR", "lines": wanted}
    return booked(world, event)


def _return(world: World, number: str, order: str, kind: str = "return", **data: Any) -> dict[str, Any]:
    return booked(world, {"type": kind, "external_id": number, "member": {"card": "1"}, "data": {"order": order, **data}})


def _stars(world: World) -> int:
    [(available,)] = rows(world, "SELECT available FROM wallet WHERE point_type = 'stars'")
    return int(available)


def test_a_line_that_comes_back_takes_its_points_and_the_threshold_bonus(world: World) -> None:
    _live(world)
    _buy(world, "a", ("x", "1", "40.00"), ("y", "2", "20.00"))
    assert _stars(world) == 160
    _return(world, "r1", "a", lines=[{"sku": "y", "quantity": "1"}])
    assert _stars(world) == 150  # 50.00 is still enough
    _return(world, "r2", "a", lines=[{"line": 1}])
    assert _stars(world) == 40
    _return(world, "r3", "a", kind="cancel")
    assert _stars(world) == 0
    assert verify(world.database).findings == []


def test_more_than_there_was_does_not_come_back(world: World) -> None:
    _live(world)
    _buy(world, "a", ("x", "2", "40.00"))
    _return(world, "r1", "a", lines=[{"sku": "x", "quantity": "1"}])
    event = {"type": "return", "external_id": "r2", "member": {"card": "1"}}
    refused = send(world, event | {"data": {"order": "a", "lines": [{"line": 0, "quantity": "2"}]}})
    assert refused.status_code == 422
    assert send(world, event | {"data": {"order": "b"}}).json()["code"] == "unknown_order"
    assert _stars(world) == 20
    assert rows(world, "SELECT count(*) FROM event WHERE external_id = 'r2'") == [(0,)]


@pytest.mark.parametrize("spent", [0, 30])
def test_a_whole_history_returned_is_as_if_it_had_never_been(world: World, spent: int) -> None:
    _live(world)
    for order in "abc":
        _buy(world, order, ("x", "1", "30.00"), ("y", "1", "25.00"))
    for order in "bca":
        _return(world, f"r{order}", order, amount="10.00")
        _return(world, f"c{order}", order, kind="cancel")
    assert _stars(world) == 0
    [(counters,)] = rows(world, "SELECT counters::text FROM member_state WHERE seq > 0")
    assert '"spend":0' in counters.replace(" ", "") or "spend" not in counters
    assert verify(world.database).findings == []
