"""Redemptions through the API: one step and two, in full and in part, and every way in which they end."""

from typing import Any

import pytest

from api_world import World, assert_problem
from rewards.counter import (
    REWARDS,
    ask,
    code,
    do,
    done,
    findings,
    give,
    member,
    open_shop,
    overdue,
    redeemed,
    rows,
    wallet,
)


@pytest.fixture(autouse=True)
def _shop(world: World) -> None:
    open_shop(world)


def test_one_step_takes_points_and_shows_a_code(world: World) -> None:
    who = member(world)
    found = redeemed(world, who, confirm=True)
    assert (found["state"], found["confirmed"], found["price"]) == (
        "confirmed",
        1,
        {"points": {"stars": 150}, "money": 0},
    )
    assert found["balances_after"] == {"stars": {"available": 250, "held": 0}}
    assert len(found["code"].replace("-", "")) == 20
    assert wallet(world) == [(250, 0)]
    assert rows(world, "SELECT count(*) FROM reward_code WHERE sealed IS NULL") == [(1,)]
    assert world.call("GET", f"/v1/redemptions/{found['id']}").json()["code"] is None
    assert findings(world) == []


def test_two_steps_hold_and_confirm(world: World) -> None:
    who = member(world)
    held = redeemed(world, who, quantity=2)
    assert (held["state"], held["code"], held["balances_after"]["stars"]) == (
        "held",
        None,
        {"available": 100, "held": 300},
    )
    assert wallet(world) == [(100, 300)]
    confirmed = done(world, held["id"], "confirm")
    assert (confirmed["state"], confirmed["confirmed"]) == ("confirmed", 2)
    assert wallet(world) == [(100, 0)]
    again = do(world, held["id"], "confirm")
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == confirmed
    assert_problem(do(world, held["id"], "cancel"), 409, "redemption_state_conflict")
    assert_problem(do(world, held["id"], "confirm", quantity=1), 409, "redemption_state_conflict")
    assert findings(world) == []


def test_a_part_is_confirmed_and_the_rest_comes_back(world: World) -> None:
    who = member(world)
    held = redeemed(world, who, "mug", quantity=1)
    assert_problem(do(world, held["id"], "confirm", quantity=2), 422, "invalid_redemption")
    done(world, held["id"], "cancel")
    held = redeemed(world, who, "coffee", "2", quantity=2)
    part = done(world, held["id"], "confirm", quantity=1)
    assert (part["state"], part["quantity"], part["confirmed"]) == ("partly", 2, 1)
    assert part["price"]["points"] == {"stars": 150}
    assert wallet(world) == [(250, 0)]
    assert redeemed(world, who, "coffee", "2", quantity=2)["state"] == "held"
    assert findings(world) == []


def test_cancel_gives_everything_back(world: World) -> None:
    who = member(world)
    held = redeemed(world, who, "mug")
    assert held["price"] == {"points": {"stars": 100}, "money": 250}
    assert rows(world, "SELECT key, used FROM reward_stock") == [("stock", 1)]
    assert done(world, held["id"], "cancel")["state"] == "cancelled"
    assert do(world, held["id"], "cancel").headers["idempotent-replayed"] == "true"
    assert wallet(world) == [(400, 0)]
    assert rows(world, "SELECT key, used FROM reward_stock") == [("stock", 0)]
    assert_problem(do(world, held["id"], "confirm"), 409, "redemption_state_conflict")
    assert_problem(do(world, held["id"], "refund"), 409, "redemption_state_conflict")
    assert findings(world) == []


def test_a_hold_ends_by_itself(world: World) -> None:
    who = member(world)
    held = redeemed(world, who, "mug")
    assert overdue(world) == 1
    assert world.call("GET", f"/v1/redemptions/{held['id']}").json()["state"] == "expired"
    assert wallet(world) == [(400, 0)]
    assert rows(world, "SELECT used FROM reward_stock") == [(0,)]
    assert_problem(do(world, held["id"], "confirm"), 409, "redemption_state_conflict")
    assert done(world, held["id"], "cancel")["state"] == "expired"
    assert overdue(world) == 0
    assert findings(world) == []


def test_a_hold_that_is_over_is_judged_so_before_it_is_booked(world: World) -> None:
    who = member(world, 150)
    held = redeemed(world, who)
    with world.database.raw_connection() as connection:
        connection.execute("UPDATE redemption SET hold_until = now() - interval '1 second'")
    assert world.call("GET", f"/v1/redemptions/{held['id']}").json()["state"] == "expired"
    assert_problem(do(world, held["id"], "confirm"), 409, "redemption_state_conflict")
    # Its points are the member's own to spend at once.
    assert redeemed(world, who, reference="2", confirm=True)["state"] == "confirmed"
    assert wallet(world) == [(0, 0)]
    assert findings(world) == []


def test_a_cancel_after_the_time_says_that_it_expired(world: World) -> None:
    held = redeemed(world, member(world))
    with world.database.raw_connection() as connection:
        connection.execute("UPDATE redemption SET hold_until = now() - interval '1 second'")
    assert done(world, held["id"], "cancel")["state"] == "expired"
    assert wallet(world) == [(400, 0)]


def test_a_refund_goes_back_to_the_lots(world: World) -> None:
    who = member(world, 100)
    give(world, who, 100, expires_at="2099-01-01T00:00:00Z")
    before = rows(world, "SELECT seq, line, remaining, expires_at FROM lot ORDER BY seq")
    found = redeemed(world, who, confirm=True)
    assert done(world, found["id"], "refund")["state"] == "refunded"
    assert rows(world, "SELECT seq, line, remaining, expires_at FROM lot ORDER BY seq") == before
    assert do(world, found["id"], "refund").headers["idempotent-replayed"] == "true"
    assert_problem(code(world, "redeem", code=found["code"], reference="x"), 409, "code_unusable")
    assert findings(world) == []


@pytest.mark.parametrize(
    # A hold must not make points live longer: what was only held goes back to its lot, and ends with it.
    ("state", "after"),
    [("held", [(150, False)]), ("confirmed", [(0, False), (150, True)])],
)
def test_redeemed_points_of_a_lot_that_has_ended_get_a_grace(
    world: World, state: str, after: list[tuple[int, bool]]
) -> None:
    who = member(world, 0)
    give(world, who, 150, expires_at="2099-01-01T00:00:00Z")
    found = redeemed(world, who, confirm=state == "confirmed")
    with world.database.raw_connection() as connection:
        connection.execute("""UPDATE redemption SET parts = replace(parts::text, '2099', '2020')::json""")
    done(world, found["id"], "refund" if state == "confirmed" else "cancel")
    assert wallet(world) == [(150, 0)]
    lots = rows(world, "SELECT remaining, expires_at < now() + interval '31 days' FROM lot ORDER BY seq")
    assert lots == after
    assert findings(world) == []


def test_without_grace_points_end_with_their_lot(world: World) -> None:
    open_shop(world, rewards=REWARDS | {"coffee": REWARDS["coffee"] | {"refund_grace": "0d"}})
    who = member(world, 0)
    give(world, who, 150, expires_at="2099-01-01T00:00:00Z")
    found = redeemed(world, who, confirm=True)
    done(world, found["id"], "refund")
    assert rows(world, "SELECT due_at < '2099-01-02' FROM member_state") == [(True,)]
    assert findings(world) == []


def test_too_late_for_a_refund(world: World) -> None:
    who = member(world)
    found = redeemed(world, who, confirm=True)
    with world.database.raw_connection() as connection:
        connection.execute("UPDATE redemption SET confirmed_at = now() - interval '31 days'")
    assert_problem(do(world, found["id"], "refund"), 409, "redemption_state_conflict")


def test_the_same_request_gives_the_first_answer(world: World) -> None:
    who = member(world)
    first = redeemed(world, who, confirm=True)
    again = ask(world, who, confirm=True)
    assert (again.status_code, again.json(), again.headers["idempotent-replayed"]) == (201, first, "true")
    assert_problem(ask(world, who, quantity=2, confirm=True), 409, "reference_used")
    by_key: dict[str, Any] = {"json": {"member": who, "reward": "coffee"}, "headers": {"Idempotency-Key": "k"}}
    held = world.call("POST", "/v1/redemptions", **by_key)
    assert world.call("POST", "/v1/redemptions", **by_key).json() == held.json()
    other = by_key | {"json": {"member": who, "reward": "mug"}}
    assert_problem(world.call("POST", "/v1/redemptions", **other), 422, "idempotency_key_reused")
    done(world, held.json()["id"], "cancel")
    assert world.call("POST", "/v1/redemptions", **by_key).json() == held.json()
    assert_problem(ask(world, who, reference=None), 400, "idempotency_key_required")
    assert wallet(world) == [(250, 0)]


def test_a_lost_answer_is_found_by_its_reference(world: World) -> None:
    who = member(world)
    found = redeemed(world, who, reference="bon-1", till="t1", confirm=True)
    [same] = world.call("GET", "/v1/redemptions?till=t1&reference=bon-1").json()["items"]
    assert (same["id"], same["code"]) == (found["id"], None)
    assert_problem(world.call("GET", "/v1/redemptions?till=t2&reference=bon-1"), 404, "redemption_not_found")
    assert_problem(world.call("GET", "/v1/redemptions"), 422, "invalid_redemption")
    redeemed(world, who, reference="bon-1", till="t2")
    page = world.call("GET", f"/v1/redemptions?member={who}&limit=1").json()
    rest = world.call("GET", f"/v1/redemptions?member={who}&cursor={page['next_cursor']}").json()
    assert [one["till"] for one in (*page["items"], *rest["items"])] == ["t2", "t1"]


def test_who_cannot_have_it_is_told_every_reason(world: World) -> None:
    who = member(world, 90)
    body = assert_problem(ask(world, who, "coffee", quantity=9), 409, "reward_unavailable")
    assert body["reasons"] == [
        {"code": "quantity", "least": 1, "limit": 5},
        {"code": "points_missing", "points": "stars", "needed": 1350, "missing": 1260},
    ]
    body = assert_problem(ask(world, who, "lounge"), 409, "reward_unavailable")
    assert body["reasons"] == [{"code": "level_needed", "tier_set": "status", "level": "gold"}]
    assert_problem(ask(world, who, "nothing"), 404, "reward_not_found")
    assert_problem(ask(world, "mem_" + "0" * 32), 404, "member_not_found")
    assert_problem(ask(world, "x"), 404, "member_not_found")
    assert_problem(ask(world, who, ttl="0min"), 409, "reward_unavailable")
    assert_problem(ask(world, who, ttl="soon"), 422, "invalid_redemption")
    assert world.count("redemption") == 0


def test_limits_of_a_member_and_of_all(world: World) -> None:
    who, other = member(world, 1000), member(world, 1000, "2")
    for reference in "ab":
        redeemed(world, who, "mug", reference, confirm=reference == "a")
    [reason] = assert_problem(ask(world, who, "mug", "c"), 409, "reward_unavailable")["reasons"]
    assert reason == {"code": "member_limit", "period": "ever", "limit": 2, "left": 0}
    redeemed(world, other, "mug", "d")
    [reason] = assert_problem(ask(world, other, "mug", "e"), 409, "reward_unavailable")["reasons"]
    assert reason == {"code": "out_of_stock", "limit": 3, "left": 0}
    assert overdue(world) == 2
    assert redeemed(world, other, "mug", "e")["state"] == "held"
    assert findings(world) == []


def test_what_is_held_too_long_does_not_keep_others_out(world: World) -> None:
    who, other = member(world, 1000), member(world, 1000, "2")
    redeemed(world, who, "mug", "a", confirm=True)
    redeemed(world, who, "mug", "b")
    redeemed(world, other, "mug", "c")
    with world.database.raw_connection() as connection:
        connection.execute("UPDATE redemption SET hold_until = now() - interval '1 second' WHERE reference = 'b'")
    # Nobody has booked that yet: whoever is refused for the stock does, and tries again.
    assert redeemed(world, other, "mug", "d")["state"] == "held"


def test_a_failing_commit_keeps_nothing(world: World) -> None:
    who = member(world)
    world.refuse_commits_to("redemption")
    assert ask(world, who, confirm=True).status_code >= 500
    assert (world.count("redemption"), world.count("reward_code"), wallet(world)) == (0, 0, [(400, 0)])


def test_a_free_reward_costs_nothing(world: World) -> None:
    open_shop(world, rewards={"gift": {"kind": "voucher", "in_all": {"every": "month", "uses": 1}}})
    who = member(world, 0)
    found = redeemed(world, who, "gift", confirm=True)
    assert (found["price"]["points"], found["balances_after"]) == ({}, {})
    [reason] = assert_problem(ask(world, who, "gift", "2"), 409, "reward_unavailable")["reasons"]
    assert (reason["code"], reason["period"], reason["left"]) == ("total_limit", "month", 0)
    assert "until" in reason
    assert findings(world) == []


def test_delivery(world: World) -> None:
    who = member(world)
    held = redeemed(world, who, "mug")
    assert_problem(do(world, held["id"], "fulfilment", state="shipped"), 409, "redemption_state_conflict")
    assert done(world, held["id"], "confirm")["fulfilment"] == "open"
    assert done(world, held["id"], "fulfilment", state="shipped")["fulfilment"] == "shipped"
    assert do(world, "red_" + "0" * 32, "fulfilment", state="shipped").status_code == 404
    assert do(world, "x", "cancel").status_code == 404


def test_the_catalogue_in_a_language(world: World) -> None:
    found = world.call("GET", "/v1/rewards?locale=de").json()["rewards"]
    assert [one["id"] for one in found] == list(REWARDS)
    assert (found[0]["name"], found[0]["valid_for"], found[0]["most"]) == ("Gratiskaffee", "30d", 5)
    assert found[3]["percent"] == "10"


def test_what_a_member_can_have(world: World) -> None:
    who = member(world, 120)
    seen = {one["id"]: one for one in world.call("GET", f"/v1/members/{who}/rewards").json()["rewards"]}
    assert (seen["mug"]["available"], seen["cash"]["available"]) == (True, True)
    assert seen["coffee"]["reasons"] == [{"code": "points_missing", "points": "stars", "needed": 150, "missing": 30}]
    assert seen["cinema"]["reasons"] == [{"code": "no_codes_left", "left": 0}]


def test_the_statement_tells_it(world: World) -> None:
    who = member(world)
    found = redeemed(world, who, confirm=True)
    done(world, found["id"], "refund")
    entries = world.call("GET", f"/v1/members/{who}/statement").json()["items"]
    assert [entry["kind"] for entry in entries[:2]] == ["redemption", "redemption"]
    assert [entry["reason"] for entry in entries[:2]] == ["coffee", "coffee"]


def test_a_connection_that_was_cut_costs_nobody_an_error(world: World) -> None:
    open_shop(world)
    who = member(world)
    redeemed(world, who, "coffee", "1", confirm=True)
    others = "pid <> pg_backend_pid() AND datname = current_database()"
    with world.database.connect(autocommit=True) as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    assert ask(world, who, "coffee", "2", confirm=True).status_code == 201
    assert world.count("redemption") == 2
