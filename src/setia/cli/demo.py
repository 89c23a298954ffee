"""`setia demo`: watch a program run, with made-up members, in a database of its own."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from setia.cli.console import complain, err, out, print_data, say

if TYPE_CHECKING:
    from setia.demo.figures import Figures
    from setia.settings import Settings

_TEMPLATE = "coffee-stars"
_MOST_FINDINGS = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def last_september(day: dt.date) -> dt.date:
    """The last 30 September up to a day: the same figures every day, and levels that are judged on the way."""
    return dt.date(day.year if (day.month, day.day) >= (9, 30) else day.year - 1, 9, 30)


def demo(
    *,
    members: Annotated[int, typer.Option(min=1, max=100_000, help="How many members to make up.")] = 2000,
    seed: Annotated[int, typer.Option(help="Another seed gives other members.")] = 1,
    until: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Last day of the year; the last 30 September when nothing is said."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Stop after the figures; exit with 1 if verify finds anything.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as one JSON object.")] = False,
) -> None:
    """Run a coffee bar's program through a made-up year, show the figures, and serve it.

    It uses a database of its own, in `demo` under the data folder, and makes it anew each time: real data is never
    touched, whatever SETIA_DATABASE_URL says.
    """
    from zoneinfo import ZoneInfo

    from setia.db.engine import driver_connection
    from setia.demo.figures import as_json as plain
    from setia.demo.figures import draw_up
    from setia.demo.house import demo_folder, fresh_database
    from setia.demo.running import run_year
    from setia.demo.showing import show
    from setia.demo.year import DAYS, draw_year
    from setia.engine.calendar import midnight
    from setia.events.live import LivePrograms
    from setia.identity.scopes import Scope
    from setia.identity.service import create_key
    from setia.program.templates import load_template
    from setia.secret import load_secret_key
    from setia.settings import load_settings
    from setia.versions.service import publish

    settings = load_settings()
    definition = load_template(_TEMPLATE)
    zone = ZoneInfo(definition.program.timezone)
    yesterday = dt.datetime.now(zone).date() - dt.timedelta(days=1)
    last = last_september(yesterday) if until is None else until.date()
    if last > yesterday:
        raise typer.BadParameter(f"the year must be over: it can end with {yesterday} at the latest.")
    say(f"Making a database for the demo in {demo_folder(settings)}; no other data is touched.")
    with fresh_database(settings) as database:
        begins = midnight(last - dt.timedelta(days=DAYS - 1), zone)
        # Who serves the demo reads its secret there too, and knows the codes of its gift cards.
        own = settings.model_copy(update={"data_dir": demo_folder(settings), "database_url": None})
        secret = load_secret_key(own)
        version = database.run(lambda tx: publish(tx, definition, "demo", mode="test", clock=begins).version)
        program_id = version.program_id
        say(f"Making up {members:,} members of {_TEMPLATE} and their year.")
        year = draw_year(seed, members, last, zone)
        with _progress(len(year)) as advance:
            tally = run_year(database, program_id, year, last, advance, secret=secret)
        say("Recounting the ledger.")
        figures, findings = draw_up(database, program_id, tally, seed=seed, until=last)
        with database.transaction() as tx:
            program = LivePrograms(database).live(driver_connection(tx), program_id).compiled
            key = "" if check else str(create_key(tx, program_id, "test", list(Scope), label="demo"))
        if as_json:
            print_data(plain(figures))
        else:
            show(out, figures, program)
        for found in findings[:_MOST_FINDINGS]:
            complain(
                f"{found.kind} ({found.invariant}): {found.detail}: expected {found.expected}, found {found.found}"
            )
        if check:
            raise typer.Exit(1 if findings else 0)
        # Its connections are not needed any more, but the server is held for the workers that follow.
        database.engine.dispose()
        _serve(settings, figures, key)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr; where no terminal is, a line for each tenth, because a bar cannot move there."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    done = 0

    def tell(events: int) -> None:
        nonlocal done
        before, done = done * 10 // total, done + events
        if done * 10 // total > before:
            say(f"Booked {done:,} of {total:,} events.")

    if not err.is_terminal:
        yield tell
        return
    columns = (TextColumn("Booking"), BarColumn(), MofNCompleteColumn(), TextColumn("events"), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("booking", total=total)
        yield lambda events: progress.advance(task, events)


def _serve(settings: Settings, figures: Figures, key: str) -> None:
    from setia.cli.serve import serve
    from setia.demo.house import demo_folder

    port = _free_port(settings.host, settings.port)
    url = f"http://{settings.host}:{port}"
    # Workers read their settings from the environment, and must find the demo's database there and no other.
    os.environ.pop("SETIA_DATABASE_URL", None)  # noqa: TID251 - of the processes that are started here
    os.environ["SETIA_DATA_DIR"] = str(demo_folder(settings))  # noqa: TID251 - likewise
    say("")
    say(f"API reference: {url}/docs")
    say(f"API key:       {key}")
    if figures.member is not None:
        say("\nTry a purchase, sent again it is booked only once:\n")
        say(_curl_purchase(url, key, figures.member.card))
        say("\nand see what it did:\n")
        say(f"  curl -s '{url}/v1/members/{figures.member.id}/statement?limit=1&locale=en' \\")
        say(f"    -H 'Authorization: Bearer {key}'")
    say("\nLet a month pass: its clock stands where the year ended, and moves only when you say so.\n")
    say(f"  curl -s '{url}/v1/clock' -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\")
    say('    -d \'{"by": "30d"}\'')
    say("\nCtrl-C stops it.\n")
    serve(host=settings.host, port=port, workers=1, migrate=False)


def _curl_purchase(url: str, key: str, card: str) -> str:
    lines = [{"sku": "CAP-OAT", "category": "coffee", "quantity": 2, "amount": "8.00", "labels": ["oat_milk"]}]
    body = {"type": "purchase", "external_id": "receipt-1", "member": {"card": card}, "currency": "EUR", "lines": lines}
    return (
        f"  curl -s '{url}/v1/events?locale=en' -H 'Authorization: Bearer {key}' \\\n"
        f"    -H 'Content-Type: application/json' -d '{json.dumps(body)}'"
    )


def _free_port(host: str, port: int) -> int:
    """The port of the settings, or any other when somebody listens there already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in (port, 0):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    return port
