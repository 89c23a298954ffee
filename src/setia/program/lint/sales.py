"""Sales: points that there are and that can be spent, in amounts that their type and the currency can say."""

from __future__ import annotations

from decimal import Decimal

from setia.program.currencies import minor_digits
from setia.program.findings import Path
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint
from setia.program.sales import SalesQuota


def check(report: Report) -> None:
    """Check each sale."""
    program = report.program
    for name, sale in program.sales.items():
        path: Path = ("sales", name)
        point_type = program.points.get(sale.points)
        if point_type is None:
            hint = nearest_hint(sale.points, program.points, of="point types")
            report.error("unknown_point_type", (*path, "points"), f"there is no point type {sale.points!r}", hint)
            continue
        if not point_type.spendable:
            message = f"{sale.points!r} cannot be spent: who buys them gets nothing for the money"
            report.error("not_spendable", (*path, "points"), message, "sell points that can be spent")
        digits = minor_digits(program.program.currency)
        for number, package in enumerate(sale.packages):
            where: Path = (*path, "packages", number)
            _whole(report, (*where, "points"), package.points, point_type.decimals, repr(sale.points))
            _whole(report, (*where, "money"), package.money, digits, program.program.currency)
        for key in ("least", "most"):
            amount: Decimal | None = getattr(sale, key)
            if amount is not None:
                _whole(report, (*path, key), amount, point_type.decimals, repr(sale.points))
        for number, quota in enumerate(sale.quotas):
            one = (*path, "per_member") if isinstance(sale.per_member, SalesQuota) else (*path, "per_member", number)
            _whole(report, (*one, "points"), quota.points, point_type.decimals, repr(sale.points))


def _whole(report: Report, path: Path, amount: Decimal, digits: int, of: str) -> None:
    if amount.scaleb(digits) != int(amount.scaleb(digits)):
        message = f"{amount} has more decimals than {of}, which has {digits}"
        report.error("amount_too_fine", path, message, "round it")
