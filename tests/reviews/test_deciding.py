"""Reviews through the API: approved and voided points, what they wait for besides, and who may decide."""

import datetime as dt
from typing import Any

import pytest
from httpx import Response

from api_world import World, assert_problem
from events.shop import booked, enrolled, findings, go_live, program, purchase, rows, send
from setia.events.rebuild import rebuild_states
from setia.identity.scopes import Scope
from setia.identity.service import create_key
from setia.program.definition import Program
from setia.reviews.service import decide_overdue
from setia.versions.service import publish as publish_version

ALL = {"per": "member", "every": "1h", "more_than": {"events": 0}, "on": ["purchase", "by_hand"], "then": "review"}
TIERS = [
    {
        "id": "status",
        "metric": "points.stars.earned",
        "window": "lifetime",
        "levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 500}],
    }
]


def publish(world: World, *, points: Any = None, rule: Any = None, **more: Any) -> None:
    known = {"stars": {"value": "0.03"} | (points or {}), "status": {"spendable": False}}
    velocity = {"all": ALL | (rule or {})}
    go_live(world, program(points=known, velocity=velocity, tiers=TIERS, **more))


def reviewed(world: World) -> dict[str, Any]:
    """The one review that is open."""
    [review] = world.call("GET", "/v1/reviews?state=open").json()["items"]
    found: dict[str, Any] = review
    return found


def decide(world: World, review: dict[str, Any], what: str, **more: Any) -> Response:
    return world.call("POST", f"/v1/reviews/{review['id']}/{what}", json={"reason": "Talked to them"}, **more)


def wallet(world: World, points: str = "stars") -> tuple[Any, ...]:
    [found] = rows(world, "SELECT available, pending FROM wallet WHERE point_type = %s", points)
    return found


def sound(world: World) -> None:
    assert findings(world) == []
    assert rebuild_states(world.database, world.program_id, check=True).different == 0


def test_approved_points_can_be_used(world: World) -> None:
    publish(world)
    enrolled(world)
    booked(world, purchase("o1"))
    review = reviewed(world)
    done = decide(world, review, "approve")
    assert (done.status_code, done.json()["state"], done.json()["reason"]) == (200, "approved", "Talked to them")
    assert wallet(world) == (10, 0)
    again = decide(world, review, "approve")
    assert (again.headers["idempotent-replayed"], again.json()) == ("true", done.json())
    assert_problem(decide(world, review, "void"), 409, "review_decided")
    assert world.call("GET", f"/v1/reviews/{review['id']}").json() == done.json()
    assert world.call("GET", "/v1/reviews?state=open").json()["items"] == []
    assert rows(world, "SELECT kind, actor LIKE 'key:%%', reason FROM journal ORDER BY seq DESC LIMIT 1") == [
        ("adjustment", True, "Talked to them")
    ]
    sound(world)


def test_voided_points_were_never_earned(world: World) -> None:
    publish(world)
    who = enrolled(world)
    booked(world, purchase("o1", "300.00"))
    decide(world, reviewed(world), "void")
    assert wallet(world) == (0, 0)
    [standing] = world.call("GET", f"/v1/members/{who}/tiers").json()["tiers"]
    assert standing["value"] == 0
    items = world.call("GET", f"/v1/members/{who}/statement").json()["items"]
    assert items[0]["sentences"] == ["300 pending stars taken back. Reason: Talked to them."]
    sound(world)


@pytest.mark.parametrize("what", ["approve", "void"])
def test_a_return_before_and_after_the_decision(world: World, what: str) -> None:
    publish(world)
    enrolled(world)
    for number in (1, 2):
        booked(world, purchase(f"o{number}"))
    first = world.call("GET", "/v1/reviews").json()["items"][1]
    booked(world, {"type": "return", "external_id": "r1", "member": {"card": "1"}, "data": {"order": "o1"}})
    assert wallet(world) == (0, 10)
    assert decide(world, first, what).status_code == 200
    assert wallet(world) == (0, 10)
    decide(world, reviewed(world), what)
    booked(world, {"type": "return", "external_id": "r2", "member": {"card": "1"}, "data": {"order": "o2"}})
    assert wallet(world) == (0, 0)
    sound(world)


def test_a_voided_order_that_comes_back_takes_nothing_else(world: World) -> None:
    publish(world, rule={"more_than": {"events": 1}, "on": "purchase"})
    enrolled(world)
    booked(world, purchase("o1"))
    booked(world, purchase("o2"))
    decide(world, reviewed(world), "void")
    booked(world, {"type": "return", "external_id": "r2", "member": {"card": "1"}, "data": {"order": "o2"}})
    assert wallet(world) == (10, 0)
    sound(world)


def given(world: World, member: str, key: str = "1", **more: Any) -> Response:
    body = {"points": "stars", "amount": 30, "reason": "kind", **more}
    return world.call("POST", f"/v1/members/{member}/adjustments", json=body, headers={"Idempotency-Key": key})


def test_who_gave_points_does_not_approve_them(world: World) -> None:
    publish(world)
    who = enrolled(world)
    giver = world.key("points:adjust", "reviews:decide")
    body = {"points": "stars", "amount": 30, "reason": "kind"}
    world.call("POST", f"/v1/members/{who}/adjustments", json=body, headers={"Idempotency-Key": "1"}, key=giver)
    assert_problem(decide(world, reviewed(world), "approve", key=giver), 403, "own_review")
    assert decide(world, reviewed(world), "approve").json()["state"] == "approved"
    assert wallet(world) == (30, 0)
    given(world, who, "2")
    assert decide(world, reviewed(world), "void").json()["state"] == "voided"
    assert wallet(world) == (30, 0)
    first = world.call("GET", f"/v1/members/{who}/statement?locale=de").json()["items"][0]
    assert first["sentences"] == ["30 stars nicht freigegeben und zurückgenommen. Grund: Talked to them."]
    sound(world)


def test_approved_points_wait_on_for_their_day(world: World) -> None:
    publish(world, points={"available_after": "14d", "expiry": {"after": "6mo"}})
    who = enrolled(world)
    booked(world, purchase("o1"))
    assert rows(world, "SELECT available_at FROM lot") == [(None,)]
    decide(world, reviewed(world), "approve")
    assert wallet(world) == (0, 10)
    [(at,)] = rows(world, "SELECT available_at FROM lot WHERE is_open")
    assert dt.timedelta(days=13) < at - dt.datetime.now(dt.UTC) < dt.timedelta(days=15)
    [released] = world.call("GET", f"/v1/members/{who}/wallets").json()["wallets"][0]["releases"]
    assert released["amount"] == 10
    sound(world)


def test_an_event_does_not_release_what_is_under_review(world: World) -> None:
    publish(world, points={"available_on": "order_shipped"}, events={"order_shipped": ORDER})
    enrolled(world)
    booked(world, purchase("o1"))
    shipped = {"type": "order_shipped", "member": {"card": "1"}, "data": {"order": "o1"}}
    booked(world, shipped | {"external_id": "s1"})
    assert wallet(world) == (0, 10)
    decide(world, reviewed(world), "approve")
    assert wallet(world) == (10, 0), "it was shipped while somebody looked"
    booked(world, purchase("o2"))
    decide(world, reviewed(world), "approve")
    assert wallet(world) == (10, 10)
    booked(world, shipped | {"external_id": "s2", "data": {"order": "o2"}})
    assert wallet(world) == (20, 0)
    sound(world)


ORDER = {"data": {"type": "object", "properties": {"order": {"type": "string"}}}}


def test_an_event_may_take_back_what_is_under_review(world: World) -> None:
    publish(world, points={"cancel_on": "order_lost"}, events={"order_lost": ORDER})
    enrolled(world)
    booked(world, purchase("o1"))
    booked(world, {"type": "order_lost", "external_id": "l", "member": {"card": "1"}, "data": {"order": "o1"}})
    assert wallet(world) == (0, 0)
    assert decide(world, reviewed(world), "approve").json()["state"] == "approved"
    assert wallet(world) == (0, 0)
    sound(world)


def test_points_without_lots(world: World) -> None:
    publish(world, campaigns={"base": {"on": "purchase", "earn": {"stars": "1 per 1.00", "status": "1 per 1.00"}}})
    enrolled(world)
    for number, (what, left) in enumerate((("approve", 10), ("void", 10))):
        booked(world, purchase(f"o{number}"))
        assert wallet(world, "status")[1] == 10
        decide(world, reviewed(world), what)
        assert wallet(world, "status") == (left, 0)
        sound(world)


def test_nobody_decides_in_time(world: World) -> None:
    publish(world, rule={"decide_within": "2d"})
    who = enrolled(world)
    booked(world, purchase("o1"))
    assert reviewed(world)["decide_by"] is not None
    programs, now = world.app.state.programs, dt.datetime.now(dt.UTC)
    assert decide_overdue(world.database, programs, now, None) == 0
    later = now + dt.timedelta(days=3)
    assert decide_overdue(world.database, programs, later, world.program_id) == 1
    assert decide_overdue(world.database, programs, later, None) == 0
    [review] = world.call("GET", "/v1/reviews").json()["items"]
    assert (review["state"], review["decided_by"]) == ("voided", "setia")
    publish(world, rule={"decide_within": "2d", "otherwise": "approve"})
    given(world, who)
    assert decide_overdue(world.database, programs, later + dt.timedelta(days=3), None) == 1
    assert wallet(world) == (30, 0)
    sound(world)


def test_strangers_and_wrong_ids_find_nothing(world: World) -> None:
    publish(world)
    enrolled(world)
    booked(world, purchase("o1"))
    review = reviewed(world)
    for call in (
        decide(world, review, "approve", key=world.stranger),
        decide(world, {"id": "rev_x"}, "void"),
        world.call("GET", f"/v1/reviews/{review['id']}", key=world.stranger),
        world.call("GET", f"/v1/reviews/rev_{'0' * 32}"),
    ):
        assert_problem(call, 404, "review_not_found")
    assert world.call("GET", "/v1/reviews", key=world.stranger).json()["items"] == []


def test_the_queue_has_pages(world: World) -> None:
    publish(world)
    enrolled(world)
    for number in range(5):
        booked(world, purchase(f"o{number}"))
    seen, cursor = [], ""
    while True:
        page = world.call("GET", f"/v1/reviews?state=open&limit=2{cursor}").json()
        seen += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(set(seen)) == len(seen) == 5
    assert seen == sorted(seen, reverse=True)


def test_a_failing_commit_keeps_nothing(world: World) -> None:
    publish(world)
    enrolled(world)
    booked(world, purchase("o1"))
    review = reviewed(world)
    world.refuse_commits_to("velocity_review")
    assert decide(world, review, "approve").status_code == 500
    assert wallet(world) == (0, 10)
    assert send(world, purchase("o1")).status_code == 201


def test_a_member_whose_points_wait_is_not_merged_and_a_freeze_goes_along(world: World) -> None:
    publish(world)
    main, duplicate = enrolled(world, "2"), enrolled(world)
    booked(world, purchase("o1"))
    body = {"duplicate": duplicate, "reason": "x"}
    headers = {"Idempotency-Key": "m"}
    answer = world.call("POST", f"/v1/members/{main}/merge", json=body, headers=headers)
    assert_problem(answer, 409, "merge_conflict")
    decide(world, reviewed(world), "approve")
    world.call("POST", f"/v1/members/{duplicate}/points/freeze", json={"reason": "x"})
    assert world.call("POST", f"/v1/members/{main}/merge", json=body, headers=headers).status_code == 200
    assert world.call("GET", f"/v1/members/{main}/points/freeze").json()["frozen"] is True
    sound(world)


def test_a_test_clock_that_moves_on_decides_what_nobody_has(world: World) -> None:
    clock = dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)
    whole = program(velocity={"all": ALL | {"decide_within": "3d"}})
    with world.database.transaction() as tx:
        made = publish_version(tx, Program.model_validate(whole), "test", mode="test", clock=clock)
        key = str(create_key(tx, made.version.program_id, "test", list(Scope)))
    world.call("POST", "/v1/members", json={"identifiers": {"card": "1"}}, key=key)
    booked(world, purchase("o1"), key=key)
    for days, state in (("2d", "open"), ("2d", "voided")):
        assert world.call("POST", "/v1/clock", json={"by": days}, key=key).status_code == 200
        states = [one["state"] for one in world.call("GET", "/v1/reviews", key=key).json()["items"]]
        assert states == [state]
    assert rows(world, "SELECT decided_at::date::text FROM velocity_review") == [("2026-03-04",)]
    assert findings(world) == []


def test_a_gift_under_review_that_is_cancelled_was_not_earned(world: World) -> None:
    publish(world, rule={"on": "by_hand"})
    who = enrolled(world)
    booked(world, purchase("o1"))
    given(world, who)
    body, headers = {"points": "stars", "reason": "x"}, {"Idempotency-Key": "c"}
    answer = world.call("POST", f"/v1/members/{who}/points/cancel", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    assert wallet(world) == (10, 0)
    [standing] = world.call("GET", f"/v1/members/{who}/tiers").json()["tiers"]
    assert standing["value"] == 10
    sound(world)
