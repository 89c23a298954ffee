"""Offers: whether the events of their campaign can complete them at all."""

from __future__ import annotations

from setia.program.campaigns import Campaign
from setia.program.currencies import minor_digits
from setia.program.findings import Path
from setia.program.lint.report import Report
from setia.program.offers import Progress

_NEEDS = {"spend": "purchase", "orders": "purchase", "units": "purchase", "items": "purchase", "visits": "visit"}


def check(report: Report) -> None:
    """Check the offer of each campaign that has one."""
    for name, campaign in report.program.campaigns.items():
        if campaign.offer is not None:
            _check_progress(report, ("campaigns", name, "offer", "progress"), campaign, campaign.offer.progress)


def _check_progress(report: Report, path: Path, campaign: Campaign, progress: Progress) -> None:
    kind = progress.kind
    needed = _NEEDS.get(kind)
    if needed is not None and needed not in campaign.triggers:
        message = f"nothing counts for it: `{kind}` is counted by {needed}s, and the campaign starts on others"
        report.error("offer_never_counts", (*path, kind), message, f"use `on: {needed}`", key=True)
    spend, currency = progress.spend, report.program.program.currency
    if spend is not None and spend != round(spend, minor_digits(currency)):
        message = f"{spend} has more decimals than {currency}, which has {minor_digits(currency)}"
        report.error("amount_too_fine", (*path, "spend"), message, "round it")
