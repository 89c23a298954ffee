"""Points by lot, with their ends."""

import datetime as dt
from typing import Any

from api_world import World, assert_problem, definition
from setia.program.definition import Program
from setia.versions.service import publish

EXPIRY = {"stars": {"available_after": "14d", "expiry": {"after": "30d"}}, "status": {"spendable": False}}


def lots(world: World, member: str) -> list[dict[str, Any]]:
    answer = world.call("GET", f"/v1/members/{member}/lots")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["member"] == member
    return list(body["lots"])


def publish_with(world: World, points: dict[str, Any]) -> None:
    with world.database.transaction() as tx:
        publish(tx, Program.model_validate({**definition(), "points": points}), "test")


def bought(world: World, member: str, order: str, amount: str, days_ago: int) -> None:
    at = dt.datetime.now(dt.UTC) - dt.timedelta(days=days_ago)
    event = {
        "type": "purchase",
        "external_id": order,
        "occurred_at": at.isoformat(),
        "member": {"id": member},
        "lines": [{"sku": "latte", "amount": amount}],
    }
    assert world.call("POST", "/v1/events", json=event).status_code == 201


def test_lots_stand_in_the_order_they_were_earned_with_what_is_left(world: World) -> None:
    member = world.enrol(card="1")["id"]
    assert lots(world, member) == []
    bought(world, member, "a", "10.00", 0)
    bought(world, member, "b", "7.00", 0)
    path, headers = f"/v1/members/{member}/adjustments", {"Idempotency-Key": "k"}
    taken = world.call("POST", path, json={"points": "stars", "amount": -4, "reason": "x"}, headers=headers)
    assert taken.status_code == 201
    found = lots(world, member)
    assert [(lot["points"], lot["remaining"], lot["campaign"], lot["pending"]) for lot in found] == [
        ("stars", 6, "base", False),
        ("stars", 7, "base", False),
    ]
    assert [lot["expires_at"] for lot in found] == [None, None]


def test_pending_lots_say_from_when_and_all_say_until_when(world: World) -> None:
    publish_with(world, EXPIRY)
    member = world.enrol(card="1")["id"]
    bought(world, member, "a", "10.00", 0)
    [lot] = lots(world, member)
    assert lot["pending"] is True
    begins, ends = (dt.datetime.fromisoformat(lot[name]) for name in ("available_at", "expires_at"))
    assert dt.timedelta(days=30) <= ends - begins <= dt.timedelta(days=32)
    assert begins > dt.datetime.now(dt.UTC)


def test_what_has_ended_or_become_available_is_judged_at_the_reading(world: World) -> None:
    publish_with(world, EXPIRY)
    member = world.enrol(card="1")["id"]
    bought(world, member, "a", "10.00", 0)
    with world.database.transaction() as tx:
        tx.exec_driver_sql("ALTER TABLE lot DISABLE TRIGGER USER")
        tx.exec_driver_sql("UPDATE lot SET available_at = now() - interval '1 hour'")
    [lot] = lots(world, member)
    assert (lot["pending"], lot["available_at"]) == (False, None)
    with world.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE lot SET expires_at = now() - interval '1 minute'")
    assert lots(world, member) == []


def test_somebody_unknown_has_no_lots(world: World) -> None:
    assert_problem(world.call("GET", f"/v1/members/mem_{'0' * 32}/lots"), 404, "member_not_found")
