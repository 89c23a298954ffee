"""`setia program publish` and `setia program versions`."""

import datetime as dt
import getpass
from pathlib import Path
from typing import Annotated

import typer

from setia.cli.console import out, print_data, say
from setia.cli.moments import ClockBegins, Test, mode_of, read_moment
from setia.cli.program import program_app


def register(_app: typer.Typer) -> None:
    """Add nothing: the commands stand in the group of `setia.cli.program`."""


@program_app.command()
def publish(
    path: Annotated[Path, typer.Argument(help="A YAML file, or a folder of them.")],
    *,
    note: Annotated[str, typer.Option(help="What changed, and why.")] = "",
    test: Test = False,
    clock: ClockBegins = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Check a definition and make it live. The one that is live already makes no new version.

    With `--test` it decides for the program of this id in test mode: beside the live one, with members, keys and a
    clock of its own.
    """
    from setia.db.engine import Database
    from setia.db.migrate import upgrade
    from setia.program.yaml_text import load
    from setia.settings import load_settings
    from setia.versions import service
    from setia.versions.checking import checked

    if clock is not None and not test:
        raise typer.BadParameter("only a program in test mode has a clock: add --test, or leave --clock out.")
    begins = None if clock is None else read_moment(clock, "--clock")
    definition, warnings = checked(load(path))
    for warning in warnings:
        say(str(warning))
    with Database.open(load_settings(), role="publish") as database:
        # Publishing is the first thing a newcomer does: the tables are made then, and not asked for.
        upgrade(database)
        published = database.run(
            lambda tx: service.publish(
                tx, definition, f"user:{getpass.getuser()}", note, mode=mode_of(test), clock=begins
            )
        )
        with database.transaction() as tx:
            row = service.get_program(tx, published.version.program_id)
    for change in published.changes:
        say(str(change))
    number = published.version.number
    if as_json:
        digest = published.version.digest.hex()
        print_data(
            {
                "program": row.key,
                "mode": row.mode,
                "number": number,
                "digest": digest,
                "is_new": published.is_new,
                "clock": row.clock,
            }
        )
    elif published.is_new:
        say(f"Version {number} of {row.title} is live.{_clock(row.clock)}")
    else:
        say(f"Nothing changed: this is version {number} of {row.title}, which is live.{_clock(row.clock)}")


def _clock(moment: dt.datetime | None) -> str:
    return "" if moment is None else f" Its clock stands at {moment.isoformat()}."


@program_app.command()
def versions(
    program: Annotated[str, typer.Argument(help="The program, by its id.")],
    *,
    test: Test = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the newest published versions of a program."""
    from rich.table import Table

    from setia.db.engine import Database
    from setia.settings import load_settings
    from setia.versions import service

    with Database.open(load_settings(), role="versions") as database, database.transaction() as tx:
        found = service.list_versions(tx, service.find_program(tx, program, mode_of(test)).id)
    if as_json:
        print_data(
            [
                {
                    "number": version.number,
                    "is_live": version.is_live,
                    "digest": version.digest.hex(),
                    "author": version.author,
                    "note": version.note,
                    "published_at": version.published_at,
                }
                for version in found
            ]
        )
        return
    table = Table("number", "live", "published", "author", "note")
    for version in found:
        published = version.published_at.strftime("%Y-%m-%d %H:%M")
        table.add_row(str(version.number), "yes" if version.is_live else "", published, version.author, version.note)
    out.print(table)
