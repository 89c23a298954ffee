"""The rules that translate cases, on cases of our own: right ones pass, wrong ones fail, unknown words are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cases import __main__ as command
from cases.made_up import RIGHT, bought, case, rule
from cases.published import Case, read_cases
from cases.report import as_data, as_text, summary
from cases.shop import Server, serving
from cases.translation import try_case
from setia.db.engine import Database


@pytest.fixture(autouse=True)
def _no_pictures_of_tracebacks() -> Iterator[None]:
    with capture_logs():
        yield


@pytest.fixture
def server(database: Database) -> Iterator[Server]:
    """The app on a database of its own."""
    with serving(database) as opened:
        yield opened


def test_cases_that_are_right_pass_and_with_any_other_result_fail(server: Server) -> None:
    # One database for all of them: making one takes longer than playing a case.
    results = {about: try_case(server, right) for about, right in RIGHT.items()}
    assert {about: result for about, result in results.items() if result.outcome != "passed"} == {}
    others = {about: try_case(server, replace(right, expect=_other(right))) for about, right in RIGHT.items()}
    assert {about: result for about, result in others.items() if result.outcome != "failed"} == {}


def _other(right: Case) -> dict[str, object]:
    """Another expectation of the same kind: the first of its values is not what it was."""
    word, value = next(iter(right.expect.items()))
    others = {list: ["other", *value[1:]] if isinstance(value, list) else [], int: "1234567"}
    if isinstance(value, str):
        return {**right.expect, word: "2099-01-01"}
    return {**right.expect, word: others.get(type(value), {"2000-01-01": 1})}


UNKNOWN = [
    (case({"wonders": 3}, [bought("1.00")], {"points": 1}), "program wonders"),
    (case(rule("wonder"), [bought("1.00")], {"points": 1}), "rule wonder"),
    (case(rule("fixed", points=1, wonder=2), [bought("1.00")], {"points": 1}), "wonder"),
    (case(rule("fixed", points=1), [{"type": "wonder"}], {"points": 1}), "event wonder"),
    (case(rule("fixed", points=1), [bought("1.00", wonder=1)], {"points": 1}), "wonder"),
    (case(rule("fixed", points=1), [bought("1.00")], {"wonder": 1}), "expect wonder"),
    (case({"promotions": [{"wonder": 1}]}, [bought("1.00")], {"points": 1}), "promotion wonder"),
]


def test_a_word_that_nobody_knows_is_never_passed_over(server: Server) -> None:
    for unknown, missing in UNKNOWN:
        result = try_case(server, unknown)
        assert result.outcome == "not expressible"
        assert missing in result.missing


def test_no_rule_of_translation_knows_a_case_by_its_name() -> None:
    # Other cases will be tried; one that is recognised would prove nothing.
    source = "".join(
        path.read_text() for path in Path(__file__).parent.glob("*.py") if path.name != Path(__file__).name
    )
    own = read_cases(Path(__file__).with_name("own.jsonl"))
    assert [one.id for one in (*read_cases(), *own) if f'"{one.id}"' in source or f"'{one.id}'" in source] == []


def test_a_report_tells_differences_and_what_is_missing(server: Server) -> None:
    wrong = case(rule("fixed", points=1), [bought("1.00")], {"points_earned": 2}, id_="W")
    unknown = case({"wonders": 1}, [], {"points": 1}, id_="U")
    right = case(rule("fixed", points=1), [bought("1.00")], {"points_earned": 1}, id_="R")
    results = [try_case(server, one) for one in (wrong, unknown, right)]
    text = as_text(results)
    assert 'expected {"points_earned": 2}\n  found    {"points_earned": "1"}' in text
    assert "1 program wonders: U" in text
    assert text.endswith("\n\ncases: 1 passed, 1 failed, 1 not expressible")
    data = as_data(results)
    assert data["by_basis"]["derived"] == {"passed": 1, "failed": 1, "not expressible": 1}
    assert [one["outcome"] for one in data["cases"]] == ["failed", "not expressible", "passed"]
    assert (data["passed"], summary(results)) == (1, text.splitlines()[-1])


def test_the_command_reads_any_file_and_chooses_by_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cases.jsonl"
    made = [
        {"id": name, "basis": "derived", "program": rule("fixed", points=1), "events": [bought("1.00")],
         "expect": {"points_earned": points}}
        for name, points in (("A-1", 1), ("A-2", 2), ("B-1", 1))
    ]  # fmt: skip
    file.write_text("".join(f"{json.dumps(one)}\n" for one in made))
    for asked, code, last in (
        (["A-1", "B"], 0, "cases: 2 passed, 0 failed, 0 not expressible"),
        (["A"], 1, "cases: 1 passed, 1 failed, 0 not expressible"),
    ):
        monkeypatch.setattr("sys.argv", ["cases", "--file", str(file), *asked])
        assert command.main() == code
        assert capsys.readouterr().out.splitlines()[-1] == last
    monkeypatch.setattr("sys.argv", ["cases", "--file", str(file), "--json", "B-1"])
    assert command.main() == 0
    assert json.loads(capsys.readouterr().out)["passed"] == 1
    monkeypatch.setattr("sys.argv", ["cases", "--file", str(file), "C"])
    assert command.main() == 2
