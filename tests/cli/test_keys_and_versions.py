"""`setia key` and `setia program publish`, against the database of the test."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from setia.cli.main import app
from setia.db.engine import Database
from setia.identity.scopes import Scope
from setia.identity.secrets import KeyText
from setia.identity.tables import api_key
from setia.problems import Problem


@pytest.fixture
def definition(tmp_path: Path) -> Path:
    path = tmp_path / "program.yaml"
    path.write_text(
        "program: {id: coffee-stars, name: Coffee, currency: EUR}\n"
        "points: {stars: {}}\n"
        'campaigns: {base: {on: purchase, earn: {stars: "1 per 1.00"}}}\n',
        encoding="utf-8",
    )
    return path


@pytest.fixture(autouse=True)
def _this_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETIA_DATABASE_URL", database_url)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_a_definition_is_published_once(definition: Path) -> None:
    first = json.loads(run("program", "publish", str(definition), "--note", "first", "--json").stdout)
    assert (first["program"], first["number"], first["is_new"]) == ("coffee-stars", 1, True)
    assert "Nothing changed: this is version 1 of coffee-stars" in run("program", "publish", str(definition)).stderr
    definition.write_text(definition.read_text(encoding="utf-8").replace("1 per", "2 per"), encoding="utf-8")
    assert "Version 2 of coffee-stars is live." in run("program", "publish", str(definition)).stderr
    found = json.loads(run("program", "versions", "coffee-stars", "--json").stdout)
    assert [(version["number"], version["is_live"], version["note"]) for version in found] == [
        (2, True, ""),
        (1, False, "first"),
    ]
    assert "first" in run("program", "versions", "coffee-stars").stdout


def test_a_definition_with_errors_is_not_published(definition: Path, database: Database) -> None:
    definition.write_text(definition.read_text(encoding="utf-8").replace('stars: "1', 'moons: "1'), encoding="utf-8")
    result = run("program", "publish", str(definition))
    assert isinstance(result.exception, Problem)
    assert result.exception.code == "invalid_definition"
    assert result.exception.errors[0].pointer.endswith("program.yaml:3:41")
    assert run("program", "versions", "coffee-stars").exception is not None


def test_a_key_is_made_listed_and_revoked(definition: Path, database: Database) -> None:
    run("program", "publish", str(definition))
    made = run("key", "create", "--program", "coffee-stars", "--scope", "events:write", "--label", "till")
    key = KeyText.parse(made.stdout.strip())
    assert key is not None
    assert key.mode == "live"
    with database.transaction() as tx:
        row = tx.execute(sa.select(api_key)).one()
    assert (row.prefix, row.hash, row.scopes, row.label, row.expires_at) == (
        key.prefix,
        key.hash,
        ["events:write"],
        "till",
        None,
    )
    listed = run("key", "list", "--program", "coffee-stars", "--json").stdout
    assert json.loads(listed)[0]["prefix"] == key.prefix
    assert key.secret not in listed
    assert key.prefix in run("key", "list", "--program", "coffee-stars").stdout
    assert f"The key {key.prefix} was revoked" in run("key", "revoke", key.prefix, "--program", "coffee-stars").stderr
    assert json.loads(run("key", "list", "--program", "coffee-stars", "--json").stdout)[0]["revoked_at"]


def test_a_key_may_do_all_and_end(definition: Path) -> None:
    run("program", "publish", str(definition))
    made = run("key", "create", "--program", "coffee-stars", "--scope", "all", "--expires-in-days", "1", "--json")
    found = json.loads(made.stdout)
    assert found["scopes"] == sorted(Scope)
    assert found["expires_at"]


@pytest.mark.parametrize(
    "arguments", [("--program", "nothing", "--scope", "all"), ("--program", "coffee-stars", "--scope", "x")]
)
def test_a_wrong_key_is_not_made(definition: Path, database: Database, arguments: tuple[str, ...]) -> None:
    run("program", "publish", str(definition))
    assert isinstance(run("key", "create", *arguments).exception, Problem)
    with database.transaction() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(api_key)).scalar_one() == 0
