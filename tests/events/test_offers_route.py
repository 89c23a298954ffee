"""Offers through the API: assigned, read, activated, completed; once, and the same again from the journal."""

import datetime as dt
from typing import Any

import msgspec
import pytest
from httpx import Response

from api_world import World, assert_problem
from events.shop import ago, batch, booked, calculated, counts, enrolled, go_live, program, purchase, rows
from setia.engine.state import Counters
from setia.events.rebuild import rebuild_states
from setia.events.verify import verify
from setia.identity.scopes import Scope

KEY = {"Idempotency-Key": "one"}
CAMPAIGNS: dict[str, Any] = {
    "spring": {
        "name": {"en": "Spring", "de": "Frühling"},
        "description": {"en": "Spend 50 in a week", "de": "Kaufe für 50 in einer Woche"},
        "on": "purchase",
        "offer": {"valid_for": "7d", "progress": {"spend": 50}},
        "earn": {"stars": 100},
    },
    "card": {
        "name": "Coffee card",
        "on": "purchase",
        "lines": 'line.sku == "latte"',
        "offer": {"for": "everybody", "progress": {"units": 10}, "repeat": "always"},
        "earn": {"stars": 5},
        "limits": [{"in_all": "1000 uses"}],
    },
    "trio": {
        "on": "purchase",
        "offer": {"activation": "by_member", "progress": {"items": ["a", "b"]}, "repeat": {"times": 2}},
        "effect": {"name": "cup"},
    },
}


@pytest.fixture
def member(world: World) -> str:
    go_live(world, program(campaigns=CAMPAIGNS))
    return enrolled(world, days_ago=1)


def offers(world: World, member: str, query: str = "") -> list[dict[str, Any]]:
    answer = world.call("GET", f"/v1/members/{member}/offers{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["member"] == member
    found: list[dict[str, Any]] = answer.json()["offers"]
    return found


def assign(world: World, member: str, offer: str, key: str = "one", **more: Any) -> Response:
    body = {"offer": offer, **more}
    return world.call("POST", f"/v1/members/{member}/offers", json=body, headers={"Idempotency-Key": key})


def activate(world: World, member: str, instance: str, key: str = "two") -> Response:
    return world.call("POST", f"/v1/members/{member}/offers/{instance}/activate", headers={"Idempotency-Key": key})


def coffee(external_id: str, quantity: int, amount: str = "1.00") -> dict[str, Any]:
    return purchase(external_id, lines=[{"sku": "latte", "amount": amount, "quantity": quantity}])


def clean(world: World) -> None:
    """The ledger, the counters and the budgets are what the journal says."""
    assert verify(world.database).findings == []


# ----------------------------------------------------------------------------------------------------------- assigning


def test_an_offer_is_assigned_and_read(world: World, member: str) -> None:
    answer = assign(world, member, "spring")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    begins, ends = (dt.datetime.fromisoformat(body.pop(name)) for name in ("starts", "ends"))
    assert abs(begins - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    assert abs(ends - begins - dt.timedelta(days=7)) <= dt.timedelta(hours=1)  # clocks may change
    assert body.pop("instance").startswith("evt_")
    assert body == {
        "offer": "spring",
        "name": "Spring",
        "description": "Spend 50 in a week",
        "status": "running",
        "counts": "spend",
        "progress": 0,
        "target": 5000,
        "decimals": 2,
        "progress_text": "0.00 of 50.00 EUR",
        "items": [],
        "items_missing": [],
        "completions": 0,
        "most_completions": 1,
        "end_included": False,
        "activated_at": None,
        "completed_at": None,
    }
    assert [one["offer"] for one in offers(world, member)] == ["spring", "card"]
    assert offers(world, member)[0] == answer.json()
    clean(world)


def test_the_same_key_assigns_once(world: World, member: str) -> None:
    first = assign(world, member, "spring")
    again = assign(world, member, "spring")
    assert (again.status_code, again.content) == (201, first.content)
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    assert_problem(assign(world, member, "trio"), 422, "external_id_reused")
    other = assign(world, member, "spring", "another")
    assert other.json()["instance"] != first.json()["instance"]
    assert [one["offer"] for one in offers(world, member)] == ["spring", "spring", "card"]


def test_an_assignment_with_a_window_of_its_own(world: World, member: str) -> None:
    window = {"starts": "2090-01-01T00:00:00+01:00", "ends": "2090-02-01T00:00:00Z"}
    body = assign(world, member, "spring", **window).json()
    assert (body["status"], body["starts"], body["ends"]) == (
        "scheduled",
        "2089-12-31T23:00:00Z",
        "2090-02-01T00:00:00Z",
    )


def test_what_cannot_be_assigned(world: World, member: str) -> None:
    before = counts(world)
    for offer in ("gone", "card"):
        body = assert_problem(assign(world, member, offer), 422, "invalid_event")
        assert [item["pointer"] for item in body["errors"]] == ["#/offer"]
        assert body["errors"][0]["hint"]
    window = {"starts": "2026-02-01T00:00:00Z", "ends": "2026-01-01T00:00:00Z"}
    body = assert_problem(assign(world, member, "spring", **window), 422, "invalid_event")
    assert [item["pointer"] for item in body["errors"]] == ["#/ends"]
    path = f"/v1/members/{member}/offers"
    assert_problem(world.call("POST", path, json={"offer": "spring"}), 400, "idempotency_key_required")
    assert_problem(assign(world, "mem_" + "0" * 32, "spring"), 404, "member_not_found")
    assert counts(world) == before


def test_nothing_is_assigned_to_who_is_suspended(world: World, member: str) -> None:
    assert world.call("POST", f"/v1/members/{member}/suspend", json={"reason": "x"}).status_code == 200
    assert_problem(assign(world, member, "spring"), 422, "member_not_active")


def test_a_failing_commit_assigns_nothing(world: World, member: str) -> None:
    world.refuse_commits_to("journal")
    before = counts(world)
    assert assign(world, member, "spring").status_code >= 500
    assert counts(world) == before


def test_assignments_come_in_batches_like_any_event(world: World, member: str) -> None:
    event = {"type": "offer_assigned", "member": {"card": "1"}, "data": {"offer": "spring"}}
    answer = batch(
        world,
        {**event, "external_id": "a", "occurred_at": ago(days=2)},
        purchase("p", "30.00", occurred_at=ago(days=1)),
        {**event, "external_id": "b", "occurred_at": ago(hours=2)},
        {**event, "external_id": "c", "data": {"offer": "gone"}},
        purchase("q", "20.00", occurred_at=ago(hours=1)),
    )
    assert [result["status"] for result in answer["results"]] == [201, 201, 201, 422, 201]
    first, second = answer["results"][0]["event"]["offers"], answer["results"][4]["event"]["offers"]
    assert [(one["change"], one["offer"], one["name"], one["completed"]) for one in first] == [
        ("assigned", "spring", "Spring", 0)
    ]
    assert [(one["progress"], one["target"], one["completed"], one["completions"]) for one in second if
            one["offer"] == "spring"] == [(0, 5000, 1, 1), (2000, 5000, 0, 0)]  # fmt: skip
    assert [one["status"] for one in offers(world, member)] == ["completed", "running", "running"]
    clean(world)


def test_an_assignment_to_a_stranger_waits_for_the_enrolment(world: World) -> None:
    go_live(world, program("keep", campaigns=CAMPAIGNS))
    event = {"type": "offer_assigned", "external_id": "a", "member": {"card": "1"}, "data": {"offer": "spring"}}
    assert booked(world, event)["status"] == "kept"
    member = enrolled(world)
    assert [one["offer"] for one in offers(world, member)] == ["spring", "card"]
    clean(world)


# ------------------------------------------------------------------------------------------------ counting, completing


def test_a_purchase_says_what_it_did_to_offers(world: World, member: str) -> None:
    instance = assign(world, member, "spring").json()["instance"]
    body = booked(world, coffee("1", 3, "12.50"))
    card, spring = sorted(body["offers"], key=lambda one: str(one["offer"]))
    assert (spring.pop("starts"), spring.pop("ends")) != (None, None)
    assert spring == {
        "offer": "spring",
        "name": "Spring",
        "instance": instance,
        "change": "counted",
        "progress": 1250,
        "target": 5000,
        "completed": 0,
        "completions": 0,
        "decimals": 2,
    }
    assert (card["instance"], card["progress"], card["target"], card["decimals"]) == ("card", 3_000_000, 10_000_000, 6)
    assert body["sentences"] == ["“Spring”: 12.50 of 50.00 EUR.", "“Coffee card”: 3 of 10."]
    german = world.call("GET", f"/v1/events/{body['id']}?locale=de").json()
    assert german["sentences"] == ["„Frühling“: 12,50 von 50,00 EUR.", "„Coffee card“: 3 von 10."]
    assert german["offers"][0]["name"] == "Frühling"
    clean(world)


def test_23_coffees_are_two_rewards_and_3_stamps(world: World, member: str) -> None:
    first = world.call("POST", "/v1/events", json=coffee("1", 23))
    body = first.json()
    assert (body["granted"], [one["completed"] for one in body["offers"]]) == ({"stars": 10}, [2])
    assert body["sentences"] == [
        "10 stars for “Coffee card”.",
        "“Coffee card” is completed 2 times.",
        "“Coffee card”: 3 of 10.",
    ]
    [card] = offers(world, member, "?status=running")
    assert (card["progress"], card["completions"], card["progress_text"]) == (3_000_000, 2, "3 of 10")
    assert rows(world, "SELECT used FROM budget") == [(2,)]
    # The same again changes nothing.
    before = counts(world)
    again = world.call("POST", "/v1/events", json=coffee("1", 23))
    assert (again.content, counts(world)) == (first.content, before)
    assert offers(world, member, "?status=running") == [card]
    clean(world)


def test_the_explanation_names_the_instance_and_its_progress(world: World, member: str) -> None:
    instance = assign(world, member, "spring").json()["instance"]
    body = booked(world, coffee("1", 23, "23.00"))
    explained = world.call("GET", f"/v1/events/{body['id']}/explanation").json()["considered"]
    assert [(one["campaign"], one["verdict"], one.get("clause")) for one in explained] == [
        ("spring", "progress", None),
        ("card", "matched", None),
        ("trio", "offer", "unassigned"),
    ]
    spring, card, _ = (one.get("offer") for one in explained)
    assert spring == {
        "instance": instance,
        "before": 0,
        "added": 2300,
        "after": 2300,
        "target": 5000,
        "completed": 0,
    }
    assert (card["instance"], card["completed"]) == ("card", 2)


def test_calculating_says_it_and_keeps_nothing(world: World, member: str) -> None:
    before, held = counts(world), offers(world, member)
    asked = calculated(world, coffee("1", 12))
    assert (asked["granted"], [one["completed"] for one in asked["offers"]]) == ({"stars": 5}, [1])
    assert (counts(world), offers(world, member)) == (before, held)
    real = booked(world, coffee("1", 12))
    assert (real["offers"], real["granted"]) == (asked["offers"], asked["granted"])


def test_a_completed_offer_stays_to_be_seen(world: World, member: str) -> None:
    assign(world, member, "spring")
    booked(world, purchase("1", "60.00", lines=[{"sku": "cake", "amount": "60.00"}]))
    [spring] = offers(world, member, "?status=completed&locale=de")
    assert (spring["progress"], spring["target"], spring["completions"]) == (5000, 5000, 1)
    assert (spring["name"], spring["description"]) == ("Frühling", "Kaufe für 50 in einer Woche")
    assert spring["progress_text"] == "50,00 von 50,00 EUR"
    assert spring["completed_at"] is not None
    assert world.call(
        "GET", f"/v1/members/{member}/offers?status=completed", headers={"Accept-Language": "de-AT"}
    ).json()["offers"][0]["name"] == "Frühling"  # fmt: skip
    assert offers(world, member, "?status=ended") == []


# ---------------------------------------------------------------------------------------------------------- activating


def test_an_offer_waits_for_its_member(world: World, member: str) -> None:
    instance = assign(world, member, "trio").json()["instance"]
    assert offers(world, member, "?status=waiting")[0]["items_missing"] == ["a", "b"]
    both = [{"sku": "a", "amount": "1.00"}, {"sku": "b", "amount": "1.00"}]
    assert booked(world, purchase("1", lines=both))["effects"] == []
    answer = activate(world, member, instance)
    assert (answer.status_code, answer.json()["status"]) == (200, "running")
    assert answer.json()["activated_at"] is not None
    # Again, and under another key: it is active, and nothing is booked.
    before = counts(world)
    for key in ("two", "three"):
        assert activate(world, member, instance, key).content == answer.content
    assert counts(world) == before
    assert booked(world, purchase("2", lines=both[:1]))["sentences"] == ["“trio”: 1 of 2."]
    [trio] = [one for one in offers(world, member) if one["offer"] == "trio"]
    assert (trio["items"], trio["items_missing"], trio["progress"]) == (["a", "b"], ["b"], 1)
    done = booked(world, purchase("3", lines=both[1:]))
    assert [effect["name"] for effect in done["effects"]] == ["cup"]
    assert done["sentences"] == ["“trio”: cup.", "“trio” is completed."]
    clean(world)


def test_what_cannot_be_activated(world: World, member: str) -> None:
    spring = assign(world, member, "spring").json()["instance"]
    window = {"starts": ago(days=9), "ends": ago(days=2)}
    over = assign(world, member, "trio", "over", **window).json()["instance"]
    before = counts(world)
    assert "counting without it" in assert_problem(activate(world, member, spring), 409, "offer_not_waiting")["detail"]
    assert "It is ended" in assert_problem(activate(world, member, over), 409, "offer_not_waiting")["detail"]
    assert_problem(activate(world, member, "evt_" + "0" * 32), 404, "offer_not_found")
    assert_problem(activate(world, "mem_" + "0" * 32, spring), 404, "member_not_found")
    path = f"/v1/members/{member}/offers/{spring}/activate"
    assert_problem(world.call("POST", path), 400, "idempotency_key_required")
    assert counts(world) == before


def test_another_members_offer_is_nobodys(world: World, member: str) -> None:
    instance = assign(world, member, "trio").json()["instance"]
    other = enrolled(world, "2")
    assert_problem(activate(world, other, instance), 404, "offer_not_found")
    assert [one["offer"] for one in offers(world, other)] == ["card"]


# ---------------------------------------------------------------------------------------------------------------- rest


def test_who_may(world: World, member: str) -> None:
    reader, sender = world.key(Scope.MEMBERS_READ), world.key(Scope.EVENTS_WRITE)
    path = f"/v1/members/{member}/offers"
    assert world.call("GET", path, key=reader).status_code == 200
    assert world.call("POST", path, key=sender, headers=KEY, json={"offer": "spring"}).status_code == 201
    assert_problem(world.call("POST", path, key=reader, headers=KEY, json={"offer": "spring"}), 403, "missing_scope")
    assert_problem(world.call("GET", path, key=sender), 403, "missing_scope")


def test_deleted_counters_come_back_with_their_offers(world: World, member: str) -> None:
    assign(world, member, "spring")
    booked(world, coffee("1", 23, "23.00"))
    held = offers(world, member)
    with world.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE member_state SET tracking = '', counters = '{}'")
    assert rebuild_states(world.database, world.program_id).stale >= 1
    assert offers(world, member) == held
    [(stored,)] = rows(world, "SELECT counters::text FROM member_state ORDER BY seq DESC LIMIT 1")
    assert len(msgspec.json.decode(stored, type=Counters).offers) == 2
    clean(world)


def test_verify_notices_a_budget_that_missed_a_completion(world: World, member: str) -> None:
    booked(world, coffee("1", 23))
    with world.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE budget SET used = 1")
    assert [str(finding.kind) for finding in verify(world.database).findings] == ["budget_used"]


def test_a_new_version_keeps_what_was_counted(world: World, member: str) -> None:
    assign(world, member, "spring")
    booked(world, coffee("1", 8, "45.00"))
    cheaper = {**CAMPAIGNS, "spring": CAMPAIGNS["spring"] | {"offer": {"progress": {"spend": 46}}}}
    go_live(world, program(campaigns=cheaper))
    assert offers(world, member)[0]["target"] == 4600
    assert [one["completed"] for one in booked(world, coffee("2", 1, "1.00"))["offers"]] == [1, 0]
    # One that is switched off is not shown, and comes back as it was.
    go_live(world, program(campaigns={**cheaper, "card": CAMPAIGNS["card"] | {"enabled": False}}))
    assert [one["offer"] for one in offers(world, member)] == ["spring"]
    go_live(world, program(campaigns=cheaper))
    assert offers(world, member)[1]["progress"] == 9_000_000
    clean(world)
