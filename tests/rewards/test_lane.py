"""The fast lane says the same as the typed route, and leaves to it whatever is unusual."""

from __future__ import annotations

from typing import Any

import pytest

from api_world import World, assert_problem
from rewards.counter import ask, member, open_shop
from setia.rewards import lane


@pytest.fixture
def shop(world: World) -> World:
    open_shop(world)
    return world


def both(world: World, monkeypatch: pytest.MonkeyPatch, **more: Any) -> list[dict[str, Any]]:
    """What the lane says to a new request, and the typed route to one like it."""
    quick = ask(world, member(world, card="quick"), **more)
    monkeypatch.setattr(lane, "_unusual", lambda _scope: True)
    slow = ask(world, member(world, card="slow"), reference="2", **more)
    assert (quick.status_code, quick.headers["content-type"]) == (slow.status_code, slow.headers["content-type"])
    return [quick.json(), slow.json()]


@pytest.mark.parametrize(
    "more",
    [
        {"confirm": True},
        {"confirm": True, "quantity": 2, "till": "till-1"},
        {},
        {"reward": "mug"},
        {"reward": "nothing"},
        {"reward": "lounge"},
        {"quantity": 9},
        {"date": "march"},
    ],
)
def test_both_say_the_same(shop: World, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]) -> None:
    quick, slow = both(shop, monkeypatch, **more)
    assert list(quick) == list(slow)
    own = {"id", "member", "reference", "code", "request_id"}
    moments = {name for name in quick if isinstance(quick[name], str) and quick[name].startswith("20")}
    assert {name: quick[name] for name in quick if name not in own | moments} == {
        name: slow[name] for name in slow if name not in own | moments
    }
    for name in moments:
        assert quick[name].endswith("Z") == slow[name].endswith("Z")


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b"", "validation_failed", "#"),
        (b"{", "malformed_json", None),
        (b"\xff", "malformed_json", None),
        (b"[" * 10_000, "malformed_json", None),
        (b'{"reward": "coffee"}', "validation_failed", "#/member"),
        (b'{"member": "mem_1", "reward": "coffee", "quantity": 0}', "validation_failed", "#/quantity"),
        (b'{"member": "mem_1", "reward": "coffee\\n", "reference": "1"}', "validation_failed", "#/reward"),
        (b'{"member": "mem_1", "reward": "coffee", "reference": "\\u0000"}', "validation_failed", "#/reference"),
        (b'{"member": "mem_1", "reward": "coffee", "extra": 1}', "validation_failed", "#/extra"),
        (b'{"member": "mem_1", "reward": "coffee"}', "idempotency_key_required", None),
        (b'{"member": "mem_1", "reward": "coffee", "reference": "1"}', "member_not_found", None),
    ],
)
def test_faults_are_told_as_everywhere(shop: World, body: bytes, code: str, pointer: str | None) -> None:
    headers = {"Content-Type": "application/json"}
    answer = shop.call("POST", "/v1/redemptions", content=body, headers=headers)
    problem = assert_problem(answer, answer.status_code, code)
    if pointer is not None:
        assert [error["pointer"] for error in problem["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/redemptions?locale=de", {}, 422),
        ("/v1/redemptions", {"Content-Type": "text/plain"}, 415),
        ("/v1/redemptions", {"Idempotency-Key": "with blank"}, 422),
    ],
)
def test_what_is_around_the_body_is_judged_too(shop: World, path: str, headers: dict[str, str], status: int) -> None:
    body = b'{"member": "mem_1", "reward": "coffee", "reference": "1"}'
    answer = shop.call("POST", path, content=body, headers={"Content-Type": "application/json", **headers})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"]


def test_a_key_without_the_scope_and_none_are_refused_in_both(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"member": "mem_1", "reward": "coffee", "reference": "1"}
    for _ in range(2):
        assert_problem(shop.call("POST", "/v1/redemptions", json=body, key=shop.colleague), 403, "missing_scope")
        assert shop.call("POST", "/v1/redemptions", json=body, key=None).status_code == 401
        monkeypatch.setattr(lane, "_unusual", lambda _scope: True)


def test_how_long_it_is_held_is_for_the_typed_route(shop: World) -> None:
    held = ask(shop, member(shop), ttl="2h")
    assert held.status_code == 201
    assert_problem(ask(shop, member(shop, card="2"), reference="2", ttl="soon"), 422, "invalid_redemption")
