"""Velocity rules on the way in: counted by member, operator and location; reviewed or refused."""

from typing import Any

import pytest

from api_world import World, assert_problem
from events.shop import ago, batch, booked, calculated, enrolled, findings, go_live, program, purchase, rows, send
from rewards.counter import REWARDS, ask, give
from setia.events.rebuild import rebuild_states

FAST = {"per": "member", "every": "1h", "more_than": {"events": 2}, "on": "purchase", "then": "review"}


def publish(world: World, **velocity: Any) -> None:
    go_live(world, program(velocity=velocity, rewards={"coffee": REWARDS["coffee"]}))


def wallet(world: World) -> list[tuple[Any, ...]]:
    return rows(world, "SELECT available, pending FROM wallet WHERE point_type = 'stars' ORDER BY member_id")


def given(world: World, member: str, amount: int, key: str, **more: Any) -> Any:
    body = {"points": "stars", "amount": amount, "reason": "kind", **more}
    return world.call("POST", f"/v1/members/{member}/adjustments", json=body, headers={"Idempotency-Key": key})


def test_the_third_within_an_hour_waits_for_a_person(world: World) -> None:
    publish(world, fast=FAST)
    enrolled(world)
    for number in range(2):
        booked(world, purchase(f"o{number}"))
    third = booked(world, purchase("o2"))
    [effect] = third["effects"]
    assert (effect["amount"], effect["review"], third["balances"]["stars"]["pending"]) == (10, "fast", 10)
    assert "once they have been reviewed" in third["sentences"][0]
    assert wallet(world) == [(20, 10)]
    told = world.call("GET", f"/v1/events/{third['id']}/explanation").json()["velocity"]
    assert told == [
        {
            "rule": "fast",
            "per": "member",
            "subject": third["member"],
            "every": "1h",
            "counted": 3,
            "most": 2,
            "points": None,
            "then": "review",
        }
    ]
    assert booked(world, purchase("o2")) == third
    [review] = world.call("GET", "/v1/reviews?state=open").json()["items"]
    assert (review["event"], review["points"], review["counted"]) == (third["id"], {"stars": 10}, 3)
    assert findings(world) == []


def test_a_refused_event_is_not_kept_and_not_counted(world: World) -> None:
    publish(world, fast=FAST | {"then": "refuse"})
    enrolled(world)
    found = batch(world, *(purchase(f"o{number}") for number in range(4)))
    assert [one["status"] for one in found["results"]] == [201, 201, 409, 409]
    problem = assert_problem(send(world, purchase("o9")), 409, "velocity_exceeded")
    assert (problem["rule"], problem["counted"], problem["most"], problem["every"]) == ("fast", 3, 2, "1h")
    assert rows(world, "SELECT count(*) FROM event WHERE type = 'purchase'") == [(2,)]
    assert world.count("velocity_use") == 2
    assert wallet(world) == [(20, 0)]


def test_it_counts_by_when_things_occurred(world: World) -> None:
    publish(world, fast=FAST)
    enrolled(world, days_ago=10)
    for minutes in (300, 200, 100):
        booked(world, purchase(f"o{minutes}", occurred_at=ago(minutes=minutes)))
    assert wallet(world) == [(30, 0)]
    # Two that come late, and were in one hour with the one 200 minutes ago.
    booked(world, purchase("late1", occurred_at=ago(minutes=230)))
    assert wallet(world) == [(40, 0)]
    booked(world, purchase("late2", occurred_at=ago(minutes=170)))
    assert wallet(world) == [(50, 0)]
    booked(world, purchase("late3", occurred_at=ago(minutes=190)))
    assert wallet(world) == [(50, 10)]


def test_points_of_an_operator_over_all_members(world: World) -> None:
    rule = {"per": "operator", "every": "1d", "more_than": {"points": "25 stars"}, "on": ["purchase", "visit"]}
    publish(world, much=rule)
    enrolled(world)
    enrolled(world, "2")
    booked(world, purchase("o1"))
    booked(world, purchase("o2", member={"card": "2"}))
    booked(world, purchase("o3", member={"card": "2"}))
    assert sorted(wallet(world)) == [(10, 0), (10, 10)]
    other = world.key("events:write")
    booked(world, purchase("o4"), key=other)
    assert sorted(wallet(world)) == [(10, 10), (20, 0)]
    assert findings(world) == []


def test_a_location_counts_for_itself_and_none_for_none(world: World) -> None:
    publish(world, there={"per": "location", "every": "2h", "more_than": {"events": 1}, "on": "purchase"})
    enrolled(world)
    for number in range(3):
        booked(world, purchase(f"o{number}"))
    booked(world, purchase("a1", location="a"))
    booked(world, purchase("b1", location="b"))
    assert wallet(world) == [(50, 0)]
    booked(world, purchase("a2", location="a"))
    assert wallet(world) == [(50, 10)]


def test_points_given_by_hand(world: World) -> None:
    publish(
        world,
        gifts={"per": "operator", "every": "1d", "more_than": {"points": "100 stars"}, "on": "by_hand"},
        far={"per": "member", "every": "1d", "more_than": {"points": "300 stars"}, "on": "by_hand", "then": "refuse"},
    )
    who = enrolled(world)
    assert given(world, who, 100, "1").json()["balance_after"] == {"available": 100, "pending": 0, "held": 0}
    second = given(world, who, 50, "2")
    assert second.json()["balance_after"] == {"available": 100, "pending": 50, "held": 0}
    assert given(world, who, 50, "2").headers["idempotent-replayed"] == "true"
    assert_problem(given(world, who, 200, "3"), 409, "velocity_exceeded")
    assert given(world, who, -40, "4").status_code == 201
    [review] = world.call("GET", "/v1/reviews").json()["items"]
    assert (review["watched"], review["event"], review["points"]) == ("by_hand", None, {"stars": 50})
    assert wallet(world) == [(60, 50)]
    assert findings(world) == []


def test_points_spent_on_rewards(world: World) -> None:
    rule = {"per": "member", "every": "1d", "more_than": {"points": "300 stars"}, "on": "redemption", "then": "refuse"}
    publish(world, spent=rule, often=rule | {"more_than": {"events": 2}, "per": "operator"})
    who = enrolled(world)
    give(world, who, 1000)
    assert ask(world, who, reference="1", confirm=True).status_code == 201
    assert ask(world, who, reference="2").status_code == 201
    assert_problem(ask(world, who, reference="3", confirm=True), 409, "velocity_exceeded")
    assert ask(world, who, reference="2").status_code == 201
    assert world.count("redemption") == 2
    assert findings(world) == []


def test_calculate_says_the_same(world: World) -> None:
    publish(world, fast=FAST, hard=FAST | {"then": "refuse", "more_than": {"events": 3}})
    enrolled(world)
    for number in range(2):
        booked(world, purchase(f"o{number}"))
    seen = calculated(world, purchase("o2"))
    assert seen["effects"] == booked(world, purchase("o2"))["effects"]
    assert_problem(world.call("POST", "/v1/calculate", json=purchase("o3")), 409, "velocity_exceeded")


def test_what_was_counted_can_be_made_again_and_is_verified(world: World) -> None:
    publish(world, fast=FAST)
    enrolled(world)
    for number in range(4):
        booked(world, purchase(f"o{number}"))
    before = rows(world, "SELECT * FROM velocity_use ORDER BY entry_id")
    assert len(before) == 4
    with world.database.transaction() as tx:
        tx.exec_driver_sql("DELETE FROM velocity_use WHERE entry_id IN (SELECT entry_id FROM velocity_use LIMIT 3)")
        tx.exec_driver_sql("DELETE FROM velocity_review WHERE id IN (SELECT id FROM velocity_review LIMIT 1)")
    assert sorted(one.kind for one in findings(world)) == ["review_entry", *["velocity_use"] * 3]
    rebuild_states(world.database, world.program_id)
    assert rows(world, "SELECT * FROM velocity_use ORDER BY entry_id") == before


def test_a_failing_commit_keeps_nothing(world: World) -> None:
    publish(world, fast=FAST | {"more_than": {"events": 0}})
    enrolled(world)
    world.refuse_commits_to("velocity_review")
    assert send(world, purchase("o1")).status_code == 500
    assert (world.count("velocity_use"), world.count("velocity_review")) == (0, 0)


def test_rules_of_another_program_and_switched_off_ones_count_nothing(world: World) -> None:
    publish(world, fast=FAST | {"enabled": False})
    enrolled(world)
    booked(world, purchase("o1"))
    assert world.count("velocity_use") == 0


@pytest.mark.parametrize("kind", ["return", "cancel"])
def test_what_comes_back_is_not_counted(world: World, kind: str) -> None:
    publish(world, fast=FAST | {"more_than": {"events": 1}})
    enrolled(world)
    booked(world, purchase("o1"))
    booked(world, purchase("o2"))
    back = {"type": kind, "external_id": "r", "member": {"card": "1"}, "data": {"order": "o2"}}
    assert booked(world, back)["granted"] == {"stars": -10}
    assert wallet(world) == [(10, 0)]
    assert world.count("velocity_use") == 2
    assert findings(world) == []


def test_what_was_kept_for_a_stranger_is_reviewed_and_keeps_nobody_out(world: World) -> None:
    go_live(world, program("keep", velocity={"fast": FAST | {"then": "refuse"}}))
    for number in range(4):
        assert booked(world, purchase(f"o{number}"))["status"] == "kept"
    enrolled(world, days_ago=1)
    assert wallet(world) == [(20, 20)]
    assert len(world.call("GET", "/v1/reviews?state=open").json()["items"]) == 2
    assert_problem(send(world, purchase("o9")), 409, "velocity_exceeded")
    assert findings(world) == []


def test_rewards_in_the_cart_are_spent_too(world: World) -> None:
    rule = {"per": "member", "every": "1d", "more_than": {"points": "250 stars"}, "on": "redemption", "then": "refuse"}
    cash = {"kind": "discount", "cost": {"stars": 1}, "worth": {"amount": "0.01"}, "quantities": {"most": 500}}
    go_live(world, program(velocity={"spent": rule}, rewards={"cash": cash}))
    who = enrolled(world)
    given(world, who, 1000, "g")
    cart = {"pricing": "before", "redeem": [{"reward": "cash", "quantity": 200}]}
    booked(world, purchase("o1", "50.00", **cart))
    problem = assert_problem(send(world, purchase("o2", "50.00", **cart)), 409, "velocity_exceeded")
    assert (problem["counted"], problem["most"]) == (400, 250)
    assert_problem(world.call("POST", "/v1/calculate", json=purchase("o2", "50.00", **cart)), 409, "velocity_exceeded")
    booked(world, purchase("o2", "50.00"))
    assert findings(world) == []


def test_a_gift_under_review_says_so_in_the_statement(world: World) -> None:
    publish(world, gifts={"per": "member", "every": "1d", "more_than": {"events": 0}, "on": "by_hand"})
    who = enrolled(world)
    given(world, who, 5, "1")
    item = world.call("GET", f"/v1/members/{who}/statement").json()["items"][0]
    assert item["sentences"] == ["5 stars added by hand: kind. They can be used once they have been reviewed."]


def test_an_order_that_is_also_a_redemption_is_one_use_of_a_rule(world: World) -> None:
    rule = {"per": "member", "every": "1d", "on": ["purchase", "redemption"], "then": "refuse"}
    rules = {"often": rule | {"more_than": {"events": 3}}, "much": rule | {"more_than": {"points": "300 stars"}}}
    cash = {"kind": "discount", "cost": {"stars": 1}, "worth": {"amount": "0.01"}, "quantities": {"most": 500}}
    go_live(world, program(velocity=rules, rewards={"cash": cash}))
    who = enrolled(world)
    given(world, who, 1000, "g")
    cart = {"pricing": "before", "redeem": [{"reward": "cash", "quantity": 100}]}
    # 49 earned and 100 spent.
    assert booked(world, purchase("o1", "50.00", **cart))["granted"] == {"stars": -51}
    assert rows(world, "SELECT rule, amount FROM velocity_use ORDER BY rule") == [("much", 149), ("often", 1)]
    booked(world, purchase("o2", "50.00", **cart))
    problem = assert_problem(send(world, purchase("o3", "50.00", **cart)), 409, "velocity_exceeded")
    assert (problem["rule"], problem["counted"]) == ("much", 447)
    booked(world, purchase("o3", "1.00"))
    assert_problem(send(world, purchase("o4", "1.00")), 409, "velocity_exceeded")
    assert findings(world) == []
    before = rows(world, "SELECT * FROM velocity_use ORDER BY rule, entry_id")
    with world.database.transaction() as tx:
        tx.exec_driver_sql("DELETE FROM velocity_use")
    rebuild_states(world.database, world.program_id)
    assert rows(world, "SELECT * FROM velocity_use ORDER BY rule, entry_id") == before
