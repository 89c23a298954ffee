"""`setia migrate`: bring the database to this version."""

from typing import Annotated

import typer

from setia.cli.console import print_data, say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(migrate)


def migrate(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 1 if there is something to do.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Bring the database to the tables of this version. `serve` does it by itself."""
    from setia.db import migrate as migrations
    from setia.db.engine import Database
    from setia.settings import load_settings

    with Database.open(load_settings(), role="migrate") as database:
        before = migrations.current(database)
        head = migrations.head()
        if not check:
            migrations.upgrade(database)
        after = migrations.current(database)
    if as_json:
        print_data({"before": before, "now": after, "head": head})
    elif after == head:
        say(f"The database is at {after or 'the beginning'}; nothing is left to do.")
    else:
        say(f"The database is at {after or 'the beginning'}, this version needs {head}. Run `setia migrate`.")
    if after != head:
        raise typer.Exit(1)
