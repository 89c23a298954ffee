"""Households are made, joined and left; what each member has in the pool follows."""

import pytest
from httpx import Response

from api_world import World, assert_problem
from events.shop import booked, enrolled, findings, go_live, program, rows
from faults.test_reward_races import at_once, statuses
from households.family import earn, join, leave, look, made, parts, people, pooled, publish, spend, wallets
from rewards.counter import give
from setia.events.rebuild import rebuild_states


def sound(world: World) -> None:
    assert findings(world) == []
    assert rebuild_states(world.database, world.program_id, check=True).different == 0


def test_what_is_earned_from_joining_on_is_pooled(world: World) -> None:
    publish(world)
    one, two, _ = people(world)
    earn(world, 1, 50)
    earn(world, 2, 70)
    house = made(world, one, two)
    assert parts(world, house) == [0, 0]
    earn(world, 1, 10)
    earn(world, 2, 20)
    found = look(world, house)
    assert (found["pool"], [member["role"] for member in found["members"]]) == ({"stars": 30}, ["owner", "adult"])
    assert parts(world, house) == [10, 20]
    assert world.call("GET", f"/v1/members/{two}/household").json() == found
    sound(world)


def test_a_share_of_it_and_what_was_there_before(world: World) -> None:
    publish(world, share=50, held="pooled")
    one, two, _ = people(world)
    give(world, one, 31)
    earn(world, 2, 10)
    house = made(world, one, two)
    assert parts(world, house) == [15, 5]
    earn(world, 2, 5)
    assert parts(world, house) == [15, 7]


def test_a_return_lowers_what_was_earned(world: World) -> None:
    publish(world)
    one, two, _ = people(world)
    house = made(world, one, two)
    earn(world, 2, 40)
    order = rows(world, "SELECT external_id FROM event WHERE type = 'purchase'")[0][0]
    back = {"type": "return", "external_id": "r", "member": {"card": "2"}, "data": {"order": order}}
    booked(world, back)
    assert parts(world, house) == [0, 0]


def test_points_that_wait_are_pooled_when_they_can_be_used(world: World) -> None:
    points = {"stars": {"available_on": "visit"}}
    go_live(world, program(points=points, households={}))
    one, two, _ = people(world)
    earn(world, 1, 30)
    house = made(world, one, two)
    earn(world, 1, 5)
    assert parts(world, house) == [0, 0]
    booked(world, {"type": "visit", "external_id": "v", "member": {"card": "1"}})
    assert parts(world, house) == [35, 0]


def test_points_of_ones_own_are_put_into_the_pool_and_not_twice(world: World) -> None:
    publish(world)
    one, two, _ = people(world)
    give(world, one, 100)
    house = made(world, one, two)
    assert pooled(world, house, "contributions", one, 60).json()["pool"] == {"stars": 60}
    assert_problem(pooled(world, house, "contributions", one, 41), 422, "invalid_household")
    assert pooled(world, house, "contributions", one, 40).json()["pool"] == {"stars": 100}
    assert_problem(pooled(world, house, "contributions", one, 1, "status"), 422, "invalid_household")
    assert wallets(world)[:2] == [100, 0]


def test_leaving_takes_along_what_is_unspent(world: World) -> None:
    publish(world)
    one, two, _ = people(world)
    house = made(world, one, two)
    earn(world, 2, 40)
    assert spend(world, house, one, 15).status_code == 201
    assert leave(world, house, two).json()["pool"] == {"stars": 0}
    assert wallets(world) == [0, 25, 0]
    assert_problem(leave(world, house, two), 404, "not_in_household")
    assert_problem(world.call("GET", f"/v1/members/{two}/household"), 404, "household_not_found")
    assert join(world, house, two).status_code == 201
    assert parts(world, house) == [0, 0]
    sound(world)


def test_leaving_may_leave_it_with_the_owner(world: World) -> None:
    publish(world, leaving="leave")
    one, two, _ = people(world)
    give(world, two, 5)
    house = made(world, one, two)
    earn(world, 2, 40)
    assert leave(world, house, two).json()["pool"] == {"stars": 40}
    assert wallets(world) == [40, 5, 0]
    assert rows(world, "SELECT count(DISTINCT expires_at) FROM lot WHERE campaign = 'base'") == [(1,)]
    items = world.call("GET", f"/v1/members/{one}/statement").json()["items"]
    assert items[0]["sentences"] == [f"40 stars from member {two}."]
    sound(world)


def test_the_owner_is_followed_by_the_oldest_adult_and_the_last_one_closes_it(world: World) -> None:
    publish(world)
    one, two, three = people(world)
    house = made(world, one)
    join(world, house, two, "child")
    join(world, house, three)
    assert [member["role"] for member in leave(world, house, one).json()["members"]] == ["child", "owner"]
    assert [member["role"] for member in leave(world, house, three).json()["members"]] == ["owner"]
    closed = leave(world, house, two).json()
    assert (closed["closed_at"] is None, closed["members"], closed["pool"]) == (False, [], {})
    assert_problem(join(world, house, one), 409, "household_closed")
    assert look(world, house) == closed


def test_roles_change_and_there_is_always_one_owner(world: World) -> None:
    publish(world)
    one, two, _ = people(world)
    house = made(world, one, two)
    path = f"/v1/households/{house}/members"
    owner = world.call("PUT", f"{path}/{two}", json={"role": "owner"}).json()
    assert [member["role"] for member in owner["members"]] == ["adult", "owner"]
    assert_problem(world.call("PUT", f"{path}/{two}", json={"role": "child"}), 422, "invalid_household")
    child = world.call("PUT", f"{path}/{one}", json={"role": "child"}).json()
    assert [member["role"] for member in child["members"]] == ["child", "owner"]
    assert world.call("PUT", f"{path}/{one}", json={"role": "child"}).json() == child


def test_who_cannot_join(world: World) -> None:
    publish(world, most_members=2, rejoin_after="30d")
    one, two, three = people(world)
    house, other = made(world, one, two), made(world, three)
    assert join(world, house, two).headers["idempotent-replayed"] == "true"
    assert assert_problem(join(world, house, three), 409, "household_cannot_join")["reason"] == "full"
    assert assert_problem(join(world, other, two), 409, "household_cannot_join")["household"] == house
    leave(world, house, two)
    assert assert_problem(join(world, other, two), 409, "household_cannot_join")["reason"] == "left_lately"
    four = enrolled(world, "4")
    world.call("POST", f"/v1/members/{four}/suspend", json={"reason": "x"})
    assert assert_problem(join(world, other, four), 409, "household_cannot_join")["reason"] == "member_not_active"
    assert_problem(join(world, other, "mem_x"), 404, "member_not_found")


def test_a_household_is_made_once_for_each_key(world: World) -> None:
    publish(world)
    one, two, _ = people(world)
    house = made(world, one)
    headers = {"Idempotency-Key": f"hh-{one}"}
    again = world.call("POST", "/v1/households", json={"owner": one}, headers=headers)
    assert (again.json()["id"], again.headers["idempotent-replayed"]) == (house, "true")
    other = world.call("POST", "/v1/households", json={"owner": two}, headers=headers)
    assert_problem(other, 422, "idempotency_key_reused")
    assert_problem(world.call("POST", "/v1/households", json={"owner": two}), 400, "idempotency_key_required")
    assert world.count("household") == 1


def test_strangers_and_programs_without_households(world: World) -> None:
    publish(world)
    one, two, _ = people(world)
    house = made(world, one, two)
    assert_problem(world.call("GET", f"/v1/households/{house}", key=world.stranger), 404, "household_not_found")
    assert_problem(world.call("GET", "/v1/households/hh_x"), 404, "household_not_found")
    assert_problem(pooled(world, f"hh_{'0' * 32}", "draws", one, 1), 404, "household_not_found")
    go_live(world, program())
    assert_problem(world.call("GET", f"/v1/households/{house}"), 409, "no_households")
    headers = {"Idempotency-Key": "x"}
    assert_problem(world.call("POST", "/v1/households", json={"owner": one}, headers=headers), 409, "no_households")


@pytest.mark.parametrize("table", ["household_move", "journal"])
def test_a_failing_commit_keeps_nothing(world: World, table: str) -> None:
    publish(world)
    one, two, _ = people(world)
    house = made(world, one, two)
    earn(world, 2, 40)
    world.refuse_commits_to(table)
    assert spend(world, house, one, 15).status_code == 500
    assert pooled(world, house, "draws", one, 15).status_code == 500
    assert wallets(world) == [0, 40, 0]
    assert parts(world, house) == [0, 40]


def test_a_contribution_is_made_once_for_each_key(world: World) -> None:
    publish(world)
    one, two, _ = people(world)
    give(world, one, 100)
    house = made(world, one, two)
    first = pooled(world, house, "contributions", one, 30, key="k")
    again = pooled(world, house, "contributions", one, 30, key="k")
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    assert_problem(pooled(world, house, "contributions", one, 31, key="k"), 422, "idempotency_key_reused")
    drawn = pooled(world, house, "draws", two, 10, key="k")
    assert pooled(world, house, "draws", two, 10, key="k").json() == drawn.json()
    body = {"member": one, "points": "stars", "amount": 1}
    assert_problem(world.call("POST", f"/v1/households/{house}/draws", json=body), 400, "idempotency_key_required")
    assert parts(world, house) == [20, 10]


@pytest.mark.slow
def test_a_member_enters_one_household_whoever_lets_it_in(world: World) -> None:
    publish(world)
    owners = people(world, 6)
    houses = [made(world, owner) for owner in owners]
    newcomer = enrolled(world, "new")
    answers = at_once([lambda house=house: join(world, house, newcomer) for house in houses])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {201: 1, 409: 5}
    others = [enrolled(world, f"o{number}") for number in range(6)]

    def make(owner: str) -> Response:
        return world.call("POST", "/v1/households", json={"owner": owner}, headers={"Idempotency-Key": "same"})

    assert statuses(at_once([lambda one=one: make(one) for one in others])) == {201: 1, 422: 5}  # type: ignore[misc]  # the default binds the loop variable
    assert world.count("household") == 7
    assert_problem(make(f"mem_{'0' * 32}"), 404, "member_not_found")
