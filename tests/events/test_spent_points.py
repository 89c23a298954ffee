"""Points that were spent on an order, when goods of it come back: by the reward's policy, and into which lots."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from api_world import World
from events.shop import BASE, booked, calculated, findings, go_live, program, rows

LINES = [{"sku": "latte", "amount": "20.00"}, {"sku": "cake", "amount": "30.00"}]


def open_shop(world: World, on_return: str, stars: int = 2000, ends: dt.datetime | None = None, **points: Any) -> None:
    cash = {
        "kind": "discount",
        "cost": {"stars": 1},
        "worth": {"amount": "0.01"},
        "quantities": {"most": 5000},
        "on_return": on_return,
    }
    whole = program(campaigns=BASE, rewards={"cash": cash})
    whole["points"]["stars"] |= points
    go_live(world, whole)
    member = world.enrol(card="1")["id"]
    body = {"points": "stars", "amount": stars, "reason": "test"}
    body |= {} if ends is None else {"expires_at": ends.isoformat()}
    headers = {"Idempotency-Key": "give"}
    assert world.call("POST", f"/v1/members/{member}/adjustments", json=body, headers=headers).status_code == 201


def order(external_id: str, points: int) -> dict[str, Any]:
    return {
        "type": "purchase",
        "external_id": external_id,
        "member": {"card": "1"},
        "pricing": "before",
        "lines": LINES,
        "redeem": [{"reward": "cash", "points": points}],
    }


def back(external_id: str, **data: Any) -> dict[str, Any]:
    return {"type": "return", "external_id": external_id, "member": {"card": "1"}, "data": {"order": "1", **data}}


def stars(world: World) -> int:
    [(available,)] = rows(world, "SELECT available FROM wallet WHERE point_type = 'stars'")
    return int(available)


@pytest.mark.parametrize(
    ("policy", "after", "refunds"),
    [
        # 50.00 were paid by 1,000 points and 40.00; 40 points were earned on it. First goods of 20.00 come back.
        ("whole_order", (1020, 2000), ("20.00", "20.00")),
        ("proportional", (1424, 2000), ("16.00", "24.00")),
        ("full", (1020, 2000), ("20.00", "20.00")),
        ("never", (1020, 1000), ("20.00", "20.00")),
    ],
)
def test_what_was_spent_comes_back_by_policy(
    world: World, policy: str, after: tuple[int, int], refunds: tuple[str, str]
) -> None:
    open_shop(world, policy)
    assert booked(world, order("1", 1000))["to_pay"]["total"] == "40.00"
    assert stars(world) == 1040
    for number, part in enumerate([{"lines": [{"line": 0}]}, {}]):
        event = back(f"r{number}", **part)
        asked = calculated(world, event)
        answer = booked(world, event)
        assert asked["granted"] == answer["granted"]
        assert asked["balances"] == answer["balances"]
        assert answer["refund"] == refunds[number]
        assert stars(world) == after[number]
    assert findings(world) == []


def test_what_the_rest_of_an_order_does_not_need_comes_back(world: World) -> None:
    open_shop(world, "full", stars=4500)
    assert booked(world, order("1", 4000))["to_pay"]["total"] == "10.00"
    # Of 50.00, goods of 20.00 are left: 2,000 points are enough for them.
    answer = booked(world, back("r1", lines=[{"line": 1}]))
    assert (answer["refund"], answer["to_pay"]["total"]) == ("10.00", "0.00")
    assert stars(world) == 2500
    [(state, parts)] = rows(world, "SELECT state, parts FROM redemption")
    assert (state, sum(part["amount"] for part in parts)) == ("confirmed", 2000)
    # As if the goods had stayed: the 2,000 are spent again, and the order earns on its 10.00 again.
    again = booked(world, {**back("c", order="r1"), "type": "cancel"})
    assert (again["granted"], stars(world)) == ({"stars": 10 - 2000}, 510)
    assert findings(world) == []
    assert booked(world, back("r2"))["granted"] == {"stars": 4000 - 10}
    assert stars(world) == 4500
    assert rows(world, "SELECT state FROM redemption") == [("refunded",)]
    assert findings(world) == []


def test_an_amount_comes_back_in_proportion_too(world: World) -> None:
    open_shop(world, "proportional")
    booked(world, order("1", 1000))
    answer = booked(world, back("r1", amount="25.00"))
    assert (answer["refund"], answer["to_pay"]["total"]) == ("20.00", "20.00")
    assert stars(world) == 1000 + 20 + 500
    assert findings(world) == []


def test_what_is_left_of_an_order_may_be_too_little_for_its_reward(world: World) -> None:
    open_shop(world, "proportional")
    booked(world, order("1", 10))
    answer = booked(world, back("r1", amount="49.00"))
    assert (answer["refund"], answer["to_pay"]["total"]) == ("48.90", "1.00")
    assert stars(world) == 2001
    assert findings(world) == []


@pytest.mark.parametrize(("on_refund", "is_new"), [("same_lots", False), ("new_lots", True)])
def test_points_that_come_back_end_with_their_lots_or_as_if_earned_now(
    world: World, on_refund: str, *, is_new: bool
) -> None:
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    open_shop(world, "whole_order", ends=tomorrow, expiry={"after": "12mo"}, on_refund=on_refund)
    booked(world, order("1", 1000))
    booked(world, back("r1"))
    lots = rows(world, "SELECT sum(remaining)::int, expires_at > %s FROM lot GROUP BY 2 ORDER BY 2", tomorrow)
    assert {late: amount for amount, late in lots} == {False: 2000 - 1000 * is_new, True: 1000 * is_new}
    assert stars(world) == 2000
    assert findings(world) == []


def test_only_rewards_of_the_cart_have_a_policy(world: World) -> None:
    whole = program(campaigns=BASE, rewards={"voucher": {"kind": "voucher", "on_return": "full"}})
    with pytest.raises(ValueError, match="`on_return` is about orders"):
        go_live(world, whole)
