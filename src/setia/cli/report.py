"""`setia report`: where all points went, equal to the wallets, and all money on gift cards; and what is owed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from setia.cli.console import out, print_data, say
from setia.cli.moments import Test, mode_of, read_moment

if TYPE_CHECKING:
    from setia.gift_cards.reporting import CardTotals
    from setia.ledger.reconciliation import Figures
    from setia.reports.reconciliation import Reconciled

report = typer.Typer(help="Reports for people who keep books.", no_args_is_help=True)
_COLUMNS = ("issued", "cancelled", "redeemed", "expired", "adjusted", "transferred", "outstanding", "liability")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(report, name="report")


@report.callback()
def reports() -> None:
    """Reports for people who keep books."""


@report.command()
def reconcile(
    program: Annotated[str, typer.Argument(help="The program, by its id.")],
    *,
    at: Annotated[str | None, typer.Option(help="A past moment with its offset, as 2026-04-01T00:00+02:00.")] = None,
    test: Test = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Sum up all points by type, month and campaign. Exit code 1 when they do not equal the wallets."""
    from setia.db.engine import Database
    from setia.reports.reconciliation import reconcile_program
    from setia.reports.router import ReconciliationOut
    from setia.settings import load_settings
    from setia.versions.service import find_program

    moment = None if at is None else read_moment(at, "--at")
    with Database.open(load_settings(), role="report") as database:
        with database.transaction() as tx:
            row = find_program(tx, program, mode_of(test))
        done = reconcile_program(database, row.id, moment)
    if as_json:
        print_data(ReconciliationOut.of(done).model_dump(mode="json"))
    else:
        _show(done)
    if not done.report.agrees:
        raise typer.Exit(1)


@report.command("gift-cards")
def gift_cards(
    program: Annotated[str, typer.Argument(help="The program, by its id.")],
    *,
    at: Annotated[str | None, typer.Option(help="A past moment with its offset, as 2026-04-01T00:00+02:00.")] = None,
    test: Test = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Sum up the money of all gift cards by kind. Exit code 1 when it does not equal the cards' balances."""
    import datetime as dt

    from setia.db.engine import Database, driver_connection
    from setia.gift_cards.reporting import card_totals
    from setia.gift_cards.schemas import CardReportOut
    from setia.settings import load_settings
    from setia.versions.service import find_program

    moment: dt.datetime | None = None if at is None else read_moment(at, "--at")
    with Database.open(load_settings(), role="report") as database, database.transaction("REPEATABLE READ") as tx:
        row = find_program(tx, program, mode_of(test))
        totals = card_totals(driver_connection(tx), row.id, moment)
    report = CardReportOut.of(moment, totals)
    if as_json:
        print_data(report.model_dump(mode="json"))
    else:
        _show_cards(totals)
    if not report.agrees:
        raise typer.Exit(1)


_CARD_COLUMNS = ("sold", "granted", "redeemed", "refunded", "expired", "paid_out", "outstanding")


def _show_cards(totals: list[CardTotals]) -> None:
    from rich.table import Table

    from setia.program.currencies import minor_digits

    table = Table("kind", "cards", *_CARD_COLUMNS)
    for column in table.columns[1:]:
        column.justify = "right"
    for total in totals:
        digits = minor_digits(total.currency)
        sums = [f"{Decimal(getattr(total, name)).scaleb(-digits):,f}" for name in _CARD_COLUMNS]
        table.add_row(total.kind, f"{total.cards:,}", *sums[:-1], f"{sums[-1]} {total.currency}")
    out.print(table)
    wrong = [total for total in totals if total.difference]
    for total in wrong:
        say(f"{total.kind}: the cards hold {total.difference:+,} more than their entries explain.")
    say("Run `setia verify`: it names them." if wrong else "Outstanding is what is owed to whoever holds the cards.")


def _show(done: Reconciled) -> None:
    from rich.table import Table

    table = Table("points", "month", "campaign", *_COLUMNS)
    for column in table.columns[3:]:
        column.justify = "right"
    for group in done.report.groups:
        row = _row(done, group.point_type, group.figures)
        table.add_row(group.point_type, group.month, group.campaign or "(none)", *row)
    for total in done.report.totals:
        table.add_row(total.point_type, "all", "all", *_row(done, total.point_type, total.figures), style="bold")
    out.print(table)
    for total in done.report.totals:
        if total.difference:
            say(f"{total.point_type}: the wallets hold {total.difference:+,} more than the postings explain.")
    if done.report.agrees:
        say(
            "The wallets hold what the postings explain. Liability: available and pending points, by their value today."
        )
    else:
        say("Run `setia verify`: it names the wallets that are wrong.")


def _row(done: Reconciled, points: str, figures: Figures) -> list[str]:
    from setia.reports.reconciliation import decimals_of, liability

    decimals = decimals_of(done.definition, points)
    owed = liability(done.definition, points, figures)
    sums = (
        *(figures.issued, figures.cancelled, figures.redeemed, figures.expired),
        *(figures.adjusted_in - figures.adjusted_out, figures.transferred, figures.outstanding),
    )
    shown = [f"{Decimal(units).scaleb(-decimals):,f}" for units in sums]
    return [*shown, "" if owed is None else f"{owed:,f} {done.definition.program.currency}"]
