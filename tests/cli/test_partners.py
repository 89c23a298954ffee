"""`setia partners keys`: each partner's own key, the same whenever it is asked for."""

import json

import pytest
from typer.testing import CliRunner

from setia.cli.main import app
from setia.db.engine import Database
from setia.partners.signing import PartnerKeys
from setia.program.definition import Program
from setia.versions.service import find_program, publish

SECRET = "a secret that is long enough for tests"
DEFINITION = {"program": {"id": "shop", "name": "Shop", "currency": "EUR"}, "points": {"stars": {}}}
FILM = {"kind": "partner", "partner": "Odeon", "webhook": {"url": "https://odeon.example/", "key": 3}}


@pytest.fixture(autouse=True)
def _settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETIA_DATABASE_URL", database_url)
    monkeypatch.setenv("SETIA_SECRET_KEY", SECRET)


def test_the_keys_of_partners_with_a_webhook_are_shown(database: Database) -> None:
    rewards = {"film": FILM, "popcorn": FILM, "codes": {"kind": "partner", "partner": "Kino", "code": {"pool": "p"}}}
    with database.transaction() as tx:
        publish(tx, Program.model_validate({**DEFINITION, "rewards": rewards}), "test")
        program_id = find_program(tx, "shop").id
    key = PartnerKeys(SECRET.encode()).told(program_id, "Odeon", 3)
    shown = CliRunner().invoke(app, ["partners", "keys", "--program", "shop", "--json"])
    assert json.loads(shown.stdout) == [{"partner": "Odeon", "number": 3, "key": key}]
    plain = CliRunner().invoke(app, ["partners", "keys", "--program", "shop"])
    assert (plain.exit_code, plain.stdout, plain.stderr) == (0, f"{key}\n", "Odeon, key 3:\n")


def test_where_no_partner_gets_webhooks_it_says_so(database: Database) -> None:
    with database.transaction() as tx:
        publish(tx, Program.model_validate(DEFINITION), "test")
    shown = CliRunner().invoke(app, ["partners", "keys", "--program", "shop"])
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert "No reward" in shown.stderr
