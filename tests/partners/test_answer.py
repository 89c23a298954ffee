"""What a partner's answer means."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.partners.answer import GONE, LONGEST_REASON, LONGEST_WAIT, Delivered, Failed, Refused, read_answer
from setia.partners.egress import Received

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
GONE_FOR_GOOD = Refused("it answered 410: there is nobody at its address any more")


@pytest.mark.parametrize(
    ("status", "body", "meant"),
    [
        (200, b"", Delivered()),
        (204, b" \n", Delivered()),
        (202, b"{}", Delivered()),
        (200, b'{"code": " A-1 ", "more": 1}', Delivered("A-1")),
        (200, b'{"code": null}', Delivered()),
        (200, b'{"refused": "no more"}', Refused("no more")),
        (200, b'{"refused": ""}', Refused("no reason given")),
        (409, b'{"refused": "a\\u0000b", "code": "x"}', Refused("a b")),
        (200, b"OK", Failed("its answer is no JSON object with texts")),
        (200, b"[]", Failed("its answer is no JSON object with texts")),
        (200, b"\xff", Failed("its answer is no JSON object with texts")),
        (200, b'{"code": 7}', Failed("its answer is no JSON object with texts")),
        (200, b"[" * 5000, Failed("its answer is no JSON object with texts")),
        (200, b'{"code": ""}', Failed("its code is not 1 to 200 letters and signs")),
        (200, b'{"code": "a\\nb"}', Failed("its code is not 1 to 200 letters and signs")),
        (404, b"", Failed("it answered 404")),
        (404, b'{"code": "x"}', Failed("it answered 404")),
        (302, b'{"refused": "x"}', Failed("it answered 302")),
        (500, b'{"refused": "x"}', Failed("it answered 500")),
        (100, b"", Failed("it answered 100")),
        (GONE, b"", GONE_FOR_GOOD),
        (GONE, b"<html>", GONE_FOR_GOOD),
        (GONE, b'{"code": "x"}', GONE_FOR_GOOD),
        (GONE, b'{"refused": "closed down"}', Refused("closed down")),
    ],
)
def test_each_answer(status: int, body: bytes, meant: object) -> None:
    assert read_answer(Received(status, body), NOW) == meant


def test_a_long_reason_is_cut() -> None:
    found = read_answer(Received(422, b'{"refused": "%s"}' % (b"x" * 5000)), NOW)
    assert found == Refused("x" * LONGEST_REASON)


@given(st.integers(100, 599), st.binary(max_size=60))
def test_every_answer_means_something(status: int, body: bytes) -> None:
    found = read_answer(Received(status, body), NOW)
    assert isinstance(found, Failed) or 200 <= status < 300 or 400 <= status < 500


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("9" * 40, LONGEST_WAIT.total_seconds()),
        ("Sun, 22 Nov 2026 12:30:00 GMT", 1800),
        ("Sun, 22 Nov 2026 12:30:00", 1800),
        ("Sun, 22 Nov 2026 14:30:00 +0200", 1800),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT.total_seconds()),
        ("Sun, 22 Nov 2026 11:59:00 GMT", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\u0661", None),
        ("Sun, 99 Nov 2026 11:59:00 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_a_wish_to_be_left_alone(written: str | None, seconds: float | None) -> None:
    until = None if seconds is None else NOW + dt.timedelta(seconds=seconds)
    assert read_answer(Received(503, b"", written), NOW) == Failed("it answered 503", until)
    assert read_answer(Received(429, b"{}", written), NOW) == Failed("it answered 429", until)
    assert read_answer(Received(200, b"", written), NOW) == Delivered()


@given(st.text(max_size=40))
def test_no_header_is_too_strange(written: str) -> None:
    found = read_answer(Received(503, b"", written), NOW)
    assert isinstance(found, Failed)
    assert found.not_before is None or NOW <= found.not_before <= NOW + LONGEST_WAIT
