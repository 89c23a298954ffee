"""Everything that is not a success is a problem, and has one shape."""

from collections.abc import Iterator

import pytest
from fastapi import APIRouter

from api_world import World, assert_problem, make_world
from setia.api.app import Part

BIG = b'{"identifiers": {"external_id": "' + b"x" * 6_000_000 + b'"}}'
JSON = {"Content-Type": "application/json"}


def test_an_unknown_path_is_a_problem(world: World) -> None:
    assert_problem(world.call("GET", "/v1/nothing"), 404, "not_found")


def test_a_wrong_method_is_a_problem(world: World) -> None:
    answer = world.call("DELETE", "/v1/program")
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


def test_a_path_with_a_slash_too_many_is_not_redirected(world: World) -> None:
    assert_problem(world.call("POST", "/v1/members/", json={}), 404, "not_found")


def test_a_body_of_6_mb_is_refused_by_its_length(world: World) -> None:
    body = assert_problem(world.call("POST", "/v1/members", content=BIG, headers=JSON), 413, "payload_too_large")
    assert body["detail"] == "The body may have at most 5242880 bytes (SETIA_MAX_BODY_BYTES). Send it in smaller parts."
    assert world.count("member") == 0


def test_a_body_of_6_mb_without_a_length_is_refused_while_it_comes(world: World) -> None:
    def chunks() -> Iterator[bytes]:
        for start in range(0, len(BIG), 100_000):
            yield BIG[start : start + 100_000]

    assert_problem(world.call("POST", "/v1/members", content=chunks(), headers=JSON), 413, "payload_too_large")
    assert world.count("member") == 0


def test_a_length_that_is_no_number_is_refused(world: World) -> None:
    answer = world.call("POST", "/v1/members", content=b"{}", headers={**JSON, "Content-Length": "+2"})
    assert_problem(answer, 400, "bad_request")


@pytest.mark.parametrize(
    "body",
    [
        b'{"identifiers": {"card": "\xff"}}',
        b'{"identifiers": {"card": "\\ud800"}}',
        b'{"identifiers": {"card": NaN}}',
        b'{"identifiers": ',
        b"[" * 100_000,
    ],
    ids=["invalid UTF-8", "half a pair", "NaN", "cut off", "deep"],
)
def test_what_is_not_json_is_malformed(world: World, body: bytes) -> None:
    assert_problem(world.call("POST", "/v1/members", content=body, headers=JSON), 400, "malformed_json")
    assert world.count("member") == 0


def test_another_media_type_is_refused(world: World) -> None:
    answer = world.call("POST", "/v1/members", content=b"{}", headers={"Content-Type": "text/plain"})
    assert_problem(answer, 415, "unsupported_media_type")


def test_no_body_is_said_to_be_missing(world: World) -> None:
    body = assert_problem(world.call("POST", "/v1/members"), 422, "validation_failed")
    assert body["detail"] == "A JSON body is required."


def test_unknown_fields_are_refused_where_they_stand(world: World) -> None:
    sent = {"identifiers": {"card": "1", "passport": "2"}, "tagz": []}
    body = assert_problem(world.call("POST", "/v1/members", json=sent), 422, "validation_failed")
    assert [item["pointer"] for item in body["errors"]] == ["#/identifiers/passport", "#/tagz"]
    assert {item["message"] for item in body["errors"]} == {"There is no such field. Check its spelling, or remove it."}
    assert world.count("member") == 0


def test_wrong_types_are_refused_and_not_repeated(world: World) -> None:
    sent = {"identifiers": "secret-card", "tags": [1]}
    answer = world.call("POST", "/v1/members", json=sent)
    body = assert_problem(answer, 422, "validation_failed")
    assert [item["pointer"] for item in body["errors"]] == ["#/identifiers", "#/tags/0"]
    assert "secret-card" not in answer.text


@pytest.mark.parametrize("limit", ["0", "201", "x", "9" * 5000])
def test_a_limit_out_of_range_is_refused(world: World, limit: str) -> None:
    body = assert_problem(world.call("GET", f"/v1/members?limit={limit}"), 422, "validation_failed")
    assert body["errors"][0]["pointer"] == "#/query/limit"


def test_a_nul_in_a_query_is_refused(world: World) -> None:
    assert_problem(world.call("GET", "/v1/members?card=%00"), 422, "validation_failed")


def broken_part() -> Part:
    router = APIRouter()

    @router.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError("the secret of Ada")

    return Part(routers=(router,))


def test_a_fault_of_ours_says_nothing_but_the_request_id(world: World) -> None:
    with make_world(world.database, parts=(broken_part(),)).client as client:
        answer = client.get("/broken", headers={"X-Request-Id": "request-4711"})
    body = assert_problem(answer, 500, "internal_error")
    assert body["request_id"] == "request-4711"
    assert "Ada" not in answer.text
