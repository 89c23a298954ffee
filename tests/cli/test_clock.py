"""`setia clock`, and `--test` wherever a program is named."""

import datetime as dt
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from setia.cli.main import app
from setia.clock.problems import InvalidAdvance
from setia.db.engine import Database
from setia.identity.secrets import KeyText
from setia.versions.service import ClockThere, InvalidClock, NoSuchProgram, find_program, list_programs

TEXT = """
program: {id: coffee-stars, name: Coffee, currency: EUR, timezone: Europe/Berlin}
points: {stars: {expiry: {after: 1d}}}
members: {unknown: enrol}
campaigns: {base: {on: purchase, earn: {stars: "1 per 1.00"}}}
"""
MAP = """
file: {format: csv}
source: till
external_id: row.id
member: {external_id: row.who}
occurred_at: {column: at, timezone: Europe/Berlin}
lines: {sku: {const: thing}, amount: row.amount}
"""


@pytest.fixture
def definition(tmp_path: Path) -> Path:
    path = tmp_path / "program.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _this_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETIA_DATABASE_URL", database_url)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def publish(definition: Path, *more: str) -> Result:
    return run("program", "publish", str(definition), "--test", *more)


def test_a_test_program_is_published_beside_the_live_one(definition: Path, database: Database) -> None:
    made = publish(definition, "--clock", "2026-01-01T00:00+01:00")
    assert "Version 1 of coffee-stars (test) is live. Its clock stands at 2025-12-31T23:00:00+00:00." in made.stderr
    live = json.loads(run("program", "publish", str(definition), "--json").stdout)
    again = json.loads(publish(definition, "--json").stdout)
    assert (live["mode"], live["is_new"], live["clock"]) == ("live", True, None)
    assert (again["mode"], again["is_new"], again["clock"]) == ("test", False, "2025-12-31 23:00:00+00:00")
    with database.transaction() as tx:
        assert [row.title for row in list_programs(tx)] == ["coffee-stars", "coffee-stars (test)"]
    # Each has its own versions.
    definition.write_text(TEXT.replace("1 per", "2 per"), encoding="utf-8")
    assert "Version 2 of coffee-stars (test)" in publish(definition, "--note", "double").stderr
    assert len(json.loads(run("program", "versions", "coffee-stars", "--test", "--json").stdout)) == 2
    assert len(json.loads(run("program", "versions", "coffee-stars", "--json").stdout)) == 1


def test_a_clock_begins_once_and_only_in_test_mode(definition: Path, database: Database) -> None:
    before = dt.datetime.now(dt.UTC)
    publish(definition)
    with database.transaction() as tx:
        clock = find_program(tx, "coffee-stars", "test").clock
    assert clock is not None
    assert before - dt.timedelta(minutes=1) < clock < dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    again = publish(definition, "--clock", "2026-01-01T00:00Z")
    assert isinstance(again.exception, ClockThere)
    live = run("program", "publish", str(definition), "--clock", "2026-01-01T00:00Z")
    assert live.exit_code == 2
    assert "add --test" in live.stderr
    with database.transaction() as tx:
        assert find_program(tx, "coffee-stars", "test").clock == clock
        with pytest.raises(NoSuchProgram, match="There is no program 'coffee-stars' here"):
            find_program(tx, "coffee-stars")
        with pytest.raises(NoSuchProgram, match=r"no test program 'tea' here.*publish --test"):
            find_program(tx, "tea", "test")


@pytest.mark.parametrize(
    "text", ["2026-01-01", "2026-01-01T00:00", "soon", "0001-01-01T00:00+14:00", "2026-13-01T00:00Z"]
)
def test_a_moment_needs_an_offset(definition: Path, text: str) -> None:
    result = publish(definition, "--clock", text)
    assert result.exit_code == 2
    assert "is no moment with an offset" in " ".join(result.stderr.replace("│", " ").split())
    assert run("clock", "show", "coffee-stars").exception is not None


def test_a_clock_of_another_age_is_refused(definition: Path) -> None:
    assert isinstance(publish(definition, "--clock", "2501-01-01T00:00Z").exception, InvalidClock)


def test_time_passes_and_is_shown(definition: Path, tmp_path: Path) -> None:
    # given a purchase of the first of January in the test program
    publish(definition, "--clock", "2026-01-01T12:00+01:00")
    rows, form = tmp_path / "rows.csv", tmp_path / "map.yaml"
    rows.write_text("id,who,at,amount\n1,ada,2026-01-01 10:00,9.00\n", encoding="utf-8")
    form.write_text(MAP, encoding="utf-8")
    words = ("import", "purchases", str(rows), "--map", str(form), "--program", "coffee-stars")
    assert run(*words).exit_code == 2, "there is no live program"
    assert json.loads(run(*words, "--test", "--dry-run", "--json").stdout)["orders"]["checked"] == 1
    assert run(*words, "--test").exit_code == 0

    # when a month passes
    shown = run("clock", "show", "coffee-stars")
    assert shown.stdout == "2026-01-01T11:00:00+00:00\n"
    moved = run("clock", "advance", "coffee-stars", "--by", "1mo")
    assert moved.stdout == "2026-02-01T11:00:00+00:00\n"
    assert "Something was due on 1 days, 1 times in all." in moved.stderr

    # then
    told = json.loads(run("clock", "advance", "coffee-stars", "--to", "2026-03-01T00:00+01:00", "--json").stdout)
    assert told == {
        "program": "coffee-stars",
        "before": "2026-02-01 11:00:00+00:00",
        "now": "2026-02-28 23:00:00+00:00",
        "days": 0,
        "settled": 0,
    }
    assert json.loads(run("clock", "show", "coffee-stars", "--json").stdout) == {
        "program": "coffee-stars",
        "mode": "test",
        "now": "2026-02-28 23:00:00+00:00",
        "timezone": "Europe/Berlin",
    }
    assert json.loads(run("settle", "--json").stdout) == {"coffee-stars (test)": 0}
    totals = json.loads(run("verify", "--json").stdout)["totals"]
    assert [(total["program"], total["expired"]) for total in totals] == [("coffee-stars (test)", 9)]


def test_settling_takes_the_clock_of_a_test_program(definition: Path, database: Database) -> None:
    # given points that ended long ago by the real time, and have not by the program's clock
    publish(definition, "--clock", "2020-01-01T12:00+01:00")
    test_key = run("key", "create", "--program", "coffee-stars", "--test", "--scope", "all")
    assert KeyText.parse(test_key.stdout.strip()) is not None
    with database.transaction() as tx:
        row = find_program(tx, "coffee-stars", "test")
    _buy(database, row.id)

    assert json.loads(run("settle", "--json").stdout) == {"coffee-stars (test)": 0}
    assert json.loads(run("clock", "advance", "coffee-stars", "--by", "2d", "--json").stdout)["settled"] == 1


def _buy(database: Database, program_id: int) -> None:
    from events.submitting import submission  # noqa: PLC0415 - beside its one use
    from setia.events.booked import Booked  # noqa: PLC0415 - beside its one use
    from setia.events.clerk import Clerk  # noqa: PLC0415 - beside its one use
    from setia.events.live import LivePrograms  # noqa: PLC0415 - beside its one use

    event = {
        "type": "purchase",
        "external_id": "p1",
        "member": {"external_id": "ada"},
        "lines": [{"sku": "latte", "amount": "5.00"}],
    }
    with Clerk(database, LivePrograms(database)) as clerk:
        [answer] = clerk.book(program_id, [submission(event)])
    assert isinstance(answer, Booked)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "exactly one of --to and --by"),
        (("--by", "1d", "--to", "2026-06-01T00:00Z"), "exactly one of --to and --by"),
        (("--by", "a while"), "is not a length of time"),
        (("--to", "tomorrow"), "is no moment with an offset"),
    ],
)
def test_how_far_must_be_clear(definition: Path, words: tuple[str, ...], told: str) -> None:
    publish(definition)
    result = run("clock", "advance", "coffee-stars", *words)
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.replace("│", " ").split())


def test_time_does_not_go_back(definition: Path) -> None:
    publish(definition, "--clock", "2026-01-01T12:00+01:00")
    result = run("clock", "advance", "coffee-stars", "--to", "2025-12-01T00:00Z")
    assert isinstance(result.exception, InvalidAdvance)
    assert isinstance(run("clock", "advance", "tea", "--by", "1d").exception, NoSuchProgram)


def test_keys_belong_to_one_of_the_two(definition: Path) -> None:
    publish(definition)
    run("program", "publish", str(definition))
    for option, mode in (((), "live"), (("--test",), "test")):
        made = run("key", "create", "--program", "coffee-stars", "--scope", "all", *option)
        key = KeyText.parse(made.stdout.strip())
        assert key is not None
        assert key.mode == mode
        [listed] = json.loads(run("key", "list", "--program", "coffee-stars", "--json", *option).stdout)
        assert listed["prefix"] == key.prefix
        assert run("key", "revoke", key.prefix, "--program", "coffee-stars", *option).exit_code == 0
