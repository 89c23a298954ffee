"""`setia key`: make, list and revoke API keys."""

import datetime as dt
from typing import Annotated

import typer

from setia.cli.console import out, print_data, say
from setia.cli.moments import Test, mode_of

keys = typer.Typer(help="API keys: make, list and revoke them.", no_args_is_help=True)

Program = Annotated[str, typer.Option(help="The program the key belongs to, by its id.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(keys, name="key")


@keys.command()
def create(
    *,
    program: Program,
    test: Test = False,
    scope: Annotated[list[str], typer.Option(help="What it may do, as events:write; give it several times, or `all`.")],
    label: Annotated[str, typer.Option(help="What it is for, for people.")] = "",
    expires_in_days: Annotated[int | None, typer.Option(min=1, max=36_500, help="Without it, it does not end.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, once."""
    from setia.db.engine import Database
    from setia.identity import service
    from setia.identity.scopes import Scope
    from setia.settings import load_settings
    from setia.versions.service import find_program

    scopes = list(Scope) if scope == ["all"] else scope
    ends = None if expires_in_days is None else dt.datetime.now(dt.UTC) + dt.timedelta(days=expires_in_days)
    with Database.open(load_settings(), role="key") as database, database.transaction() as tx:
        row = find_program(tx, program, mode_of(test))
        text = service.create_key(tx, row.id, row.mode, scopes, label=label, expires_at=ends)
    if as_json:
        print_data({"key": str(text), "prefix": text.prefix, "scopes": sorted(scopes), "expires_at": ends})
        return
    # Only the key goes to stdout, so that a script can take it; it is never shown again.
    out.print(str(text), highlight=False, soft_wrap=True)
    say("Keep it now: it is not shown again. Send it as `Authorization: Bearer <key>`.")


@keys.command("list")
def list_(*, program: Program, test: Test = False, as_json: AsJson = False) -> None:
    """Show the keys of a program, without their secrets."""
    from rich.table import Table

    from setia.db.engine import Database
    from setia.identity import service
    from setia.settings import load_settings
    from setia.versions.service import find_program

    with Database.open(load_settings(), role="key") as database, database.transaction() as tx:
        found = service.list_keys(tx, find_program(tx, program, mode_of(test)).id)
    if as_json:
        print_data(
            [
                {
                    "prefix": key.prefix,
                    "label": key.label,
                    "scopes": sorted(key.scopes),
                    "created_at": key.created_at,
                    "expires_at": key.expires_at,
                    "revoked_at": key.revoked_at,
                    "last_used_at": key.last_used_at,
                }
                for key in found
            ]
        )
        return
    table = Table("prefix", "label", "scopes", "made", "ends", "revoked", "last used")
    for key in found:
        moments = (key.created_at, key.expires_at, key.revoked_at, key.last_used_at)
        table.add_row(key.prefix, key.label, " ".join(sorted(key.scopes)), *map(_minute, moments))
    out.print(table)


@keys.command()
def revoke(
    prefix: Annotated[str, typer.Argument(help="The ten characters after `setia_live_` or `setia_test_`.")],
    *,
    program: Program,
    test: Test = False,
) -> None:
    """End a key; servers stop taking it within seconds."""
    from setia.db.engine import Database
    from setia.identity import service
    from setia.settings import load_settings
    from setia.versions.service import find_program

    with Database.open(load_settings(), role="key") as database, database.transaction() as tx:
        key = service.revoke_key(tx, find_program(tx, program, mode_of(test)).id, prefix)
    say(f"The key {key.prefix} was revoked at {_minute(key.revoked_at)} UTC.")


def _minute(moment: dt.datetime | None) -> str:
    return "" if moment is None else moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M")
