"""Rewards and returns: those of the order whose return is cancelled, and those its points were spent on elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from api_world import World, assert_problem
from events.returning import BASE, adjust, assert_sound, back, buy, cancel, give_back, try_back, wallet
from events.shop import calculated, enrolled, go_live, program, rows

FIFTEEN: dict[str, Any] = {"kind": "discount", "cost": {"stars": 100}, "worth": {"amount": "15.00"}, "stock": 1}
MUG: dict[str, Any] = {"kind": "physical", "cost": {"stars": 40}, "refund_within": "30d"}


def _live(world: World, **rewards: Any) -> str:
    go_live(world, program(campaigns=BASE, points={"stars": {}}, tiers=[], rewards=rewards))
    return enrolled(world)


def _buy(world: World, order: str = "a") -> None:
    lines = ("x", "1", "35.00"), ("y", "1", "30.00")
    buy(world, order, *lines, pricing="before", redeem=[{"reward": "fifteen"}])


@pytest.mark.parametrize("policy", ["whole_order", "proportional", "full", "never"])
def test_a_cancelled_return_spends_again_what_had_come_back(world: World, policy: str) -> None:
    _live(world, fifteen=FIFTEEN | {"on_return": policy})
    adjust(world, 100)
    _buy(world)
    there = [wallet(world)]
    for number, data in (("r1", {"lines": [{"line": 0}]}), ("r2", {})):
        give_back(world, number, "a", **data)
        there.append(wallet(world))
        assert_sound(world)
    assert there[2] == ((0 if policy == "never" else 100), 0)
    for number in ("r2", "r1"):
        told = calculated(world, back("", number, kind="cancel") | {"external_id": None})
        done = cancel(world, f"c{number}", number)
        assert [told[part] for part in ("balances", "effects")] == [done[part] for part in ("balances", "effects")]
        there.pop()
        assert wallet(world) == there[-1]
        assert_sound(world)
    assert rows(world, "SELECT state FROM redemption") == [("confirmed",)]
    assert rows(world, "SELECT used FROM reward_stock") == [(1,)]
    give_back(world, "r3", "a")
    assert wallet(world) == ((0 if policy == "never" else 100), 0)
    assert_sound(world)


def test_a_return_is_not_cancelled_where_its_rewards_cannot_be_had_again(world: World) -> None:
    _live(world, fifteen=FIFTEEN)
    adjust(world, 100)
    _buy(world)
    give_back(world, "r", "a")
    adjust(world, -50)
    short = assert_problem(try_back(world, "c", "r", kind="cancel"), 422, "invalid_event")
    assert "cost 100 stars again, and 50 are there" in short["detail"]
    assert short["errors"][0]["pointer"] == "#/data/order"
    adjust(world, 200)
    _buy(world, "b")  # the last one
    gone = assert_problem(try_back(world, "c", "r", kind="cancel"), 422, "invalid_event")
    assert "Others have taken" in gone["detail"]
    assert rows(world, "SELECT state FROM redemption ORDER BY created_at") == [("refunded",), ("confirmed",)]
    assert rows(world, "SELECT used FROM reward_stock") == [(1,)]
    assert_sound(world)


def test_a_reward_that_is_gone_from_the_program_is_had_again_all_the_same(world: World) -> None:
    _live(world, fifteen=FIFTEEN)
    adjust(world, 100)
    _buy(world)
    give_back(world, "r", "a")
    go_live(world, program(campaigns=BASE, points={"stars": {}}, tiers=[]))
    cancel(world, "c", "r")
    assert wallet(world) == (50, 0)
    assert rows(world, "SELECT used FROM reward_stock") == [(1,)]
    assert_sound(world)


def test_frozen_points_are_not_spent_again(world: World) -> None:
    member = _live(world, fifteen=FIFTEEN)
    adjust(world, 100)
    _buy(world)
    give_back(world, "r", "a")
    frozen = world.call("POST", f"/v1/members/{member}/points/freeze", json={"reason": "lost card"})
    assert frozen.status_code in {200, 201}, frozen.text
    assert_problem(try_back(world, "c", "r", kind="cancel"), 409, "points_frozen")
    assert wallet(world) == (100, 0)
    assert_sound(world)


@pytest.mark.parametrize("state", ["held", "confirmed", "refunded"])
def test_staff_is_shown_what_the_points_of_a_returned_order_had_bought(world: World, state: str) -> None:
    member = _live(world, mug=MUG)
    buy(world, "a", ("x", "1", "50.00"), ("y", "1", "20.00"))
    wish = {"member": member, "reward": "mug", "reference": "1", "confirm": state != "held"}
    redemption = world.call("POST", "/v1/redemptions", json=wish).json()["id"]
    if state == "refunded":
        assert world.call("POST", f"/v1/redemptions/{redemption}/refund").status_code == 200
    # 30 of the order's points are there still: nothing had to come from elsewhere.
    assert give_back(world, "r1", "a", lines=[{"line": 1}])["bought"] == []
    rest = give_back(world, "r2", "a")
    mug = {"redemption": redemption, "reward": "mug", "name": "mug", "points": "stars", "amount": 40}
    assert rest["bought"] == ([] if state == "refunded" else [mug])
    assert world.call("GET", f"/v1/events/{rest['id']}").json()["bought"] == rest["bought"]
    assert wallet(world) == (0, 0)
    assert_sound(world)


def test_points_that_come_back_into_new_lots_have_one_sentence(world: World) -> None:
    whole = program(campaigns=BASE, points={"stars": {"on_refund": "new_lots"}}, tiers=[], rewards={"fifteen": FIFTEEN})
    go_live(world, whole)
    enrolled(world)
    adjust(world, 100)
    _buy(world)
    assert give_back(world, "r", "a")["sentences"] == [
        "50 stars of “base” taken back.",
        "100 stars given back for the rewards of this order.",
    ]
    assert wallet(world) == (100, 0)
    assert_sound(world)
