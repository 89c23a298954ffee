"""`setia clock`: the time of a program in test mode."""

from __future__ import annotations

from typing import Annotated

import typer

from setia.cli.console import out, print_data, say
from setia.cli.moments import read_moment

clock = typer.Typer(help="The time of a program in test mode: read it, and let it pass.", no_args_is_help=True)

Program = Annotated[str, typer.Argument(help="The program in test mode, by its id.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(clock, name="clock")


@clock.command()
def show(program: Program, *, as_json: AsJson = False) -> None:
    """Print where the clock of a test program stands."""
    from setia.db.engine import Database
    from setia.settings import load_settings
    from setia.versions.service import find_program, live

    with Database.open(load_settings(), role="clock") as database, database.transaction() as tx:
        row = find_program(tx, program, "test")
        zone = live(tx, row.id)[1].program.timezone
    if as_json:
        print_data({"program": row.key, "mode": row.mode, "now": row.clock, "timezone": zone})
    else:
        out.print(str(row.clock and row.clock.isoformat()), highlight=False)


@clock.command()
def advance(
    program: Program,
    *,
    to: Annotated[str | None, typer.Option(help="A moment with its offset, as 2026-06-01T00:00+02:00.")] = None,
    by: Annotated[str | None, typer.Option(help="How far: 12h, 30d, 6w, 2mo, 1y; at most 10y.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let time pass for a test program, and do what comes due on the way, day by day.

    Interrupted, it leaves the clock at the day it has come to; the same command with --to goes on from there.
    """
    from pydantic import ValidationError

    from setia.clock import service
    from setia.db.engine import Database
    from setia.events.live import LivePrograms
    from setia.program.names import Period
    from setia.settings import load_settings
    from setia.versions.service import find_program

    if (to is None) == (by is None):
        raise typer.BadParameter("how far: name exactly one of --to and --by.")
    try:
        goal = read_moment(to, "--to") if to is not None else Period.model_validate(by)
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"].removeprefix("Value error, "), param_hint="--by") from None
    with Database.open(load_settings(), role="clock") as database:
        with database.transaction() as tx:
            row = find_program(tx, program, "test")
        advanced = service.advance(database, LivePrograms(database), row.id, goal)
    if as_json:
        print_data(
            {
                "program": row.key,
                "before": advanced.before,
                "now": advanced.now,
                "days": advanced.days,
                "settled": advanced.settled,
            }
        )
    else:
        out.print(advanced.now.isoformat(), highlight=False)
        say(f"Something was due on {advanced.days:,} days, {advanced.settled:,} times in all.")
