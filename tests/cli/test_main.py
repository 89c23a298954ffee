"""The command line: what it says, where it says it, and the number it ends with."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import setia
from setia.cli import main as cli
from setia.cli.main import EXIT_FAILED, EXIT_USAGE, app, explain, main
from setia.db import migrate
from setia.db.engine import Database
from setia.db.errors import DatabaseError
from setia.problems import ErrorItem, NotFound, Unprocessable
from setia.settings import InvalidSettings


def run(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program itself, as a person does."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SETIA_")}
    return subprocess.run(
        [sys.executable, "-m", "setia", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**clean, **(environment or {})},
    )


def test_the_version_is_data() -> None:
    done = run("version", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["setia"] == setia.__version__


def test_the_version_is_readable() -> None:
    result = CliRunner().invoke(app, ["version"])
    assert (result.exit_code, result.output.strip()) == (0, f"setia {setia.__version__}")


def test_wrong_settings_end_with_two_and_their_names() -> None:
    done = run("migrate", environment={"SETIA_PORT": "abc", "SETIA_POTR": "1"})
    assert (done.returncode, done.stdout) == (EXIT_USAGE, "")
    assert "Error: Setia cannot start with these settings." in done.stderr
    assert "SETIA_POTR: there is no such setting. Did you mean SETIA_PORT?" in done.stderr
    assert "SETIA_PORT: input should be a valid integer" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_command_ends_with_two() -> None:
    done = run("nonsense")
    assert (done.returncode, done.stdout) == (EXIT_USAGE, "")
    assert "No such command 'nonsense'" in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "setia", "--help"], check=False, stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    assert b"Traceback" not in done.stderr


def test_no_colours_when_they_are_refused() -> None:
    done = run("--help", environment={"NO_COLOR": "1", "FORCE_COLOR": "1"})
    assert "\x1b[3" not in done.stdout


@pytest.fixture
def failing(request: pytest.FixtureRequest) -> Iterator[None]:
    """A command that raises what the test wants."""

    def fail() -> None:
        raise request.param

    app.command("fail")(fail)
    yield
    app.registered_commands.pop()


@pytest.mark.parametrize(
    ("failing", "code", "said"),
    [
        (NotFound("There is no program bean-club."), EXIT_FAILED, ["There is no program bean-club."]),
        (NotFound(), EXIT_FAILED, ["There is nothing here."]),
        (
            Unprocessable(
                "The definition breaks a rule.",
                errors=[
                    ErrorItem(pointer="#/points", message="must not be empty", hint="Name a point type."),
                    ErrorItem(pointer="#/name", message="is missing"),
                ],
            ),
            EXIT_FAILED,
            ["#/points: must not be empty Name a point type.", "#/name: is missing\n"],
        ),
        (DatabaseError("It did not start."), EXIT_FAILED, ["It did not start."]),
        (InvalidSettings(["SETIA_PORT: no."]), EXIT_USAGE, ["Setia cannot start", "  SETIA_PORT: no."]),
        (ZeroDivisionError("oh"), EXIT_FAILED, ["ZeroDivisionError: oh", "setia --debug"]),
        (KeyboardInterrupt(), 130, []),
        (typer.Exit(3), 3, []),
    ],
    indirect=["failing"],
)
@pytest.mark.usefixtures("failing")
def test_a_failure_is_told_on_stderr_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int, said: list[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["setia", "fail"])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    assert ended.value.code == code
    assert captured.out == ""
    assert all(part in captured.err for part in said)
    assert "Traceback" not in captured.err


def test_debug_shows_where_it_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotFound) as caught:
        raise NotFound
    assert explain(caught.value, debug=True) == EXIT_FAILED
    assert "Traceback" in capsys.readouterr().err


def test_every_module_adds_its_commands() -> None:
    names = {command.name or command.callback.__name__ for command in cli.app.registered_commands if command.callback}
    assert {"version", "migrate", "serve"} <= names


def test_migrate_brings_the_database_to_this_version(empty_database_url: str) -> None:
    environment = {"SETIA_DATABASE_URL": empty_database_url}
    head = migrate.head()

    checked = run("migrate", "--check", "--json", environment=environment)
    assert json.loads(checked.stdout) == {"before": None, "now": None, "head": head}
    assert checked.returncode == (0 if head is None else EXIT_FAILED)

    done = run("migrate", environment=environment)
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing is left to do" in done.stderr
    with Database(empty_database_url) as database:
        assert migrate.current(database) == head


def test_serve_migrates_and_hands_the_settings_to_the_server(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served: list[tuple[str, dict[str, object]]] = []

    class Server:
        def __init__(self, target: str, **options: object) -> None:
            served.append((target, options))

        def on_startup(self, _hook: object) -> None:
            """No worker starts, so nobody is told that one listens."""

        def serve(self) -> None:
            with Database(empty_database_url) as database:
                assert migrate.current(database) == migrate.head()

    monkeypatch.setattr("granian.Granian", Server)
    monkeypatch.setattr("setia.logs.configure_logs", lambda _settings: None)
    monkeypatch.setenv("SETIA_DATABASE_URL", empty_database_url)
    result = CliRunner().invoke(app, ["serve", "--port", "8123"])

    assert result.exit_code == 0, result.output
    ((target, options),) = served
    assert target == "setia.server:create"
    assert (options["address"], options["port"], options["workers"]) == ("127.0.0.1", 8123, 1)


def test_an_interrupt_ends_with_130(tmp_path: Path) -> None:
    program = (
        "import time, setia.cli.main as m; "
        "m.app.command('wait')(lambda: (print('up', flush=True), time.sleep(60))); m.main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, "wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
