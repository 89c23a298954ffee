"""`/v1/members`: enrol, find, change, and nothing by halves."""

from typing import Any

import pytest

from api_world import World, assert_problem

KEY = {"Idempotency-Key": "once-1"}


def test_a_member_is_enrolled_and_shown(world: World) -> None:
    sent = {
        "identifiers": {"card": ["4711 0815", "AB-1"], "email": "Ada@Example.com", "phone": "0151 23456789"},
        "attributes": {"size": "m", "birthday": None},
        "tags": ["vip", "early", "vip"],
        "locale": "de",
        "enrolled_at": "2026-03-01T10:00:00+01:00",
    }
    answer = world.call("POST", "/v1/members", json=sent)
    body = answer.json()
    assert answer.status_code == 201
    assert "idempotent-replayed" not in answer.headers
    assert {name: body[name] for name in ("status", "identifiers", "attributes", "tags", "locale", "enrolled_at")} == {
        "status": "active",
        "identifiers": {"card": ["47110815", "AB1"], "email": ["ada@example.com"], "phone": ["+4915123456789"]},
        "attributes": {"size": "m"},
        "tags": ["early", "vip"],
        "locale": "de",
        "enrolled_at": "2026-03-01T09:00:00Z",
    }
    assert world.call("GET", f"/v1/members/{body['id']}").json() == body


@pytest.mark.parametrize("query", ["card=4711-0815", "email=ADA@example.com", "card=47110815&email=ada@example.com"])
def test_a_member_is_found_by_identifiers(world: World, query: str) -> None:
    member = world.enrol(card="47110815", email="ada@example.com")
    world.enrol(card="1")
    assert world.call("GET", f"/v1/members?{query}").json() == {"items": [member], "next_cursor": None}


def test_nobody_is_an_empty_page(world: World) -> None:
    assert world.call("GET", "/v1/members?card=1").json() == {"items": [], "next_cursor": None}


def test_identifiers_of_two_members_are_ambiguous(world: World) -> None:
    world.enrol(card="1")
    world.enrol(email="a@b.de")
    assert_problem(world.call("GET", "/v1/members?card=1&email=a@b.de"), 409, "member_ambiguous")


def test_pages_are_stable_when_members_come(world: World) -> None:
    ids = [world.enrol(card=str(number))["id"] for number in range(3)]
    first = world.call("GET", "/v1/members?limit=2").json()
    ids.append(world.enrol(card="later")["id"])
    second = world.call("GET", f"/v1/members?limit=2&cursor={first['next_cursor']}").json()
    assert [item["id"] for item in first["items"] + second["items"]] == ids
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "cursor", ["x", "!!!", "WyJtZW1iZXJzIl0", "WyJ2ZXJzaW9ucyIsMV0", "bnVsbA", "WyJtZW1iZXJzIiwxXQ", "ä"]
)
def test_a_wrong_cursor_is_said_to_be_one(world: World, cursor: str) -> None:
    assert_problem(world.call("GET", f"/v1/members?cursor={cursor}"), 422, "invalid_cursor")


def test_the_same_request_again_is_the_same_member(world: World) -> None:
    member = world.enrol(card="1")
    answer = world.call("POST", "/v1/members", json={"identifiers": {"card": "1"}})
    assert (answer.status_code, answer.headers["idempotent-replayed"], answer.json()) == (201, "true", member)


@pytest.mark.parametrize("more", [{"tags": ["vip"]}, {"attributes": {"size": "s"}}, {"locale": "de"}])
def test_another_request_with_a_taken_card_is_a_conflict(world: World, more: dict[str, Any]) -> None:
    world.enrol(card="1", email="ada@example.com")
    for identifiers in ({"card": "1"}, {"card": "1", "email": "ada@example.com"}):
        answer = world.call("POST", "/v1/members", json={"identifiers": identifiers, **more})
        body = assert_problem(answer, 409, "identifier_taken")
        assert body["kinds"] == sorted(identifiers)
        assert "ada" not in answer.text
    assert world.count("member") == 1


def test_a_key_gives_the_first_member_again(world: World) -> None:
    sent = {"identifiers": {"card": "1"}}
    first = world.call("POST", "/v1/members", json=sent, headers=KEY)
    again = world.call("POST", "/v1/members", json=sent, headers=KEY)
    assert (again.status_code, again.headers["idempotent-replayed"], again.json()) == (201, "true", first.json())
    other = world.call("POST", "/v1/members", json={"identifiers": {"card": "2"}}, headers=KEY)
    assert_problem(other, 422, "idempotency_key_reused")
    assert world.count("member") == 1


def test_the_key_of_another_program_is_another_key(world: World) -> None:
    sent = {"identifiers": {"card": "1"}}
    first = world.call("POST", "/v1/members", json=sent, headers=KEY).json()["id"]
    assert world.call("POST", "/v1/members", json=sent, headers=KEY, key=world.stranger).json()["id"] != first


@pytest.mark.parametrize(
    ("sent", "code", "pointer"),
    [
        ({"identifiers": {}}, "invalid_identifier", "#/identifiers"),
        ({"identifiers": {"phone": "12"}}, "invalid_identifier", "#/identifiers/phone"),
        ({"identifiers": {"card": "1"}, "attributes": {"size": "xxl"}}, "invalid_attributes", "#/attributes/size"),
        ({"identifiers": {"card": "1"}, "enrolled_at": "2999-01-01T00:00:00Z"}, "invalid_enrolment", "#/enrolled_at"),
        ({"identifiers": {"card": "1"}, "enrolled_at": "2026-01-01"}, "validation_failed", "#/enrolled_at"),
        ({"identifiers": {"card": "1"}, "tags": ["Big Spender"]}, "validation_failed", "#/tags/0"),
        ({"identifiers": {"card": "1"}, "attributes": {"visits_a_week": 1e400}}, None, None),
    ],
)
def test_bad_members_are_refused_whole(world: World, sent: dict[str, Any], code: str | None, pointer: str) -> None:
    if code is None:
        answer = world.call(
            "POST",
            "/v1/members",
            content=b'{"identifiers":{"card":"1"},"attributes":{"visits_a_week":1e400}}',
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code in {400, 422}
    else:
        body = assert_problem(world.call("POST", "/v1/members", json=sent), 422, code)
        assert body["errors"][0]["pointer"] == pointer
    assert (world.count("member"), world.count("member_identifier")) == (0, 0)


def test_a_failing_commit_keeps_no_member(world: World) -> None:
    world.refuse_commits_to("member")
    answer = world.call("POST", "/v1/members", json={"identifiers": {"card": "1"}}, headers=KEY)
    assert answer.status_code in {500, 503}
    assert_problem(answer, answer.status_code, answer.json()["code"])
    assert [world.count(table) for table in ("member", "member_identifier", "member_state", "idempotency_key")] == [
        0
    ] * 4


def test_attributes_are_merged_and_tags_replaced(world: World) -> None:
    path = f"/v1/members/{world.enrol(card='1')['id']}"
    world.call("PATCH", path, json={"attributes": {"size": "m", "visits_a_week": 2}, "tags": ["vip"], "locale": "ms"})
    body = world.call("PATCH", path, json={"attributes": {"size": None, "visits_a_week": 3}}).json()
    assert (body["attributes"], body["tags"], body["locale"]) == ({"visits_a_week": 3}, ["vip"], "ms")
    assert world.call("PATCH", path, json={"locale": None, "tags": []}).json()["tags"] == []
    unchanged = world.call("GET", path).json()
    assert unchanged["locale"] is None
    assert world.call("PATCH", path, json={"tags": []}).json() == unchanged


def test_a_bad_attribute_changes_nothing(world: World) -> None:
    member = world.enrol(card="1")
    path = f"/v1/members/{member['id']}"
    answer = world.call("PATCH", path, json={"attributes": {"size": "xl"}, "tags": ["vip"]})
    assert_problem(answer, 422, "invalid_attributes")
    assert world.call("GET", path).json() == member


def test_the_way_of_a_status(world: World) -> None:
    path = f"/v1/members/{world.enrol(card='1')['id']}"
    steps = [("reactivate", "active"), ("suspend", "suspended"), ("suspend", "suspended"), ("reactivate", "active")]
    for act, status in [*steps, ("suspend", "suspended"), ("close", "closed"), ("close", "closed")]:
        answer = world.call("POST", f"{path}/{act}", json={"reason": f"to {act}"})
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert world.count("member_status_change") == 4
    for method, place, sent in (
        ("POST", f"{path}/reactivate", {"reason": "please"}),
        ("POST", f"{path}/suspend", {"reason": "please"}),
        ("PATCH", path, {"tags": ["vip"]}),
    ):
        assert_problem(world.call(method, place, json=sent), 409, "member_status_conflict")
    assert world.call("GET", path).json()["status"] == "closed"


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, None, "a\0b"])
def test_a_status_needs_a_reason(world: World, reason: str | None) -> None:
    path = f"/v1/members/{world.enrol(card='1')['id']}"
    body = assert_problem(world.call("POST", f"{path}/suspend", json={"reason": reason}), 422, "validation_failed")
    assert body["errors"][0]["pointer"] == "#/reason"
    assert world.call("GET", path).json()["status"] == "active"


@pytest.mark.parametrize(
    ("method", "act", "sent"), [("PATCH", "", {"tags": ["vip"]}), ("POST", "/suspend", {"reason": "fraud"})]
)
def test_a_failing_commit_changes_nothing(world: World, method: str, act: str, sent: dict[str, Any]) -> None:
    member = world.enrol(card="1")
    world.refuse_commits_to("member")
    assert_problem(world.call(method, f"/v1/members/{member['id']}{act}", json=sent), 500, "internal_error")
    assert world.call("GET", f"/v1/members/{member['id']}").json() == member
    assert world.count("member_status_change") == 0


@pytest.mark.parametrize("member_id", ["mem_1", "evt_01989f2e5c0070008000000000000001", "x" * 99, "mem_" + "0" * 32])
def test_an_id_nobody_has_is_not_found(world: World, member_id: str) -> None:
    assert_problem(world.call("GET", f"/v1/members/{member_id}"), 404, "member_not_found")
