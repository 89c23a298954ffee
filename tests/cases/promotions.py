"""`promotions` of a case: those that give points are campaigns, those that take money off are discounts."""

from __future__ import annotations

from cases.amounts import decimal_text, number
from cases.coupons import write_next_order
from cases.discounts import are_there, takes_money_off, write_discount
from cases.draft import POINTS, Draft
from cases.earning_rules import rounding
from cases.narrowing import COMMON, narrowed
from cases.published import Data, NotExpressible, known

_TILL = ("percent_off_order", "percent_off_category")
"""What the till of these tests can take off by itself, where the case asks for points and not for prices."""


def write_promotions(draft: Draft, promotions: list[Data]) -> None:
    """Every promotion becomes a campaign."""
    for promotion in promotions:
        if "points_addition" in promotion:
            _points(draft, promotion, "points_addition", earn={POINTS: number(promotion["points_addition"])})
        elif "multiplier" in promotion:
            rounding(draft, promotion)
            _points(draft, promotion, "multiplier", multiply={"by": number(promotion["multiplier"])})
        elif "next_order_coupon" in promotion:
            write_next_order(draft, promotion)
        elif "free_product" in promotion and "min_amount" in promotion:
            _entitlement(draft, promotion)
        elif promotion.get("auto"):
            _points(draft, promotion, "auto", effect={"name": "applied"})
        elif not takes_money_off(promotion):
            raise NotExpressible(f"promotion {', '.join(promotion)}")
        elif are_there():
            write_discount(draft, promotion)
        else:
            _at_the_till(draft, promotion)


def _points(draft: Draft, promotion: Data, word: str, **effect: Data) -> None:
    known(promotion, *COMMON, word, "round")
    narrowed(draft, draft.campaign(**effect), promotion)


def _entitlement(draft: Draft, promotion: Data) -> None:
    # Whether it applies is a condition of ours; the product itself is handed out by the till.
    known(promotion, "min_amount", "min_amount_tax", "free_product")
    net = "l.gross - l.tax" if promotion.get("min_amount_tax") == "excl" else "l.gross"
    when = f"sum(event.lines.map(l, {net})) >= {decimal_text(promotion['min_amount'])}"
    draft.campaign(when=when, effect={"name": "applied"})


def _at_the_till(draft: Draft, promotion: Data) -> None:
    asked = set(draft.case.expect) if isinstance(draft.case.expect, dict) else set()
    if not asked & {"points_earned", "points", "basis"}:
        raise NotExpressible("coupons: what is taken off a price")
    if not any(word in promotion for word in _TILL) or "coupon" in promotion:
        raise NotExpressible("coupons: what is taken off a price")
    known(promotion, *_TILL, "min_amount", "min_qty", "code")
    draft.till.append(promotion)
