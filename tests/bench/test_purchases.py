"""Prepared requests: whole, of the length they announce, each with an id of its own."""

import json
from itertools import islice

from bench.harness.purchases import LINES, baskets, batches, card_text, requests

MOMENT = "2026-03-02T09:30:00+00:00"


def parsed(request: bytes) -> tuple[bytes, dict[str, str], dict[str, object]]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    headers = dict(line.decode().split(": ", 1) for line in lines)
    assert int(headers["content-length"]) == len(body)
    return first, headers, json.loads(body)


def test_a_body_is_a_purchase_with_three_lines() -> None:
    basket = baskets("load", MOMENT)[0]

    body = basket.body(17, 42)

    event = json.loads(body)
    assert len(body) == basket.length
    assert event["external_id"] == "000000017"
    assert event["member"] == {"card": "00000042"} == {"card": card_text(42)}
    assert event["source"] == "load"
    assert event["occurred_at"] == MOMENT
    assert len(event["lines"]) == LINES == 3


def test_the_baskets_are_different_and_the_same_every_time() -> None:
    first, second = baskets("load", MOMENT), baskets("load", MOMENT)

    assert first == second
    assert len({basket.body(0, 0) for basket in first}) > 32


def test_requests_announce_their_length_and_repeat_no_id() -> None:
    stream = requests("setia_live_key", baskets("load", MOMENT), range(100, 110), seed=1)

    sent = [parsed(request) for request in islice(stream, 200)]

    assert {first for first, _, _ in sent} == {b"POST /v1/events HTTP/1.1"}
    assert {headers["authorization"] for _, headers, _ in sent} == {"Bearer setia_live_key"}
    assert len({str(event["external_id"]) for _, _, event in sent}) == 200
    assert {str(event["member"]) for _, _, event in sent} == {str({"card": card_text(n)}) for n in range(100, 110)}


def test_batches_are_whole_and_repeat_no_id() -> None:
    stream = batches("k", baskets("load", MOMENT), range(5), seed=1, size=100)

    first, second = (parsed(request)[2]["events"] for request in islice(stream, 2))

    assert isinstance(first, list)
    assert isinstance(second, list)
    assert len(first) == len(second) == 100
    assert len({event["external_id"] for event in first + second}) == 200
