"""`setia settle`: book what time has done, for every member for whom something is due, and holds and the like."""

from __future__ import annotations

from typing import Annotated

import typer

from setia.cli.console import print_data, say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(settle)


def settle(*, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Book points that have ended as expired, pending ones that have become available, and holds that are over.

    The server does it by itself every minute, and for a member before anything is decided about it; so this is for
    a database that no server serves. Running it late, twice or at the same time books nothing twice. A program in test
    mode is settled by its own clock.
    """
    import datetime as dt

    from setia.db.engine import Database
    from setia.due.works import do_works
    from setia.events.live import LivePrograms
    from setia.events.settling import settle_due
    from setia.settings import load_settings
    from setia.versions.service import list_programs

    with Database.open(load_settings(), role="settle") as database:
        with database.transaction() as tx:
            programs = [program for program in list_programs(tx) if program.live_version is not None]
        live, now = LivePrograms(database), dt.datetime.now(dt.UTC)
        settled = {}
        for program in programs:
            moment = program.now(now)
            members = settle_due(database, live, program.id, moment)
            settled[program.title] = members + do_works(database, live, moment, program.id)
    if as_json:
        print_data(settled)
    for key, times in settled.items():
        say(f"{key}: {times:,} times something was due.")
