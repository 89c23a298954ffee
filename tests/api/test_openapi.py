"""The OpenAPI document tells the truth: its examples are executed, and its answers have the documented shape."""

import datetime as dt
from typing import Any

import jsonschema_rs
import pytest

from api_world import World, definition
from setia.api.openapi import _merge, operations
from setia.identity.scopes import Scope
from setia.identity.service import create_key
from setia.program.definition import Program
from setia.versions.service import publish

# What the examples need to be there, and the ids in the paths, come from requests before them: hence an order.
FIRST = [("post", "/v1/members"), ("post", "/v1/events")]
OFFER = "/v1/members/{member_id}/offers"
BY_HAND = [("post", f"/v1/members/{{member_id}}/points/{act}") for act in ("expire", "extend", "cancel")]
LEVELS = [("put", "/v1/members/{member_id}/tiers/{tier_set}"), ("post", "/v1/members/{member_id}/tiers/{tier_set}/end")]
MIDDLE = [("post", OFFER), ("post", f"{OFFER}/{{instance}}/activate"), *BY_HAND, *LEVELS]
CARD = {"on": "purchase", "offer": {"activation": "by_member", "progress": {"orders": 10}}, "earn": {"stars": 5}}
WAITS = {"on": "visit", "earn": {"stars": 50}, "available_after": "14d"}
STATUS = {"id": "status", "metric": "spend", "levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 300}]}
LAST = [("post", f"/v1/members/{{member_id}}/{act}") for act in ("suspend", "reactivate", "close")]


def in_order(document: dict[str, Any]) -> list[tuple[str, str]]:
    found = [(method, path) for path, methods in document["paths"].items() for method in methods]
    return FIRST + MIDDLE + [one for one in found if one not in FIRST + MIDDLE + LAST] + LAST


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def request_example(document: dict[str, Any], operation: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    if "examples" in content:
        return next(iter(content["examples"].values()))["value"]
    return resolved(document, content["schema"])["examples"][0]


def documented(document: dict[str, Any], schema: dict[str, Any]) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for({**schema, "components": document["components"]})


def in_test_mode(world: World) -> str:
    """A key of the program in test mode, which this makes."""
    clock = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with world.database.transaction() as tx:
        made = publish(tx, Program.model_validate(definition()), "test", mode="test", clock=clock)
        return str(create_key(tx, made.version.program_id, "test", list(Scope)))


def test_it_is_openapi_3_1_and_complete(world: World) -> None:
    document = world.call("GET", "/openapi.json", key=None).json()
    assert document["openapi"] == "3.1.0"
    ids = [operation["operationId"] for operation in operations(document)]
    assert len(ids) == len(set(ids))
    for operation in operations(document):
        assert operation["summary"]
        assert operation["description"]
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"]
        keyed = "x-scope" in operation
        assert ("security" in operation) == keyed
        assert ("401" in operation["responses"]) == keyed


def _give_points(world: World, path: str, member: str) -> None:
    """Points that can be used, and points that wait: what the examples change."""
    ends = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).isoformat()
    given = {"points": "stars", "amount": 500, "reason": "for the example", "expires_at": ends}
    headers = {"Idempotency-Key": f"before {path}".replace(" ", "-")}
    assert world.call("POST", f"/v1/members/{member}/adjustments", json=given, headers=headers).status_code == 201
    visit = {"type": "visit", "external_id": "order-1001", "member": {"id": member}}
    assert world.call("POST", "/v1/events", json=visit).status_code == 201


def test_every_example_is_executed(world: World) -> None:
    document = world.app.openapi()
    with world.database.transaction() as tx:
        campaigns = {**definition()["campaigns"], "coffee_card": CARD, "waits": WAITS}
        publish(tx, Program.model_validate(definition(campaigns=campaigns, tiers=[STATUS])), "test")
    world.enrol(external_id="customer-1")
    ids = {"number": "1", "tier_set": "status"}
    for method, path in in_order(document):
        operation = document["paths"][path][method]
        skipped = (["rewards"], ["points"], ["gift cards"], ["reward links"], ["referrals"], ["moving"], ["coupons"])
        if operation.get("tags") in skipped:
            continue  # tests/{rewards,payments,gift_cards,referrals,moving,coupons}/test_examples.py
        body = request_example(document, operation)
        more: dict[str, Any] = {} if body is None else {"json": body}
        if method == "post" and "/points/" in path:
            _give_points(world, path, ids["member_id"])
        if method == "post" and (path.startswith(OFFER) or path.endswith("/adjustments") or "/points/" in path):
            more["headers"] = {"Idempotency-Key": f"example of {path}".replace(" ", "-")}
        if (method, path) == ("post", "/v1/clock"):
            more["key"] = in_test_mode(world)  # a live program has no clock to move
        answer = world.call(method.upper(), path.format(**ids), **more)
        wanted = next(status for status in operation["responses"] if status.startswith("2"))
        assert str(answer.status_code) == wanted, (method, path, answer.text)
        content = operation["responses"][wanted]["content"]
        if "application/json" in content:
            documented(document, content["application/json"]["schema"]).validate(answer.json())
        if (method, path) == ("post", "/v1/members"):
            ids["member_id"] = answer.json()["id"]
        if (method, path) == ("post", OFFER):
            ids["instance"] = answer.json()["instance"]
        if (method, path) == ("post", "/v1/events"):
            ids["event_id"] = answer.json()["id"]


def test_every_example_has_the_shape_it_stands_for(world: World) -> None:
    document = world.app.openapi()
    for schema in document["components"]["schemas"].values():
        for example in schema.get("examples", []):
            documented(document, schema).validate(example)
    problem = documented(document, {"$ref": "#/components/schemas/ProblemDetails"})
    for operation in operations(document):
        for answer in operation["responses"].values():
            for example in answer.get("content", {}).get("application/problem+json", {}).get("examples", {}).values():
                problem.validate(example["value"])


def test_two_parts_may_not_disagree() -> None:
    document = {"paths": {"/a": {"get": {"summary": "A"}}}}
    _merge(document, {"paths": {"/a": {"post": {}}, "/b": {}}}, "#")
    assert document == {"paths": {"/a": {"get": {"summary": "A"}, "post": {}}, "/b": {}}}
    with pytest.raises(ValueError, match="two parts of the OpenAPI document differ at #/paths//a/get/summary"):
        _merge(document, {"paths": {"/a": {"get": {"summary": "B"}}}}, "#")
