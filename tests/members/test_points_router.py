"""What a member holds, and adjustments by hand."""

import datetime as dt
from typing import Any

import pytest

from api_world import World, assert_problem, definition
from events.shop import go_live

BODY = {"points": "stars", "amount": 25, "reason": "Lost parcel"}


def adjust(world: World, member: str, key: str | None, **change: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return world.call("POST", f"/v1/members/{member}/adjustments", json={**BODY, **change}, headers=headers)


def available(world: World, member: str) -> dict[str, int]:
    wallets = world.call("GET", f"/v1/members/{member}/wallets").json()["wallets"]
    return {wallet["points"]: wallet["available"] for wallet in wallets}


def test_points_are_given_and_taken_and_shown(world: World) -> None:
    member = world.enrol(card="1")["id"]
    given = adjust(world, member, "a")
    assert (given.status_code, given.json()["balance_after"]) == (201, {"available": 25, "pending": 0, "held": 0})
    taken = adjust(world, member, "b", amount=-5, reason="Too many")
    assert taken.json()["balance_after"]["available"] == 20
    wallets = world.call("GET", f"/v1/members/{member}/wallets").json()
    assert wallets["member"] == member
    assert wallets["wallets"] == [
        {
            "points": "stars",
            "name": "stars",
            "decimals": 0,
            "available": 20,
            "pending": 0,
            "held": 0,
            "value": "0.60",
            "currency": "EUR",
            "expiring": [],
            "releases": [],
        },
        {
            "points": "status",
            "name": "status",
            "decimals": 0,
            "available": 0,
            "pending": 0,
            "held": 0,
            "value": None,
            "currency": "EUR",
            "expiring": [],
            "releases": [],
        },
    ]


def test_the_statement_is_paged_newest_first(world: World) -> None:
    member = world.enrol(card="1")["id"]
    for number in range(3):
        adjust(world, member, f"k{number}", amount=number + 1)
    path = f"/v1/members/{member}/statement"
    first = world.call("GET", f"{path}?limit=2&locale=de").json()
    adjust(world, member, "later", amount=100)
    second = world.call("GET", f"{path}?limit=2&cursor={first['next_cursor']}").json()
    entries = first["items"] + [entry for entry in second["items"] if entry["lines"]]
    assert [entry["lines"][0]["amount"] for entry in entries] == [3, 2, 1]
    assert [entry["lines"][0]["balance_after"]["available"] for entry in entries] == [6, 3, 1]
    assert {(entry["kind"], entry["reason"]) for entry in entries} == {("adjustment", "Lost parcel")}
    assert entries[0]["actor"].startswith("key:")
    other = world.enrol(card="2")["id"]
    foreign = world.call("GET", f"/v1/members/{other}/statement?cursor={first['next_cursor']}")
    assert_problem(foreign, 422, "invalid_cursor")


def test_a_key_moves_points_once(world: World) -> None:
    member = world.enrol(card="1")["id"]
    first = adjust(world, member, "a")
    again = adjust(world, member, "a")
    assert (again.status_code, again.headers["idempotent-replayed"], again.json()) == (201, "true", first.json())
    assert_problem(adjust(world, member, "a", amount=26), 422, "idempotency_key_reused")
    assert available(world, member) == {"stars": 25, "status": 0}


@pytest.mark.parametrize(
    ("key", "change", "status", "code"),
    [
        (None, {}, 400, "idempotency_key_required"),
        ("x" * 201, {}, 422, "validation_failed"),
        ("a", {"amount": 0}, 422, "invalid_adjustment"),
        ("a", {"amount": 10**15}, 422, "validation_failed"),
        ("a", {"amount": 10**400}, 422, "validation_failed"),
        ("a", {"amount": 1.5}, 422, "validation_failed"),
        ("a", {"amount": "1"}, 422, "validation_failed"),
        ("a", {"amount": True}, 422, "validation_failed"),
        ("a", {"amount": -1}, 409, "insufficient_points"),
        ("a", {"points": "moons"}, 422, "invalid_adjustment"),
        ("a", {"reason": " "}, 422, "validation_failed"),
    ],
)
def test_what_cannot_be_adjusted_moves_nothing(
    world: World, key: str | None, change: dict[str, Any], status: int, code: str
) -> None:
    member = world.enrol(card="1")["id"]
    assert_problem(adjust(world, member, key, **change), status, code)
    assert available(world, member) == {"stars": 0, "status": 0}
    assert adjust(world, member, "a").status_code == 201


def test_a_closed_members_points_stay(world: World) -> None:
    member = world.enrol(card="1")["id"]
    world.call("POST", f"/v1/members/{member}/close", json={"reason": "asked"})
    assert_problem(adjust(world, member, "a"), 409, "member_status_conflict")
    assert available(world, member) == {"stars": 0, "status": 0}


def test_a_failing_commit_moves_nothing(world: World) -> None:
    member = world.enrol(card="1")["id"]
    world.refuse_commits_to("journal")
    assert_problem(adjust(world, member, "a"), 500, "internal_error")
    assert available(world, member) == {"stars": 0, "status": 0}


def test_points_do_not_end_beyond_the_calendar(world: World) -> None:
    member = world.enrol(card="1")["id"]
    given = {"points": "stars", "amount": 5, "reason": "x", "expires_at": "9999-12-31T23:59:59Z"}
    path = f"/v1/members/{member}/adjustments"
    refused = world.call("POST", path, json=given, headers={"Idempotency-Key": "far"})
    body = assert_problem(refused, 422, "validation_failed")
    assert body["errors"][0]["pointer"] == "#/expires_at"
    fine = world.call(
        "POST", path, json=given | {"expires_at": "8999-12-31T00:00:00Z"}, headers={"Idempotency-Key": "n"}
    )
    assert fine.status_code == 201
    assert world.call("GET", f"/v1/members/{member}/wallets").status_code == 200


def test_points_given_by_hand_last_as_long_as_the_level_held_says(world: World) -> None:
    # given points that last a month, and a year for gold
    levels = [{"id": "green", "from": 0}, {"id": "gold", "from": 1000}]
    tiers = [{"id": "status", "metric": "points.stars.earned", "window": "lifetime", "levels": levels}]
    whole = definition(tiers=tiers)
    whole["points"]["stars"]["expiry"] = {"after": "30d", "by_tier": {"status": {"gold": "365d"}}}
    go_live(world, whole)
    green, gold = (world.enrol(card=card)["id"] for card in ("1", "2"))
    level = {"level": "gold", "reason": "she is famous"}
    put = world.call("PUT", f"/v1/members/{gold}/tiers/status", json=level)
    assert put.status_code in {200, 201}, put.text

    # when
    for member in (green, gold):
        body = {"points": "stars", "amount": 5, "reason": "sorry"}
        headers = {"Idempotency-Key": f"give-{member}"}
        assert world.call("POST", f"/v1/members/{member}/adjustments", json=body, headers=headers).status_code == 201

    # then
    ends = [
        world.call("GET", f"/v1/members/{member}/lots").json()["lots"][0]["expires_at"][:10] for member in (green, gold)
    ]
    days = [(dt.date.fromisoformat(end) - dt.datetime.now(dt.UTC).date()).days for end in ends]
    assert [days[0] in range(29, 33), days[1] in range(364, 368)] == [True, True]
