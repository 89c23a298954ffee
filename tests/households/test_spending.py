"""Spending what is pooled: in the stated order, by who may, and what comes back is in the pool again."""

from typing import Any

import pytest

from api_world import World, assert_problem
from events.shop import findings, go_live, program, rows
from faults.test_reward_races import assert_sound, at_once, statuses
from households.family import POINTS, earn, join, leave, look, made, parts, people, pooled, publish, spend, wallets
from rewards.counter import done, give, overdue, redeemed


@pytest.fixture
def house(world: World) -> str:
    """Three members, who have 30, 40 and 50 stars in the pool."""
    publish(world)
    return filled(world)


def filled(world: World) -> str:
    one, two, three = people(world)
    found = made(world, one, two, three)
    for card, amount in ((1, 30), (2, 40), (3, 50)):
        earn(world, card, amount)
    return found


def members(world: World, house: str) -> list[str]:
    return [one["member"] for one in look(world, house)["members"]]


def test_one_spends_what_all_have(world: World, house: str) -> None:
    one, two, _ = members(world, house)
    answer = spend(world, house, two, 100)
    assert answer.status_code == 201
    assert answer.json()["balances_after"]["stars"] == {"available": 0, "held": 0}
    # The spender's own first, then by the time of joining.
    assert wallets(world) == [0, 0, 20]
    assert parts(world, house) == [0, 0, 20]
    assert spend(world, house, two, 100).headers["idempotent-replayed"] == "true"
    assert wallets(world) == [0, 0, 20]
    told = world.call("GET", f"/v1/members/{one}/statement").json()["items"][0]
    assert (told["kind"], told["sentences"]) == ("household", [f"30 stars given to member {two}."])
    assert findings(world) == []


def test_the_spenders_own_points_pay_what_the_pool_lacks(world: World, house: str) -> None:
    one, *_ = members(world, house)
    give(world, one, 10)
    assert spend(world, house, one, 130).status_code == 201
    assert wallets(world) == [0, 0, 0]
    problem = assert_problem(spend(world, house, one, 1, "r2"), 409, "reward_unavailable")
    assert problem["reasons"][0]["code"] == "points_missing"
    assert findings(world) == []


def test_what_is_refused_moves_nothing(world: World, house: str) -> None:
    one, *_ = members(world, house)
    assert_problem(spend(world, house, one, 121), 409, "reward_unavailable")
    assert_problem(spend(world, house, one, 1, reward="none"), 404, "reward_not_found")
    assert wallets(world) == [30, 40, 50]
    assert world.count("household_move") == 0


def test_a_child_may_not_unless_the_program_says_so(world: World, house: str) -> None:
    child = members(world, house)[2]
    world.call("PUT", f"/v1/households/{house}/members/{child}", json={"role": "child"})
    assert_problem(spend(world, house, child, 10), 403, "household_may_not_spend")
    assert_problem(pooled(world, house, "draws", child, 10), 403, "household_may_not_spend")
    publish(world, may_spend=["child"])
    assert spend(world, house, child, 60).status_code == 201


def test_what_comes_back_is_in_the_pool_again(world: World, house: str) -> None:
    one, *_ = members(world, house)
    held = spend(world, house, one, 100, confirm=False).json()
    assert parts(world, house) == [0, 0, 20]
    done(world, held["id"], "cancel")
    assert parts(world, house) == [100, 0, 20]
    held = spend(world, house, one, 110, "r2", confirm=False).json()
    done(world, held["id"], "confirm", quantity=50)
    assert (parts(world, house), wallets(world)) == ([60, 0, 10], [60, 0, 10])
    done(world, held["id"], "refund")
    assert (parts(world, house), wallets(world)) == ([110, 0, 10], [110, 0, 10])
    spend(world, house, one, 120, "r3", confirm=False)
    assert overdue(world) == 1
    assert sum(parts(world, house)) == sum(wallets(world)) == 120
    assert findings(world) == []


def test_draws_let_a_member_spend_in_any_other_way(world: World, house: str) -> None:
    *_, three = members(world, house)
    assert pooled(world, house, "draws", three, 60).json()["pool"] == {"stars": 120}
    assert wallets(world) == [20, 40, 60]
    pooled(world, house, "draws", three, 60)
    assert wallets(world) == [20, 40, 60], "it is there already"
    problem = assert_problem(pooled(world, house, "draws", three, 121), 409, "household_pool_too_small")
    assert (problem["available"], problem["wanted"]) == (120, 121)
    assert findings(world) == []


@pytest.mark.parametrize(("order", "left"), [("ending_first", [0, 20, 50]), ("even", [12, 17, 21])])
def test_other_orders(world: World, order: str, left: list[int]) -> None:
    publish(world, order=order)
    house = filled(world)
    *_, three = members(world, house)
    assert spend(world, house, three, 50 if order == "ending_first" else 70).status_code == 201
    assert wallets(world) == left


def test_lots_keep_their_end_and_age(world: World, house: str) -> None:
    one, *_ = members(world, house)
    before = rows(world, "SELECT earned_at, expires_at, campaign FROM lot ORDER BY 1")
    pooled(world, house, "draws", one, 120)
    after = rows(world, "SELECT earned_at, expires_at, campaign FROM lot WHERE is_open ORDER BY 1")
    assert after == before


def test_frozen_and_suspended_members_points_are_left_alone(world: World, house: str) -> None:
    one, two, three = members(world, house)
    world.call("POST", f"/v1/members/{two}/points/freeze", json={"reason": "x"})
    assert parts(world, house) == [30, 0, 50]
    world.call("POST", f"/v1/members/{three}/suspend", json={"reason": "x"})
    assert parts(world, house) == [30, 0, 0]
    assert_problem(spend(world, house, one, 31), 409, "reward_unavailable")
    assert_problem(spend(world, house, two, 10), 409, "reward_unavailable")
    assert_problem(pooled(world, house, "draws", three, 10), 403, "household_may_not_spend")
    assert leave(world, house, two).status_code == 200
    assert wallets(world) == [30, 40, 50]


def test_freezing_is_no_way_to_take_along_what_stays(world: World) -> None:
    publish(world, leaving="leave")
    house = filled(world)
    _, two, three = members(world, house)
    world.call("POST", f"/v1/members/{two}/points/freeze", json={"reason": "x"})
    found = assert_problem(leave(world, house, two), 409, "points_frozen")
    assert found["member"] == two
    # Nor are the points of others drawn to where nobody can spend them.
    assert_problem(pooled(world, house, "draws", two, 10), 409, "points_frozen")
    assert leave(world, house, three).status_code == 200
    assert wallets(world) == [80, 40, 0]
    world.call("POST", f"/v1/members/{two}/points/unfreeze", json={"reason": "x"})
    assert leave(world, house, two).status_code == 200
    assert wallets(world) == [120, 0, 0]
    assert findings(world) == []


def test_a_hold_whose_time_has_passed_is_not_in_the_way(world: World) -> None:
    go_live(world, program(points=POINTS, households={}, rewards={"mug": {"kind": "voucher", "stock": 1}}))
    one, two, three = people(world)
    house = made(world, one, two)
    redeemed(world, three, "mug")
    body = {"member": two, "reward": "mug", "reference": "h", "confirm": True}
    path = f"/v1/households/{house}/redemptions"
    assert_problem(world.call("POST", path, json=body), 409, "reward_unavailable")
    with world.database.raw_connection() as connection:
        connection.execute("UPDATE redemption SET hold_until = now() - interval '1 second'")
    assert world.call("POST", path, json=body).status_code == 201
    assert_problem(world.call("POST", path, json=body | {"reference": "i"}), 409, "reward_unavailable")


def test_what_one_has_spent_alone_is_not_in_the_pool(world: World, house: str) -> None:
    one, *_ = members(world, house)
    body = {"member": one, "points": 25, "reference": "own", "confirm": True}
    assert world.call("POST", "/v1/payments", json=body).status_code == 201
    assert parts(world, house) == [5, 40, 50]


def test_verify_sees_a_move_without_its_entry(world: World, house: str) -> None:
    one, *_ = members(world, house)
    pooled(world, house, "draws", one, 100)
    with world.database.raw_connection() as connection:
        connection.execute("ALTER TABLE household_move DISABLE TRIGGER append_only")
        connection.execute("UPDATE household_move SET amount = amount - 1 WHERE kind = 'drawn'")
    assert {one.kind for one in findings(world)} == {"household_moved"}


@pytest.mark.slow
def test_all_spend_the_pool_at_once(world: World, house: str) -> None:
    people_in = members(world, house)
    calls: list[Any] = [lambda n=n: spend(world, house, people_in[n % 3], 25, f"r{n}") for n in range(30)]
    answers = at_once(calls)
    assert statuses(answers) == {201: 4, 409: 26}
    assert sum(wallets(world)) == 20 == sum(parts(world, house))
    assert_sound(world)


@pytest.mark.slow
def test_spending_joining_leaving_and_earning_at_once(world: World, house: str) -> None:
    one, two, three = members(world, house)
    calls: list[Any] = []
    for n in range(8):
        calls += [
            lambda n=n: spend(world, house, one, 5, f"a{n}"),
            lambda n=n: spend(world, house, two, 5, f"b{n}", confirm=False),
            lambda: leave(world, house, three),
            lambda: join(world, house, three),
            lambda: pooled(world, house, "draws", two, 30),
        ]
    codes = set(statuses(at_once(calls)))
    assert codes <= {200, 201, 404, 409}
    held = rows(world, "SELECT coalesce(sum(held), 0) FROM wallet")[0][0]
    taken = rows(world, "SELECT coalesce(sum(amount), 0) FROM posting WHERE destination = 'redeemed'")[0][0]
    assert sum(wallets(world)) + held + taken == 120
    assert_sound(world)
