"""Transfers and exchanges: points that exist and can be spent, amounts that there are, conditions that can be asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from math import floor, prod

from setia.program.expression_language import BOOL, Schema
from setia.program.findings import Path
from setia.program.lint.conditions import never
from setia.program.lint.expressions import check_expression
from setia.program.lint.report import Report
from setia.program.moving import Exchange, MovingQuota, Transfer
from setia.program.nearest import hint as nearest_hint
from setia.program.vocabulary import audience_vocabulary


def check(report: Report) -> None:
    """Check each transfer and each exchange."""
    program = report.program
    schema = audience_vocabulary(program) if program.transfers or program.exchanges else Schema({})
    for points, transfer in program.transfers.items():
        path: Path = ("transfers", points)
        if _check_points(report, path, points):
            _check_amounts(report, path, transfer, points)
            _check_quotas(report, (*path, "gives"), transfer.giving_quotas, points)
            _check_quotas(report, (*path, "receives"), transfer.receiving_quotas, points)
        _check_condition(report, (*path, "when"), transfer.when, schema)
        _check_condition(report, (*path, "receiver_when"), transfer.receiver_when, schema)
        _check_levels(report, path, transfer.from_level)
    for name, exchange in program.exchanges.items():
        _check_exchange(report, ("exchanges", name), exchange, schema)
    _check_circles(report)


def _check_circles(report: Report) -> None:
    """Two or three exchanges that lead back to where they began must not bring more than was given: points for nothing.

    Longer circles are left out: nobody writes one by mistake, and among many types there are too many of them.
    """
    exchanges = report.program.exchanges
    taking: dict[str, list[str]] = {}
    for name, exchange in exchanges.items():
        taking.setdefault(exchange.given, []).append(name)
    pairs = [(one, after) for one in exchanges for after in taking.get(exchanges[one].got, ())]
    triples = [(*pair, last) for pair in pairs for last in taking.get(exchanges[pair[-1]].got, ())]
    for names in (*pairs, *triples):
        ring = [exchanges[name] for name in names]
        # Each circle once, whichever of its exchanges comes first.
        if ring[-1].got != ring[0].given or len({*names}) < len(names) or names[0] != min(names):
            continue
        back = prod((Fraction(one.get[one.got]) / Fraction(one.give[one.given]) for one in ring), start=Fraction(1))
        if back > 1:
            given = 10000
            message = (
                f"one after the other, {', '.join(names)} make {floor(given * back)} {ring[0].given} of {given}, "
                "again and again"
            )
            hint = "let the way back bring no more than was given, or narrow one of them by `when` or `per_member`"
            report.warning("exchange_gains", ("exchanges", names[-1], "get"), message, hint)


def _check_exchange(report: Report, path: Path, exchange: Exchange, schema: Schema) -> None:
    if _check_points(report, (*path, "give", exchange.given), exchange.given):
        _check_fine(report, (*path, "give", exchange.given), exchange.give[exchange.given], exchange.given)
        _check_amounts(report, path, exchange, exchange.given)
        _check_quotas(report, (*path, "per_member"), exchange.member_quotas, exchange.given)
    # What comes may be points that only count, and are never spent.
    if _check_points(report, (*path, "get", exchange.got), exchange.got, spendable=False):
        _check_fine(report, (*path, "get", exchange.got), exchange.get[exchange.got], exchange.got)
    _check_condition(report, (*path, "when"), exchange.when, schema)
    _check_levels(report, path, exchange.from_level)


def _check_points(report: Report, path: Path, points: str, *, spendable: bool = True) -> bool:
    known = report.program.points
    if points not in known:
        hint = nearest_hint(points, known, of="point types")
        report.error("unknown_point_type", path, f"there is no point type {points!r}", hint, key=True)
        return False
    if spendable and not known[points].spendable:
        message, hint = f"{points!r} cannot be spent", "name points that can, or remove `spendable: false`"
        report.error("not_spendable", path, message, hint, key=True)
        return False
    return True


def _check_amounts(report: Report, path: Path, part: Transfer | Exchange, points: str) -> None:
    for name in ("least", "most"):
        amount: Decimal | None = getattr(part, name)
        if amount is not None:
            _check_fine(report, (*path, name), amount, points)


def _check_quotas(report: Report, path: Path, quotas: Iterable[MovingQuota], points: str) -> None:
    for quota in quotas:
        if quota.points is not None:
            _check_fine(report, path, quota.points, points)


def _check_fine(report: Report, path: Path, amount: Decimal, points: str) -> None:
    decimals = report.program.points[points].decimals
    if amount != round(amount, decimals):
        message = f"{amount} has more decimals than {points!r}, which has {decimals}"
        report.error("amount_too_fine", path, message, "round it")


def _check_condition(report: Report, path: Path, source: str | None, schema: Schema) -> None:
    root = None if source is None else check_expression(report, path, source, schema, BOOL)
    reason = None if root is None else never([root])
    if reason is not None:
        report.warning("never_matches", path, f"this never holds: {reason}", "correct the condition")


def _check_levels(report: Report, path: Path, from_level: Mapping[str, str]) -> None:
    ladders = {tier_set.id: [level.id for level in tier_set.levels] for tier_set in report.program.tiers}
    for tier_set, level in from_level.items():
        where: Path = (*path, "from_level", tier_set)
        if tier_set not in ladders:
            hint = nearest_hint(tier_set, ladders, of="tier sets")
            report.error("unknown_tier_set", where, f"there is no tier set {tier_set!r}", hint, key=True)
        elif level not in ladders[tier_set]:
            hint = nearest_hint(level, ladders[tier_set], of="levels")
            report.error("unknown_level", where, f"there is no level {level!r} in {tier_set!r}", hint)
