"""Points taken below zero, and how later points pay for them; lots and balances always agree."""

from typing import Any

from api_world import World
from events.shop import BASE, booked, go_live, program, rows
from setia.ledger.verify import verify

FINE = {"fine": {"on": "visit", "deduct": {"stars": 30}}}


def _live(world: World, negative: str, **campaigns: Any) -> None:
    whole = program(campaigns={**BASE, **FINE, **campaigns})
    whole["points"]["stars"]["negative"] = negative
    go_live(world, whole)


def _send(world: World, type_: str, external_id: str, **more: Any) -> int:
    answer = booked(world, {"type": type_, "external_id": external_id, "member": {"card": "1"}, **more})
    available: int = answer["balances"]["stars"]["available"]
    return available


def _lines(amount: str) -> dict[str, Any]:
    return {"lines": [{"sku": "latte", "amount": amount}]}


def _in_lots(world: World) -> int:
    [(total,)] = rows(world, "SELECT coalesce(sum(remaining), 0)::int FROM lot WHERE point_type = 'stars'")
    found: int = total
    return found


def test_points_taken_below_zero_are_paid_by_the_next_ones(world: World) -> None:
    # given
    world.enrol(card="1")
    _live(world, "recover")
    assert _send(world, "purchase", "p1", **_lines("10.00")) == 10

    # when: 30 are taken, though there are 10
    taken = _send(world, "visit", "v1")
    owing = _in_lots(world)
    paid = _send(world, "purchase", "p2", **_lines("50.00"))

    # then: 50 - 20 are there, and lie in the lot that was earned last
    assert (taken, owing) == (-20, 0)
    assert (paid, _in_lots(world)) == (30, 30)
    assert verify(world.database).findings == []


def test_a_debt_larger_than_what_is_earned_stays(world: World) -> None:
    world.enrol(card="1")
    _live(world, "allow")
    _send(world, "visit", "v1")

    assert _send(world, "purchase", "p1", **_lines("10.00")) == -20
    assert _in_lots(world) == 0
    assert verify(world.database).findings == []


def test_one_event_may_earn_and_take(world: World) -> None:
    # given a purchase that earns 40 and costs 30 of them
    world.enrol(card="1")
    _live(world, "block", fee={"on": "purchase", "deduct": {"stars": 30}})

    # when
    available = _send(world, "purchase", "p1", **_lines("40.00"))

    # then what was taken came out of the lot that the same event opened
    assert (available, _in_lots(world)) == (10, 10)
    assert verify(world.database).findings == []


def test_a_new_version_moves_the_floor_of_wallets_that_are_there(world: World) -> None:
    # given a wallet that may not go below zero
    world.enrol(card="1")
    _live(world, "block")
    _send(world, "purchase", "p1", **_lines("10.00"))
    assert _send(world, "visit", "v1") == 0

    # when the next version allows it, and a later one forbids it again while the member owes
    _live(world, "allow")
    below = _send(world, "visit", "v2")
    _live(world, "block")
    still = _send(world, "visit", "v3")
    above = _send(world, "purchase", "p2", **_lines("100.00"))

    # then
    assert (below, still, above) == (-30, -30, 70)
    assert _send(world, "visit", "v4") == 40
    assert rows(world, "SELECT floor FROM wallet WHERE point_type = 'stars'") == [(0,)]
    assert verify(world.database).findings == []
