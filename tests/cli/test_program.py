"""`setia program`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from setia.cli.main import app
from setia.program.templates import template_files

runner = CliRunner()


def test_a_clean_program_ends_with_0(tmp_path: Path) -> None:
    assert runner.invoke(app, ["program", "new", "coffee-stars", str(tmp_path / "mine")]).exit_code == 0
    result = runner.invoke(app, ["program", "lint", str(tmp_path / "mine")])
    assert (result.exit_code, result.stdout) == (0, "")


def test_errors_end_with_1_and_stand_on_stdout(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("a: [\n", encoding="utf-8")
    result = runner.invoke(app, ["program", "lint", str(path)])
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{path}:2:1: error[yaml_syntax]: ")


def test_lint_speaks_json(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("a: 1\na: 2\n", encoding="utf-8")
    result = runner.invoke(app, ["program", "lint", str(path), "--json"])
    assert result.exit_code == 1
    assert [(item["code"], item["line"], item["column"]) for item in json.loads(result.stdout)] == [
        ("yaml_duplicate_key", 2, 1)
    ]


def test_the_schema_is_printed_as_json() -> None:
    result = runner.invoke(app, ["program", "schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["title"] == "A loyalty program"


@pytest.mark.parametrize("name", ["p.yaml", "folder"])
def test_new_writes_the_template_with_its_comments(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert runner.invoke(app, ["program", "new", "shop-cashback", str(path)]).exit_code == 0
    file = path if path.is_file() else path / "program.yaml"
    assert file.read_text(encoding="utf-8") == template_files("shop-cashback")["program.yaml"]


@pytest.mark.parametrize("name", ["p.yaml", "folder"])
def test_new_overwrites_nothing(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    old = path if path.suffix else path / "other.yaml"
    old.parent.mkdir(exist_ok=True)
    old.write_text("mine", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    result = runner.invoke(app, ["program", "new", "shop-cashback", str(path)])
    assert result.exit_code == 1
    assert "nothing is overwritten" in result.stderr
    assert sorted(tmp_path.rglob("*")) == before
    assert old.read_text(encoding="utf-8") == "mine"


def test_an_unknown_template_names_the_known_ones(tmp_path: Path) -> None:
    result = runner.invoke(app, ["program", "new", "coffee", str(tmp_path / "x")])
    assert result.exit_code == 1
    assert "there are coffee-stars, shop-cashback" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_show_prints_a_sentence_for_each_campaign(tmp_path: Path) -> None:
    runner.invoke(app, ["program", "new", "coffee-stars", str(tmp_path / "p.yaml")])
    result = runner.invoke(app, ["program", "show", str(tmp_path / "p.yaml")])
    assert result.exit_code == 0
    assert "welcome: On member enrolled: earn 50 stars.\n" in result.stdout


def test_show_says_what_is_wrong(tmp_path: Path) -> None:
    result = runner.invoke(app, ["program", "show", str(tmp_path / "no.yaml")])
    assert result.exit_code == 1
    assert "error[file_missing]" in result.stdout
