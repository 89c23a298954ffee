"""Rewards: prices in points and levels that exist, conditions that can be asked, schedules that are ever open."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from setia.program.currencies import minor_digits
from setia.program.expression_language import BOOL, Schema
from setia.program.findings import Path
from setia.program.lint.calendars import never_runs
from setia.program.lint.conditions import never
from setia.program.lint.expressions import check_expression
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint
from setia.program.rewards import Reward
from setia.program.vocabulary import audience_vocabulary, vocabulary


def check(report: Report) -> None:
    """Check each reward."""
    program = report.program
    schema = audience_vocabulary(program) if program.rewards else Schema({})
    for name, reward in program.rewards.items():
        path: Path = ("rewards", name)
        _check_price(report, path, reward.cost, reward.money)
        _check_condition(report, (*path, "when"), reward.when, schema)
        for number, price in enumerate(reward.prices):
            where: Path = (*path, "prices", number)
            _check_condition(report, (*where, "when"), price.when, schema)
            _check_price(report, where, price.cost, price.money)
        if reward.worth is not None:
            with_line = vocabulary(program, "purchase", with_line=True)
            _check_condition(report, (*path, "worth", "lines"), reward.worth.lines, with_line)
        _check_levels(report, path, reward)
        if reward.schedule is not None and (reason := never_runs(reward.schedule)) is not None:
            report.warning("never_matches", (*path, "schedule"), reason, "correct the schedule, or remove the reward")


def _check_condition(report: Report, path: Path, source: str | None, schema: Schema) -> None:
    root = None if source is None else check_expression(report, path, source, schema, BOOL)
    reason = None if root is None else never([root])
    if reason is not None:
        report.warning("never_matches", path, f"this never holds: {reason}", "correct the condition")


def _check_price(report: Report, path: Path, cost: Mapping[str, Decimal], money: Decimal) -> None:
    points = report.program.points
    for name, amount in cost.items():
        where: Path = (*path, "cost", name)
        if name not in points:
            hint = nearest_hint(name, points, of="point types")
            report.error("unknown_point_type", where, f"there is no point type {name!r}", hint, key=True)
        elif not points[name].spendable:
            message = f"{name!r} cannot be spent"
            report.error(
                "not_spendable", where, message, "name points that can, or remove `spendable: false`", key=True
            )
        elif amount != round(amount, points[name].decimals):
            message = f"{amount} has more decimals than {name!r}, which has {points[name].decimals}"
            report.error("amount_too_fine", where, message, "round it")
    currency = report.program.program.currency
    if money != round(money, minor_digits(currency)):
        message = f"{money} has more decimals than {currency}, which has {minor_digits(currency)}"
        report.error("amount_too_fine", (*path, "money"), message, "round it")


def _check_levels(report: Report, path: Path, reward: Reward) -> None:
    ladders = {tier_set.id: [level.id for level in tier_set.levels] for tier_set in report.program.tiers}
    for tier_set, level in reward.from_level.items():
        where: Path = (*path, "from_level", tier_set)
        if tier_set not in ladders:
            hint = nearest_hint(tier_set, ladders, of="tier sets")
            report.error("unknown_tier_set", where, f"there is no tier set {tier_set!r}", hint, key=True)
        elif level not in ladders[tier_set]:
            hint = nearest_hint(level, ladders[tier_set], of="levels")
            report.error("unknown_level", where, f"there is no level {level!r} in {tier_set!r}", hint)
