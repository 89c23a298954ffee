"""Members who are merged and parted while transfers are taken back, points given back, and a household spends."""

from typing import Any

import pytest
from httpx import Response

from api_world import World
from households.family import PAY, look, made, spend
from moving.movers import available, give, member, moved, open_club, post, sound
from moving.pairs import merge, merged, undo
from moving.test_races import at_once


@pytest.fixture
def four(world: World) -> list[str]:
    """A program with everything that moves points; four members, each with 200."""
    sales = {"top_up": {"points": "stars", "price": "0.01"}}
    campaigns = {"base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}}}
    open_club(world, sales=sales, rewards={"pay": PAY}, households={}, campaigns=campaigns)
    return [member(world, str(number), 200) for number in range(4)]


def reverse(world: World, done: dict[str, Any]) -> Response:
    return post(world, f"/v1/transfers/{done['id']}/reverse", {"reason": "by mistake"})


@pytest.mark.parametrize("side", ["giver", "receiver"])
def test_a_transfer_is_taken_back_once_whoever_stands_for_its_members(world: World, four: list[str], side: str) -> None:
    giver, receiver, main, third = four
    done = moved(world, giver, receiver, 100)
    duplicate = giver if side == "giver" else receiver
    identity = merged(world, main, duplicate)
    answers = at_once(
        *(lambda: reverse(world, done) for _ in range(3)),
        lambda: undo(world, identity),
        lambda: merge(world, third, main),
        lambda: merge(world, third, duplicate),
    )
    assert [answer.status_code for answer in answers[:3]] == [200] * 3
    assert [answer.headers.get("idempotent-replayed") for answer in answers[:3]].count("true") == 2
    assert {answer.status_code for answer in answers[3:]} <= {200, 409}
    # Each of those who are left has what is its own; nobody has got or lost any.
    people = {world.call("GET", f"/v1/members/{one}").json()["id"] for one in four}
    assert sum(available(world, one) for one in people) == 800
    assert not people >= {giver, receiver} or (available(world, giver), available(world, receiver)) == (200, 200)
    sound(world)


def test_bought_points_are_given_back_once(world: World, four: list[str]) -> None:
    buyer, main, *_ = four
    body = {"member": buyer, "sale": "top_up", "points": 100, "money": 100, "reference": "p-1"}
    sale = post(world, "/v1/point-sales", body).json()["id"]
    answers = at_once(
        *(lambda: post(world, f"/v1/point-sales/{sale}/refund", {"reason": "by mistake"}) for _ in range(4)),
        lambda: merge(world, main, buyer),
    )
    assert [(answer.status_code, answer.json().get("money_back")) for answer in answers[:4]] == [(200, 100)] * 4
    assert available(world, main) == 400
    assert undo(world, answers[4].json()["id"]).status_code == 200
    assert (available(world, buyer), available(world, main)) == (200, 200)
    sound(world)


def test_a_household_spends_nothing_that_a_merge_has_brought(world: World, four: list[str]) -> None:
    owner, other, duplicate, _ = four
    lines = [{"sku": "a", "amount": "500.00"}]
    bought = {"type": "purchase", "external_id": "o-1", "member": {"id": duplicate}, "lines": lines}
    assert world.call("POST", "/v1/events", json=bought).status_code == 201
    house = made(world, owner, other)
    earned = bought | {"external_id": "o-2", "member": {"id": owner}, "lines": [{"sku": "a", "amount": "30.00"}]}
    assert world.call("POST", "/v1/events", json=earned).status_code == 201
    answers = at_once(
        lambda: merge(world, owner, duplicate),
        *(lambda n=n: spend(world, house, other, 300, f"s-{n}") for n in range(3)),
        *(lambda n=n: spend(world, house, other, 10, f"t-{n}") for n in range(3)),
    )
    # What the other one has alone pays what the pool has not: 200, and 30 that the owner has earned for it.
    assert [answer.status_code for answer in answers] == [200, 409, 409, 409, 201, 201, 201]
    assert look(world, house)["pool"]["stars"] == 0
    assert available(world, other) == 200
    give(world, owner, 1)
    parted = undo(world, answers[0].json()["id"])
    assert parted.status_code == 200, parted.text
    assert (available(world, owner), available(world, duplicate)) == (201, 700)
    sound(world)
