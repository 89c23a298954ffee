"""Discounts: the lines they choose, amounts as fine as the currency, and codes that are one promotion's."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from setia.program.currencies import minor_digits
from setia.program.discounts import Discount
from setia.program.expression_language import BOOL
from setia.program.findings import Path
from setia.program.lint.conditions import never
from setia.program.lint.expressions import check_expression
from setia.program.lint.report import Report

MOST_OF_A_CODE = 100
"""What an event can carry."""


def check(report: Report) -> None:
    """Check the discount of each campaign that has one."""
    owners: dict[str, str] = {}
    for name, campaign in report.program.campaigns.items():
        if campaign.discount is None:
            continue
        path: Path = ("campaigns", name, "discount")
        for where, source in _conditions(path, campaign.discount):
            _check_condition(report, where, source)
        for where, amount in _amounts(path, campaign.discount):
            _check_amount(report, where, amount)
        _check_nothing(report, path, campaign.discount)
        _check_codes(report, path, name, campaign.discount, owners)


def _conditions(path: Path, discount: Discount) -> Iterator[tuple[Path, str]]:
    if discount.buy is not None and discount.buy.lines is not None:
        yield (*path, "buy", "lines"), discount.buy.lines
    for number, part in enumerate(discount.bundle):
        if part.lines is not None:
            yield (*path, "bundle", number, "lines"), part.lines


def _check_condition(report: Report, path: Path, source: str) -> None:
    root = check_expression(report, path, source, report.schema("purchase", with_line=True), BOOL)
    reason = None if root is None else never([root], "purchase")
    if reason is not None:
        report.warning("never_matches", path, f"this never holds: {reason}", "correct the condition")


def _amounts(path: Path, discount: Discount) -> Iterator[tuple[Path, Decimal]]:
    named = (
        ("amount", discount.amount),
        ("price", discount.price),
        ("at_most", discount.at_most),
        ("at_most_per_line", discount.at_most_per_line),
    )
    yield from (((*path, name), amount) for name, amount in named if amount is not None)
    for number, step in enumerate(discount.steps):
        if discount.steps_by == "amount":
            yield (*path, "steps", number, "from"), step.from_
        if step.amount is not None:
            yield (*path, "steps", number, "amount"), step.amount


def _check_amount(report: Report, path: Path, amount: Decimal) -> None:
    currency = report.program.program.currency
    if amount != round(amount, minor_digits(currency)):
        message = f"{amount} has more decimals than {currency}, which has {minor_digits(currency)}"
        report.error("amount_too_fine", path, message, "round it")


def _check_nothing(report: Report, path: Path, discount: Discount) -> None:
    """Say when it can take nothing off: a `price` of 0 is a present, an amount or a cap of 0 is none."""
    for name in ("amount", "at_most", "at_most_per_line"):
        if getattr(discount, name) == 0:
            report.warning("never_matches", (*path, name), "this takes nothing off", "write more, or remove it")


def _check_codes(report: Report, path: Path, name: str, discount: Discount, owners: dict[str, str]) -> None:
    """Say when a code could mean two promotions."""
    for number, code in enumerate(discount.codes):
        where = (*path, "codes", number)
        folded = code.strip().casefold()
        taken = folded in owners
        owner = owners.setdefault(folded, name)
        if not folded or code != code.strip() or len(code) > MOST_OF_A_CODE:
            message = f"{code!r} cannot be shown: a code has 1 to {MOST_OF_A_CODE} characters, and no space around it"
            report.error("bad_code", where, message, "write it as customers do")
        elif taken:
            message = f"the code {code!r} belongs to {owner!r} already; capitals do not matter"
            report.error("code_taken", where, message, "give every promotion codes of its own, each once")
