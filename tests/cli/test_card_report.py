"""`setia report gift-cards`, as a bookkeeper calls it."""

import json

import pytest
from typer.testing import CliRunner, Result

from api_world import World, world
from gift_cards.drawer import issued, open_shop, used
from setia.cli.main import app

__all__ = ["world"]


@pytest.fixture
def shop(world: World, database_url: str, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("SETIA_DATABASE_URL", database_url)
    open_shop(world)
    used(world, issued(world, 5000), 1250)
    issued(world, 700, "swiss", funding="granted")
    return world


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["report", "gift-cards", "coffee-stars", *words])


def test_a_line_for_each_kind(shop: World) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.replace("│", " ").split()) for line in result.stdout.splitlines() if "│" in line]
    assert lines == [
        "classic 1 50.00 0.00 12.50 0.00 0.00 0.00 37.50 EUR",
        "swiss 1 0.00 7.00 0.00 0.00 0.00 0.00 7.00 CHF",
    ]
    assert "owed" in result.stderr


def test_as_json_and_as_of_a_moment(shop: World) -> None:
    assert json.loads(run("--json").stdout) == shop.call("GET", "/v1/reports/gift-cards").json()
    assert json.loads(run("--json", "--at", "2025-01-01T00:00Z").stdout)["totals"] == []


def test_a_difference_ends_with_1(shop: World) -> None:
    with shop.database.raw_connection() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("UPDATE gift_card SET balance = balance + 3 WHERE kind = 'classic'")
    result = run()
    assert result.exit_code == 1
    assert "+3" in result.stderr
    assert "setia verify" in result.stderr
