"""Referrals: whether anybody is rewarded, and whether what listens to them can ever happen."""

from __future__ import annotations

from setia.program.currencies import minor_digits
from setia.program.events import JOINED, REFERRAL_EVENTS, WON
from setia.program.findings import Path
from setia.program.lint.report import Report


def check(report: Report) -> None:
    """Check each kind of referral, and the campaigns that use its events."""
    program = report.program
    heard = {event for campaign in program.campaigns.values() if campaign.enabled for event in campaign.triggers}
    for name, referral in program.referrals.items():
        path: Path = ("referrals", name)
        if referral.enabled and not heard & {WON, JOINED}:
            message = f"nobody gets anything for the referrals {name!r}"
            hint = f"add a campaign with `on: {WON}` for who refers, or `on: {JOINED}` for the friend"
            report.warning("unused_referral", path, message, hint, key=True)
        currency = program.program.currency
        if referral.at_least != round(referral.at_least, minor_digits(currency)):
            message = f"{referral.at_least} has more decimals than {currency}, which has {minor_digits(currency)}"
            report.error("amount_too_fine", (*path, "at_least"), message, "round it")
        for number, cap in enumerate(caps := referral.caps.of_referrer):
            if cap.every in {one.every for one in caps[:number]}:
                message = f"there are two caps `per {cap.every}`, and the lower one holds"
                report.warning("cap_twice", (*path, "caps", "referrer", number), message, "remove one of them")
    _check_campaigns(report)


def _check_campaigns(report: Report) -> None:
    program = report.program
    deep = any(referral.levels > 1 for referral in program.referrals.values())
    for name, campaign in program.campaigns.items():
        path: Path = ("campaigns", name, "on")
        about = [event for event in campaign.triggers if event in REFERRAL_EVENTS]
        if about and not program.referrals:
            message = f"{about[0]!r} never happens: the program has no referrals"
            report.warning("never_matches", path, message, "declare some: `referrals: {friends: {}}`")
        elif deep and WON in about and "event.data.level" not in _texts_of(campaign.model_dump_json()):
            message = "it gives every level the same: the referrer, and who referred the referrer"
            report.warning("every_level", path, message, "write `when: event.data.level == 1`, or use the level")


def _texts_of(text: str) -> str:
    return "".join(text.split())
