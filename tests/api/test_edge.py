"""Request ids, headers, figures, and the limit of requests."""

import re

import pytest
import structlog

from api_world import World, assert_problem, make_world
from setia.api.rate import RateLimit
from setia.db.engine import Database
from setia.problems import TooManyRequests


def test_a_sane_request_id_comes_back(world: World) -> None:
    assert (
        world.call("GET", "/healthz", headers={"X-Request-Id": "abc-123.4:5_6"}).headers["x-request-id"]
        == "abc-123.4:5_6"
    )


@pytest.mark.parametrize("sent", ["short", "a" * 129, "has space", "<script>alert"])
def test_another_one_is_replaced(world: World, sent: str) -> None:
    found = world.call("GET", "/healthz", headers={"X-Request-Id": sent}).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", found)


def test_every_answer_has_the_security_headers(world: World) -> None:
    for path in ("/healthz", "/v1/nothing", "/v1/members"):
        headers = world.call("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"


def test_the_log_names_the_route_and_nobody(database: Database) -> None:
    world = make_world(database, access_log=True)
    with world.client:
        member = world.enrol(card="4711")
        with structlog.testing.capture_logs() as lines:
            world.call("GET", "/v1/members?card=4711")
            world.call("GET", f"/v1/members/{member['id']}")
            world.call("GET", "/healthz")
    assert [(line["event"], line["method"], line["route"], line["status"]) for line in lines] == [
        ("request", "GET", "/v1/members", 200),
        ("request", "GET", "/v1/members/{member_id}", 200),
    ]
    assert "4711" not in str(lines)


def test_health_readiness_and_figures(world: World) -> None:
    assert world.call("GET", "/healthz", key=None).json() == {"status": "ok"}
    ready = world.call("GET", "/readyz", key=None).json()
    assert ready == {"status": "ok", "migration": world.app.state.head}
    figures = world.call("GET", "/metrics", key=None)
    assert 'setia_http_requests_total{method="GET",route="/readyz",status="200"}' in figures.text


def test_a_database_of_another_version_is_not_ready(world: World) -> None:
    world.app.state.head = "9999"
    assert_problem(world.call("GET", "/readyz", key=None), 503, "not_ready")


def test_a_key_has_its_limit(database: Database) -> None:
    clock = [0.0]
    world = make_world(database)
    world.app.state.rate_limit = RateLimit(1, clock=lambda: clock[0])
    with world.client:
        exhaust(world)


def exhaust(world: World) -> None:
    for left in (1, 0):
        answer = world.call("GET", "/v1/members")
        assert (answer.status_code, answer.headers["ratelimit"]) == (200, f'"key";r={left};t=1')
        assert answer.headers["ratelimit-policy"] == '"key";q=2;w=2'
    answer = world.call("GET", "/v1/members")
    assert_problem(answer, 429, "too_many_requests")
    assert answer.headers["retry-after"] == "1"
    assert world.call("GET", "/v1/members", key=world.stranger).status_code == 200


def test_tokens_come_back_with_time() -> None:
    now = [0.0]
    limit = RateLimit(10, clock=lambda: now[0])
    for _ in range(20):
        limit.take("key")
    with pytest.raises(TooManyRequests):
        limit.take("key")
    now[0] = 0.1
    assert limit.take("key")[0] == (b"ratelimit", b'"key";r=0;t=1')
    with pytest.raises(TooManyRequests):
        limit.take("key")


def test_zero_means_no_limit() -> None:
    assert RateLimit(0).take("key") == ()
