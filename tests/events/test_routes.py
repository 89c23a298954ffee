"""The event routes: what comes in wrongly, who may, and how it is answered. Nothing is kept of what is refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from api_world import World, assert_problem
from events.shop import BASE, EVENTS, batch, booked, counts, findings, go_live, program, purchase, send
from setia.identity.scopes import Scope

JSON = {"Content-Type": "application/json"}
SENTENCES = {
    "en": ["10 stars for “base”: 1 per 1.00 on 10.00 EUR."],
    "de": ["10 stars für „base“: 1 je 1,00 auf 10,00 EUR."],
    "ms": ["10 stars untuk “base”: 1 setiap 1.00 atas 10.00 EUR."],
}
ROUTES = ("/v1/events", "/v1/events/batch", "/v1/calculate")


def test_a_purchase_is_answered_with_what_it_did(world: World) -> None:
    enrolment = {"identifiers": {"card": "1"}, "enrolled_at": "2026-01-01T00:00:00Z"}
    member = world.call("POST", "/v1/members", json=enrolment).json()["id"]
    answer = send(world, purchase("order-1", "12.50", occurred_at="2026-03-01T10:00:00+01:00"))
    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json")
    assert "idempotent-replayed" not in answer.headers
    assert body.pop("id").startswith("evt_")
    assert body.pop("received_at").endswith("Z")
    assert body == {
        "status": "decided",
        "type": "purchase",
        "source": "api",
        "external_id": "order-1",
        "member": member,
        "occurred_at": "2026-03-01T09:00:00Z",
        "program_version": 1,
        "granted": {"stars": 12},
        "balances": {"stars": {"available": 12, "pending": 0, "held": 0}},
        "tiers": {},
        "effects": [{"kind": "earn", "campaign": "base", "points": "stars", "amount": 12, "by_line": {"0": 12}}],
        "sentences": ["12 stars for “base”: 1 per 1.00 on 12.50 EUR."],
        "offers": [],
        "discounts": [],
        "refused_codes": [],
        "coupons": [],
        "redeemed": [],
        "bought": [],
        "payment": None,
        "refund": None,
        "to_pay": None,
    }
    assert findings(world) == []


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_another_media_type_is_not_read(world: World, path: str, media_type: str | None) -> None:
    headers = {} if media_type is None else {"Content-Type": media_type}
    answer = world.call("POST", path, content=b"{}", headers=headers)
    assert_problem(answer, 415, "unsupported_media_type")


def test_a_media_type_may_have_parameters(world: World) -> None:
    world.enrol(card="1")
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    body = b'{"type":"visit","external_id":"x","member":{"card":"1"}}'
    assert world.call("POST", "/v1/events", content=body, headers=headers).status_code == 201


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_of_6_mb_is_too_large_however_it_is_sent(world: World, path: str) -> None:
    before = counts(world)

    def chunks() -> Iterator[bytes]:
        for _ in range(6):
            yield b" " * 1024 * 1024

    whole = world.call("POST", path, content=b" " * 6 * 1024 * 1024, headers=JSON)
    assert_problem(whole, 413, "payload_too_large")
    assert_problem(world.call("POST", path, content=chunks(), headers=JSON), 413, "payload_too_large")
    assert counts(world) == before


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'"\xff"', b"nonsense", b'{"type":"\\ud800"}'])
def test_a_body_that_is_no_json(world: World, path: str, body: bytes) -> None:
    answer = world.call("POST", path, content=body, headers=JSON)
    assert answer.status_code in {400, 422}
    assert_problem(answer, answer.status_code, "malformed_json" if answer.status_code == 400 else "invalid_event")
    assert world.count("event") == 0


def test_deep_nesting_is_refused_or_booked_and_never_a_fault_of_ours(world: World) -> None:
    go_live(world, program(events={"odd": {"data": {"type": "object"}}}))
    world.enrol(card="1")
    for depth in (10, 100, 250, 260, 500, 800, 900, 940, 960, 980, 1000, 10_000, 1_000_000):
        data = b'{"a":' * depth + b"1" + b"}" * depth
        body = b'{"type":"odd","external_id":"%d","member":{"card":"1"},"data":%b}' % (depth, data)
        for path in ("/v1/calculate", "/v1/events"):
            answer = world.call("POST", path, content=body, headers=JSON)
            assert answer.status_code in {200, 201, 400, 422, 413}, (depth, path, answer.text[:200])
        answer = world.call("POST", "/v1/events", content=body, headers=JSON)
        if answer.status_code == 201:
            found = world.call("GET", f"/v1/events/{answer.json()['id']}")
            assert found.status_code == 200, (depth, found.text[:200])
        answer = world.call("POST", "/v1/events/batch", content=b'{"events":[%b]}' % body, headers=JSON)
        if answer.status_code == 200:
            [result] = answer.json()["results"]
            assert result["status"] in {201, 400, 422}, (depth, result)
    assert findings(world) == []


def test_a_key_stands_for_the_external_id(world: World) -> None:
    world.enrol(card="1")
    event = purchase(None)
    first = send(world, event, headers={"Idempotency-Key": "till-7/1"})
    again = send(world, event, headers={"Idempotency-Key": "till-7/1"})
    assert (first.status_code, first.json()["external_id"]) == (201, "till-7/1")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    other = send(world, purchase(None, "11.00"), headers={"Idempotency-Key": "till-7/1"})
    assert_problem(other, 422, "external_id_reused")
    assert_problem(send(world, event), 400, "idempotency_key_required")
    assert_problem(send(world, event, headers={"Idempotency-Key": "a b"}), 400, "idempotency_key_invalid")
    assert_problem(send(world, event, headers={"Idempotency-Key": "x" * 201}), 400, "idempotency_key_invalid")
    assert world.count("event") == 2  # the enrolment and one purchase


def test_a_batch_fails_event_by_event(world: World) -> None:
    world.enrol(card="1")
    answer = batch(
        world,
        purchase("0"),
        purchase("1", "5.00"),
        purchase("0"),
        purchase("bad", "-1", labels=["x"]),
        {"type": "purchase"},
        {"type": "visit", "external_id": "\0", "member": {"card": "1"}},
        purchase("stranger", member={"card": "999"}),
        purchase("2", member={"card": "!"}),
        purchase("0", "6.00"),
        {"type": "visit", "external_id": "1"},
        purchase("last", "1.00"),
    )
    assert (answer["accepted"], answer["refused"]) == (4, 7)
    assert [result["index"] for result in answer["results"]] == list(range(11))
    found = [
        (result["status"], result["problem"]["code"], [item["pointer"] for item in result["problem"]["errors"]])
        if "problem" in result
        else (result["status"], result["replayed"], result["event"]["balances"]["stars"]["available"])
        for result in answer["results"]
    ]
    assert found == [
        (201, False, 10),
        (201, False, 15),
        (201, True, 10),
        (422, "invalid_event", ["#/events/3/lines/0/amount"]),
        (400, "idempotency_key_required", ["#/events/4/external_id"]),
        (422, "invalid_event", ["#/events/5/external_id"]),
        (422, "unknown_member", []),
        (422, "invalid_identifier", ["#/events/7/member/card"]),
        (422, "external_id_reused", []),
        (422, "external_id_reused", []),
        (201, False, 16),
    ]
    assert world.count("event") == 4
    assert findings(world) == []


def test_a_batch_again_is_the_first_answer_again(world: World) -> None:
    world.enrol(card="1")
    events = [purchase(str(number)) for number in range(3)]
    first = batch(world, *events)
    booked(world, purchase("later"))
    again = batch(world, *events)
    assert [result["replayed"] for result in again["results"]] == [True] * 3
    assert [result["event"] for result in again["results"]] == [result["event"] for result in first["results"]]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"events": []}, "#/events"),
        ({"events": [{}] * 5001}, "#/events"),
        ({"events": {}}, "#/events"),
        ({}, "#/events"),
        ({"events": [{}], "dry_run": True}, "#/dry_run"),
        ([], "#"),
    ],
)
def test_a_batch_that_is_none(world: World, body: Any, pointer: str) -> None:
    problem = assert_problem(world.call("POST", "/v1/events/batch", json=body), 422, "invalid_event")
    assert [item["pointer"] for item in problem["errors"]] == [pointer]
    assert world.count("event") == 0


def test_a_batch_of_5000_is_taken(world: World) -> None:
    world.enrol(card="1")
    events = [{"type": "visit", "external_id": str(n), "member": {"card": "1"}} for n in range(5000)]
    answer = batch(world, *events)
    assert (answer["accepted"], answer["refused"]) == (5000, 0)
    assert [result["event"]["external_id"] for result in answer["results"]] == [str(n) for n in range(5000)]
    assert findings(world) == []


def test_an_event_and_its_explanation_are_read_again(world: World) -> None:
    go_live(
        world,
        program(
            campaigns={
                **BASE,
                "big": {"on": "purchase", "when": "event.total >= 100", "earn": {"stars": 10}},
            }
        ),
    )
    world.enrol(card="1")
    first = send(world, purchase("1"))
    event_id = first.json()["id"]
    assert world.call("GET", f"/v1/events/{event_id}").content == first.content
    why = world.call("GET", f"/v1/events/{event_id}/explanation").json()
    assert (why["event"], why["status"], why["program_version"]) == (event_id, "decided", 2)
    assert [(one["campaign"], one["verdict"]) for one in why["considered"]] == [
        ("base", "matched"),
        ("big", "condition"),
    ]
    assert why["considered"][1]["clause"] == "event.total >= 100"
    assert why["considered"][0]["arithmetic"] == [
        {
            "points": "stars",
            "rate": "1 per 1.00",
            "basis": "10.00",
            "exact": "10",
            "wanted": 10,
            "granted": 10,
            "lines": [{"line": 0, "exact": "10"}],
        }
    ]
    assert why["sentences"] == first.json()["sentences"]
    assert why["effects"] == first.json()["effects"]


def test_nobodys_event_has_nothing_to_explain(world: World) -> None:
    event = {"type": "visit", "external_id": "x"}
    body = booked(world, event)
    assert (body["status"], body["member"], body["program_version"]) == ("guest", None, None)
    assert (body["granted"], body["balances"], body["effects"], body["sentences"]) == ({}, {}, [], [])
    assert send(world, event).headers["idempotent-replayed"] == "true"
    assert_problem(send(world, event | {"labels": ["a"]}), 422, "external_id_reused")
    why = world.call("GET", f"/v1/events/{body['id']}/explanation").json()
    assert (why["status"], why["considered"], why["sentences"]) == ("guest", [], [])
    assert (world.count("event"), world.count("journal")) == (1, 0)
    assert findings(world) == []


@pytest.mark.parametrize("event_id", ["evt_1", "mem_" + "0" * 32, "evt_" + "0" * 32, "x", "%00"])
@pytest.mark.parametrize("more", ["", "/explanation"])
def test_an_event_nobody_has_is_not_found(world: World, event_id: str, more: str) -> None:
    assert_problem(world.call("GET", f"/v1/events/{event_id}{more}"), 404, "event_not_found")


def test_a_stranger_sees_no_event_and_shares_no_external_id(world: World) -> None:
    world.enrol(card="1")
    event = {"type": "visit", "external_id": "x"}
    mine = booked(world, event)
    for more in ("", "/explanation"):
        answer = world.call("GET", f"/v1/events/{mine['id']}{more}", key=world.stranger)
        assert_problem(answer, 404, "event_not_found")
    theirs = send(world, event, key=world.stranger)
    assert (theirs.status_code, theirs.headers.get("idempotent-replayed")) == (201, None)
    assert theirs.json()["id"] != mine["id"]
    member = {"id": booked(world, purchase("y"))["member"]}
    for who in ({"card": "1"}, member):
        answer = send(world, {"type": "visit", "external_id": "z", "member": who}, key=world.stranger)
        assert_problem(answer, 422, "unknown_member")


def test_each_route_asks_for_its_scope(world: World) -> None:
    read, write, ask = (world.key(scope) for scope in (Scope.EVENTS_READ, Scope.EVENTS_WRITE, Scope.CALCULATE))
    event_id = booked(world, {"type": "visit", "external_id": "x"})["id"]
    routes = [
        ("POST", "/v1/events", write),
        ("POST", "/v1/events/batch", write),
        ("POST", "/v1/calculate", ask),
        ("GET", f"/v1/events/{event_id}", read),
        ("GET", f"/v1/events/{event_id}/explanation", read),
    ]
    sent = {"POST": {"json": {"type": "visit", "external_id": "y"}}, "GET": {}}
    for method, path, right in routes:
        for key in (read, write, ask):
            answer = world.call(method, path, key=key, **sent[method])
            if key != right:
                assert_problem(answer, 403, "missing_scope")
            else:
                assert answer.status_code in {200, 201, 422}
        assert_problem(world.call(method, path, key=None, **sent[method]), 401, "unauthorized")
    assert world.count("event") == 2


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        ("", None, "en"),
        ("?locale=de", None, "de"),
        ("?locale=ms", "de", "ms"),
        ("?locale=fr", None, "en"),
        ("", "de-AT,de;q=0.9,en;q=0.5", "de"),
        ("", "ms", "ms"),
        ("", ",,;;q=x", "en"),
    ],
)
def test_sentences_are_in_the_language_of_the_caller(
    world: World, query: str, header: str | None, language: str
) -> None:
    world.enrol(card="1")
    headers = {} if header is None else {"Accept-Language": header}
    body = world.call("POST", f"/v1/events{query}", json=purchase("1"), headers=headers).json()
    assert body["sentences"] == SENTENCES[language]
    for more in ("", "/explanation"):
        found = world.call("GET", f"/v1/events/{body['id']}{more}{query}", headers=headers).json()
        assert found["sentences"] == SENTENCES[language]


def test_wrong_methods_are_refused(world: World) -> None:
    for path in ROUTES:
        assert_problem(world.call("PUT", path), 405, "method_not_allowed")


def test_a_custom_event_is_decided_on_its_data(world: World) -> None:
    campaigns = {"thanks": {"on": "survey", "when": "event.data.score >= 8", "earn": {"stars": 20}}}
    go_live(world, program(events=EVENTS, campaigns=campaigns))
    world.enrol(card="1")
    event = {"type": "survey", "external_id": "a", "member": {"card": "1"}, "data": {"score": 9}}
    assert booked(world, event)["granted"] == {"stars": 20}
    assert booked(world, event | {"external_id": "b", "data": {"score": 7}})["granted"] == {}
    answer = send(world, event | {"external_id": "c", "data": {"score": 9, "more": 1}})
    problem = assert_problem(answer, 422, "invalid_event")
    assert [item["pointer"] for item in problem["errors"]] == ["#/data"]


def test_without_a_version_nothing_is_decided(world: World) -> None:
    with world.database.transaction() as tx:
        tx.exec_driver_sql("INSERT INTO program (key) VALUES ('empty')")
        program_id = tx.exec_driver_sql("SELECT id FROM program WHERE key = 'empty'").scalar_one()
    key = world.key(*Scope, program_id=program_id)
    event = {"type": "visit", "external_id": "x"}
    assert_problem(send(world, event, key=key), 409, "nothing_published")
    assert_problem(world.call("POST", "/v1/calculate", json=event, key=key), 409, "nothing_published")
    [result] = batch(world, event, key=key)["results"]
    assert (result["status"], result["problem"]["code"]) == (409, "nothing_published")
    assert world.count("event") == 0
