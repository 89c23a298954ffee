"""Tier sets: metrics that exist, thresholds that money can have, and levels somebody can reach."""

from __future__ import annotations

from setia.program.campaigns import Campaign
from setia.program.currencies import minor_digits
from setia.program.findings import Path
from setia.program.lint.calendars import first_day, last_day, never_runs
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint
from setia.program.tiers import TierSet


def check(report: Report) -> None:
    """Check each tier set."""
    for number, tier_set in enumerate(report.program.tiers):
        path: Path = ("tiers", number)
        if tier_set.metric.startswith("points."):
            _check_points_metric(report, path, tier_set)
        elif tier_set.metric == "spend":
            _check_money(report, path, tier_set)


def _check_money(report: Report, path: Path, tier_set: TierSet) -> None:
    currency = report.program.program.currency
    for number, level in enumerate(tier_set.levels):
        for name, amount in (("from", level.from_), ("keep_from", level.keep_from)):
            if amount is not None and amount != round(amount, minor_digits(currency)):
                message = f"{amount} has more decimals than {currency}, which has {minor_digits(currency)}"
                report.error("amount_too_fine", (*path, "levels", number, name), message, "round it")


def _check_points_metric(report: Report, path: Path, tier_set: TierSet) -> None:
    program = report.program
    name = tier_set.metric.split(".")[1]
    if name not in program.points:
        message = f"there is no point type {name!r}"
        hint = nearest_hint(name, program.points, of="point types")
        report.error("unknown_point_type", (*path, "metric"), message, hint)
        return
    earning = [campaign for campaign in program.campaigns.values() if name in campaign.earn and _can_earn(campaign)]
    given = {
        campaign.tier[tier_set.id]
        for campaign in program.campaigns.values()
        if tier_set.id in campaign.tier and _can_earn(campaign)
    }
    reason = f"no campaign earns {name!r}"
    if earning and tier_set.window.kind == "fixed" and tier_set.metric.endswith(".earned"):
        earning = [campaign for campaign in earning if _runs_in_window(campaign, tier_set)]
        reason = f"no campaign earns {name!r} between {tier_set.window.starts} and {tier_set.window.ends}"
    if earning:
        return
    for number, level in enumerate(tier_set.levels[1:], start=1):
        if level.id not in given:
            message = f"nobody can reach the level {level.id!r}: {reason}"
            hint = f"add a campaign that earns {name!r}, or choose another metric"
            report.warning("unreachable_level", (*path, "levels", number), message, hint)


def _can_earn(campaign: Campaign) -> bool:
    return campaign.enabled and (campaign.schedule is None or never_runs(campaign.schedule) is None)


def _runs_in_window(campaign: Campaign, tier_set: TierSet) -> bool:
    starts, ends = tier_set.window.starts, tier_set.window.ends
    if starts is None or ends is None:
        return True
    return first_day(campaign.schedule) <= ends and last_day(campaign.schedule) >= starts
