"""`promotions` of a case: those that give points are campaigns, those that take money off are discounts."""

from __future__ import annotations

from cases.amounts import number
from cases.coupons import write_next_order
from cases.discounts import takes_money_off, write_discount
from cases.draft import POINTS, Draft
from cases.earning_rules import rounding
from cases.narrowing import COMMON, aliased, narrowed
from cases.published import Data, NotExpressible, known


def write_promotions(draft: Draft, promotions: list[Data]) -> None:
    """Every promotion becomes a campaign."""
    for one in promotions:
        # Promotions have categories of their own, of which only so many go together.
        promotion = aliased(one, **({"category": "group"} if "stacking_limit" in draft.settings else {}))
        if "points_addition" in promotion:
            _points(draft, promotion, "points_addition", earn={POINTS: number(promotion["points_addition"])})
        elif "multiplier" in promotion:
            rounding(draft, promotion)
            _points(draft, promotion, "multiplier", multiply={"by": number(promotion["multiplier"])})
        elif "next_order_coupon" in promotion:
            write_next_order(draft, promotion)
        elif promotion.get("auto") and not takes_money_off(promotion):
            _points(draft, promotion, "auto", effect={"name": "applied"})
        elif not takes_money_off(promotion):
            raise NotExpressible(f"promotion {', '.join(promotion)}")
        else:
            write_discount(draft, promotion)


def _points(draft: Draft, promotion: Data, word: str, **effect: Data) -> None:
    known(promotion, *COMMON, word, "round")
    narrowed(draft, draft.campaign(**effect), promotion)
