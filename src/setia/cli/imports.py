"""`setia import`: a file of purchases, events or members, mapped and booked."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from setia.cli.console import complain, err, out, print_data, say
from setia.cli.moments import Test, mode_of

if TYPE_CHECKING:
    from setia.db.engine import Database
    from setia.imports.event_mapping import EventsMap
    from setia.imports.fates import Report, Stopped
    from setia.imports.importing import Wanted, Watch
    from setia.imports.mapping import ImportMap
    from setia.imports.members import MembersReport

EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

imports = typer.Typer(name="import", help="Bring in what other systems have recorded.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(imports)


File = Annotated[Path, typer.Argument(help="CSV, blank-separated, JSON lines or Parquet; also inside .xz or .gz.")]
MapFile = Annotated[Path, typer.Option("--map", help="YAML that says what rows become.")]
ProgramId = Annotated[str, typer.Option(help="The program's id, as in its definition.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read, map and check, and book nothing.")]
Most = Annotated[int | None, typer.Option(min=1, help="Stop after so many orders or events.")]
MostMembers = Annotated[int | None, typer.Option("--limit", min=1, help="Stop after so many new members.")]
Unknown = Annotated[
    Literal["refuse", "enrol", "keep"] | None,
    typer.Option(help="What to do with members nobody knows; by default what the program says."),
]
Refused = Annotated[Path | None, typer.Option(help="Write refused rows here: .csv, or JSON lines.")]
SetAside = Annotated[Path | None, typer.Option(help="Write rows here that the map sets aside.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Jobs = Annotated[int, typer.Option(min=1, max=64, help="Processes that book.")]


@imports.command()
def purchases(  # noqa: PLR0913 - options of a command
    file: File,
    *,
    map_file: MapFile,
    program: ProgramId,
    test: Test = False,
    dry_run: DryRun = False,
    limit: Most = None,
    unknown: Unknown = None,
    refused: Refused = None,
    set_aside: SetAside = None,
    as_json: AsJson = False,
    jobs: Jobs = 1,
) -> None:
    """Import purchases. The same import again books what is missing and nothing twice.

    Exit code 0: every row was booked, is known already, or was left by the map's own conditions. 1: rows were refused,
    or the file or the database broke off. 2: wrongly called, or the map or the program does not fit. 130: interrupted.
    """
    from setia.imports.mapping import ImportMap

    options = (program, unknown, limit, refused, set_aside, dry_run, jobs, mode_of(test))
    _import(file, map_file, ImportMap, options, as_json=as_json)


@imports.command()
def events(  # noqa: PLR0913 - options of a command
    file: File,
    *,
    map_file: MapFile,
    program: ProgramId,
    test: Test = False,
    dry_run: DryRun = False,
    limit: Most = None,
    unknown: Unknown = None,
    refused: Refused = None,
    set_aside: SetAside = None,
    as_json: AsJson = False,
    jobs: Jobs = 1,
) -> None:
    """Import events of any type. The same import again books what is missing and nothing twice.

    Exit codes are those of `setia import purchases`.
    """
    from setia.imports.event_mapping import EventsMap

    options = (program, unknown, limit, refused, set_aside, dry_run, jobs, mode_of(test))
    _import(file, map_file, EventsMap, options, as_json=as_json)


@imports.command()
def members(  # noqa: PLR0913 - options of a command
    file: File,
    *,
    map_file: MapFile,
    program: ProgramId,
    test: Test = False,
    dry_run: DryRun = False,
    limit: MostMembers = None,
    refused: Refused = None,
    set_aside: SetAside = None,
    as_json: AsJson = False,
) -> None:
    """Import members. The same import again enrols who is missing, and nobody twice.

    Exit codes are those of `setia import purchases`.
    """
    from setia.db.engine import Database
    from setia.imports.mapping import load_map
    from setia.imports.member_mapping import MembersMap
    from setia.imports.members import WantedMembers, import_members
    from setia.settings import load_settings

    with _complaining():
        form, sources = load_map(map_file, MembersMap)
        wanted = WantedMembers(file, form, sources, program, limit, refused, set_aside, dry_run, mode_of(test))
        with Database.open(load_settings(), role="import") as database, _watching() as watch:
            report = import_members(database, wanted, watch)
    if as_json:
        print_data(report.as_dict())
    else:
        _show_members(report)
    _end(report.stopped, is_fine=report.is_fine)


@contextmanager
def _complaining() -> Iterator[None]:
    """Say what is wrong with a map, a file or a program, and end."""
    from setia.problems import Problem
    from setia.program.findings import DefinitionError

    try:
        yield
    except DefinitionError as error:
        for finding in error.findings:
            say(str(finding))
        raise typer.Exit(EXIT_USAGE) from None
    except Problem as problem:
        complain(problem.detail or problem.title)
        raise typer.Exit(EXIT_USAGE) from None


def _end(stopped: Stopped | None, *, is_fine: bool) -> None:
    """End with the exit code of what became of a run."""
    if stopped is not None and stopped.by == "interrupted":
        say("What was booked stays. Run the same command again to continue.")
        raise typer.Exit(EXIT_INTERRUPTED)
    if not is_fine:
        raise typer.Exit(EXIT_REFUSED)


def _import(
    file: Path, map_file: Path, kind: type[ImportMap | EventsMap], options: tuple[Any, ...], *, as_json: bool
) -> None:
    from setia.db.engine import Database
    from setia.imports.importing import Wanted
    from setia.imports.mapping import load_map
    from setia.settings import load_settings

    with _complaining():
        form, sources = load_map(map_file, kind)
        wanted = Wanted(file, form, sources, *options)
        with Database.open(load_settings(), role="import") as database:
            report = _run(database, wanted)
    if as_json:
        print_data(report.as_dict())
    else:
        _show(report)
    tally = report.tally
    if not tally.is_balanced:
        complain(f"Of {tally.rows_read} rows that were read {tally.accounted} have a fate. Please report this.")
    _end(report.stopped, is_fine=report.is_fine)


def _run(database: Database, wanted: Wanted) -> Report:
    from setia.imports.importing import import_rows
    from setia.imports.lanes import collect_rarely

    collect_rarely()
    with _watching() as watch:
        return import_rows(database, wanted, watch)


@contextmanager
def _watching() -> Iterator[Watch]:
    """What shows how far a run is, to people, and stops it."""
    from setia.imports.importing import Watch

    if not err.is_terminal:
        watch = Watch()
        with _stopping(watch):
            yield watch
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), "{task.percentage:>3.0f} % read", TextColumn("{task.fields[told]}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as shown:
        task = shown.add_task("", total=None, told="")

        class Told(Watch):
            """Draws a bar."""

            def progress(self, done: int, size: int, rows: int, settled: int) -> None:
                """Move it."""
                elapsed = shown.tasks[0].elapsed or 0.0
                rate = f"{settled / elapsed:,.0f} rows/s" if elapsed else ""
                told = f"{settled:,} of {rows:,} rows settled, {rate}"
                shown.update(task, total=size, completed=done, told=told)

        watch = Told()
        with _stopping(watch):
            yield watch


@contextmanager
def _stopping(watch: Watch) -> Iterator[None]:
    """The first Ctrl-C lets the batch end that is being booked; the second one does not wait for it."""

    def stop(_number: int, _frame: object) -> None:
        watch.stop = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _show(report: Report) -> None:
    from rich.table import Table

    from setia.imports.fates import GOOD, money, points_text

    tally = report.tally
    table = Table("fate of the rows", box=None, header_style="bold")
    for name in ("rows", report.of, report.currency, *report.decimals):
        table.add_column(name, justify="right")
    for fate in GOOD:
        if tally.rows[fate]:
            points = [points_text(tally.points[fate][name], places) for name, places in report.decimals.items()]
            amount = money(tally.money[fate], report.currency)
            table.add_row(fate, f"{tally.rows[fate]:,}", f"{tally.orders[fate]:,}", f"{amount:,f}", *points)
    for name, rows in sorted(tally.skipped.items()):
        table.add_row(f"skipped: {name}", f"{rows:,}")
    for name in sorted(tally.set_aside.keys() | tally.matched.keys()):
        more = tally.matched[name] - tally.set_aside[name]
        also = f" (and {more:,} counted under another name)" if more else ""
        table.add_row(f"set aside: {name}{also}", f"{tally.set_aside[name]:,}")
    for code, rows in sorted(tally.refused.items()):
        table.add_row(f"[red]refused: {code}[/]", f"{rows:,}")
    if tally.not_reached:
        table.add_row("not reached", f"{tally.not_reached:,}")
    table.add_section()
    table.add_row("[bold]read[/]", f"[bold]{tally.rows_read:,}[/]")
    out.print(table)
    if report.of == "events" or tally.returned:
        for kind, count in sorted(tally.types.items()):
            say(f"{kind}: {count:,}")
    _tell(report)


def _show_members(report: MembersReport) -> None:
    from rich.table import Table

    table = Table("fate of the rows", "rows", box=None, header_style="bold")
    for name, rows in (("enrolled", report.enrolled), ("known", report.known)):
        table.add_row(name, f"{rows:,}")
    for fate in ("skipped", "set_aside", "refused"):
        for name, rows in sorted(getattr(report, fate).items()):
            table.add_row(f"{fate.replace('_', ' ')}: {name}", f"{rows:,}")
    if report.not_reached:
        table.add_row("not reached", f"{report.not_reached:,}")
    table.add_section()
    table.add_row("[bold]read[/]", f"[bold]{report.read:,}[/]")
    out.print(table)
    if report.dry_run:
        say("A dry run: everything was read, mapped and checked against the program, and nobody was enrolled.")
    if report.stopped is not None:
        say(report.stopped.detail)


def _tell(report: Report) -> None:
    tally = report.tally
    say(
        f"{tally.members_new:,} new members. {report.seconds:.1f} s, {tally.rows_read / report.seconds:,.0f} rows/s, "
        f"{report.per_second:,} {report.of}/s."
    )
    if tally.skipped_hour:
        say(
            f"{tally.skipped_hour:,} {report.of} name a local time that the change of the clocks skips; it is read by "
            "the clock before the change. Is the timezone of the map the right one?"
        )
    if report.dry_run:
        say("A dry run: everything was read, mapped and checked against the program, and nothing was booked.")
    if report.stopped is not None:
        say(report.stopped.detail)
