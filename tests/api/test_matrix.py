"""Who may do what: every endpoint, three people, one table that is made from the routes themselves."""

from typing import Any, cast

from fastapi.routing import APIRoute

from api_world import World, assert_problem
from setia.api.openapi import needed_scope
from setia.identity.scopes import Scope

OPEN_TO_ALL = {"/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"} | {
    f"/docs/{name}" for name in ("start.js", "swagger-ui.css", "swagger-ui-bundle.js")
}
OPEN_TO_ALL |= {"/v1/links/{token}", "/v1/links/{token}/choose"}  # whoever has the link may


def endpoints(world: World) -> list[tuple[str, str, str]]:
    """(method, path, scope) of everything in the OpenAPI document, typed routes and raw ones alike."""
    document = world.app.openapi()
    return [
        (method.upper(), path, cast("str", operation["x-scope"]))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path not in OPEN_TO_ALL
    ]


def filled(path: str, world: World, member: str) -> str:
    """The path with the ids of things that are there, and belong to the owner."""
    return path.replace("{member_id}", member).replace("{number}", "1").replace("{event_id}", "evt_" + "0" * 32)


def send(world: World, method: str, path: str, key: str | None) -> Any:
    body = {"json": {"reason": "x"}} if method in {"POST", "PATCH", "PUT"} else {}
    return world.call(method, path, key=key, **body)


def test_every_route_is_described_and_asks_for_a_scope_or_is_open(world: World) -> None:
    described = {path for _, path, _ in endpoints(world)}
    for route in world.app.routes:
        path = cast("Any", route).path
        if path.startswith("/docs"):
            continue
        assert path in OPEN_TO_ALL or path in described
        if isinstance(route, APIRoute) and path not in OPEN_TO_ALL:
            assert needed_scope(route) in set(Scope), path


def test_nobody_may_do_nothing(world: World) -> None:
    member = world.enrol(card="1")["id"]
    for method, path, _ in endpoints(world):
        answer = send(world, method, filled(path, world, member), None)
        assert_problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert world.count("member") == 1


def test_a_colleague_without_the_scope_may_not(world: World) -> None:
    member = world.enrol(card="1")["id"]
    for method, path, scope in endpoints(world):
        others = world.key(*(other for other in Scope if other != scope))
        body = assert_problem(send(world, method, filled(path, world, member), others), 403, "missing_scope")
        assert body["scope"] == scope
    assert world.call("GET", f"/v1/members/{member}").json()["status"] == "active"


def test_a_stranger_of_another_program_sees_nothing(world: World) -> None:
    member = world.enrol(card="1")["id"]
    for method, path, scope in endpoints(world):
        if "{member_id}" not in path and "{event_id}" not in path:
            continue
        body: dict[str, Any] = (
            {"points": "stars", "amount": 1, "reason": "x"} if path.endswith("/adjustments") else {"reason": "x"}
        )
        if "/points/" in path:
            body = {"points": "stars", "reason": "x"} | ({"expires_at": None} if path.endswith("/extend") else {})
        if path == "/v1/households/{household_id}/members/{member_id}":
            body = {"role": "adult"}
        if path.endswith("freeze"):
            body = {"reason": "x"}
        if path.endswith("/tiers/{tier_set}"):
            body = {"level": "gold", "reason": "x"}
        if path.endswith("/offers"):
            body = {"offer": "coffee_card"}
        if path.endswith("/merge"):
            body = {"duplicate": "mem_" + "0" * 32, "reason": "x"}
        if path.endswith("/fingerprints"):
            body = {"fingerprints": {"device": "x"}}
        more = {"json": {} if method == "PATCH" else body} if method != "GET" else {}
        headers = {"Idempotency-Key": "x"}
        answer = world.call(method, filled(path, world, member), key=world.stranger, headers=headers, **more)
        assert answer.status_code == 404, (method, path, answer.text)
        nowhere = filled(path, world, "mem_" + "0" * 32)
        nothing = world.call(method, nowhere, key=world.stranger, headers=headers, **more)
        hidden, absent = answer.json(), nothing.json()
        hidden.pop("request_id")
        absent.pop("request_id")
        assert hidden == absent, f"{scope}: another's thing must look like nothing"
    assert world.call("GET", f"/v1/members/{member}").json()["status"] == "active"
    assert world.call("GET", "/v1/members", key=world.stranger).json() == {"items": [], "next_cursor": None}
    assert world.call("GET", "/v1/members?card=1", key=world.stranger).json()["items"] == []
    assert world.call("GET", "/v1/program", key=world.stranger).json()["definition"]["program"]["id"] == "other-shop"
