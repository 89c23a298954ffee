"""`setia demo`, as a newcomer calls it."""

import io
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from setia.cli import demo as command
from setia.cli.main import app
from setia.db.engine import Database
from setia.ledger.verify import verify
from setia.settings import Settings

UNTIL = ("--until", "2026-09-30", "--seed", "7")


@pytest.fixture
def house(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Database:
    """The demo's database without a server of its own, which takes seconds."""

    @contextmanager
    def fresh(_settings: Settings) -> Iterator[Database]:
        yield database

    monkeypatch.setattr("setia.demo.house.fresh_database", fresh)
    monkeypatch.setenv("SETIA_DATA_DIR", str(tmp_path))
    return database


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What `serve` was called with, and the settings that its workers would find."""
    calls: list[dict[str, Any]] = []

    def serve(**options: Any) -> None:
        variables = {name: value for name, value in os.environ.items() if name.startswith("SETIA_")}
        calls.append({**options, "environment": variables})

    monkeypatch.setattr("setia.cli.serve.serve", serve)
    return calls


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["demo", *words])


def events(database: Database) -> int:
    with database.transaction() as tx:
        return int(tx.exec_driver_sql("SELECT count(*) FROM event").scalar_one())


def test_check_prints_one_object_and_ends_with_0(house: Database, served: list[dict[str, Any]]) -> None:
    result = run("--members", "5", *UNTIL, "--check", "--json")

    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert list(figures) == [
        *("members", "events", "seed", "until", "seconds", "events_per_second"),
        *("points", "tiers", "tiers_risen", "tiers_dropped", "entries", "campaigns", "rewards", "returns"),
        *("referrals", "gift_cards", "liability", "member", "verify"),
    ]
    assert (figures["members"], figures["seed"], figures["until"]) == (5, 7, "2026-09-30")
    assert figures["events"] <= figures["entries"]["event"] == events(house), "referrals make events too"
    assert figures["verify"]["entries"] == sum(figures["entries"].values())
    assert figures["points"]["stars"]["expired"] > 0
    assert figures["verify"]["findings"] == 0
    assert "no other data is touched" in result.stderr
    assert f"Booked {figures['events']:,} of {figures['events']:,} events." in result.stderr
    assert "\x1b" not in result.output
    assert served == []


def test_a_finding_ends_with_1_and_its_name(
    house: Database, served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def after_a_fault(database: Database) -> Any:
        with database.transaction() as tx:
            for statement in (
                "ALTER TABLE wallet DISABLE TRIGGER ALL",
                "UPDATE wallet SET available = available + 1 WHERE point_type = 'stars'",
                "ALTER TABLE wallet ENABLE TRIGGER ALL",
            ):
                tx.exec_driver_sql(statement)
        return verify(database)

    monkeypatch.setattr("setia.demo.figures.verify", after_a_fault)
    result = run("--members", "3", *UNTIL, "--check")

    assert result.exit_code == 1
    assert "wallet_balance (I4)" in result.stderr
    assert "findings in" in result.stdout
    assert served == []


def test_without_check_it_serves_the_demo_and_says_what_to_try(
    house: Database, served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SETIA_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/real")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = taken.getsockname()[1]
        monkeypatch.setenv("SETIA_PORT", str(busy))
        result = run("--members", "3", *UNTIL)

    assert result.exit_code == 0, result.output
    [call] = served
    assert (call["host"], call["workers"], call["migrate"]) == ("127.0.0.1", 1, False)
    assert call["port"] != busy
    assert call["environment"]["SETIA_DATA_DIR"] == str(tmp_path / "demo")
    assert "SETIA_DATABASE_URL" not in call["environment"]
    assert (tmp_path / "demo" / "secret.key").exists(), "who serves it knows the codes of its gift cards"
    url = f"http://127.0.0.1:{call['port']}"
    assert f"{url}/docs" in result.stderr
    assert f"curl -s '{url}/v1/events?locale=en' -H 'Authorization: Bearer setia_test_" in result.stderr
    assert f"curl -s '{url}/v1/members/mem_" in result.stderr
    assert f"curl -s '{url}/v1/clock'" in result.stderr
    assert "events per second" in result.stdout


def test_the_port_of_the_settings_is_taken_when_it_is_free() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    assert command._free_port("127.0.0.1", port) == port


def test_an_address_that_is_not_ours_is_left_to_the_server_to_complain_about() -> None:
    assert command._free_port("192.0.2.1", 8123) == 8123


def test_a_terminal_gets_a_bar_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(command, "err", Console(file=written, force_terminal=True, width=80))

    with command._progress(20) as advance:
        advance(20)

    assert "20/20" in written.getvalue()
    assert written.getvalue().endswith("\x1b[2K"), "the line is cleared"


def test_a_year_that_is_not_over_is_refused(house: Database) -> None:
    result = run("--until", "2199-01-01", "--check")

    assert result.exit_code == 2
    assert "the year must be over" in result.stderr
    assert events(house) == 0
