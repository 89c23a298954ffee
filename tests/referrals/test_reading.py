"""Referrals read: one, lists in pages, a member's, the funnel with its cost; strangers see nothing."""

import datetime as dt
from typing import Any

import pytest

from api_world import World, assert_problem
from referrals.friends import (
    CAMPAIGNS,
    START,
    buy,
    code_of,
    invite,
    later,
    listed,
    member,
    open_shop,
    pair,
    rows,
)


def funnel(world: World, **query: str) -> list[dict[str, Any]]:
    answer = world.call("GET", "/v1/referrals/funnel", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["periods"]
    return found


def test_lists_are_cut_into_pages_and_narrowed(world: World) -> None:
    open_shop(world)
    ada, eve = member(world, "ada"), member(world, "eve")
    code = code_of(world, ada)
    friends = [member(world, f"f{number}", referral_code=code) for number in range(5)]
    invite(world, eve, email="x@example.com")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = world.call("GET", "/v1/referrals", params={"limit": "2", **cursor}).json()
        seen += [one["friend"] or "" for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == ["", *reversed(friends)]
    assert [one["referrer"] for one in listed(world, state="invited")] == [eve]
    assert [one["friend"] for one in listed(world, friend=friends[2])] == [friends[2]]
    assert listed(world, referral="others") == []
    assert len(listed(world, referral="friends", referrer=ada)) == 5
    other = world.call("GET", "/v1/referrals", params={"limit": "2", "state": "joined", **cursor})
    assert_problem(other, 422, "invalid_cursor")
    assert_problem(world.call("GET", "/v1/referrals", params={"referrer": "ada"}), 404, "member_not_found")
    assert_problem(world.call("GET", "/v1/referrals", params={"state": "lost"}), 422, "validation_failed")


def test_one_is_found_by_its_id_in_its_program_only(world: World) -> None:
    open_shop(world)
    pair(world)
    [one] = listed(world)
    assert world.call("GET", f"/v1/referrals/{one['id']}").json() == one
    for path, key in (
        (f"/v1/referrals/{one['id']}", world.stranger),
        ("/v1/referrals/ref_1", ""),
        ("/v1/referrals/x", ""),
    ):
        assert_problem(world.call("GET", path, key=key), 404, "referral_not_found")
    assert world.call("GET", "/v1/referrals", key=world.stranger).json()["items"] == []
    assert world.call("GET", "/v1/referrals/funnel", key=world.stranger).json()["periods"] == []


def test_strangers_reach_no_member(world: World) -> None:
    open_shop(world)
    ada, _ = pair(world)
    stranger = world.stranger
    assert_problem(world.call("GET", f"/v1/members/{ada}/referrals", key=stranger), 404, "member_not_found")
    body = {"fingerprints": {"device": "d"}}
    assert_problem(
        world.call("PUT", f"/v1/members/{ada}/fingerprints", json=body, key=stranger), 404, "member_not_found"
    )
    open_shop(world, live=True)
    answer = world.call("POST", "/v1/referrals/codes", json={"members": [ada]}).json()
    assert answer == {"codes": [], "unknown": [ada]}
    assert_problem(invite(world, ada, email="x@example.com"), 404, "member_not_found")
    assert_problem(invite(world, "ada", email="x@example.com"), 404, "member_not_found")


@pytest.mark.parametrize("friend", [{}, {"email": "a@example.com", "phone": "+49 151 2345678"}, {"email": "nobody"}])
def test_a_friend_is_invited_by_one_address(world: World, friend: dict[str, str]) -> None:
    open_shop(world)
    body = assert_problem(invite(world, member(world, "ada"), **friend), 422, "invalid_referral")
    assert body["errors"][0]["pointer"].startswith("#/friend")
    assert world.count("referral") == 0


def test_which_kind_has_to_be_said_where_there_are_two(world: World) -> None:
    open_shop(world)
    with_two = {"friends": {}, "family": {"reward_at": "enrolled"}}
    world.call("GET", "/v1/program")
    from_api = world.call("GET", "/v1/program").json()["definition"] | {"referrals": with_two}
    assert world.call("POST", "/v1/program/versions", json={"definition": from_api}).status_code in {200, 201}
    ada = member(world, "ada")
    body = assert_problem(world.call("POST", "/v1/referrals/codes", json={"members": [ada]}), 422, "invalid_referral")
    assert "friends, family" in body["errors"][0]["hint"]
    wrong = world.call("POST", "/v1/referrals/codes", json={"members": [ada], "referral": "famly"})
    assert "family" in assert_problem(wrong, 422, "invalid_referral")["errors"][0]["hint"]
    codes = [
        world.call("POST", "/v1/referrals/codes", json={"members": [ada], "referral": kind}).json()["codes"][0]
        for kind in ("friends", "family")
    ]
    found = world.call("GET", f"/v1/members/{ada}/referrals").json()["codes"]
    assert sorted(found, key=str) == sorted(codes, key=str)
    member(world, "bob", referral_code=codes[1]["code"])
    assert [(one["referral"], one["state"]) for one in listed(world)] == [("family", "won")]


def test_the_funnel_counts_and_tells_the_cost(world: World) -> None:
    open_shop(world, after="14d")
    ada, bob = pair(world)
    buy(world, bob)
    invite(world, ada, email="x@example.com")
    later(world, 35)
    member(world, "eve", referral_code=code_of(world, ada))
    march, april = funnel(world)
    assert (march["period"], april["period"]) == ("2026-03", "2026-04")
    assert {key: march[key] for key in ("began", "joined", "qualified", "won")} == {
        "began": 2,
        "joined": 1,
        "qualified": 1,
        "won": 1,
    }
    assert march["states"] == {
        "invited": {"count": 1, "points": {"stars": 1}, "value": "0.03"},
        "won": {"count": 1, "points": {"stars": 165}, "value": "4.95"},
    }
    assert march["cost"] == {"points": {"stars": 166}, "value": "4.98"}
    assert april["states"] == {"joined": {"count": 1, "points": {"stars": 15}, "value": "0.45"}}
    assert [one["period"] for one in funnel(world, every="week")] == ["2026-W10", "2026-W15"]
    assert [one["period"] for one in funnel(world, every="quarter")] == ["2026-Q1", "2026-Q2"]
    assert [one["period"] for one in funnel(world, every="day")] == ["2026-03-02", "2026-04-06"]
    assert [one["began"] for one in funnel(world, every="year")] == [3]
    assert [one["period"] for one in funnel(world, every="ever")] == ["ever"]
    assert [one["period"] for one in funnel(world, since="2026-04-01")] == ["2026-04"]
    assert [one["period"] for one in funnel(world, until="2026-04-01")] == ["2026-03"]
    assert funnel(world, referral="others") == []
    [total] = rows(
        world,
        "SELECT sum(amount) FROM posting p JOIN journal j USING (member_id, seq) JOIN event e ON e.id = j.id"
        " WHERE e.type LIKE 'referral%' AND p.source = 'issued'",
    )
    assert total == (181,)


def test_a_period_is_of_the_program_s_time_zone(world: World) -> None:
    open_shop(world)
    ada = member(world, "ada")
    # 23:30 in UTC is 01:30 of the first of April in Berlin.
    world.call("POST", "/v1/clock", json={"to": dt.datetime(2026, 3, 31, 23, 30, tzinfo=dt.UTC).isoformat()})
    invite(world, ada, email="x@example.com")
    assert [one["period"] for one in funnel(world)] == ["2026-04"]
    assert [one["began"] for one in funnel(world, since="2026-04-01", until="2026-04-02")] == [1]
    assert START.month == 3


def test_days_beyond_any_calendar_are_refused(world: World) -> None:
    open_shop(world)
    for query in ({"since": "0001-01-01"}, {"until": "9999-12-31"}, {"since": "today"}):
        assert_problem(world.call("GET", "/v1/referrals/funnel", params=query), 422, "validation_failed")


def test_cost_without_value_is_in_points_alone(world: World) -> None:
    campaigns = CAMPAIGNS | {"status": {"on": "referral_enrolled", "earn": {"status": 2}}}
    open_shop(world, campaigns=campaigns)
    pair(world)
    [period] = funnel(world)
    assert period["cost"] == {"points": {"stars": 15, "status": 2}, "value": None}


def test_counts_of_a_member(world: World) -> None:
    open_shop(world)
    ada, bob = pair(world)
    invite(world, ada, email="x@example.com")
    buy(world, bob)
    assert world.call("GET", f"/v1/members/{ada}/referrals").json()["counts"] == {"invited": 1, "won": 1}
