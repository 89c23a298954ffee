"""Where the command line writes: data to stdout, messages to stderr."""

import json
import sys
from typing import Any, TextIO

from rich.console import Console

_PIPE_WIDTH = 400
"""Columns of a line that goes to a file or a pipe: wide enough that no table has to cut a figure there."""


def _console(stream: TextIO, *, stderr: bool = False) -> Console:
    # Rich itself honours NO_COLOR, and writes no colours where no terminal is; there it would assume 80 columns.
    return Console(stderr=stderr, width=None if stream.isatty() else _PIPE_WIDTH)


out = _console(sys.stdout)
err = _console(sys.stderr, stderr=True)


def print_data(data: Any) -> None:
    """Write JSON for programs: one document, no colours, no wrapping."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n")


def say(message: str) -> None:
    """Write a message for the person at the keyboard."""
    err.print(message, markup=False, highlight=False, soft_wrap=True)


def complain(message: str) -> None:
    """Write what went wrong."""
    err.print("[bold red]Error:[/] ", end="")
    say(message)
