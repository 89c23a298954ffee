"""Raffles through the API: promised, drawn once, told with everything that proves it."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api_world import World, assert_problem
from rewards.counter import REWARDS, ask, do, findings, member, open_shop, redeemed, rows
from setia.engine.raffle import Ticket, draw

RAFFLE = {"kind": "raffle", "cost": {"stars": 10}, "quantities": {"most": 9}}


@pytest.fixture
def shop(world: World) -> World:
    open_shop(world, rewards={**REWARDS, "weekend": RAFFLE})
    return world


def promised(world: World) -> dict[str, Any]:
    answer = world.call("POST", "/v1/raffles/weekend/draws")
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def drawn(world: World, draw_id: str, winners: int = 2, entropy: str = "lotto") -> Any:
    return world.call("POST", f"/v1/raffle-draws/{draw_id}/draw", json={"winners": winners, "entropy": entropy})


def test_everybody_can_draw_again_what_was_drawn(shop: World) -> None:
    first = promised(shop)
    assert (first["seed"], first["won"], first["tickets"]) == (None, None, None)
    assert promised(shop) == first
    for card in range(4):
        redeemed(shop, member(shop, card=str(card)), "weekend", str(card), quantity=card + 1, confirm=True)
    held = redeemed(shop, member(shop, card="held"), "weekend", "held")
    assert held["state"] == "held"
    found = drawn(shop, first["id"]).json()
    assert hashlib.sha256(found["seed"].encode()).hexdigest() == first["promise"] == found["promise"]
    tickets: list[Ticket] = []
    cursor: str | None = ""
    while cursor is not None:
        page = shop.call(
            "GET", f"/v1/raffle-draws/{first['id']}/tickets?limit=3" + (f"&cursor={cursor}" if cursor else "")
        )
        tickets += [Ticket(**one) for one in page.json()["items"]]
        cursor = page.json()["next_cursor"]
    assert sum(ticket.quantity for ticket in tickets) == found["tickets"] == 10
    expected = draw(found["seed"], "lotto", tickets, 2)
    assert found["won"] == [{"redemption": one.redemption, "member": one.member} for one in expected]
    # Again it is the same; with other values it is refused.
    assert drawn(shop, first["id"]).json() == found
    assert_problem(drawn(shop, first["id"], 3), 409, "raffle_drawn")
    listed = shop.call("GET", "/v1/raffles/weekend/draws").json()["draws"]
    assert listed == [found]
    assert findings(shop) == []


def test_a_ticket_is_in_one_draw_and_is_not_given_back_after_it(shop: World) -> None:
    one = redeemed(shop, member(shop, card="1"), "weekend", "1", confirm=True)
    gone = redeemed(shop, member(shop, card="2"), "weekend", "2", confirm=True)
    assert do(shop, gone["id"], "refund").status_code == 200
    first = promised(shop)
    found = drawn(shop, first["id"], 5).json()
    assert [won["redemption"] for won in found["won"]] == [one["id"]]
    assert_problem(do(shop, one["id"], "refund"), 409, "redemption_state_conflict")
    second = promised(shop)
    assert second["id"] != first["id"]
    assert second["promise"] != first["promise"]
    empty = drawn(shop, second["id"]).json()
    assert (empty["tickets"], empty["won"]) == (0, [])
    assert findings(shop) == []


def test_a_draw_and_redemptions_at_once_lose_no_ticket(shop: World) -> None:
    members = [member(shop, card=str(card)) for card in range(8)]
    first = promised(shop)["id"]

    def act(card: int) -> None:
        if card == 4:
            assert drawn(shop, first).status_code == 200
        else:
            assert ask(shop, members[card], "weekend", str(card), confirm=True).status_code == 201

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, range(8)))
    assert drawn(shop, promised(shop)["id"]).status_code == 200
    assert rows(shop, "SELECT count(*) FROM redemption WHERE draw_id IS NULL") == [(0,)]
    assert rows(shop, "SELECT sum(tickets)::int FROM raffle_draw") == [(7,)]
    assert findings(shop) == []


def test_two_who_draw_at_once_draw_the_same(shop: World) -> None:
    for card in range(4):
        redeemed(shop, member(shop, card=str(card)), "weekend", str(card), confirm=True)
    first = promised(shop)["id"]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: drawn(shop, first).json(), range(4)))
    assert all(answer == answers[0] for answer in answers)


def test_what_is_no_raffle_and_no_draw_is_not_there(shop: World) -> None:
    assert_problem(shop.call("POST", "/v1/raffles/coffee/draws"), 404, "reward_not_found")
    assert_problem(drawn(shop, "drw_nothing"), 404, "draw_not_found")
    theirs = promised(shop)["id"]
    strange = shop.call("POST", f"/v1/raffle-draws/{theirs}/draw", json={"winners": 1}, key=shop.stranger)
    assert_problem(strange, 404, "draw_not_found")
    assert_problem(shop.call("GET", f"/v1/raffle-draws/{theirs}/tickets", key=shop.stranger), 404, "draw_not_found")


def test_the_seed_is_not_in_the_database_before_the_draw(shop: World) -> None:
    first = promised(shop)["id"]
    [(sealed,)] = rows(shop, "SELECT sealed FROM raffle_draw")
    seed = drawn(shop, first).json()["seed"]
    assert seed.encode() not in bytes(sealed)


def test_tickets_of_a_raffle_that_is_sold_no_more_are_still_drawn(shop: World) -> None:
    who = member(shop)
    ticket = redeemed(shop, who, "weekend", "1", confirm=True)
    redeemed(shop, who, "coffee", "2", confirm=True)
    open_shop(shop, rewards={})
    assert_problem(shop.call("POST", "/v1/raffles/coffee/draws"), 404, "reward_not_found")
    assert_problem(shop.call("POST", "/v1/raffles/nothing/draws"), 404, "reward_not_found")
    [won] = drawn(shop, promised(shop)["id"]).json()["won"]
    assert won == {"redemption": ticket["id"], "member": who}
    # all are drawn now
    assert_problem(shop.call("POST", "/v1/raffles/weekend/draws"), 404, "reward_not_found")
    assert findings(shop) == []
