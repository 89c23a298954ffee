"""What becomes of points when members are merged and parted: debts, points that wait, types that are gone."""

import pytest

from api_world import World, assert_problem
from moving.movers import available, give, lots, member, open_club, sound, told
from moving.pairs import merged, parted, undo, whole


@pytest.fixture
def two(world: World) -> tuple[str, str]:
    """Somebody with 80 stars, and a duplicate with 120."""
    open_club(world)
    return member(world, "1", 80), member(world, "2", 120)


@pytest.mark.parametrize("has", [0, 10, 100])
def test_what_the_duplicate_owes_is_owed_by_who_stays(world: World, has: int) -> None:
    open_club(world, points={"stars": {"negative": "allow"}, "status": {"spendable": False, "negative": "allow"}})
    main, duplicate = member(world, "1", has), member(world, "2")
    give(world, duplicate, -30)
    give(world, duplicate, -4, "status")
    before = whole(world, main), whole(world, duplicate)
    identity = merged(world, main, duplicate)
    assert (available(world, main), available(world, main, "status")) == (has - 30, -4)
    assert "30 stars owed came along." in told(world, main)
    sound(world)
    parted(world, identity)
    assert (whole(world, main), whole(world, duplicate)) == before
    sound(world)


def test_a_debt_that_was_paid_meanwhile_comes_back_as_points(world: World) -> None:
    open_club(world, points={"stars": {"negative": "allow"}})
    main, duplicate = member(world, "1"), member(world, "2")
    give(world, duplicate, -30)
    identity = merged(world, main, duplicate)
    give(world, main, 50)
    assert available(world, main) == 20
    parted(world, identity)
    assert (available(world, main), available(world, duplicate)) == (50, -30)
    assert sorted(lots(world, main)) == [(20, None), (30, None)]
    sound(world)


def test_where_points_may_be_owed_who_stays_owes_what_it_has_spent(world: World) -> None:
    open_club(world, points={"stars": {"negative": "allow"}, "status": {"spendable": False}})
    main, duplicate = member(world, "1", 80), member(world, "2", 120)
    give(world, duplicate, 7, "status")
    identity = merged(world, main, duplicate)
    give(world, main, -200)
    give(world, main, -5, "status")
    body = assert_problem(undo(world, identity), 409, "merge_spent")
    assert body["missing"] == {"status": 5}
    parted(world, identity, short=True)
    assert (available(world, main), available(world, duplicate)) == (-120, 120)
    assert (available(world, main, "status"), available(world, duplicate, "status")) == (0, 2)
    sound(world)


def test_pending_points_wait_on_for_their_moment_or_their_order(world: World) -> None:
    waits = {
        "base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}, "available_on": "shipped"},
        "visit": {"on": "visit", "earn": {"stars": 5}, "available_after": "1d"},
    }
    open_club(world, campaigns=waits, events={"shipped": {}})
    main, duplicate = member(world, "1"), member(world, "2")
    lines = [{"sku": "a", "amount": "30.00"}]
    bought = {"type": "purchase", "external_id": "o-1", "member": {"card": "2"}, "lines": lines}
    assert world.call("POST", "/v1/events", json=bought).status_code == 201
    visit = {"type": "visit", "external_id": "v", "member": {"card": "2"}}
    assert world.call("POST", "/v1/events", json=visit).status_code == 201
    before = whole(world, main), whole(world, duplicate)
    parted(world, merged(world, main, duplicate))
    assert (whole(world, main), whole(world, duplicate)) == before
    identity = merged(world, main, duplicate)
    shipped = {"type": "shipped", "external_id": "s", "member": {"card": "2"}, "data": {"order": "o-1"}}
    answer = world.call("POST", "/v1/events", json=shipped)
    assert answer.status_code == 201, answer.text
    assert available(world, main) == 30
    sound(world)
    # What is released comes back released, in a lot of its own.
    parted(world, identity)
    assert (available(world, main), available(world, duplicate)) == (0, 30)
    wallets = world.call("GET", f"/v1/members/{duplicate}/wallets").json()["wallets"]
    assert wallets[0]["pending"] == 5
    sound(world)


def test_points_that_the_program_no_longer_has_go_along(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    give(world, duplicate, 30, "miles")
    open_club(world, points={"stars": {}, "status": {"spendable": False}}, transfers={}, exchanges={})
    before = whole(world, duplicate)
    identity = merged(world, main, duplicate)
    assert available(world, main, "miles") == 30
    sound(world)
    parted(world, identity)
    assert (whole(world, duplicate)["lots"], available(world, duplicate, "miles")) == (before["lots"], 30)
    sound(world)
