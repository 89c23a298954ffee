"""Points that several want to move at once, with real threads on the real database."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api_world import World
from moving.movers import ask, available, exchange, give, member, open_club, rows, sound
from moving.pairs import merge, merged, undo

REWARDS = {"coffee": {"kind": "voucher", "cost": {"stars": 40}}}


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Let threads begin together; what each of them gave."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        barrier.wait(20)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.fixture
def club(world: World) -> World:
    open_club(world, rewards=REWARDS)
    return world


def test_the_same_points_are_given_once(club: World) -> None:
    giver, others = member(club, "1", 100), [member(club, str(number)) for number in range(2, 8)]
    answers = at_once(*(lambda who=who: ask(club, giver, who, 40, key=f"t-{who}") for who in others))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409, 409]
    assert available(club, giver) == 20
    assert sum(available(club, who) for who in others) == 80
    sound(club)


def test_two_give_each_other(club: World) -> None:
    one, other = member(club, "1", 100), member(club, "2", 100)
    answers = at_once(
        *(lambda n=n: ask(club, one, other, 10, key=f"a-{n}") for n in range(5)),
        *(lambda n=n: ask(club, other, one, 10, key=f"b-{n}") for n in range(5)),
    )
    assert [answer.status_code for answer in answers] == [201] * 10
    assert (available(club, one), available(club, other)) == (100, 100)
    sound(club)


def test_a_transfer_and_a_redemption_want_the_same_points(club: World) -> None:
    giver, receiver = member(club, "1", 70), member(club, "2")

    def redeem() -> Any:
        body = {"member": giver, "reward": "coffee", "confirm": True, "reference": "r"}
        return club.call("POST", "/v1/redemptions", json=body)

    answers = at_once(redeem, lambda: ask(club, giver, receiver, 40, key="t"))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert available(club, giver) == 30
    sound(club)


def test_one_request_sent_often_moves_once(club: World) -> None:
    giver, receiver = member(club, "1", 100), member(club, "2")
    answers = at_once(*(lambda: ask(club, giver, receiver, 30, key="k") for _ in range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    answers = at_once(*(lambda: ask(club, giver, receiver, 20, reference="r") for _ in range(6)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (available(club, giver), available(club, receiver)) == (50, 50)
    sound(club)


def test_limits_hold_however_many_ask(club: World) -> None:
    open_club(
        club,
        transfers={"stars": {"gives": {"every": "day", "points": 50}, "receives": {"times": 3}}},
        exchanges={"miles_to_stars": {"give": {"miles": 1}, "get": {"stars": 1}, "per_member": {"points": 25}}},
    )
    givers, receiver = [member(club, str(number), 100) for number in range(4)], member(club, "9")
    at_once(*(lambda who=who, n=n: ask(club, who, receiver, 20, key=f"{who}-{n}") for who in givers for n in range(2)))
    assert club.count("transfer") == 3
    give(club, receiver, 100, "miles")
    at_once(*(lambda n=n: exchange(club, receiver, 10, key=f"e-{n}") for n in range(5)))
    assert (available(club, receiver, "miles"), club.count("exchange")) == (80, 2)
    sound(club)


def test_each_is_merged_into_the_other(club: World) -> None:
    one, other = member(club, "1", 10), member(club, "2", 20)
    answers = at_once(lambda: merge(club, one, other), lambda: merge(club, other, one))
    assert sorted(answer.status_code for answer in answers) in ([200, 409], [200, 422])
    assert available(club, one) == available(club, other) == 30
    assert club.count("member_merge") == 1
    sound(club)


def test_a_duplicate_is_used_while_it_is_merged(club: World) -> None:
    main, duplicate, third = member(club, "1", 100), member(club, "2", 100), member(club, "3")

    def buy(number: int) -> Any:
        event = {
            "type": "purchase",
            "external_id": f"b-{number}",
            "member": {"card": "2"} if number % 2 else {"id": duplicate},
            "lines": [{"sku": "a", "amount": "10.00"}],
        }
        return club.call("POST", "/v1/events", json=event)

    answers = at_once(
        lambda: merge(club, main, duplicate),
        *(lambda n=n: buy(n) for n in range(6)),
        *(lambda n=n: ask(club, duplicate, third, 5, key=f"t-{n}") for n in range(4)),
    )
    assert [answer.status_code for answer in answers] == [200] + [201] * 10
    assert (available(club, main), available(club, third)) == (240, 20)
    left = "SELECT sum(available) FROM wallet WHERE member_id = %s"
    assert rows(club, left, duplicate.removeprefix("mem_")) == [(0,)]
    sound(club)


def test_a_merge_is_undone_once_while_points_are_spent(club: World) -> None:
    main, duplicate, third = member(club, "1", 100), member(club, "2", 100), member(club, "3")
    identity = merged(club, main, duplicate)
    answers = at_once(
        *(lambda: undo(club, identity) for _ in range(3)),
        *(lambda n=n: ask(club, duplicate, third, 10, key=f"t-{n}") for n in range(4)),
    )
    assert [answer.status_code for answer in answers] == [200] * 3 + [201] * 4
    assert [answer.headers.get("idempotent-replayed") for answer in answers[:3]].count("true") == 2
    # Whoever was spoken for when it happened: the points of all three are 200.
    assert available(club, main) + available(club, duplicate) + available(club, third) == 200
    assert available(club, third) == 40
    sound(club)
