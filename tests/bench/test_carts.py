"""The carts of the benchmark: promotions that can be published, and requests that are requests."""

import json
from itertools import islice

import pytest
from bench.calculate import as_table
from bench.harness.answers import WrongAnswer
from bench.harness.carts import LINES, STACKING, Asking, check, promotions, requests

from setia.program.definition import Program
from setia.program.lint import compile_check


def test_the_promotions_are_a_program_without_errors() -> None:
    definition = {
        "program": {"id": "b", "name": "b", "currency": "EUR"},
        "points": {"stars": {}},
        "campaigns": promotions(40),
        "stacking": STACKING,
    }
    findings = compile_check(Program.model_validate(definition))
    assert [finding for finding in findings if finding.severity == "error"] == []


def test_each_cart_has_20_lines_and_asks_for_one_of_the_members() -> None:
    load = Asking(1, "key", 1, 1.0, ["000001", "000002"], 7)
    for request in islice(requests(load), 5):
        head, body = request.split(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        sent = json.loads(body)
        assert len(sent["lines"]) == LINES
        assert sent["member"]["card"] in load.cards


def test_only_an_answer_counts() -> None:
    check(b"HTTP/1.1 200 OK\r\n\r\n{}")
    with pytest.raises(WrongAnswer):
        check(b"HTTP/1.1 409 Conflict\r\n\r\n{}")


def test_the_table_has_both_programs() -> None:
    row = {"answers_per_second": 340.0, "p50_ms": 9.0, "p99_ms": 16.33, "cpu_us_per_answer": {"server": 2400}}
    table = as_table({"calculate": {"empty": row, "full": row, "promotions": 200, "ratio": 0.5}, "seconds": 20.0})
    assert "ratio 0.5" in table
