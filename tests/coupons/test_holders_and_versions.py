"""Whose coupons are, and which version they are of: merged and closed members, promotions that have gone."""

from __future__ import annotations

from api_world import World, assert_problem
from coupons.till import CAMPAIGNS, bought, give_back, looked_up, made, open_shop, order, rows
from events.shop import booked, calculated, enrolled, go_live, program
from setia.events.rebuild import rebuild_states
from setia.events.verify import verify


def test_who_was_merged_is_given_what_the_member_who_stays_can_use(world: World) -> None:
    main, other = open_shop(world), enrolled(world, card="2")
    body = {"duplicate": other, "reason": "the same"}
    merged = world.call("POST", f"/v1/members/{main}/merge", json=body, headers={"Idempotency-Key": "m"})
    assert merged.status_code in {200, 201}, merged.text
    code = made(world, "tenth", members=[other])
    assert looked_up(world, code)["member"] == main
    assert [one["amount"] for one in bought(world, "1", "10.00", code)["discounts"]] == ["1.00"]


def test_who_is_closed_is_given_none(world: World) -> None:
    member, other = open_shop(world), enrolled(world, card="2")
    assert world.call("POST", f"/v1/members/{member}/close", json={"reason": "x"}).status_code == 200
    body = {"campaign": "tenth", "members": [other, member]}
    answer = world.call("POST", "/v1/coupons", json=body, headers={"Idempotency-Key": "k"})
    assert_problem(answer, 409, "member_status_conflict")
    assert rows(world, "SELECT count(*) FROM coupon") == [(0,)]


def test_an_order_decided_again_gives_a_coupon_of_a_promotion_that_has_gone(world: World) -> None:
    more = {
        "small": {"on": "purchase", "when": "event.gross < 60.0", "coupon": {"of": "gone"}},
        "gone": {"on": "purchase", "discount": {"percent": 5, "coupon": {"uses": 3}}},
    }
    open_shop(world, **more)
    bought(world, "1", lines=[{"sku": "a", "amount": "50.00"}, {"sku": "b", "amount": "50.00"}])
    go_live(world, program(campaigns=CAMPAIGNS))
    answer = booked(world, give_back("r", "1", lines=[{"line": 0}]))
    assert [(one["what"], one["campaign"]) for one in answer["coupons"]][-1] == ("granted", "gone")
    assert rows(world, "SELECT uses FROM coupon WHERE campaign = 'gone'") == [(3,)]
    assert verify(world.database).findings == []
    assert rebuild_states(world.database, world.program_id).differences == []


def test_a_code_in_two_spellings_is_used_once_and_no_guess(world: World) -> None:
    open_shop(world)
    body = {"campaign": "tenth", "uses": 9, "codes": ["PAPER-0001"]}
    assert world.call("POST", "/v1/coupons/codes", json=body).status_code == 200
    own = made(world, "tenth")
    for codes in (["PAPER-0001", "paper 0001"], ["PAPER0001", "PAPER-0001"], [own, own.replace("-", "").lower()]):
        assert len(calculated(world, order(None, "10.00", *codes))["discounts"]) == 1
    assert rows(world, "SELECT count(*) FROM code_guess") == [(0,)]
