"""Orders that earn coupons and use them: what is told, and why what was shown did nothing."""

from __future__ import annotations

from typing import Any

import pytest

from api_world import World, assert_problem
from coupons.till import CAMPAIGNS, bought, findings, give_back, granted, looked_up, made, open_shop, order, rows
from events.shop import batch, booked, calculated, enrolled, go_live, program, send

TOLD = ("discounts", "refused_codes", "to_pay", "granted", "sentences")


def refused(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["code"], one["reason"]) for one in answer["refused_codes"]]


def test_an_order_earns_a_coupon_that_a_later_one_uses(world: World) -> None:
    member = open_shop(world)
    asked = calculated(world, order(None, "47.00"))
    [promised] = granted(asked)
    assert (promised["amount"], "code" in promised, promised["coupon"]) == ("4.70", False, None)
    answer = bought(world, "1", "47.00")
    [coupon] = granted(answer)
    assert (coupon["amount"], coupon["campaign"], coupon["by"]) == ("4.70", "next", "thanks")
    assert any(one.startswith("A coupon of 4.70 EUR for a later order: “next”. Until") for one in answer["sentences"])
    second = bought(world, "2", "10.00", coupon["code"].lower())
    assert second["to_pay"]["total"] == "5.30"
    [used] = second["coupons"]
    assert (used["what"], used["amount"], used["coupon"]) == ("used", "4.70", coupon["coupon"])
    assert second["granted"] == {"stars": 5}
    found = world.call("GET", f"/v1/members/{member}/coupons").json()["items"]
    assert [(one["state"], one["left"], one["code"]) for one in found] == [("used", "0.00", coupon["code"])]
    assert findings(world) == []


def test_a_coupon_that_holds_money_is_used_in_parts(world: World) -> None:
    open_shop(world)
    code = made(world, amount="25.00")
    totals = [bought(world, str(number), "10.00", code)["to_pay"]["total"] for number in range(4)]
    assert totals == ["0.00", "0.00", "5.00", "10.00"]
    assert refused(bought(world, "5", "10.00", code)) == [(looked_up(world, code)["hint"], "used_up")]
    assert findings(world) == []


def test_what_is_asked_is_what_is_booked_and_told_again(world: World) -> None:
    open_shop(world)
    codes = [made(world), made(world, amount="2.00"), made(world, "tenth"), made(world, "tenth"), "nothing-like-it"]
    for number in range(3):
        asked = calculated(world, order(None, "15.00", *codes))
        answer = bought(world, str(number), "15.00", *codes)
        again = send(world, order(str(number), "15.00", *codes))
        assert again.headers["Idempotent-Replayed"] == "true"
        stored = world.call("GET", f"/v1/events/{answer['id']}").json()
        for name in TOLD:
            assert asked[name] == answer[name] == again.json()[name] == stored[name], name
        assert answer["coupons"] == again.json()["coupons"] == stored["coupons"]
    assert findings(world) == []


def test_a_granted_coupon_has_the_same_code_in_every_answer(world: World) -> None:
    open_shop(world)
    first = send(world, order("1", "100.00"))
    again = send(world, order("1", "100.00"))
    assert granted(first.json()) == granted(again.json())
    assert granted(first.json())[0]["code"]


def test_a_code_is_readable_nowhere_in_the_database(world: World) -> None:
    open_shop(world)
    code = made(world)
    bought(world, "1", "10.00", code)
    secret = code[-11:]
    [(stored,)] = rows(
        world, "SELECT string_agg(e.body::text || j.outcome::text, '') FROM event e JOIN journal j USING (id)"
    )
    assert code[:11] in stored
    assert secret not in stored
    assert secret.replace("-", "") not in stored
    [(kept,)] = rows(world, "SELECT string_agg(c::text, '') FROM coupon c")
    assert secret not in kept
    assert [one["code"] for one in bought(world, "2", "10.00", code)["refused_codes"]] == [f"{code[:11]}-…"]


def test_codes_that_do_nothing_say_why(world: World) -> None:
    large = {"on": "purchase", "when": "event.gross >= 500.0", "discount": {"percent": 5, "coupon": True}}
    open_shop(world, large=large)
    mine = enrolled(world, card="2")
    shown = {
        "not_yours": made(world, "tenth", members=[mine]),
        "not_yet": made(world, "tenth", starts="2999-01-01T00:00:00Z"),
        "expired": made(world, "tenth", starts="2020-01-01T00:00:00Z", ends="2020-02-01T00:00:00Z"),
        "void": made(world, "tenth"),
        "condition": made(world, "large"),
        "unknown": "0000-0000-0000-0000-0001",
        "used_up": made(world, "tenth"),
    }
    found = looked_up(world, shown["void"])
    assert world.call("POST", f"/v1/coupons/{found['id']}/void").status_code == 200
    assert bought(world, "0", "10.00", shown["used_up"])["to_pay"]["total"] == "9.00"
    answer = bought(world, "1", "10.00", *shown.values())
    assert [reason for _, reason in refused(answer)] == list(shown)
    assert answer["to_pay"]["total"] == "10.00"
    assert all(
        one["campaign"] == "tenth" for one in answer["refused_codes"] if one["reason"] not in {"unknown", "condition"}
    )
    german = world.call("GET", f"/v1/events/{answer['id']}?locale=de").json()["sentences"]
    assert any("gehört jemand anderem" in sentence for sentence in german)
    assert bought(world, "2", "10.00", shown["not_yours"], member={"card": "2"})["to_pay"]["total"] == "9.00"


def test_one_order_uses_as_many_coupons_as_its_promotion_allows(world: World) -> None:
    open_shop(world)
    first, second = made(world, "tenth", ends="2999-01-01T00:00:00Z"), made(world, "tenth", ends="2998-01-01T00:00:00Z")
    answer = bought(world, "1", "10.00", first, second)
    assert answer["to_pay"]["total"] == "9.00"
    # The one that ends first is used first.
    assert refused(answer) == [(looked_up(world, first)["hint"], "another_code")]


def test_uses_and_members_and_campaigns_have_limits(world: World) -> None:
    open_shop(
        world,
        campaign_limit={
            "on": "purchase",
            "limits": [{"in_all": "2 uses"}],
            "discount": {"amount": "1.00", "coupon": {"per_order": 3, "uses": None}},
        },
    )
    code = made(world, "tenth", uses=3)
    enrolled(world, card="2")
    answers = [bought(world, str(number), "10.00", code) for number in range(3)]
    assert [one["to_pay"]["total"] for one in answers] == ["9.00", "9.00", "10.00"]
    assert refused(answers[2]) == [(looked_up(world, code)["hint"], "member_limit")]
    other = [bought(world, f"o{number}", "10.00", code, member={"card": "2"}) for number in range(2)]
    assert [one["to_pay"]["total"] for one in other] == ["9.00", "10.00"]
    assert refused(other[1])[0][1] == "used_up"
    three = [made(world, "campaign_limit") for _ in range(3)]
    answer = bought(world, "many", "10.00", *three)
    assert answer["to_pay"]["total"] == "8.00"
    assert [reason for _, reason in refused(answer)] == ["limit"]
    assert findings(world) == []


def test_a_second_coupon_that_finds_nothing_left_stays_whole(world: World) -> None:
    open_shop(world)
    codes = [made(world, amount="10.00", ends=f"29{number}0-01-01T00:00:00Z") for number in (1, 2)]
    answer = bought(world, "1", "8.00", *codes)
    assert refused(answer) == [(looked_up(world, codes[1])["hint"], "nothing")]
    assert [looked_up(world, code)["left"] for code in codes] == ["2.00", "10.00"]


def test_of_two_orders_of_one_batch_the_first_uses_the_coupon(world: World) -> None:
    open_shop(world)
    code = made(world, "tenth")
    first, second = batch(world, order("1", "10.00", code), order("2", "10.00", code))["results"]
    assert first["event"]["to_pay"]["total"] == "9.00"
    assert refused(second["event"])[0][1] == "used_up"
    assert findings(world) == []


def test_a_coupon_of_a_promotion_that_is_gone_does_nothing(world: World) -> None:
    open_shop(world)
    code = made(world, "tenth")
    tenth: dict[str, Any] = {"on": "purchase", "enabled": False, "discount": {"percent": 10, "coupon": True}}
    go_live(world, program(campaigns=CAMPAIGNS | {"tenth": tenth}))
    assert refused(bought(world, "1", "10.00", code)) == [(looked_up(world, code)["hint"], "unknown")]


def test_other_programs_know_nothing_of_a_coupon(world: World) -> None:
    open_shop(world)
    code = made(world)
    problem = world.call("POST", "/v1/coupons/lookup", key=world.stranger, json={"code": code})
    assert_problem(problem, 404, "coupon_not_found")


def test_guests_are_told_what_a_member_would_pay_and_use_nothing(world: World) -> None:
    open_shop(world)
    code = made(world, "tenth")
    guest = {key: value for key, value in order(None, "10.00", code).items() if key != "member"}
    assert calculated(world, guest)["to_pay"]["total"] == "9.00"
    assert booked(world, guest | {"external_id": "g"})["to_pay"] is None
    assert looked_up(world, code)["state"] == "usable"


def test_an_order_that_fails_to_commit_uses_nothing(world: World) -> None:
    open_shop(world)
    code = made(world, "tenth")
    world.refuse_commits_to("coupon_use")
    assert send(world, order("1", "10.00", code)).status_code == 500
    assert looked_up(world, code)["used"] == 0
    assert world.count("coupon_use") == 0
    assert findings(world) == []


@pytest.mark.parametrize("percent", ["10", "33.3"])
def test_a_coupon_of_a_visit_and_one_that_would_hold_nothing(world: World, percent: str) -> None:
    open_shop(
        world,
        visit={"on": "visit", "coupon": {"of": "next", "amount": "3.00", "usable_after": "1d", "valid_for": "2d"}},
        little={"on": "purchase", "coupon": {"of": "next", "percent": percent, "step": "1.00", "rounding": "floor"}},
    )
    visit = {"type": "visit", "external_id": "v", "member": {"card": "1"}}
    [coupon] = granted(booked(world, visit))
    assert (coupon["amount"], looked_up(world, coupon["code"])["state"]) == ("3.00", "not_yet")
    assert granted(bought(world, "1", "2.00")) == []
    stored = world.call("GET", "/v1/coupons").json()["items"]
    assert [one["granted_by"] for one in stored] == ["visit"]


def test_a_returned_order_cannot_be_sent_again_with_its_coupon(world: World) -> None:
    open_shop(world)
    code = made(world, "tenth")
    bought(world, "1", "10.00", code)
    booked(world, give_back("r", "1"))
    assert looked_up(world, code)["state"] == "usable"
    assert bought(world, "2", "10.00", code)["to_pay"]["total"] == "9.00"
    reopened = booked(world, give_back("c", "r") | {"type": "cancel"})
    assert refused(reopened)[0][1] == "used_up"
    assert reopened["to_pay"]["total"] == "10.00"
    assert looked_up(world, code)["used"] == 1
    assert findings(world) == []
