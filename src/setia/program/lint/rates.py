"""Rates and limits of a campaign: points that exist, lines to count, and no more decimals than can be kept."""

from __future__ import annotations

from decimal import Decimal

from setia.program.campaigns import Campaign
from setia.program.currencies import minor_digits
from setia.program.earning import Earn
from setia.program.findings import Path
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint

_NEED_LINES = frozenset({"per_amount", "per_whole_amount", "per_unit", "per_line"})


def check(report: Report, path: Path, campaign: Campaign) -> None:
    """Check what a campaign earns and deducts, and its limits."""
    for kind, earned in (("earn", campaign.earn), ("deduct", campaign.deduct)):
        for point_type, rate in earned.items():
            where = (*path, kind, point_type)
            if not _is_point_type(report, where, point_type, key=True):
                continue
            if kind == "deduct" and not report.program.points[point_type].spendable:
                message = f"{point_type!r} cannot be spent, so it cannot be deducted"
                report.error("not_spendable", where, message, "deduct points that are `spendable`", key=True)
            _check_rate(report, where, rate, point_type, campaign)
    _check_limits(report, path, campaign)


def _check_limits(report: Report, path: Path, campaign: Campaign) -> None:
    for number, limit in enumerate(campaign.limits):
        where = (*path, "limits", number)
        if 0 in {limit.uses, limit.units} or (limit.earn is not None and limit.earn.amount == 0):
            report.warning("never_matches", where, "a limit of 0 lets nothing through", "use `enabled: false`")
        if limit.units is not None and (campaign.discount is None or not campaign.discount.has_units):
            # Nothing would be counted: the owner would believe in a limit that is none.
            message = "the limit counts units that are discounted, and the campaign discounts no units"
            hint = "use `uses`, or a discount of units: `on: lines`, `units`, `every`, `buy` or a `bundle`"
            report.error("limit_without_units", (*where, "units") if limit.per == "member" else where, message, hint)
        if limit.earn is None:
            continue
        point_type = limit.earn.points
        if not _is_point_type(report, where, point_type):
            continue
        if point_type not in campaign.earn and campaign.multiply is None:
            message = f"the campaign does not earn {point_type!r}, so this limit cuts nothing"
            report.warning(
                "without_effect", where, message, nearest_hint(point_type, campaign.earn, of="points earned")
            )
        _check_decimals(report, where, limit.earn.amount, point_type)


def _is_point_type(report: Report, path: Path, name: str, *, key: bool = False) -> bool:
    points = report.program.points
    if name in points:
        return True
    hint = nearest_hint(name, points, of="point types")
    report.error("unknown_point_type", path, f"there is no point type {name!r}", hint, key=key)
    return False


def _check_rate(report: Report, path: Path, rate: Earn, point_type: str, campaign: Campaign) -> None:
    others = [trigger for trigger in campaign.triggers if trigger != "purchase"]
    if rate.kind in _NEED_LINES and others:
        message = f"a rate {rate.kind.replace('_', ' ')} counts lines, and {others[0]!r} has none"
        report.error("no_lines", path, message, 'write a number, or {expression: "..."}')
    currency = report.program.program.currency
    if rate.per is not None and _too_fine(rate.per, minor_digits(currency)):
        message = f"{rate.per} has more decimals than {currency}, which has {minor_digits(currency)}"
        report.error("amount_too_fine", path, message, "write both numbers larger, such as `10 per 1.00`")
    if rate.kind == "fixed" and rate.points is not None:
        _check_decimals(report, path, rate.points, point_type)


def _check_decimals(report: Report, path: Path, amount: Decimal, point_type: str) -> None:
    decimals = report.program.points[point_type].decimals
    if _too_fine(amount, decimals):
        message = f"{amount} has more decimals than {point_type!r}, which has {decimals}; rounding changes it"
        report.warning("points_too_fine", path, message, "write a number the points can have, or raise `decimals`")


def _too_fine(amount: Decimal, digits: int) -> bool:
    return amount != round(amount, digits)
