"""`setia rebuild`: count the members' counters again from their history, or check that it would change nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from setia.cli.console import out, print_data, say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rebuild)


def rebuild(
    *,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit code 1 on a difference.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Count every member's counters (sums, windows, limits, tiers) again from the journal.

    They are a snapshot: deleting and counting them again changes nothing. `setia verify` proves balances and lots.
    """
    import msgspec

    from setia.db.engine import Database
    from setia.db.ids import format_id
    from setia.events.rebuild import rebuild_states
    from setia.settings import load_settings
    from setia.versions.service import list_programs

    with Database.open(load_settings(), role="rebuild") as database:
        with database.transaction() as tx:
            programs = [program for program in list_programs(tx) if program.live_version is not None]
        found = {program.title: rebuild_states(database, program.id, check=check) for program in programs}
    if as_json:
        print_data({key: msgspec.to_builtins(rebuilt) for key, rebuilt in found.items()})
    for key, rebuilt in found.items():
        for difference in rebuilt.differences if not as_json else ():
            out.print(
                f"{key} {format_id('mem', difference.member_id)} {difference.figure}: "
                f"counted {difference.counted}, stored {difference.stored}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
        say(
            f"{key}: {rebuilt.members:,} members, {rebuilt.different:,} differed, "
            f"{rebuilt.stale:,} were counted under another version."
        )
        if rebuilt.coupons:
            say(f"{key}: {rebuilt.coupons:,} coupons and uses of them were counted again.")
    if check and any(rebuilt.different for rebuilt in found.values()):
        raise typer.Exit(1)
