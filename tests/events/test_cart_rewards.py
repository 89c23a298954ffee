"""Rewards redeemed with an order through the API: asked, booked, told again, refused with reasons, and given back."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from api_world import World, assert_problem
from events.shop import BASE, NOW, booked, calculated, findings, go_live, program, rows, send
from setia.events.arrivals import draft
from setia.events.rebuild import rebuild_states

REWARDS: dict[str, Any] = {
    "cash": {
        "kind": "discount",
        "name": {"en": "Cash", "de": "Bar"},
        "cost": {"stars": 1},
        "worth": {"amount": "0.01", "most_share": 50, "most_per_line": "15.00"},
        "quantities": {"least": 100, "most": 5000},
    },
    "fifteen": {"kind": "discount", "cost": {"stars": 300}, "worth": {"amount": "15.00"}, "stock": 2},
    "cake": {
        "kind": "product",
        "cost": {"stars": 40},
        "items": ["cake"],
        "per_member": {"uses": 3},
        "quantities": {"most": 3},
    },
    "card": {"kind": "voucher", "cost": {"stars": 200}},
    "treat": {"kind": "product", "cost": {"stars": 30}, "items": ["cake"], "earned_pays": True},
}


@pytest.fixture
def shop(world: World) -> World:
    go_live(world, program(campaigns=BASE, rewards=REWARDS))
    world.enrol(card="1")
    return world


def give(world: World, stars: int) -> None:
    member = rows(world, "SELECT id FROM member")[0][0]
    answer = world.call(
        "POST",
        f"/v1/members/mem_{member.hex}/adjustments",
        json={"points": "stars", "amount": stars, "reason": "test"},
        headers={"Idempotency-Key": f"give-{world.count('journal')}"},
    )
    assert answer.status_code == 201, answer.text


def cart(external_id: str | None, *redeem: dict[str, Any], **more: Any) -> dict[str, Any]:
    lines = [{"sku": "latte", "amount": "20.00", "quantity": 2}, {"sku": "cake", "amount": "8.00", "quantity": 2}]
    return {
        "type": "purchase",
        "external_id": external_id,
        "member": {"card": "1"},
        "pricing": "before",
        "lines": lines,
        "redeem": list(redeem),
        **more,
    }


def stars(world: World) -> int:
    [(available,)] = rows(world, "SELECT available FROM wallet WHERE point_type = 'stars'")
    return int(available)


def test_points_pay_a_part_of_an_order_and_nothing_is_earned_on_it(shop: World) -> None:
    give(shop, 2000)
    asked = calculated(shop, cart(None, {"reward": "cash", "points": 700}))
    answer = booked(shop, cart("1", {"reward": "cash", "points": 700}))
    [redeemed] = answer["redeemed"]
    assert redeemed.pop("redemption").startswith("red_")
    assert asked["redeemed"] == [redeemed]
    assert redeemed == {
        "reward": "cash",
        "name": "Cash",
        "quantity": 700,
        "points": {"stars": 700},
        "amount": "7.00",
        "by_line": {"0": "5.00", "1": "2.00"},
    }
    assert answer["to_pay"] == asked["to_pay"]
    assert answer["to_pay"]["total"] == "21.00"
    assert answer["granted"] == {"stars": 21 - 700} == asked["granted"]
    assert "700 stars redeemed for “Cash”. 7.00 EUR off." in answer["sentences"]
    assert stars(shop) == 2000 + 21 - 700
    assert booked(shop, cart("1", {"reward": "cash", "points": 700}))["redeemed"][0]["quantity"] == 700
    assert findings(shop) == []


def test_free_units_are_those_of_the_cart_first_and_earn_nothing(shop: World) -> None:
    give(shop, 200)
    answer = booked(shop, cart("1", {"reward": "cake", "quantity": 3}))
    [redeemed] = answer["redeemed"]
    assert (redeemed["amount"], redeemed["by_line"]) == ("8.00", {"1": "8.00"})
    assert (redeemed["added_units"], redeemed["sku"], redeemed["points"]) == (1, "cake", {"stars": 120})
    assert answer["to_pay"] == {
        "total": "20.00",
        "tax": "0.00",
        "lines": ["20.00", "0.00"],
        "shipping": "0.00",
        "discount": "0.00",
    }
    assert answer["granted"] == {"stars": 20 - 120}
    told = booked(shop, cart("2", {"reward": "treat", "sku": "cake"}))["sentences"]
    assert "30 stars redeemed for “treat”. 4.00 EUR off." in told
    # The limit of a member counts what came with orders.
    problem = assert_problem(send(shop, cart("3", {"reward": "cake"})), 409, "reward_unavailable")
    assert [reason["code"] for reason in problem["reasons"]] == ["member_limit"]
    assert findings(shop) == []


def test_points_that_the_order_earns_pay_where_the_reward_says_so(shop: World) -> None:
    give(shop, 8)
    # 28.00 less 4.00 earn 24; with the 8 that are there it is enough for 30, but not for the 40 of the other.
    problem = assert_problem(send(shop, cart("1", {"reward": "cake"})), 409, "reward_unavailable")
    assert problem["reasons"] == [
        {
            "reward": "cake",
            "place": 0,
            "code": "points_missing",
            "points": "stars",
            "needed": 40,
            "missing": 32,
        }
    ]
    assert world_is_as_before(shop)
    answer = booked(shop, cart("1", {"reward": "treat"}))
    assert answer["granted"] == {"stars": 24 - 30}
    assert stars(shop) == 2
    assert findings(shop) == []


def world_is_as_before(world: World) -> bool:
    return rows(world, "SELECT count(*) FROM event WHERE type = 'purchase'") == [(0,)] and not rows(
        world, "SELECT 1 FROM redemption"
    )


def test_costs_of_several_rewards_add_up_and_one_that_fails_fails_all(shop: World) -> None:
    give(shop, 330)
    both = ({"reward": "fifteen"}, {"reward": "cake"})
    asked = world_call(shop, cart(None, *both))
    problem = assert_problem(send(shop, cart("1", *both)), 409, "reward_unavailable")
    assert asked["reasons"] == problem["reasons"]
    assert [(one["reward"], one["code"], one["missing"]) for one in problem["reasons"]] == [
        ("cake", "points_missing", 10)
    ]
    assert world_is_as_before(shop)
    give(shop, 10)
    answer = booked(shop, cart("1", *both))
    assert [one["amount"] for one in answer["redeemed"]] == ["15.00", "1.86"]
    assert answer["to_pay"]["total"] == "11.14"
    assert stars(shop) == 11
    assert findings(shop) == []


def world_call(world: World, event: dict[str, Any]) -> dict[str, Any]:
    answer = world.call("POST", "/v1/calculate", json=event)
    return assert_problem(answer, 409, "reward_unavailable")


def test_a_discount_costs_what_it_takes_off(shop: World) -> None:
    give(shop, 5000)
    # Half of the order at most, and 15.00 of a line: so 14.00 of 50.00, and no more points than that.
    [redeemed] = booked(shop, cart("1", {"reward": "cash", "quantity": 5000}))["redeemed"]
    assert (redeemed["amount"], redeemed["quantity"], redeemed["wanted"]) == ("14.00", 1400, 5000)
    assert redeemed["points"] == {"stars": 1400}
    dear = cart("2", {"reward": "cash", "quantity": 3000}, lines=[{"sku": "machine", "amount": "400.00"}])
    assert booked(shop, dear)["redeemed"][0]["amount"] == "15.00"
    assert findings(shop) == []


def test_too_few_are_refused_with_what_is_asked_for(shop: World) -> None:
    give(shop, 500)
    problem = assert_problem(send(shop, cart("1", {"reward": "cash", "points": 99})), 409, "reward_unavailable")
    assert problem["reasons"] == [{"reward": "cash", "place": 0, "code": "quantity", "limit": 5000, "least": 100}]


@pytest.mark.parametrize(
    ("redeem", "more", "pointer"),
    [
        ([{"reward": "nothing"}], {}, "#/redeem/0/reward"),
        ([{"reward": "card"}], {}, "#/redeem/0/reward"),
        ([{"reward": "cake"}, {"reward": "cake"}], {}, "#/redeem/1"),
        ([{"reward": "cake", "sku": "latte"}], {}, "#/redeem/0/sku"),
        ([{"reward": "cash", "sku": "latte"}], {}, "#/redeem/0/sku"),
        ([{"reward": "any"}], {}, "#/redeem/0/sku"),
        ([{"reward": "cash", "quantity": 100, "points": 100}], {}, "#/redeem/0"),
        ([{"reward": "cash"}], {"pricing": "final"}, "#/redeem"),
        ([{"reward": "cash"}], {"member": None}, "#/redeem"),
        ([{"reward": "cash", "quantity": 0}], {}, "#/redeem/0/quantity"),
    ],
)
def test_what_is_wrong_has_its_place(
    world: World, redeem: list[dict[str, Any]], more: dict[str, Any], pointer: str
) -> None:
    go_live(world, program(campaigns=BASE, rewards={**REWARDS, "any": {"kind": "product"}}))
    body = {key: value for key, value in cart("1", *redeem, **more).items() if value is not None}
    problem = assert_problem(send(world, body), 422, "invalid_event")
    assert pointer in [error["pointer"] for error in problem["errors"]]


def test_nobody_redeems_before_he_is_known(world: World) -> None:
    go_live(world, program("keep", campaigns=BASE, rewards=REWARDS))
    assert_problem(send(world, cart("1", {"reward": "cash", "points": 100})), 422, "unknown_member")
    asked = world.call("POST", "/v1/calculate", json=cart(None, {"reward": "fifteen"}))
    assert_problem(asked, 409, "reward_unavailable")


def test_the_last_of_a_stock_goes_once_also_within_a_batch(shop: World) -> None:
    give(shop, 2000)
    events = [cart(str(number), {"reward": "fifteen"}) for number in range(4)]
    answer = shop.call("POST", "/v1/events/batch", json={"events": events}).json()
    assert (answer["accepted"], answer["refused"]) == (2, 2)
    codes = [one["problem"]["reasons"][0]["code"] for one in answer["results"] if "problem" in one]
    assert codes == ["out_of_stock"] * 2
    assert rows(shop, "SELECT used FROM reward_stock") == [(2,)]
    assert findings(shop) == []


def returned(world: World, order: str, external_id: str = "back", **data: Any) -> dict[str, Any]:
    event = {"type": "return", "external_id": external_id, "member": {"card": "1"}, "data": {"order": order, **data}}
    asked = calculated(world, event)
    answer = booked(world, event)
    assert (asked["granted"], asked["refund"]) == (answer["granted"], answer["refund"])
    return answer


def test_a_full_return_gives_money_and_points_back_and_a_partial_one_money(shop: World) -> None:
    give(shop, 300)
    lots = rows(shop, "SELECT seq, line, remaining FROM lot")
    order = booked(shop, cart("1", {"reward": "fifteen"}))
    assert (order["to_pay"]["total"], stars(shop)) == ("13.00", 13)
    part = returned(shop, "1", "first", lines=[{"line": 1}])
    assert part["refund"] == "8.00"
    assert part["granted"] == {"stars": -8}
    rest = returned(shop, "1")
    assert rest["refund"] == "5.00"
    assert rest["granted"] == {"stars": 300 - 5}
    assert "300 stars given back for the rewards of this order." in rest["sentences"]
    assert rows(shop, "SELECT seq, line, remaining FROM lot WHERE remaining > 0") == lots
    assert rows(shop, "SELECT state FROM redemption") == [("refunded",)]
    assert rows(shop, "SELECT used FROM reward_stock") == [(0,)]
    assert findings(shop) == []
    cancel = {"type": "cancel", "external_id": "no", "member": {"card": "1"}, "data": {"order": "back"}}
    again = booked(shop, cancel)
    assert again["granted"] == {"stars": 5 - 300}
    assert "300 stars spent on the rewards of this order again: the return was cancelled." in again["sentences"]
    assert rows(shop, "SELECT state FROM redemption") == [("confirmed",)]
    assert rows(shop, "SELECT used FROM reward_stock") == [(1,)]
    assert findings(shop) == []
    first = {**cancel, "external_id": "first again", "data": {"order": "first"}}
    assert booked(shop, first)["granted"] == {"stars": 8}
    assert findings(shop) == []


def test_points_of_the_order_that_paid_its_reward_are_gone_with_it(shop: World) -> None:
    give(shop, 8)
    booked(shop, cart("1", {"reward": "treat"}))
    assert stars(shop) == 2
    returned(shop, "1")
    assert stars(shop) == 8
    assert findings(shop) == []


def test_a_redemption_with_an_order_is_refunded_by_its_return_alone(shop: World) -> None:
    give(shop, 300)
    redemption = booked(shop, cart("1", {"reward": "fifteen"}))["redeemed"][0]["redemption"]
    answer = shop.call("POST", f"/v1/redemptions/{redemption}/refund")
    assert_problem(answer, 409, "redemption_state_conflict")
    shown = shop.call("GET", f"/v1/redemptions/{redemption}").json()
    assert (shown["state"], shown["worth"], shown["price"]) == (
        "confirmed",
        1500,
        {"points": {"stars": 300}, "money": 0},
    )


def test_a_purchase_from_before_there_were_rewards_is_known_again() -> None:
    event = cart("1", codes=['"redeem":[],'], location='"redeem":[],')
    found = draft(json.dumps(event).encode(), NOW)
    said = msgspec.to_builtins(found.sent)
    del said["redeem"]
    canonical = msgspec.json.encode(said, order="sorted")
    assert found.digest() == hashlib.blake2b(canonical, digest_size=16).digest()
    wished = draft(json.dumps(cart("1", {"reward": "cash"}, codes=['"redeem":[],'])).encode(), NOW)
    assert wished.digest() != found.digest()


def test_counters_are_the_same_when_they_are_counted_again(shop: World) -> None:
    give(shop, 2000)
    booked(shop, cart("1", {"reward": "fifteen"}, {"reward": "cake", "quantity": 2}))
    booked(shop, cart("2", {"reward": "treat"}))
    returned(shop, "1", "part", lines=[{"line": 0}])
    returned(shop, "1", "rest")
    before = rows(shop, "SELECT counters::text FROM member_state")
    with shop.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE member_state SET counters = '{}', tracking = ''")
    rebuild_states(shop.database, shop.program_id)
    assert rows(shop, "SELECT counters::text FROM member_state") == before


def test_of_two_tills_that_spend_the_same_points_one_is_told_no(shop: World) -> None:
    give(shop, 340)
    member = rows(shop, "SELECT id FROM member")[0][0]
    wish = {"member": f"mem_{member.hex}", "reward": "card", "confirm": True}

    def spend(number: int) -> int:
        if number % 2:
            return send(shop, cart(str(number), {"reward": "fifteen"})).status_code
        return shop.call("POST", "/v1/redemptions", json={**wish, "reference": str(number)}).status_code

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(spend, range(6)))
    assert found.count(201) == 1
    assert set(found) == {201, 409}
    assert findings(shop) == []


def test_the_last_of_a_stock_goes_to_one_of_many_members(world: World) -> None:
    go_live(world, program(campaigns=BASE, rewards=REWARDS))
    members = [world.enrol(card=str(card))["id"] for card in range(6)]
    for member in members:
        body = {"points": "stars", "amount": 400, "reason": "test"}
        world.call("POST", f"/v1/members/{member}/adjustments", json=body, headers={"Idempotency-Key": member})

    def buy(card: int) -> int:
        if card % 2:
            wish = {"member": members[card], "reward": "fifteen", "confirm": True, "reference": str(card)}
            return world.call("POST", "/v1/redemptions", json=wish).status_code
        order = cart(str(card), {"reward": "fifteen"}, member={"card": str(card)})
        return send(world, order).status_code

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(buy, range(6)))
    assert found.count(201) == 2
    assert set(found) == {201, 409}
    assert rows(world, "SELECT used FROM reward_stock") == [(2,)]
    assert findings(world) == []


def test_a_commit_that_fails_keeps_nothing(shop: World) -> None:
    give(shop, 300)
    shop.refuse_commits_to("redemption")
    assert send(shop, cart("1", {"reward": "fifteen"})).status_code == 500
    assert stars(shop) == 300
    assert world_is_as_before(shop)
