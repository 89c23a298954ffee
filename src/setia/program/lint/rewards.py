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
from setia.program.rewards import Reward, Worth
from setia.program.vocabulary import audience_vocabulary, vocabulary

_READ_AS = str.maketrans({"-": None, "O": "0", "I": "1", "L": "1"})


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
            _check_worth(report, path, reward, reward.worth)
        _check_levels(report, path, reward)
        if reward.webhook is not None and not reward.webhook.is_secret:
            message = "everybody on the way can read it, and it is sent into networks of SETIA_PARTNER_NETWORKS only"
            report.warning("webhook_not_secret", (*path, "webhook", "url"), message, "write https://")
        if reward.schedule is not None and (reason := never_runs(reward.schedule)) is not None:
            report.warning("never_matches", (*path, "schedule"), reason, "correct the schedule, or remove the reward")
    _check_codes(report)


def _check_codes(report: Report) -> None:
    """A till that reads a code has to know whose it is; two that differ in what people mistype are one."""
    owner: dict[str, str] = {}
    for name, reward in report.program.rewards.items():
        if reward.code is None or reward.code.static is None:
            continue
        first = owner.setdefault(reward.code.static.translate(_READ_AS), name)
        if first != name:
            message = f"{reward.code.static!r} is the code of {first!r} too, or reads like it"
            report.error("code_taken", ("rewards", name, "code", "static"), message, "give each a code of its own")


def _check_worth(report: Report, path: Path, reward: Reward, worth: Worth) -> None:
    """Limits in money that exists: what is finer would be cut off. A rate (`amount`) may be as fine as wanted."""
    card = report.program.gift_cards.get(reward.card or "")
    currency = (None if card is None else card.currency) or report.program.program.currency
    for key in ("most", "most_per_line", "least_total"):
        amount = getattr(worth, key)
        if amount is not None and amount != round(amount, minor_digits(currency)):
            message = f"{amount} has more decimals than {currency}, which has {minor_digits(currency)}"
            report.error("amount_too_fine", (*path, "worth", key), message, "round it")


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
