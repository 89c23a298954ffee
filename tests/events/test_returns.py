"""Returns: an order decided again without what came back, and what becomes of points, sums and levels."""

from __future__ import annotations

from typing import Any

import pytest

from api_world import World
from events.shop import batch, booked, enrolled, go_live, program, rows, send
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
    return booked(
        world, {"type": kind, "external_id": number, "member": {"card": "1"}, "data": {"order": order, **data}}
    )


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


LIMITED: dict[str, Any] = {
    "base": {
        "on": "purchase",
        "earn": {"stars": "1 per 1.00"},
        "limits": [{"per": "all", "every": "month", "uses": 9}, {"per": "all", "earn": "1000 stars"}],
    }
}


def _budgets(world: World) -> list[int]:
    return [used for (used,) in rows(world, "SELECT used FROM budget ORDER BY key")]


def test_budgets_are_given_back_and_verify_agrees(world: World) -> None:
    go_live(world, program(campaigns=LIMITED))
    enrolled(world)
    _buy(world, "a", ("x", "1", "40.00"), ("y", "1", "20.00"))
    _buy(world, "b", ("x", "1", "7.00"))
    assert _budgets(world) == [2, 67]
    _return(world, "r1", "a", lines=[{"line": 1}])
    assert _budgets(world) == [2, 47]
    assert verify(world.database).findings == []
    _return(world, "r2", "a")
    assert _budgets(world) == [1, 7]
    assert verify(world.database).findings == []
    _return(world, "r3", "r2", kind="cancel")
    assert _budgets(world) == [2, 47]
    assert verify(world.database).findings == []


def test_a_cancelled_return_gives_again_what_it_took(world: World) -> None:
    _live(world)
    _buy(world, "a", ("x", "1", "40.00"), ("y", "2", "20.00"))
    _return(world, "r1", "a", lines=[{"sku": "y", "quantity": "1"}])
    _return(world, "r2", "a", lines=[{"line": 1}])
    answer = _return(world, "c2", "r2", kind="cancel")
    assert (answer["granted"], _stars(world)) == ({"stars": 110}, 150)
    # What came back before still stands, and the line can come back once more.
    _return(world, "r3", "a", lines=[{"line": 1}])
    _return(world, "c1", "r1", kind="cancel")
    # All that was left of the line then is the whole line now.
    assert _stars(world) == 40
    assert verify(world.database).findings == []


def test_a_return_is_cancelled_once_and_by_cancel_only(world: World) -> None:
    _live(world)
    _buy(world, "a", ("x", "1", "40.00"))
    _return(world, "r1", "a")
    event = {"external_id": "n", "member": {"card": "1"}, "data": {"order": "r1"}}
    assert send(world, event | {"type": "return"}).json()["code"] == "unknown_order"
    _return(world, "c1", "r1", kind="cancel")
    again = send(world, event | {"type": "cancel"})
    assert (again.status_code, again.json()["code"]) == (422, "unknown_order")
    assert "nor a return that stands" in again.json()["detail"]
    # A cancelled return is no return that could be cancelled itself.
    assert send(world, event | {"type": "cancel", "data": {"order": "c1"}}).json()["code"] == "unknown_order"
    assert _stars(world) == 40


def test_calculate_tells_what_a_return_would_take_and_takes_nothing(world: World) -> None:
    _live(world)
    _buy(world, "a", ("x", "1", "40.00"), ("y", "2", "20.00"))
    event = {"type": "return", "member": {"card": "1"}, "data": {"order": "a", "lines": [{"line": 1}]}}
    told = world.call("POST", "/v1/calculate", json=event)
    assert told.status_code == 200, told.text
    assert told.json()["granted"] == {"stars": -120}
    assert told.json()["balances"]["stars"]["available"] == 40
    assert _stars(world) == 160
    done = _return(world, "r1", "a", lines=[{"line": 1}])
    parts = ("granted", "balances", "effects", "sentences")
    assert {part: told.json()[part] for part in parts} == {part: done[part] for part in parts}
    unknown = world.call("POST", "/v1/calculate", json=event | {"data": {"order": "none"}})
    assert unknown.json()["code"] == "unknown_order"
    go_live(world, program("enrol", campaigns=CAMPAIGNS))
    newcomer = world.call("POST", "/v1/calculate", json=event | {"member": {"card": "77"}})
    assert newcomer.json()["code"] == "unknown_order"


def _adjust(world: World, amount: int) -> None:
    [(member,)] = rows(world, "SELECT id FROM member")
    answer = world.call(
        "POST",
        f"/v1/members/mem_{member.hex}/adjustments",
        json={"points": "stars", "amount": amount, "reason": "spent"},
        headers={"Idempotency-Key": f"spend-{amount}"},
    )
    assert answer.status_code in {200, 201}, answer.text


@pytest.mark.parametrize(
    ("settings", "left", "granted"),
    [({}, 0, -50), ({"negative": "allow"}, -100, -150), ({"negative": "recover"}, -100, -150)],
)
def test_points_that_were_spent(world: World, settings: dict[str, Any], left: int, granted: int) -> None:
    # SET-21: 150 earned, 100 spent, then the order is cancelled: the balance stops at zero, 50 are taken.
    points = {"stars": settings}
    go_live(world, program(campaigns={"base": CAMPAIGNS["base"]}, points=points, tiers=[]))
    enrolled(world)
    _buy(world, "a", ("x", "1", "150.00"))
    _adjust(world, -100)
    answer = _return(world, "c", "a", kind="cancel")
    assert (_stars(world), answer["granted"]) == (left, {"stars": granted})
    assert verify(world.database).findings == []
    # Nothing is left to be taken, and a cancelled cancellation gives what was taken.
    _return(world, "d", "c", kind="cancel")
    assert _stars(world) == 50
    assert verify(world.database).findings == []


def test_a_return_may_be_refused_when_its_points_were_spent(world: World) -> None:
    points = {"stars": {"clawback": "refuse"}}
    go_live(world, program(campaigns={"base": CAMPAIGNS["base"]}, points=points, tiers=[]))
    enrolled(world)
    _buy(world, "a", ("x", "1", "150.00"))
    _adjust(world, -100)
    event = {"type": "cancel", "external_id": "c", "member": {"card": "1"}, "data": {"order": "a"}}
    refused = send(world, event)
    assert (refused.status_code, refused.json()["code"], refused.json()["missing"]) == (422, "points_spent", 100)
    assert _stars(world) == 50
    _buy(world, "b", ("x", "1", "100.00"))
    assert send(world, event).status_code == 201  # from the other order's points
    assert _stars(world) == 0
    assert verify(world.database).findings == []


def test_pending_points_never_become_available(world: World) -> None:
    # DOC-30
    points = {"stars": {"available_after": "30d"}}
    go_live(world, program(campaigns={"base": CAMPAIGNS["base"]}, points=points, tiers=[]))
    enrolled(world)
    _buy(world, "a", ("x", "1", "50.00"), ("y", "1", "10.00"))
    _return(world, "r", "a", lines=[{"line": 1}])
    assert rows(world, "SELECT available, pending FROM wallet") == [(0, 50)]
    _return(world, "c", "a", kind="cancel")
    assert rows(world, "SELECT available, pending FROM wallet") == [(0, 0)]
    assert verify(world.database).findings == []


def test_two_items_one_by_one(world: World) -> None:
    # DOC-06, and SET-20 with the last one
    go_live(world, program(campaigns={"base": CAMPAIGNS["base"]}))
    enrolled(world)
    _buy(world, "a", ("a", "2", "20.00"))
    there = [_stars(world)]
    for number in "12":
        _return(world, f"r{number}", "a", lines=[{"sku": "a", "quantity": 1}])
        there.append(_stars(world))
    assert there == [20, 10, 0]


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"lines": [{"line": 0}], "amount": "1.00"}, "#/data/amount"),
        ({"lines": [{}]}, "#/data/lines/0"),
        ({"lines": [{"line": 0, "sku": "x"}]}, "#/data/lines/0"),
        ({"lines": [{"line": 0, "quantity": "1", "amount": "1.00"}]}, "#/data/lines/0"),
        ({"lines": [{"line": 0, "quantity": "0"}]}, "#/data/lines/0/quantity"),
        ({"lines": [{"line": 0, "amount": "0"}]}, "#/data/lines/0/amount"),
        ({"lines": [{"line": 0, "amount": "1.001"}]}, "#/data/lines/0/amount"),
        ({"amount": "-1"}, "#/data/amount"),
        ({"amount": "70.00"}, "#/data"),
        ({"lines": [{"line": 7}]}, "#/data/lines/0"),
        ({"lines": [{"sku": "x", "quantity": "4"}]}, "#/data/lines/0/quantity"),
        ({"lines": [{"sku": "x"}, {"sku": "x"}]}, "#/data/lines/1"),
        ({"lines": [{"sku": "none"}]}, "#/data/lines/0"),
    ],
)
def test_what_cannot_come_back_is_refused_with_its_place(world: World, data: dict[str, Any], pointer: str) -> None:
    _live(world)
    _buy(world, "a", ("x", "1", "20.00"), ("y", "1", "20.00"), ("x", "2", "20.00"))
    event = {"type": "return", "external_id": "r", "member": {"card": "1"}, "data": {"order": "a", **data}}
    refused = send(world, event)
    assert refused.status_code == 422, refused.text
    assert refused.json()["code"] == "invalid_event"
    assert pointer in [error["pointer"] for error in refused.json()["errors"]]
    [_, told] = batch(world, {"type": "visit", "external_id": "v", "member": {"card": "1"}}, event)["results"]
    assert f"#/events/1{pointer[1:]}" in [error["pointer"] for error in told["problem"]["errors"]]
    assert _stars(world) == 160


def test_a_sku_on_several_lines_comes_back_from_the_first(world: World) -> None:
    _live(world)
    _buy(world, "a", ("x", "1", "20.00"), ("y", "1", "20.00"), ("x", "2", "10.00"))
    _return(world, "r1", "a", lines=[{"sku": "x", "quantity": "2"}])
    assert _stars(world) == 25
    _return(world, "r2", "a", lines=[{"sku": "x", "amount": "2.50"}])
    assert _stars(world) == 22
    _return(world, "r3", "a", lines=[{"sku": "x"}, {"sku": "y"}])
    assert _stars(world) == 0
    assert verify(world.database).findings == []


def test_goods_of_a_suspended_member_come_back_and_those_of_a_closed_one_do_not(world: World) -> None:
    _live(world)
    answer = _buy(world, "a", ("x", "2", "40.00"))
    world.call("POST", f"/v1/members/{answer['member']}/suspend", json={"reason": "looks odd"})
    event = {"type": "return", "member": {"card": "1"}, "data": {"order": "a", "lines": [{"line": 0, "quantity": "1"}]}}
    told = world.call("POST", "/v1/calculate", json=event | {"external_id": "r0"}).json()
    assert told["balances"]["stars"]["available"] == 20
    _return(world, "r1", "a", lines=[{"line": 0, "quantity": "1"}])
    assert _stars(world) == 20
    world.call("POST", f"/v1/members/{answer['member']}/close", json={"reason": "was"})
    refused = send(world, event | {"external_id": "r2"})
    assert (refused.status_code, refused.json()["code"]) == (422, "member_not_active")
    assert verify(world.database).findings == []


def test_an_exchange_is_a_return_and_a_purchase_in_one_batch(world: World) -> None:
    _live(world)
    _buy(world, "a", ("x", "1", "40.00"), ("y", "1", "20.00"))
    answers = batch(
        world,
        {
            "type": "return",
            "external_id": "r",
            "member": {"card": "1"},
            "data": {"order": "a", "lines": [{"sku": "y"}]},
        },
        {
            "type": "purchase",
            "external_id": "b",
            "member": {"card": "1"},
            "currency": "EUR",
            "lines": [{"sku": "z", "amount": "25.00"}],
        },
        {"type": "return", "external_id": "s", "member": {"card": "1"}, "data": {"order": "b", "amount": "5.00"}},
    )
    assert len(answers["results"]) == 3
    assert _stars(world) == 40 + 20
    assert verify(world.database).findings == []
