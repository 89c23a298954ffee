"""`setia verify` and `setia ledger adjust`: prove the ledger, and correct it by a new entry."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from setia.cli.console import out, print_data, say

if TYPE_CHECKING:
    from setia.ledger.verify import Finding, Report
    from setia.program.points import PointType


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(verify)
    ledger = typer.Typer(help="The ledger: points as money.", no_args_is_help=True)
    ledger.command()(adjust)
    app.add_typer(ledger, name="ledger")


def verify(*, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Recompute everything from history and name what does not agree. Exit code 1 when something is found.

    It may run at any time: it sees one moment of the database, and changes nothing.
    """
    from setia.db.engine import Database
    from setia.events.verify import verify as verify_everything
    from setia.settings import load_settings
    from setia.versions.service import list_programs

    with Database.open(load_settings(), role="verify") as database:
        report = verify_everything(database)
        with database.transaction() as tx:
            keys = {program.id: program.title for program in list_programs(tx)}
    if as_json:
        print_data(_as_json(report, keys))
    else:
        _show(report, keys)
    if not report.is_clean:
        raise typer.Exit(1)


def adjust(  # noqa: PLR0913 - options of a command
    member: Annotated[str, typer.Argument(help="The member's id, mem_...")],
    points: Annotated[str, typer.Argument(help="The point type.")],
    *,
    give: Annotated[str | None, typer.Option(help="How many points to give.")] = None,
    take: Annotated[str | None, typer.Option(help="How many points to take.")] = None,
    reason: Annotated[str, typer.Option(help="Why; it stays in the statement.")],
    actor: Annotated[str, typer.Option(help="Who does it; it stays in the statement.")],
    key: Annotated[str, typer.Option(help="Names this adjustment: the same key again books nothing again.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Give points to a member, or take them."""
    from uuid import UUID

    import sqlalchemy as sa

    from setia.db.engine import Database, driver_connection
    from setia.db.ids import parse_id
    from setia.events.live import LivePrograms
    from setia.events.settling import settle_one
    from setia.ledger.adjustments import Adjusted, Adjustment
    from setia.ledger.adjustments import adjust as book_adjustment
    from setia.ledger.states import levels_held, lock_members, program_of
    from setia.members.points import terms_of
    from setia.settings import load_settings
    from setia.versions.service import live, program_now

    if (give is None) == (take is None):
        raise typer.BadParameter("give or take: name exactly one of --give and --take.")
    try:
        member_id: UUID = parse_id("mem", member)
    except ValueError as error:
        raise typer.BadParameter(f"MEMBER {error}.") from None

    def work(programs: LivePrograms, tx: sa.Connection) -> tuple[Adjusted, PointType]:
        connection = driver_connection(tx)
        program_id = program_of(connection, member_id)
        version, definition = live(tx, program_id)
        now = program_now(tx, program_id)
        point_type = definition.points.get(points)
        if point_type is None:
            raise typer.BadParameter(f"there is no point type {points!r}; there are: {', '.join(definition.points)}.")
        units = _units(give or take or "", point_type.decimals)
        lock_members(connection, [member_id])
        settle_one(connection, programs.live(connection, program_id), member_id, now)
        terms = terms_of(definition, version, points, now, levels_held(connection, member_id))
        asked = Adjustment(
            member_id=member_id,
            point_type=points,
            amount=units if take is None else -units,
            reason=reason,
            actor=actor,
            idempotency_key=key,
        )
        return book_adjustment(connection, asked, terms, now), point_type

    with Database.open(load_settings(), role="ledger") as database:
        done, point_type = database.run(partial(work, LivePrograms(database)))
    available = _points(done.balance.available, point_type.decimals)
    if as_json:
        print_data(
            {
                "entry": str(done.entry_id),
                "member": member,
                "seq": done.seq,
                "point_type": points,
                "amount": _points(done.amount, point_type.decimals),
                "available": available,
                "replayed": done.replayed,
            }
        )
    else:
        before = "It had been booked before. " if done.replayed else ""
        say(f"{before}Entry {done.seq}: {_points(done.amount, point_type.decimals)} {points}; available: {available}.")


def _units(text: str, decimals: int) -> int:
    try:
        units = Decimal(text).scaleb(decimals)
    except InvalidOperation:
        units = Decimal("NaN")
    if not units.is_finite() or units <= 0 or units != units.to_integral_value():
        raise typer.BadParameter(f"{text!r} is no number of points above 0 with at most {decimals} decimals.")
    return int(units)


def _points(units: int, decimals: int) -> str:
    return f"{Decimal(units).scaleb(-decimals):f}"


def _show(report: Report, keys: dict[int, str]) -> None:
    from rich.table import Table

    for finding in report.findings:
        # A line and no table: ids are long, and a line can be searched for and copied.
        place = " ".join(part for part in (_member(finding), _place(finding)) if part)
        out.print(
            f"{finding.kind} ({finding.invariant}) {place}: {finding.detail}: expected {finding.expected}, "
            f"found {finding.found}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    totals = Table("program", "points", "issued", "redeemed", "expired", "adjusted", "available", "pending", "held")
    for column in totals.columns[2:]:
        column.justify = "right"
    for total in report.totals:
        figures = (
            total.issued,
            total.redeemed,
            total.expired,
            total.adjusted,
            total.available,
            total.pending,
            total.held,
        )
        totals.add_row(_program(total.program_id, keys), total.point_type, *(f"{figure:,}" for figure in figures))
    out.print(totals)
    for kind in report.truncated:
        say(f"There are more findings of the kind {kind} than are shown.")
    verdict = "Everything agrees" if report.is_clean else f"{len(report.findings)} findings"
    say(
        f"{verdict}: {report.members:,} members, {report.entries:,} entries, {report.postings:,} postings "
        f"in {report.seconds} s."
    )


def _as_json(report: Report, keys: dict[int, str]) -> dict[str, Any]:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(report)
    plain["clean"] = report.is_clean
    for row, finding in zip(plain["findings"], report.findings, strict=True):
        row["member"] = _member(finding)
        del row["member_id"]
    for row in plain["totals"]:
        row["program"] = _program(row["program_id"], keys)
    return plain


def _program(number: int, keys: dict[int, str]) -> str:
    """A program as its owner calls it; by its number where it was taken away under its entries."""
    return keys.get(number, f"#{number}")


def _member(finding: Finding) -> str | None:
    from setia.db.ids import format_id

    return None if finding.member_id is None else format_id("mem", finding.member_id)


def _place(finding: Finding) -> str:
    numbers = [str(part) for part in (finding.seq, finding.line) if part is not None]
    return f"entry {'/'.join(numbers)}" if numbers else ""
