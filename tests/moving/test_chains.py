"""Orders of members who were merged in a row: what comes back comes back once, and counts for whose it was."""

import itertools
from typing import Any

import pytest
from httpx import Response

from api_world import World, assert_problem
from moving.movers import available, member, open_club, sound
from moving.pairs import merged, parted, whole

CAMPAIGNS = {"base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}}}


def send(world: World, kind: str, who: str, name: str, **more: Any) -> Response:
    return world.call("POST", "/v1/events", json={"type": kind, "external_id": name, "member": {"id": who}, **more})


def bought(world: World, who: str, name: str, amount: str) -> None:
    assert send(world, "purchase", who, name, lines=[{"sku": "a", "amount": amount}]).status_code == 201


def counted(world: World, who: str) -> tuple[Any, Any]:
    """What a member has spent and earned, ever."""
    counters = whole(world, who)["counters"]
    return counters["lifetime"].get("spend", 0), counters["earned"].get("stars", 0)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_return_counts_for_whose_order_it_was(world: World, depth: int) -> None:
    open_club(world, campaigns=CAMPAIGNS)
    people = [member(world, str(number)) for number in range(depth + 1)]
    for number, who in enumerate(people):
        bought(world, who, f"o-{number}", f"{100 * (number + 1)}.00")
    made = [merged(world, main, duplicate) for duplicate, main in itertools.pairwise(people)]
    assert send(world, "return", people[-1], "r", data={"order": "o-0"}).status_code == 201
    assert counted(world, people[-1]) == (
        sum(10000 * (n + 1) for n in range(1, depth + 1)),
        sum(100 * (n + 1) for n in range(1, depth + 1)),
    )
    for identity in reversed(made):
        parted(world, identity)
        sound(world)
    assert [counted(world, who) for who in people] == [
        (0, 0),
        *((10000 * (n + 1), 100 * (n + 1)) for n in range(1, depth + 1)),
    ]
    assert [available(world, who) for who in people] == [0, *(100 * (n + 1) for n in range(1, depth + 1))]
    # It has come back: nobody takes it back again.
    for who in people[1:]:
        assert_problem(send(world, "return", who, f"by {who}", data={"order": "o-0"}), 422, "unknown_order")
    again = send(world, "return", people[0], "again", data={"order": "o-0"})
    assert (again.status_code, again.json()["effects"]) == (201, [])
    assert (counted(world, people[0]), available(world, people[0])) == ((0, 0), 0)
    sound(world)
