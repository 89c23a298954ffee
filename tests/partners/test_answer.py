"""What a partner's answer means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.partners.answer import LONGEST_REASON, Delivered, Failed, Refused, read_answer
from setia.partners.egress import Received


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
    ],
)
def test_each_answer(status: int, body: bytes, meant: object) -> None:
    assert read_answer(Received(status, body)) == meant


def test_a_long_reason_is_cut() -> None:
    found = read_answer(Received(422, b'{"refused": "%s"}' % (b"x" * 5000)))
    assert found == Refused("x" * LONGEST_REASON)


@given(st.integers(100, 599), st.binary(max_size=60))
def test_every_answer_means_something(status: int, body: bytes) -> None:
    found = read_answer(Received(status, body))
    assert isinstance(found, Failed) or 200 <= status < 300 or 400 <= status < 500
