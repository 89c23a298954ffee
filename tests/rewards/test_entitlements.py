"""Entitlements through the API: what a member may use, used at doors, and taken back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api_world import World, assert_problem
from rewards.counter import REWARDS, do, member, open_shop, redeemed, rows

LOUNGE = {"kind": "entitlement", "cost": {"stars": 10}, "uses": 2, "valid_for": "30d", "quantities": {"most": 3}}
EARLY = {"kind": "entitlement"}


@pytest.fixture
def shop(world: World) -> World:
    open_shop(world, rewards={**REWARDS, "door": LOUNGE, "early": EARLY, "later": {**LOUNGE, "lead_time": "1d"}})
    return world


def use(world: World, who: str, reference: str = "1", reward: str = "door", **more: Any) -> Any:
    body = {"member": who, "reward": reward, "till": "door-1", "reference": reference, **more}
    return world.call("POST", "/v1/entitlements/use", json=body)


def listed(world: World, who: str) -> list[tuple[str, int | None]]:
    found = world.call("GET", f"/v1/members/{who}/entitlements").json()["entitlements"]
    return [(one["reward"], one["uses_left"]) for one in found]


def test_what_is_redeemed_can_be_used_so_often(shop: World) -> None:
    who = member(shop)
    assert_problem(use(shop, who), 409, "not_entitled")
    mine = redeemed(shop, who, "door", "1", confirm=True)
    redeemed(shop, who, "early", "2", confirm=True)
    redeemed(shop, who, "door", "3")  # held only
    redeemed(shop, who, "later", "4", confirm=True)
    assert listed(shop, who) == [("door", 2), ("early", None)]
    first = use(shop, who).json()
    assert (first["entitlement"]["redemption"], first["entitlement"]["uses_left"]) == (mine["id"], 1)
    again = use(shop, who)
    assert again.json() == first
    assert again.headers["Idempotent-Replayed"] == "true"
    assert_problem(use(shop, who, reward="early"), 409, "reference_used")
    assert use(shop, who, "2").json()["entitlement"]["uses_left"] == 0
    assert "used up" in assert_problem(use(shop, who, "3"), 409, "not_entitled")["detail"]
    assert listed(shop, who) == [("early", None)]
    assert use(shop, who, "4", "early").json()["entitlement"]["uses_left"] is None
    assert_problem(use(shop, who, "5", "later"), 409, "not_entitled")


def test_a_use_is_taken_back_and_only_then_it_is_refunded(shop: World) -> None:
    who = member(shop)
    mine = redeemed(shop, who, "door", "1", confirm=True)
    use(shop, who)
    assert_problem(do(shop, mine["id"], "refund"), 409, "redemption_state_conflict")
    body = {"till": "door-1", "reference": "1"}
    released = shop.call("POST", "/v1/entitlements/release", json=body)
    assert released.json()["released_at"]
    assert released.json()["entitlement"]["uses_left"] == 2
    again = shop.call("POST", "/v1/entitlements/release", json=body)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (released.json(), "true")
    assert do(shop, mine["id"], "refund").status_code == 200
    assert listed(shop, who) == []
    unknown = shop.call("POST", "/v1/entitlements/release", json={**body, "reference": "2"})
    assert_problem(unknown, 404, "code_use_not_found")


def test_what_ends_first_is_used_first(shop: World) -> None:
    who = member(shop)
    late = redeemed(shop, who, "door", "1", confirm=True)
    soon = redeemed(shop, who, "door", "2", confirm=True, quantity=2)
    with shop.database.raw_connection() as connection:
        connection.execute("UPDATE redemption SET valid_until = now() + interval '1 hour' WHERE reference = '2'")
    used = [use(shop, who, str(number)).json()["entitlement"]["redemption"] for number in range(5)]
    assert used == [soon["id"]] * 4 + [late["id"]]


def test_many_doors_at_once_let_in_as_often_as_there_are_uses(shop: World) -> None:
    who = member(shop)
    redeemed(shop, who, "door", "1", confirm=True)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda number: use(shop, who, str(number)).status_code, range(6)))
    assert sorted(found) == [200] * 2 + [409] * 4
    assert rows(shop, "SELECT count(*) FROM entitlement_use") == [(2,)]


def test_one_reference_at_two_members_is_used_once(shop: World) -> None:
    people = [member(shop, card=str(card)) for card in range(4)]
    for number, who in enumerate(people):
        redeemed(shop, who, "door", str(number), confirm=True)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda who: use(shop, who, "same"), people))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


def test_strangers_see_and_use_nothing(shop: World) -> None:
    who = member(shop)
    redeemed(shop, who, "door", "1", confirm=True)
    assert shop.call("GET", f"/v1/members/{who}/entitlements", key=shop.stranger).status_code == 404
    body = {"member": who, "reward": "door", "reference": "1"}
    assert_problem(shop.call("POST", "/v1/entitlements/use", json=body, key=shop.stranger), 404, "member_not_found")


def test_uses_are_an_entitlements(shop: World) -> None:
    with pytest.raises(ValueError, match="`uses` says how often an entitlement"):
        open_shop(shop, rewards={"x": {"kind": "physical", "uses": 2}})


def test_who_was_merged_uses_what_the_other_one_has_now(shop: World) -> None:
    who, old = member(shop), member(shop, card="2")
    redeemed(shop, old, "door", "1", confirm=True)
    body = {"duplicate": old, "reason": "One person"}
    answer = shop.call("POST", f"/v1/members/{who}/merge", json=body, headers={"Idempotency-Key": "m"})
    assert answer.status_code == 200
    assert use(shop, old).json()["entitlement"]["uses_left"] == 1
    assert use(shop, old).headers["Idempotent-Replayed"] == "true"
    assert use(shop, who, "2").json()["entitlement"]["uses_left"] == 0
