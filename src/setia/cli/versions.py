"""`setia program publish` and `setia program versions`."""

import getpass
from pathlib import Path
from typing import Annotated, Literal

import typer

from setia.cli.console import out, print_data, say
from setia.cli.program import program_app


def register(_app: typer.Typer) -> None:
    """Add nothing: the commands stand in the group of `setia.cli.program`."""


@program_app.command()
def publish(
    path: Annotated[Path, typer.Argument(help="A YAML file, or a folder of them.")],
    *,
    note: Annotated[str, typer.Option(help="What changed, and why.")] = "",
    mode: Annotated[Literal["live", "test"], typer.Option(help="Of a program that is new here.")] = "live",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Check a definition and make it live. The one that is live already makes no new version."""
    from setia.db.engine import Database
    from setia.db.migrate import upgrade
    from setia.program.yaml_text import load
    from setia.settings import load_settings
    from setia.versions import service
    from setia.versions.checking import checked

    definition, warnings = checked(load(path))
    for warning in warnings:
        say(str(warning))
    with Database.open(load_settings(), role="publish") as database:
        # Publishing is the first thing a newcomer does: the tables are made then, and not asked for.
        upgrade(database)
        published = database.run(
            lambda tx: service.publish(tx, definition, f"user:{getpass.getuser()}", note, mode=mode)
        )
    number = published.version.number
    if as_json:
        digest = published.version.digest.hex()
        print_data({"program": definition.program.id, "number": number, "digest": digest, "is_new": published.is_new})
    elif published.is_new:
        say(f"Version {number} of {definition.program.id} is live.")
    else:
        say(f"Nothing changed: this is version {number} of {definition.program.id}, which is live.")


@program_app.command()
def versions(
    program: Annotated[str, typer.Argument(help="The program, by its id.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the newest published versions of a program."""
    from rich.table import Table

    from setia.db.engine import Database
    from setia.settings import load_settings
    from setia.versions import service

    with Database.open(load_settings(), role="versions") as database, database.transaction() as tx:
        found = service.list_versions(tx, service.find_program(tx, program).id)
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
