"""`setia codes`: codes that were made elsewhere, imported into pools, and what is left of them."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from setia.cli.console import print_data, say
from setia.cli.moments import Test, mode_of

codes = typer.Typer(help="Codes that were made elsewhere: import them into pools.", no_args_is_help=True)

Program = Annotated[str, typer.Option(help="The program the pool belongs to, by its id.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(codes, name="codes")


@codes.command("import")
def import_(
    pool: Annotated[str, typer.Argument(help="The pool, as rewards name it.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="One code in each line.")],
    *,
    program: Program,
    test: Test = False,
    as_json: AsJson = False,
) -> None:
    """Add the codes of a file to a pool. Those that are there stay as they are, so it can be run again."""
    from setia.db.engine import Database, driver_connection
    from setia.rewards.codes import CodeBook
    from setia.rewards.pools import MOST_AT_ONCE, codes_in, import_codes
    from setia.secret import load_secret_key
    from setia.settings import load_settings
    from setia.versions.service import find_program

    settings = load_settings()
    texts = codes_in(file.read_text(encoding="utf-8-sig").splitlines())
    added, known = 0, 0
    unusable: list[int] = []
    with Database.open(settings, role="codes") as database:
        book = CodeBook(load_secret_key(settings))
        for start in range(0, len(texts), MOST_AT_ONCE):
            # Each chunk is a transaction of its own: what is in stays in, and the next run passes it over.
            with database.transaction() as tx:
                row = find_program(tx, program, mode_of(test))
                part = texts[start : start + MOST_AT_ONCE]
                done = import_codes(driver_connection(tx), row.id, book, pool, part, dt.datetime.now(dt.UTC))
            added, known = added + done.added, known + done.known
            unusable += [start + place for place in done.unusable]
    if as_json:
        print_data({"pool": pool, "added": added, "known": known, "unusable": unusable})
        return
    say(f"{added} codes added to {pool}, {known} were there already.")
    if unusable:
        say(f"{len(unusable)} texts are no codes; the first is number {unusable[0]}. A code has 4 to 100 characters.")


@codes.command()
def pools(*, program: Program, test: Test = False, as_json: AsJson = False) -> None:
    """Show how many codes each pool has had, and how many are left."""
    from rich.table import Table

    from setia.cli.console import out
    from setia.db.engine import Database, driver_connection
    from setia.rewards.pools import list_pools
    from setia.settings import load_settings
    from setia.versions.service import find_program

    with Database.open(load_settings(), role="codes") as database, database.transaction() as tx:
        found = list_pools(driver_connection(tx), find_program(tx, program, mode_of(test)).id)
    if as_json:
        print_data([{"pool": one.name, "codes": one.codes, "left": one.left} for one in found])
        return
    table = Table("pool", "codes", "left")
    for one in found:
        table.add_row(one.name, str(one.codes), str(one.left))
    out.print(table)
