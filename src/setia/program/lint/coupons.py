"""Coupons that campaigns give: of a promotion that has some, with money where those hold it, fine as the currency."""

from __future__ import annotations

from setia.program.coupons import CouponGift
from setia.program.currencies import minor_digits
from setia.program.discounts import Discount
from setia.program.findings import Path
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint


def check(report: Report) -> None:
    """Check the coupon of each campaign that gives one."""
    campaigns = report.program.campaigns
    with_coupons = {
        name: one.discount
        for name, one in campaigns.items()
        if one.discount is not None and one.discount.coupon is not None
    }
    for name, campaign in campaigns.items():
        gift = campaign.coupon
        if gift is None:
            continue
        path: Path = ("campaigns", name, "coupon")
        if gift.of in with_coupons:
            _check_holds(report, path, gift, with_coupons[gift.of])
            if campaign.enabled and not campaigns[gift.of].enabled:
                message = f"the promotion {gift.of!r} is switched off: its coupons do nothing"
                report.warning("never_matches", (*path, "of"), message, "switch it on, or this campaign off")
        else:
            hint = nearest_hint(gift.of, with_coupons, of="promotions with coupons")
            if gift.of in campaigns:
                hint = f"add `discount: {{coupon: true, ...}}` to the campaign {gift.of!r}"
            report.error("unknown_promotion", (*path, "of"), f"there is no promotion {gift.of!r} with coupons", hint)
        if gift.percent is not None and any(trigger != "purchase" for trigger in campaign.triggers):
            message = "a percent is of what was bought, and only purchases have that"
            report.error("no_lines", (*path, "percent"), message, "give an `amount`, or use `on: purchase`", key=True)
        _check_amounts(report, path, gift)


def _check_holds(report: Report, path: Path, gift: CouponGift, discount: Discount) -> None:
    holds = gift.amount is not None or gift.percent is not None
    if discount.by_own_amount and not holds:
        message = f"coupons of {gift.of!r} hold money, and nothing says how much"
        report.error("bad_coupon", path, message, "add an `amount`, or a `percent` of the order", key=True)
    elif holds and not discount.by_own_amount:
        word = "amount" if gift.amount is not None else "percent"
        message = f"the discount of {gift.of!r} says what its coupons take off, not `{word}`"
        hint = f"remove it, or write `coupon: {{amount: own}}` in {gift.of!r}"
        report.error("bad_coupon", (*path, word), message, hint, key=True)


def _check_amounts(report: Report, path: Path, gift: CouponGift) -> None:
    currency = report.program.program.currency
    named = ("amount", gift.amount), ("step", gift.step), ("at_least", gift.at_least), ("at_most", gift.at_most)
    for name, amount in named:
        if amount is not None and amount != round(amount, minor_digits(currency)):
            message = f"{amount} has more decimals than {currency}, which has {minor_digits(currency)}"
            report.error("amount_too_fine", (*path, name), message, "round it")
