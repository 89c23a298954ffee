"""`setia report reconcile`, as a bookkeeper calls it."""

import json

import pytest
from typer.testing import CliRunner, Result

from api_world import World, world
from clock.try_out import TryOut
from events.test_points_in_time import begin
from setia.cli.main import app

__all__ = ["world"]


@pytest.fixture
def here(world: World, database_url: str, monkeypatch: pytest.MonkeyPatch) -> TryOut:
    monkeypatch.setenv("SETIA_DATABASE_URL", database_url)
    made = begin(world, {"value": "0.05", "decimals": 1})
    made.enrol()
    made.buy("p1")
    return made


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["report", "reconcile", "coffee-stars", "--test", *words])


def test_a_table_with_a_line_for_each_campaign_and_the_liability(here: TryOut) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    [line] = [line for line in result.stdout.splitlines() if "2026-01" in line]
    assert " ".join(line.replace("│", " ").split()) == "stars 2026-01 base 10.0 0.0 0.0 0.0 0.0 0.0 10.0 0.500 EUR"


def test_as_json_and_as_of_a_moment(here: TryOut) -> None:
    body = json.loads(run("--json").stdout)
    assert (body["agrees"], body["totals"][0]["wallets"]) == (True, 100)
    past = json.loads(run("--json", "--at", "2025-01-01T00:00Z").stdout)
    assert (past["groups"], past["totals"][0]["wallets"]) == ([], 0)
    assert run("--at", "yesterday").exit_code == 2


def test_a_difference_ends_with_1(here: TryOut) -> None:
    with here.world.database.raw_connection() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("UPDATE wallet SET available = available - 3")
    result = run()
    assert result.exit_code == 1
    assert "-3" in result.stderr
    assert "setia verify" in result.stderr
