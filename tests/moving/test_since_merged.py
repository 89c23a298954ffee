"""What happens to transfers and bought points while their members are part of others, and who has what afterwards."""

import datetime as dt
import itertools
from typing import Any

import pytest
from httpx import Response

from api_world import World, assert_problem
from moving.movers import ask, available, exchange, give, lots, member, moved, open_club, post, sound
from moving.pairs import merged, parted, undo, whole
from setia.events import members_in_play

SALES = {"top_up": {"points": "stars", "price": "0.01"}}


def reverse(world: World, done: dict[str, Any], *, partly: bool = False) -> Response:
    return post(world, f"/v1/transfers/{done['id']}/reverse", {"reason": "by mistake", "partly": partly})


def reversed_all(world: World, done: dict[str, Any]) -> None:
    answer = reverse(world, done)
    assert (answer.status_code, answer.json()["reversed"]) == (200, done["amount"]), answer.text


def owned(world: World, who: str) -> tuple[Any, Any]:
    """The wallets and lots of a member, by themselves: without the figures of history."""
    found = whole(world, who)
    return found["wallets"], found["lots"]


@pytest.fixture
def five(world: World) -> list[str]:
    """A program in which stars move and are sold; five members, each with 200."""
    open_club(world, sales=SALES)
    return [member(world, str(number), 200) for number in range(5)]


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_what_a_merged_receiver_got_is_taken_from_who_stands_for_it(world: World, five: list[str], depth: int) -> None:
    giver, receiver, *mains = five
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(days=9)).isoformat()
    give(world, giver, 40, expires_at=soon)
    done = moved(world, giver, receiver, 100)
    people = [receiver, *mains[:depth]]
    before = [owned(world, one) for one in people[1:]]
    made = [merged(world, above, below) for below, above in itertools.pairwise(people)]
    reversed_all(world, done)
    assert reverse(world, done).headers["Idempotent-Replayed"] == "true"
    assert (available(world, giver), available(world, people[-1])) == (240, 200 * (depth + 1))
    sound(world)
    for identity in reversed(made):
        parted(world, identity)
        sound(world)
    # Who stood for the receiver owes it nothing for what the giver has taken back.
    assert [owned(world, one) for one in people[1:]] == before
    assert available(world, receiver) == 200
    assert sorted(left for left, _ in lots(world, giver)) == [40, 200]


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_what_a_merged_giver_gave_comes_back_for_it(world: World, five: list[str], depth: int) -> None:
    receiver, giver, *mains = five
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(days=9)).isoformat()
    give(world, giver, 40, expires_at=soon)
    before = owned(world, giver)
    done = moved(world, giver, receiver, 240)
    people = [giver, *mains[:depth]]
    alone = [owned(world, one) for one in people[1:]]
    made = [merged(world, above, below) for below, above in itertools.pairwise(people)]
    reversed_all(world, done)
    assert available(world, people[-1]) == 240 + 200 * depth
    # They end when they would have.
    assert [end is None for left, end in lots(world, people[-1]) if left == 40] == [False]
    sound(world)
    for identity in reversed(made):
        parted(world, identity)
        sound(world)
    assert owned(world, giver) == before
    assert [owned(world, one) for one in people[1:]] == alone


def test_what_came_back_for_a_merged_giver_and_was_spent_is_paid_for(world: World, five: list[str]) -> None:
    receiver, giver, main, *_ = five
    done = moved(world, giver, receiver, 200)
    identity = merged(world, main, giver)
    reversed_all(world, done)
    give(world, main, -300)
    assert assert_problem(undo(world, identity), 409, "merge_spent")["missing"] == {"stars": 100}
    parted(world, identity, short=True)
    assert (available(world, main), available(world, giver)) == (0, 100)
    sound(world)


def test_merged_again_what_came_back_is_the_givers_own(world: World, five: list[str]) -> None:
    receiver, giver, main, *_ = five
    done = moved(world, giver, receiver, 200)
    identity = merged(world, main, giver)
    reversed_all(world, done)
    parted(world, identity)
    before = owned(world, main), owned(world, giver)
    parted(world, merged(world, main, giver))
    assert (owned(world, main), owned(world, giver)) == before
    sound(world)


def test_two_who_are_one_take_nothing_back_from_each_other(world: World, five: list[str]) -> None:
    giver, receiver, main, *_ = five
    done = moved(world, giver, receiver, 50)
    merged(world, main, giver)
    second = merged(world, main, receiver)
    assert assert_problem(reverse(world, done), 409, "transfer_spent")["left"] == 0
    parted(world, second)
    reversed_all(world, done)
    assert available(world, receiver) == 200
    sound(world)


def test_nobody_pays_for_what_would_have_ended_by_now(world: World, five: list[str]) -> None:
    main, duplicate, *_ = five
    now = dt.datetime.now(dt.UTC)
    soon = (now + dt.timedelta(seconds=2)).isoformat()
    give(world, duplicate, 70, expires_at=soon)
    identity = merged(world, main, duplicate)
    give(world, main, -70)  # what ends first goes first
    while dt.datetime.now(dt.UTC) <= now + dt.timedelta(seconds=2.1):
        available(world, main)
    parted(world, identity)
    assert (available(world, main), available(world, duplicate)) == (200, 200)
    sound(world)


@pytest.mark.parametrize("depth", [1, 2])
def test_bought_points_are_given_back_by_who_stands_for_the_buyer(world: World, five: list[str], depth: int) -> None:
    buyer, *mains = five
    body = {"member": buyer, "sale": "top_up", "points": 100, "money": 100, "reference": "p-1"}
    sale = post(world, "/v1/point-sales", body).json()["id"]
    people = [buyer, *mains[:depth]]
    before = [owned(world, one) for one in people[1:]]
    made = [merged(world, above, below) for below, above in itertools.pairwise(people)]
    done = post(world, f"/v1/point-sales/{sale}/refund", {"reason": "by mistake"})
    assert (done.json()["refunded"], done.json()["money_back"]) == (100, 100)
    assert available(world, people[-1]) == 200 * (depth + 1)
    again = post(world, f"/v1/point-sales/{sale}/refund", {"reason": "by mistake"})
    assert again.headers["Idempotent-Replayed"] == "true"
    listed = world.call("GET", f"/v1/point-sales?member={people[-1]}").json()["items"]
    assert [one["id"] for one in listed] == [sale]
    sound(world)
    for identity in reversed(made):
        parted(world, identity)
        sound(world)
    assert [owned(world, one) for one in people[1:]] == before
    assert available(world, buyer) == 200


def test_bought_points_that_were_spent_before_the_merge_stay_spent(world: World, five: list[str]) -> None:
    main, *_ = five
    buyer = member(world, "buyer")
    body = {"member": buyer, "sale": "top_up", "points": 100, "money": 100, "reference": "p-1"}
    sale = post(world, "/v1/point-sales", body).json()["id"]
    give(world, buyer, -100)
    merged(world, main, buyer)
    refused = post(world, f"/v1/point-sales/{sale}/refund", {"reason": "by mistake"})
    assert assert_problem(refused, 409, "sale_not_refundable")["reason"] == "spent"
    sound(world)


def test_many_merges_that_were_undone_are_counted_once_each(
    world: World, five: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    main, duplicate, *_ = five
    for _ in range(8):
        parted(world, merged(world, main, duplicate))
    counted: list[Any] = []
    count_again = members_in_play.count_again

    def counting(*args: Any) -> Any:
        counted.append(args)
        return count_again(*args)

    monkeypatch.setattr(members_in_play, "count_again", counting)
    sound(world)
    # Once at the start of each of the eight that were undone; twice as often for each more, it would be 255.
    assert len(counted) == 8


def test_a_lost_answer_is_given_again_after_a_merge(world: World, five: list[str]) -> None:
    giver, receiver, main, *_ = five
    give(world, giver, 500, "miles")
    done = moved(world, giver, receiver, 50, reference="t-1")
    named = {"from": {"card": "0"}, "to": {"card": "1"}, "points": "stars", "amount": 7, "reference": "t-2"}
    by_card = post(world, "/v1/transfers", named)
    swapped = exchange(world, giver, 100, reference="e-1")
    assert (by_card.status_code, swapped.status_code) == (201, 201)
    identity = merged(world, main, giver)
    # Whom its names mean has changed since, and what was sent has not.
    for _ in range(2):
        again = ask(world, giver, receiver, 50, reference="t-1")
        assert (again.status_code, again.json()["id"]) == (201, done["id"])
        assert again.headers["Idempotent-Replayed"] == "true"
        assert post(world, "/v1/transfers", named).json() == by_card.json()
        assert exchange(world, giver, 100, reference="e-1").json() == swapped.json()
        assert_problem(ask(world, giver, receiver, 51, reference="t-1"), 409, "reference_used")
        world.call("DELETE", f"/v1/members/{receiver}/identifiers/card/1")
    assert available(world, receiver) == 257
    parted(world, identity)
    sound(world)


def test_what_ended_meanwhile_is_nobodys_debt_down_a_chain(world: World, five: list[str]) -> None:
    duplicate, *mains = five[:3]
    now = dt.datetime.now(dt.UTC)
    give(world, duplicate, 70, expires_at=(now + dt.timedelta(seconds=3)).isoformat())
    before = [owned(world, one) for one in mains]
    people = [duplicate, *mains]
    made = [merged(world, above, below) for below, above in itertools.pairwise(people)]
    while dt.datetime.now(dt.UTC) <= now + dt.timedelta(seconds=3.1):
        available(world, people[-1])
    for identity in reversed(made):
        parted(world, identity)
        sound(world)
    assert [owned(world, one) for one in mains] == before
    assert lots(world, duplicate) == [(200, None)]
