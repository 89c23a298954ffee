"""Coupons that a person gives back: once, with a reason, and whatever becomes of the order then."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api_world import World, assert_problem
from coupons.till import bought, give_back, looked_up, made, open_shop, order, rows
from events.shop import booked, enrolled
from setia.events.rebuild import rebuild_states
from setia.events.verify import verify

REASON = "The cake was burnt"


def given_back(world: World, code: str, event: str, *, key: str = "k1", **more: Any) -> Any:
    """Ask for a coupon to be given back."""
    coupon = looked_up(world, code)["id"]
    body = {"event": event, "reason": REASON} | more
    return world.call("POST", f"/v1/coupons/{coupon}/restore", json=body, headers={"Idempotency-Key": key})


def of_use(answer: dict[str, Any]) -> list[str]:
    """What an event did to coupons that orders have used."""
    return [f"{one['what']} {one['amount']}" for one in answer["coupons"] if one["what"] in {"used", "restored"}]


def assert_sound(world: World) -> None:
    assert verify(world.database).findings == []
    again = rebuild_states(world.database, world.program_id)
    assert (again.differences, again.coupons) == ([], 0)


def test_what_an_order_used_can_be_used_again_and_the_order_keeps_it(world: World) -> None:
    member = open_shop(world)
    code = made(world, "tenth")
    first = bought(world, "1", "100.00", code)
    answer = given_back(world, code, first["id"])
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["member"], told["amount"], told["uses"]) == (member, None, 1)
    [use] = looked_up(world, code)["used_with"]
    assert (use["is_restored"], use["by_hand"]) == (True, True)
    again = bought(world, "2", "50.00", code)
    assert [one["amount"] for one in again["discounts"]] == ["5.00"]
    [(actor, reason)] = rows(world, "SELECT actor, reason FROM journal WHERE kind = 'adjustment'")
    assert (actor.startswith("key:"), reason) == (True, REASON)
    statement = world.call("GET", f"/v1/members/{member}/statement").json()["items"]
    assert ["A coupon of “tenth” can be used again."] in [one["sentences"] for one in statement]
    assert_sound(world)


def test_money_comes_back_whole_and_no_return_brings_it_a_second_time(world: World) -> None:
    open_shop(world)
    code = made(world, amount="30.00")
    first = bought(world, "1", "100.00", code)
    # a part comes back with goods, by the return; the rest by hand
    part = booked(world, give_back("r1", "1", amount="50.00"))
    assert of_use(part) == ["restored 15.00"]
    assert part["refund"] == "35.00"
    assert given_back(world, code, first["id"]).json()["amount"] == "15.00"
    assert looked_up(world, code)["left"] == "30.00"
    assert bought(world, "2", "20.00", code)["to_pay"]["total"] == "0.00"
    last = booked(world, give_back("r2", "1"))
    assert (of_use(last), last["refund"]) == ([], "35.00")
    reopened = booked(world, give_back("c", "r2") | {"type": "cancel"})
    assert (of_use(reopened), reopened["refused_codes"], reopened["refund"]) == ([], [], "-35.00")
    assert looked_up(world, code)["left"] == "10.00"
    assert_sound(world)


def test_a_use_that_somebody_else_had_since_changes_no_price_of_the_order(world: World) -> None:
    open_shop(world)
    enrolled(world, card="2")
    code = made(world, "tenth")
    first = bought(world, "1", "100.00", code)
    assert given_back(world, code, first["id"]).status_code == 200
    bought(world, "2", "10.00", code, member={"card": "2"})
    back = booked(world, give_back("r", "1", amount="50.00"))
    assert (back["refund"], of_use(back)) == ("45.00", [])
    assert_sound(world)


def test_the_same_request_gives_the_first_answer(world: World) -> None:
    open_shop(world)
    code = made(world, amount="30.00")
    first = bought(world, "1", "20.00", code)
    once = given_back(world, code, first["id"])
    bought(world, "2", "25.00", code)
    again = given_back(world, code, first["id"])
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (once.json(), "true")
    other = given_back(world, code, first["id"], reason="Another one")
    assert_problem(other, 422, "idempotency_key_reused")
    assert_problem(given_back(world, code, first["id"], key="k2"), 409, "coupon_not_used")
    assert looked_up(world, code)["left"] == "5.00"
    assert rows(world, "SELECT count(*) FROM journal WHERE kind = 'adjustment'") == [(1,)]
    assert_sound(world)


def test_of_many_at_once_one_gives_it_back(world: World) -> None:
    open_shop(world)
    code = made(world, amount="30.00")
    first = bought(world, "1", "20.00", code)
    coupon = looked_up(world, code)["id"]

    def ask(number: int) -> int:
        headers = {"Idempotency-Key": f"k{number}"}
        body = {"event": first["id"], "reason": REASON}
        return world.call("POST", f"/v1/coupons/{coupon}/restore", json=body, headers=headers).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(ask, range(6))) == [200, 409, 409, 409, 409, 409]
    assert looked_up(world, code)["left"] == "30.00"
    assert_sound(world)


def test_a_return_and_a_person_at_once_give_it_back_once(world: World) -> None:
    open_shop(world)
    for number in range(6):
        code = made(world, amount="30.00")
        first = bought(world, f"o{number}", "20.00", code)
        work = [
            lambda number=number: booked(world, give_back(f"r{number}", f"o{number}")),
            lambda code=code, first=first, number=number: given_back(world, code, first["id"], key=f"k{number}"),
        ]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda one: one(), work))
        assert looked_up(world, code)["left"] == "30.00"
    assert_sound(world)


@pytest.mark.parametrize("how", ["suspend", "close"])
def test_whose_membership_rests_gets_a_coupon_back_too(world: World, how: str) -> None:
    member = open_shop(world)
    code = made(world, "tenth")
    first = bought(world, "1", "20.00", code)
    assert world.call("POST", f"/v1/members/{member}/{how}", json={"reason": "x"}).status_code == 200
    assert given_back(world, code, first["id"]).status_code == 200
    assert_sound(world)


def test_what_cannot_be_given_back(world: World) -> None:
    open_shop(world)
    code, unused = made(world, "tenth"), made(world, "tenth")
    first = bought(world, "1", "20.00", code)
    assert_problem(given_back(world, unused, first["id"]), 409, "coupon_not_used")
    assert_problem(given_back(world, code, "evt_nonsense"), 409, "coupon_not_used")
    assert_problem(given_back(world, code, f"evt_{'0' * 32}"), 409, "coupon_not_used")
    assert_problem(given_back(world, code, first["id"], reason=" "), 422, "validation_failed")
    coupon = looked_up(world, code)["id"]
    body = {"event": first["id"], "reason": REASON}
    path = f"/v1/coupons/{coupon}/restore"
    assert_problem(world.call("POST", path, json=body), 400, "idempotency_key_required")
    nobody = f"/v1/coupons/cpn_{'0' * 32}/restore"
    headers = {"Idempotency-Key": "k9"}
    assert_problem(world.call("POST", nobody, json=body, headers=headers), 404, "coupon_not_found")
    answer = world.call("POST", path, json=body, headers=headers, key=world.stranger)
    assert answer.status_code in {404, 409}
    booked(world, give_back("r", "1"))
    assert_problem(given_back(world, code, first["id"], key="k3"), 409, "coupon_not_used")
    assert_sound(world)


def test_who_is_merged_gets_it_back_as_the_member_who_stays(world: World) -> None:
    main = open_shop(world)
    other = enrolled(world, card="2")
    code = made(world, "tenth", uses=9)
    mine = order("1", "20.00", code, member={"card": "2"})
    first = booked(world, mine)
    booked(world, order("2", "20.00", code))
    body = {"duplicate": other, "reason": "the same"}
    merged = world.call("POST", f"/v1/members/{main}/merge", json=body, headers={"Idempotency-Key": "m"})
    assert merged.status_code in {200, 201}, merged.text
    # each had used it once, and nobody uses it more than twice
    third = booked(world, order("3", "20.00", code))
    assert third["refused_codes"][0]["reason"] == "member_limit"
    assert given_back(world, code, first["id"]).json()["member"] == main
    assert booked(world, order("4", "20.00", code))["discounts"] != []
    assert_sound(world)


def test_a_commit_that_fails_gives_nothing_back(world: World) -> None:
    open_shop(world)
    code = made(world, amount="30.00")
    first = bought(world, "1", "20.00", code)
    world.refuse_commits_to("coupon_use")
    assert given_back(world, code, first["id"]).status_code == 500
    assert looked_up(world, code)["left"] == "10.00"
    assert rows(world, "SELECT count(*) FROM journal WHERE kind = 'adjustment'") == [(0,)]
    assert rows(world, "SELECT count(*) FROM idempotency_key WHERE key = 'k1'") == [(0,)]
