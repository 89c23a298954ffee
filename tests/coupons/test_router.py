"""Coupons by hand: made, brought along, listed, looked up and withdrawn."""

from __future__ import annotations

from typing import Any

import pytest

from api_world import World, assert_problem
from coupons.till import bought, findings, give_back, looked_up, made, open_shop, rows
from events.shop import booked, enrolled

KEY = {"Idempotency-Key": "k1"}


def make(world: World, **body: Any) -> Any:
    return world.call("POST", "/v1/coupons", json=body, headers=KEY)


def test_coupons_are_made_in_bulk_and_the_same_request_gives_the_same(world: World) -> None:
    member = open_shop(world)
    other = enrolled(world, card="2")
    body = {"campaign": "next", "amount": "5.00", "members": [member, other], "batch": "spring"}
    first, again = make(world, **body), make(world, **body)
    assert first.status_code == again.status_code == 201
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.json() == again.json()
    codes = [one["code"] for one in first.json()["coupons"]]
    assert [one["member"] for one in first.json()["coupons"]] == [member, other]
    assert len(set(codes)) == 2
    assert_problem(make(world, **body | {"amount": "6.00"}), 422, "idempotency_key_reused")
    assert bought(world, "1", "10.00", codes[1])["refused_codes"][0]["reason"] == "not_yours"
    assert bought(world, "2", "10.00", codes[0])["to_pay"]["total"] == "5.00"


def test_ten_thousand_are_listed_page_by_page(world: World) -> None:
    open_shop(world)
    codes = [one["code"] for one in make(world, campaign="tenth", count=10_000, batch="many").json()["coupons"]]
    assert len(set(codes)) == 10_000
    made(world)
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        page = world.call("GET", f"/v1/coupons?batch=many&campaign=tenth&limit=200{cursor}").json()
        seen += [one["code"] for one in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == codes[:600]
    assert len(world.call("GET", "/v1/coupons?campaign=next").json()["items"]) == 1


def test_codes_that_others_made_are_brought_along_once(world: World) -> None:
    open_shop(world, poster={"on": "purchase", "discount": {"percent": 5, "codes": ["POSTER-2026"]}})
    body = {
        "campaign": "tenth",
        "uses": 2,
        "codes": ["Spring-0001", "spring 0001", "short", "POSTER-2026", "üüüüüüü", "Spring-0002"],
    }
    answer = world.call("POST", "/v1/coupons/codes", json=body)
    assert answer.json() == {"added": 2, "known": 1, "unusable": [3, 4, 5]}
    assert world.call("POST", "/v1/coupons/codes", json=body).json() == {"added": 0, "known": 3, "unusable": [3, 4, 5]}
    assert bought(world, "1", "10.00", "SPRING0001")["to_pay"]["total"] == "9.00"
    found = looked_up(world, "spring-0001")
    assert (found["used"], found["uses"], found["code"], found["hint"]) == (1, 2, None, "…01")
    assert "pring" not in str(rows(world, "SELECT string_agg(c::text, '') FROM coupon c"))


def test_a_code_that_setia_made_is_nobody_elses(world: World) -> None:
    open_shop(world)
    body = {"campaign": "tenth", "codes": [made(world)]}
    answer = world.call("POST", "/v1/coupons/codes", json=body)
    assert answer.json() == {"added": 0, "known": 0, "unusable": [1]}


def test_what_a_coupon_was_used_for_is_told(world: World) -> None:
    member = open_shop(world)
    code = made(world)
    event = bought(world, "1", "40.00", code)["id"]
    booked(world, give_back("r", "1", amount="10.00"))
    found = looked_up(world, code)
    [use] = found["used_with"]
    assert (use["event"], use["member"], use["amount"], use["restored"], use["is_restored"]) == (
        *(event, member, "10.00", "2.50"),
        False,
    )
    assert (found["amount"], found["left"], found["state"]) == ("10.00", "2.50", "usable")
    by_id = world.call("GET", f"/v1/coupons/{found['id']}").json()
    assert by_id == {"coupon": {key: found[key] for key in by_id["coupon"]}, "used_with": found["used_with"]}


def test_a_withdrawn_coupon_is_used_by_nobody_and_orders_keep_what_they_have(world: World) -> None:
    open_shop(world)
    code = made(world)
    bought(world, "1", "4.00", code)
    coupon = looked_up(world, code)["id"]
    first = world.call("POST", f"/v1/coupons/{coupon}/void").json()
    assert world.call("POST", f"/v1/coupons/{coupon}/void").json() == first
    assert first["coupon"]["state"] == "void"
    assert bought(world, "2", "4.00", code)["refused_codes"][0]["reason"] == "void"
    # It came back, and is not good for anything all the same.
    booked(world, give_back("r", "1"))
    booked(world, give_back("c", "r") | {"type": "cancel"})
    assert looked_up(world, code)["left"] == "10.00"
    assert findings(world) == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"campaign": "tenth"}, "#/count"),
        ({"campaign": "tenth", "count": 1, "members": ["mem_1"]}, "#/count"),
        ({"campaign": "tenth", "members": ["mem_1"]}, "#/members/0"),
        ({"campaign": "nothing", "count": 1}, "#/campaign"),
        ({"campaign": "base", "count": 1}, "#/campaign"),
        ({"campaign": "next", "count": 1}, "#/amount"),
        ({"campaign": "next", "count": 1, "amount": "1.001"}, "#/amount"),
        ({"campaign": "next", "count": 1, "amount": "1.00", "uses": 2}, "#/uses"),
        ({"campaign": "tenth", "count": 1, "amount": "1.00"}, "#/amount"),
        (
            {"campaign": "tenth", "count": 1, "starts": "2026-02-01T00:00:00Z", "ends": "2026-01-01T00:00:00Z"},
            "#/ends",
        ),
    ],
)
def test_what_cannot_be_made_is_refused_with_its_place(world: World, body: dict[str, Any], pointer: str) -> None:
    open_shop(world)
    problem = assert_problem(make(world, **body), 422, "invalid_coupons")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert world.count("coupon") == 0


def test_coupons_need_a_key_and_members_of_the_program(world: World) -> None:
    open_shop(world)
    body = {"campaign": "tenth", "count": 1}
    assert_problem(world.call("POST", "/v1/coupons", json=body), 400, "idempotency_key_required")
    unknown = {"campaign": "tenth", "members": ["mem_" + "0" * 32]}
    assert_problem(make(world, **unknown), 404, "member_not_found")
    assert world.count("idempotency_key") == 0


def test_strangers_see_no_coupons(world: World) -> None:
    member = open_shop(world)
    code = made(world, members=[member])
    coupon = looked_up(world, code)["id"]
    for method, path in (("GET", f"/v1/coupons/{coupon}"), ("POST", f"/v1/coupons/{coupon}/void")):
        assert_problem(world.call(method, path, key=world.stranger), 404, "coupon_not_found")
    assert world.call("GET", "/v1/coupons", key=world.stranger).json()["items"] == []
    assert_problem(world.call("GET", f"/v1/members/{member}/coupons", key=world.stranger), 404, "member_not_found")
    assert_problem(world.call("GET", "/v1/coupons/cpn_1"), 404, "coupon_not_found")
    assert looked_up(world, code)["state"] == "usable"
    page = world.call("GET", f"/v1/members/{member}/coupons?limit=1").json()
    assert [one["id"] for one in page["items"]] == [coupon]


@pytest.mark.parametrize("code", [" ", "-", "\u200b", "x" * 100, "0" * 20, "7K2M9-XQ4TD-0HB3C-W8N5R", "ÄÖÜ"])
def test_what_is_no_code_is_found_by_nobody(world: World, code: str) -> None:
    open_shop(world)
    assert_problem(world.call("POST", "/v1/coupons/lookup", json={"code": code}), 404, "coupon_not_found")
    if code.strip():
        assert bought(world, "1", "10.00", code)["refused_codes"][0]["reason"] == "unknown"


@pytest.mark.parametrize("path", ["/v1/coupons?batch=%00", "/v1/coupons?campaign=A", "/v1/coupons?cursor=x"])
def test_a_list_that_is_asked_for_wrongly_is_refused(world: World, path: str) -> None:
    open_shop(world)
    assert world.call("GET", path).status_code == 422


FAR = ("9999-12-31T23:00:00Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z")


@pytest.mark.parametrize("moment", FAR)
@pytest.mark.parametrize("field", ["starts", "ends"])
def test_moments_that_no_calendar_holds_are_refused(world: World, moment: str, field: str) -> None:
    open_shop(world)
    problem = assert_problem(make(world, campaign="tenth", count=1, **{field: moment}), 422, "validation_failed")
    assert [error["pointer"] for error in problem["errors"]] == [f"#/{field}"]


def test_a_batch_that_fails_to_commit_makes_nothing(world: World) -> None:
    open_shop(world)
    world.refuse_commits_to("coupon")
    assert make(world, campaign="tenth", count=3).status_code == 500
    assert world.count("coupon") == world.count("idempotency_key") == 0


def test_coupons_end_with_their_promotion(world: World) -> None:
    schedule = {"ends": "2999-12-31"}
    open_shop(world, ending={"on": "purchase", "schedule": schedule, "discount": {"percent": 5, "coupon": True}})
    code = made(world, "ending", ends="3100-01-01T00:00:00Z")
    assert looked_up(world, code)["ends"] == "2999-12-31T23:00:00Z"
