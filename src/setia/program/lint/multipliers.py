"""Multipliers: campaigns that exist, earn, and can happen together with what multiplies them."""

from __future__ import annotations

from setia.program.campaigns import Campaign
from setia.program.findings import Path
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint


def check(report: Report, path: Path, campaign: Campaign) -> None:
    """Check what a campaign multiplies."""
    multiply = campaign.multiply
    if multiply is None:
        return
    path = (*path, "multiply")
    program = report.program
    if multiply.of == "all":
        bases = [other for other in program.campaigns.values() if other.earn]
        if not bases:
            message = "no campaign earns anything that could be multiplied"
            report.warning("never_matches", path, message, "add a campaign with `earn`")
            return
    else:
        bases = _bases(report, path, multiply.of)
    if campaign.enabled and bases and not any(base.enabled for base in bases):
        message = "what it multiplies is switched off: `enabled: false`"
        report.warning("never_matches", path, message, "switch that on, or this campaign off too")
        return
    triggers = {trigger for base in bases for trigger in base.triggers}
    if bases and not triggers & set(campaign.triggers):
        message = f"what it multiplies happens on {', '.join(sorted(triggers))}, and this campaign does not"
        report.warning("never_matches", path, message, "give both campaigns an event in common")
    earned = {point_type for base in bases for point_type in base.earn}
    for number, point_type in enumerate(multiply.points):
        where = (*path, "points", number)
        if point_type not in program.points:
            hint = nearest_hint(point_type, program.points, of="point types")
            report.error("unknown_point_type", where, f"there is no point type {point_type!r}", hint)
        elif bases and point_type not in earned:
            message = f"none of the campaigns it multiplies earns {point_type!r}"
            report.warning("without_effect", where, message, nearest_hint(point_type, earned, of="points earned"))


def _bases(report: Report, path: Path, of: str | tuple[str, ...]) -> list[Campaign]:
    """Return the campaigns a multiplier names, as far as they can be multiplied."""
    campaigns = report.program.campaigns
    bases: list[Campaign] = []
    for number, name in enumerate((of,) if isinstance(of, str) else of):
        where = (*path, "of") if isinstance(of, str) else (*path, "of", number)
        if name not in campaigns:
            earning = [other for other, campaign in campaigns.items() if campaign.earn]
            hint = nearest_hint(name, earning, of="earning campaigns")
            report.error("unknown_campaign", where, f"there is no campaign {name!r}", hint)
        elif not campaigns[name].earn:
            message = f"the campaign {name!r} earns nothing that could be multiplied"
            report.error("multiply_needs_earn", where, message, "name a campaign with `earn`")
        else:
            bases.append(campaigns[name])
    return bases
