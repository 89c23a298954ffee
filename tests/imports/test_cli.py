"""`setia import purchases`: its exit codes, and what it prints."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from import_world import HEADER, MAP, Shop
from setia.cli.main import app
from setia.imports import lanes

runner = CliRunner()
GOOD = HEADER + "1,ann,2026-01-01,1.50\n"


@pytest.fixture(autouse=True)
def _this_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETIA_DATABASE_URL", database_url)
    # A policy of a process of its own; this one has other tests to run.
    monkeypatch.setattr(lanes, "collect_rarely", lambda: None)


def _run(shop: Shop, content: str, *options: str, form: str = MAP, program: str = "shop") -> tuple[int, str, str]:
    file, map_file = shop.file(content), shop.file(form, "map.yaml")
    arguments = ["import", "purchases", str(file), "--map", str(map_file), "--program", program, *options]
    result = runner.invoke(app, arguments)
    return result.exit_code, result.stdout, result.stderr


def test_all_is_fine(shop: Shop) -> None:
    code, stdout, stderr = _run(shop, GOOD, "--json")
    assert code == 0, stderr
    told = json.loads(stdout)
    assert (told["rows"]["read"], told["rows"]["imported"], told["balanced"]) == (1, 1, True)


def test_a_table_tells_every_fate(shop: Shop) -> None:
    form = MAP + 'skip: {total: row.id == "sum"}\nset_aside: {gone: row.id == "C", nobody: row.who == ""}\n'
    code, stdout, stderr = _run(shop, GOOD + "sum,,,\nC,,,\n2,ann,x,1\n", form=form)
    assert code == 1
    for words in ("imported", "skipped: total", "set aside: gone", "set aside: nobody (and 1", "refused: not_a_moment"):
        assert words in stdout
    assert "1 new members." in stderr


def test_a_dry_run_says_that_it_is_one(shop: Shop) -> None:
    code, stdout, stderr = _run(shop, GOOD, "--dry-run")
    assert (code, "checked" in stdout) == (0, True)
    assert "nothing was booked" in stderr
    assert shop.purchases() == []


def test_a_limit_is_told(shop: Shop) -> None:
    code, stdout, stderr = _run(shop, GOOD + "2,ann,2026-01-01,1\n", "--limit", "1")
    assert (code, "not reached" in stdout) == (0, True)
    assert "The limit of 1 orders was reached." in stderr


def test_a_wrong_call_ends_with_2_and_books_nothing(shop: Shop, tmp_path: Path) -> None:
    code, _, stderr = _run(shop, GOOD, form=MAP.replace("row.who", "row.whom"))
    assert (code, "map.yaml:5:23: error[map_invalid]: the file has no column 'whom'" in stderr) == (2, True)
    code, _, stderr = _run(shop, GOOD, program="nowhere")
    assert (code, "There is no program 'nowhere' here." in stderr) == (2, True)
    code, _, stderr = _run(shop, "")
    assert (code, "The file is empty" in stderr) == (2, True)
    assert _run(shop, GOOD, "--limit", "0")[0] == 2
    assert shop.purchases() == []


def test_sums_have_the_decimals_of_the_currency_and_a_skipped_hour_has_its_word(shop: Shop) -> None:
    code, stdout, stderr = _run(shop, HEADER + "1,ann,2026-03-29 02:30,5000.0\n")
    assert (code, "5,000.00" in stdout) == (0, True)
    assert "1 orders name a local time that the change of the clocks skips" in stderr
