"""`setia codes`: a file of codes becomes a pool, as often as it is imported."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from setia.cli.main import app
from setia.db.engine import Database
from setia.program.definition import Program
from setia.versions.service import publish

DEFINITION = {"program": {"id": "shop", "name": "Shop", "currency": "EUR"}, "points": {"stars": {}}}


@pytest.fixture
def shop(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETIA_DATABASE_URL", database_url)
    monkeypatch.setenv("SETIA_SECRET_KEY", "a secret that is long enough for tests")
    with database.transaction() as tx:
        publish(tx, Program.model_validate(DEFINITION), "test")


@pytest.mark.usefixtures("shop")
def test_a_file_is_imported_once(tmp_path: Path) -> None:
    file = tmp_path / "codes.txt"
    file.write_text("\ufeffKINO-1111\n\n KINO-2222 \nx\n", encoding="utf-8")
    command = ["codes", "import", "cinema", str(file), "--program", "shop"]
    done = CliRunner().invoke(app, [*command, "--json"])
    assert json.loads(done.stdout) == {"pool": "cinema", "added": 2, "known": 0, "unusable": [3]}
    again = CliRunner().invoke(app, command)
    assert (again.exit_code, "0 codes added to cinema, 2 were there already." in again.stderr) == (0, True)
    assert "the first is number 3" in again.stderr
    pools = CliRunner().invoke(app, ["codes", "pools", "--program", "shop", "--json"])
    assert json.loads(pools.stdout) == [{"pool": "cinema", "codes": 2, "left": 2}]
    table = CliRunner().invoke(app, ["codes", "pools", "--program", "shop"])
    assert "cinema" in table.stdout
