"""Where the command line writes: data to stdout, messages to stderr."""

import json
import sys
from typing import Any

from rich.console import Console

# Rich itself honours NO_COLOR, and writes no colours where no terminal is.
out = Console()
err = Console(stderr=True)


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
