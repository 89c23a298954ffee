"""`setia rebuild`, as an operator calls it."""

import json

import pytest
from typer.testing import CliRunner, Result

from api_world import World, world
from events.shop import booked, purchase
from setia.cli.main import app

__all__ = ["world"]


@pytest.fixture
def shop(world: World, database_url: str, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("SETIA_DATABASE_URL", database_url)
    world.enrol(card="1")
    booked(world, purchase("1"))
    return world


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["rebuild", *words])


def test_nothing_differs(shop: World) -> None:
    for words in ((), ("--check",)):
        told = run(*words)
        assert (told.exit_code, told.stdout) == (0, "")
        assert "coffee-stars: 1 members, 0 differed, 0 were counted under another version." in told.stderr
        assert "other-shop: 0 members" in told.stderr


def test_a_difference_is_named_and_then_repaired(shop: World) -> None:
    member = booked(shop, purchase("2"))["member"]
    with shop.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE member_state SET counters = '{}'")
    checked, data = run("--check"), run("--check", "--json")
    assert (checked.exit_code, data.exit_code) == (1, 1)
    assert f"coffee-stars {member} lifetime: counted {{'orders': 2, 'spend': 2000}}, stored {{}}" in checked.stdout
    report = json.loads(data.stdout)["coffee-stars"]
    assert (report["members"], report["different"], report["differences"][0]["figure"]) == (1, 1, "lifetime")
    repaired, after = run(), run("--check")
    assert (repaired.exit_code, after.exit_code, after.stdout) == (0, 0, "")
