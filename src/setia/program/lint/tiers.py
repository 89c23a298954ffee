"""Tier sets: metrics that exist, thresholds that money can have, and levels somebody can reach."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

from setia.program.campaigns import Campaign
from setia.program.currencies import minor_digits
from setia.program.findings import Path
from setia.program.lint.calendars import first_day, last_day, never_runs
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint
from setia.program.tiers import Criterion, Level, TierSet


def check(report: Report) -> None:
    """Check each tier set, and the criteria of levels that have some of their own."""
    for number, tier_set in enumerate(report.program.tiers):
        path: Path = ("tiers", number)
        if tier_set.metric is not None:
            _check_metric(report, path, tier_set.metric)
            if tier_set.metric == "spend":
                for place, level in enumerate(tier_set.levels):
                    _check_money(report, (*path, "levels", place), level)
            elif tier_set.metric.startswith("points."):
                _check_reachable(report, path, tier_set)
        _check_resets(report, path, tier_set)
        for place, level in enumerate(tier_set.levels):
            for kind in ("any", "all"):
                for order, criterion in enumerate(getattr(level, kind)):
                    own: Path = (*path, "levels", place, kind, order)
                    _check_metric(report, own, criterion.metric)
                    if criterion.metric == "spend":
                        _check_money(report, own, criterion)


def _check_money(report: Report, path: Path, asked: Level | Criterion) -> None:
    currency = report.program.program.currency
    for name, amount in (("from", asked.from_), ("keep_from", asked.keep_from)):
        if amount is not None and amount != round(amount, minor_digits(currency)):
            message = f"{amount} has more decimals than {currency}, which has {minor_digits(currency)}"
            report.error("amount_too_fine", (*path, name), message, "round it")


def _check_metric(report: Report, path: Path, metric: str) -> None:
    if metric.startswith("points.") and (name := metric.split(".")[1]) not in report.program.points:
        _unknown_points(report, (*path, "metric"), name)


def _check_resets(report: Report, path: Path, tier_set: TierSet) -> None:
    for order, name in enumerate(tier_set.reset_points):
        if name not in report.program.points:
            _unknown_points(report, (*path, "reset_points", order), name)


def _unknown_points(report: Report, path: Path, name: str) -> None:
    hint = nearest_hint(name, report.program.points, of="point types")
    report.error("unknown_point_type", path, f"there is no point type {name!r}", hint)


def _check_reachable(report: Report, path: Path, tier_set: TierSet) -> None:
    program = report.program
    metric = tier_set.metric or ""
    name = metric.split(".")[1]
    if name not in program.points:
        return
    earning = [campaign for campaign in program.campaigns.values() if name in campaign.earn and _can_earn(campaign)]
    given = {
        campaign.tier[tier_set.id]
        for campaign in program.campaigns.values()
        if tier_set.id in campaign.tier and _can_earn(campaign)
    }
    reason = f"no campaign earns {name!r}"
    if earning and tier_set.window.kind == "fixed" and metric.endswith(".earned"):
        earning = [campaign for campaign in earning if _runs_in_window(campaign, tier_set)]
        reason = f"no campaign earns {name!r} between {tier_set.window.starts} and {tier_set.window.ends}"
    most = _most(report, name, earning)
    hint = f"add a campaign that earns {name!r}, or choose another metric"
    if earning and most is not None:
        reason = f"the limits of the campaigns that earn {name!r} let one member have {most.normalize():f} at most"
        hint = "lower `from`, or raise the limits"
    for number, level in enumerate(tier_set.levels[1:], start=1):
        if level.id not in given and most is not None and level.from_ is not None and level.from_ > most:
            message = f"nobody can reach the level {level.id!r}: {reason}"
            report.warning("unreachable_level", (*path, "levels", number), message, hint)


def _most(report: Report, points: str, earning: Iterable[Campaign]) -> Decimal | None:
    """How many points one member can ever get of these campaigns together; None where there is no bound."""
    together = Decimal(0)
    multiplied = _multiplied(report)
    for campaign in earning:
        ever = [limit for limit in campaign.limits if limit.every == "ever"]
        bounds = [limit.earn.amount for limit in ever if limit.earn is not None and limit.earn.points == points]
        rate = campaign.earn[points]
        if rate.kind == "fixed" and rate.points is not None:
            unit = Decimal(1).scaleb(-report.program.points[points].decimals)
            # Rounding up is the most that any mode gives; what several campaigns give is no more than their sum so.
            each = rate.points.quantize(unit, ROUND_CEILING)
            bounds += [each * limit.uses for limit in ever if limit.uses is not None]
        if not bounds or multiplied is None or id(campaign) in multiplied:
            return None
        together += min(bounds)
    return together


def _multiplied(report: Report) -> set[int] | None:
    """Return the identities of the campaigns that others may raise, by how much is not judged; None means all."""
    campaigns = report.program.campaigns
    of = [other.multiply.of for other in campaigns.values() if other.multiply is not None]
    if "all" in of:
        return None
    names = {name for one in of for name in ((one,) if isinstance(one, str) else one)}
    return {id(campaigns[name]) for name in names if name in campaigns}


def _can_earn(campaign: Campaign) -> bool:
    return campaign.enabled and (campaign.schedule is None or never_runs(campaign.schedule) is None)


def _runs_in_window(campaign: Campaign, tier_set: TierSet) -> bool:
    starts, ends = tier_set.window.starts, tier_set.window.ends
    if starts is None or ends is None:
        return True
    return first_day(campaign.schedule) <= ends and last_day(campaign.schedule) >= starts
