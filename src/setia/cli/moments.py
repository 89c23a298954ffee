"""Options about time: which program, the live one or its test, and moments as people write them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import typer

Test = Annotated[bool, typer.Option("--test", help="The program of this id in test mode.")]
ClockBegins = Annotated[
    str | None,
    typer.Option(
        "--clock", help="Where the clock of a new test program begins, as 2026-01-01T00:00+01:00; now without it."
    ),
]


def mode_of(test: bool) -> Literal["live", "test"]:  # noqa: FBT001 - the option as it was given
    """The mode that the option `--test` means."""
    return "test" if test else "live"


def read_moment(text: str, option: str) -> dt.datetime:
    """A moment with its offset; a wrong one ends the command, and says how to write it."""
    try:
        moment = dt.datetime.fromisoformat(text).astimezone(dt.UTC) if _has_offset(text) else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise typer.BadParameter(
            f"{text!r} is no moment with an offset; write it as 2026-01-01T00:00+01:00 or 2026-01-01T00:00Z.",
            param_hint=option,
        )
    return moment


def _has_offset(text: str) -> bool:
    return dt.datetime.fromisoformat(text).tzinfo is not None
