"""docs/reference/cli.md has a section for every command, with every option."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from setia.cli.main import app

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
SECTION = re.compile(r"^## `setia ([^`]+)`\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(path), command
        return
    for name, one in inner.items():
        yield from commands(one, (*path, name))


DECLARED = dict(commands(typer.main.get_command(app)))
TOLD = dict(SECTION.findall(PAGE.read_text(encoding="utf-8")))


def test_every_command_has_a_section_and_there_is_no_other() -> None:
    assert set(TOLD) == set(DECLARED)


def test_every_option_stands_in_its_section_and_no_other() -> None:
    for name, command in DECLARED.items():
        options = {
            option
            for parameter in command.params
            for option in (*parameter.opts, *parameter.secondary_opts)
            if option.startswith("--") and option != "--help"
        }
        rows = re.findall(r"^\| (`--.+?) \|", TOLD[name], re.MULTILINE)
        assert {option for row in rows for option in re.findall(r"`(--[\w-]+)`", row)} == options, name


def test_every_argument_stands_in_its_section() -> None:
    for name, command in DECLARED.items():
        for parameter in command.params:
            if not parameter.opts[0].startswith("--"):
                assert f"{parameter.opts[0].upper()}" in TOLD[name], name
