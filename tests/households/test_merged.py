"""Members of households who are merged with others, stay when the program has no households any more, or are frozen."""

from api_world import World, assert_problem
from events.shop import booked, findings, go_live, program
from households.family import earn, join, leave, look, made, parts, people, pooled, publish, spend, wallets
from moving.pairs import merged, parted
from rewards.counter import give
from setia.events.rebuild import rebuild_states


def sound(world: World) -> None:
    assert findings(world) == []
    assert rebuild_states(world.database, world.program_id, check=True).different == 0


def test_what_somebody_had_earned_who_is_merged_into_a_member_is_not_pooled(world: World) -> None:
    publish(world)
    one, two, three = people(world)
    give(world, one, 500)
    house = made(world, one, two)
    earn(world, 1, 10)
    earn(world, 3, 1000)
    identity = merged(world, one, three)
    # 500 by hand, 10 for the household, and 1000 from before: it may spend 10.
    assert (wallets(world), parts(world, house)) == ([1510, 0, 0], [10, 0])
    assert_problem(spend(world, house, two, 11), 409, "reward_unavailable")
    earn(world, 3, 5)
    assert parts(world, house) == [15, 0]
    sound(world)
    parted(world, identity)
    assert (wallets(world), parts(world, house)) == ([515, 0, 1000], [15, 0])
    earn(world, 1, 1)
    assert parts(world, house) == [16, 0]
    sound(world)


def test_what_waits_for_the_duplicate_is_pooled_when_it_can_be_used(world: World) -> None:
    go_live(world, program(points={"stars": {"available_on": "visit"}}, households={}))
    one, two, three = people(world)
    house = made(world, one, two)
    earn(world, 3, 30)
    identity = merged(world, one, three)
    assert parts(world, house) == [0, 0]
    booked(world, {"type": "visit", "external_id": "v", "member": {"card": "3"}})
    assert parts(world, house) == [30, 0]
    parted(world, identity)
    give(world, one, 50)
    assert (wallets(world), parts(world, house)) == ([50, 0, 30], [0, 0])
    sound(world)


def test_with_all_that_is_there_pooled_the_duplicates_is_too(world: World) -> None:
    publish(world, held="pooled")
    one, two, three = people(world)
    house = made(world, one, two)
    earn(world, 3, 30)
    assert spend(world, house, one, 1).status_code == 409
    merged(world, one, three)
    assert parts(world, house) == [30, 0]
    sound(world)


def test_who_joined_as_two_in_one_keeps_what_was_put_in_since(world: World) -> None:
    publish(world)
    one, two, three = people(world)
    earn(world, 3, 300)
    identity = merged(world, one, three)
    house = made(world, one, two)
    earn(world, 1, 20)
    assert parts(world, house) == [20, 0]
    parted(world, identity)
    assert (wallets(world), parts(world, house)) == ([20, 0, 300], [20, 0])
    # Named by the duplicate's id while there is one: the member is meant.
    merged(world, one, three)
    assert pooled(world, house, "draws", three, 5).status_code == 200
    assert spend(world, house, three, 5).status_code == 201
    assert parts(world, house) == [15, 0]
    sound(world)


def test_a_household_is_left_though_the_program_has_none_any_more(world: World) -> None:
    publish(world, leaving="leave")
    one, two, three = people(world)
    house = made(world, one, two)
    earn(world, 2, 40)
    go_live(world, program())
    left = leave(world, house, two).json()
    assert ([member["member"] for member in left["members"]], left["pool"]) == ([one], {})
    assert wallets(world) == [0, 40, 0]
    # Or nobody of it could ever be merged into somebody else.
    merged(world, three, two)
    assert leave(world, house, one).json()["closed_at"] is not None
    sound(world)


def test_nobody_gives_what_counts_as_nothing_meanwhile(world: World) -> None:
    publish(world)
    one, two, _ = people(world)
    give(world, one, 100)
    house = made(world, one, two)
    frozen = {"reason": "lost my phone"}
    assert world.call("POST", f"/v1/members/{one}/points/freeze", json=frozen).status_code == 200
    assert_problem(pooled(world, house, "contributions", one, 100), 409, "points_frozen")
    assert world.call("POST", f"/v1/members/{one}/points/unfreeze", json=frozen).status_code == 200
    world.call("POST", f"/v1/members/{one}/suspend", json={"reason": "x"})
    refused = assert_problem(pooled(world, house, "contributions", one, 100), 422, "invalid_household")
    assert refused["errors"][0]["pointer"] == "#/member"
    assert look(world, house)["pool"] == {"stars": 0}
    assert join(world, house, one).headers["idempotent-replayed"] == "true"
