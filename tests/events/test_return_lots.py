"""Where returns find the points of an order: with the order, wherever they have gone, and with what comes back."""

from __future__ import annotations

from typing import Any

import pytest

from api_world import World, assert_problem
from clock.try_out import TryOut
from clock.try_out import program as timed
from events.returning import BASE, adjust, assert_sound, buy, cancel, give_back, try_back, wallet
from events.shop import batch, booked, enrolled, go_live, program, purchase, rows
from setia.events.verify import verify

FIFTEEN: dict[str, Any] = {"kind": "discount", "cost": {"stars": 100}, "worth": {"amount": "15.00"}}
REVIEW = {"all": {"per": "member", "every": "1h", "more_than": {"events": 0}, "on": ["purchase"], "then": "review"}}


def _live(world: World, stars: dict[str, Any] | None = None, **more: Any) -> None:
    go_live(world, program(**({"campaigns": BASE, "points": {"stars": stars or {}}, "tiers": []} | more)))
    if not rows(world, "SELECT FROM member"):
        enrolled(world)


def test_pending_points_that_came_again_go_again(world: World) -> None:
    _live(world, {"available_after": "14d"})
    buy(world, "a", ("x", "1", "50.00"))
    for number in range(3):
        give_back(world, f"r{number}", "a")
        assert wallet(world) == (0, 0)
        cancel(world, f"c{number}", f"r{number}")
        assert wallet(world) == (0, 50)
    assert give_back(world, "r", "a")["granted"] == {"stars": -50}
    assert wallet(world) == (0, 0)
    assert_sound(world)


def test_pending_points_that_came_again_go_along_with_a_merge(world: World) -> None:
    _live(world, {"available_after": "14d"})
    duplicate = enrolled(world, "2")
    [(main,)] = rows(world, "SELECT id FROM member ORDER BY id LIMIT 1")
    buy(world, "a", ("x", "1", "50.00"), card="2")
    give_back(world, "r", "a", card="2")
    cancel(world, "c", "r", card="2")
    body = {"duplicate": duplicate, "reason": "the same person"}
    merged = world.call("POST", f"/v1/members/mem_{main.hex}/merge", json=body, headers={"Idempotency-Key": "m"})
    assert merged.status_code == 200, merged.text
    give_back(world, "r2", "a")
    assert wallet(world) == (0, 0)
    cancel(world, "c2", "r2")
    assert wallet(world) == (0, 50)
    give_back(world, "r3", "a")
    assert wallet(world) == (0, 0)
    assert_sound(world)


def test_what_expired_before_a_merge_is_not_taken_from_others_after_it(world: World) -> None:
    here = TryOut.begin(world, "2026-01-01T12:00:00Z", timed(expiry={"after": "30d"}))
    main, duplicate = here.enrol("1"), here.enrol("2")
    here.buy("a", "50.00", card="2")
    here.advance("40d")
    here.buy("b", "60.00", card="1")
    here.made("POST", f"/v1/members/{main}/merge", duplicate=duplicate, reason="x", idempotency_key="m")
    here.made("POST", "/v1/events", type="return", external_id="r", member={"card": "2"}, data={"order": "a"})
    assert here.stars(main) == (60, 0)
    assert verify(world.database).findings == []


@pytest.mark.parametrize("approves", [True, False])
def test_points_that_wait_for_a_review_do_not_come_again_without_it(world: World, *, approves: bool) -> None:
    campaigns = {"base": {"on": "purchase", "earn": {"stars": "1 per 1.00", "status": "2 per 1.00"}}}
    points = {"stars": {}, "status": {"spendable": False}}
    _live(world, campaigns=campaigns, points=points, velocity=REVIEW)
    buy(world, "a", ("x", "1", "50.00"))
    give_back(world, "r1", "a")
    assert (wallet(world), wallet(world, "status")) == ((0, 0), (0, 0))
    effects = cancel(world, "c1", "r1")["effects"]
    assert [effect["review"] for effect in effects] == ["all", "all"]
    assert (wallet(world), wallet(world, "status")) == ((0, 50), (0, 100))
    for review in world.call("GET", "/v1/reviews?state=open").json()["items"]:
        path = f"/v1/reviews/{review['id']}/{'approve' if approves else 'void'}"
        assert world.call("POST", path, json={"reason": "looked at it"}).status_code == 200
    assert (wallet(world), wallet(world, "status")) == (((50, 0), (100, 0)) if approves else ((0, 0), (0, 0)))
    give_back(world, "r2", "a")
    assert (wallet(world), wallet(world, "status")) == ((0, 0), (0, 0))
    assert_sound(world)


def test_points_that_a_review_voided_while_they_were_back_do_not_come_again(world: World) -> None:
    _live(world, velocity=REVIEW)
    buy(world, "a", ("x", "1", "50.00"))
    give_back(world, "r", "a")
    [review] = world.call("GET", "/v1/reviews?state=open").json()["items"]
    assert world.call("POST", f"/v1/reviews/{review['id']}/void", json={"reason": "no"}).status_code == 200
    assert cancel(world, "c", "r")["granted"] == {}
    give_back(world, "r2", "a")
    assert wallet(world) == (0, 0)
    assert_sound(world)


def test_approved_points_that_wait_on_lie_in_another_lot_and_are_found(world: World) -> None:
    _live(world, {"available_after": "14d"}, velocity=REVIEW)
    buy(world, "a", ("x", "1", "50.00"))
    [review] = world.call("GET", "/v1/reviews?state=open").json()["items"]
    assert world.call("POST", f"/v1/reviews/{review['id']}/approve", json={"reason": "fine"}).status_code == 200
    assert wallet(world) == (0, 50)
    give_back(world, "r", "a")
    assert wallet(world) == (0, 0)
    assert_sound(world)


def test_what_comes_again_waits_for_nothing_that_has_happened(world: World) -> None:
    _live(world, {"available_on": "delivered"}, events={"delivered": {}})
    buy(world, "a", ("x", "1", "50.00"))
    buy(world, "b", ("x", "1", "30.00"))
    delivered = {"type": "delivered", "external_id": "d", "member": {"card": "1"}}
    booked(world, {**delivered, "data": {"order": "a"}})
    for order in "ab":
        give_back(world, f"r{order}", order)
        cancel(world, f"c{order}", f"r{order}")
    assert wallet(world) == (50, 30)
    assert_sound(world)


def test_what_comes_again_late_is_available_at_once_or_has_ended(world: World) -> None:
    here = TryOut.begin(world, "2026-01-01T12:00:00Z", timed(available_after="5d", expiry={"after": "30d"}))
    member = here.enrol()
    here.buy("a", "50.00")
    back = {"type": "return", "member": {"card": "1"}}
    here.made("POST", "/v1/events", **back, external_id="r", data={"order": "a"})
    here.advance("20d")
    again = {"type": "cancel", "member": {"card": "1"}}
    [effect] = here.made("POST", "/v1/events", **again, external_id="c", data={"order": "r"})["effects"]
    assert "available_at" not in effect
    assert here.stars(member) == (50, 0)
    here.made("POST", "/v1/events", **back, external_id="r2", data={"order": "a"})
    here.advance("60d")
    here.made("POST", "/v1/events", **again, external_id="c2", data={"order": "r2"})
    assert here.stars(member) == (0, 0)
    assert verify(world.database).findings == []


@pytest.mark.parametrize("settings", [{}, {"negative": "allow"}, {"clawback": "refuse"}])
def test_what_rewards_had_cost_pays_what_has_been_spent(world: World, settings: dict[str, Any]) -> None:
    _live(world, settings, rewards={"fifteen": FIFTEEN})
    adjust(world, 100)
    buy(world, "a", ("x", "1", "65.00"), pricing="before", redeem=[{"reward": "fifteen"}])
    adjust(world, -50)  # what the order had given
    assert give_back(world, "r", "a")["granted"] == {"stars": 100 - 50}
    assert wallet(world) == (50, 0)
    assert_sound(world)


def test_what_a_return_gives_pays_what_has_been_spent(world: World) -> None:
    big = {"on": "purchase", "when": "event.total >= 50.0", "exclusive": True, "priority": 1, "earn": {"stars": 30}}
    _live(world, campaigns={"big": big, "small": BASE["base"]})
    buy(world, "a", ("x", "1", "40.00"), ("y", "1", "20.00"))
    adjust(world, -30)
    answer = give_back(world, "r", "a", lines=[{"line": 1}])
    assert [(one["campaign"], one["amount"]) for one in answer["effects"]] == [("big", -30), ("small", 40)]
    assert wallet(world) == (10, 0)
    assert_sound(world)


def test_a_point_type_that_there_is_no_more_is_moved_and_never_owed(world: World) -> None:
    campaigns = {"base": {"on": "purchase", "earn": {"stars": "1 per 1.00", "coins": "2 per 1.00"}}}
    _live(world, campaigns=campaigns, points={"stars": {}, "coins": {"negative": "allow"}})
    buy(world, "a", ("x", "1", "50.00"), ("y", "1", "20.00"))
    _live(world)
    assert give_back(world, "r", "a", lines=[{"line": 0}])["granted"] == {"stars": -50, "coins": -100}
    assert (wallet(world), wallet(world, "coins")) == ((20, 0), (40, 0))
    assert cancel(world, "c", "r")["granted"] == {"stars": 50, "coins": 100}
    assert (wallet(world), wallet(world, "coins")) == ((70, 0), (140, 0))
    assert_sound(world)


def test_how_low_a_balance_may_go_is_what_the_program_says_now(world: World) -> None:
    _live(world)
    buy(world, "a", ("x", "1", "50.00"))
    buy(world, "b", ("x", "1", "20.00"))
    adjust(world, -60)
    _live(world, {"negative": "allow"})
    give_back(world, "r", "a")
    assert wallet(world) == (-40, 0)
    adjust(world, 45)
    _live(world, {"clawback": "refuse"})
    assert_problem(try_back(world, "s", "b"), 422, "points_spent")
    assert wallet(world) == (5, 0)
    assert_sound(world)


def test_a_return_that_is_refused_leaves_nothing_behind_in_its_batch(world: World) -> None:
    rewards = {"fifteen": FIFTEEN | {"cost": {"coins": 100}, "stock": 1}}
    _live(world, points={"stars": {"clawback": "refuse"}, "coins": {}}, rewards=rewards)
    adjust(world, 100, "coins")
    buy(world, "a", ("x", "1", "65.00"), pricing="before", redeem=[{"reward": "fifteen"}])
    adjust(world, -50)
    returned = {"type": "return", "external_id": "r", "member": {"card": "1"}, "data": {"order": "a"}}
    answers = batch(world, returned, purchase("b", "5.00"))
    assert [one["status"] for one in answers["results"]] == [422, 201]
    assert answers["results"][1]["event"]["balances"]["coins"]["available"] == 0
    assert rows(world, "SELECT state FROM redemption") == [("confirmed",)]
    assert rows(world, "SELECT used FROM reward_stock") == [(1,)]
    assert wallet(world, "coins") == (0, 0)
    assert_sound(world)
    buy(world, "c", ("x", "1", "1.00"))  # the connection is as good as before
