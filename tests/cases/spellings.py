"""Words of programs, events and expectations that mean the same: each case is read in the words that rules know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cases.published import Case, Data, NotExpressible


def _others(words: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {other: word for word, others in words.items() for other in others}


_PROGRAM = _others(
    {
        "rules": ("earning_rules", "earn_rules"),
        "promotions": ("discounts", "cart_promotions", "coupons"),
        "tiers": ("levels", "tier_levels"),
        "tier_basis": ("tiers_by", "tier_metric", "level_basis"),
        "expiry": ("points_expiry", "expiration", "point_expiry"),
        "pending_days": ("hold_days", "lock_days", "points_locked_days"),
        "lots": ("spend_order", "burn_order"),
        "downgrade": ("tier_downgrade", "downgrade_policy"),
        "clawback": ("clawback_policy",),
        "rate_by_tier": ("earn_rate_by_tier", "points_per_unit_by_tier"),
        "tier_bonus_pct": ("bonus_pct_by_tier", "elite_bonus_pct"),
        "order_wide_discounts": ("order_discounts",),
    }
)
_TYPES = _others(
    {
        "purchase": ("buy", "sale", "checkout", "transaction"),
        "earn": ("credit", "add_points", "award"),
        "spend": ("debit", "burn", "deduct", "use_points"),
        "enrol": ("enroll", "register", "signup", "sign_up", "join_program"),
        "adjust": ("adjustment", "manual_adjustment"),
        "cancel": ("cancel_order", "void", "order_cancelled"),
        "return": ("partial_return", "return_items"),
        "redeem": ("redeem_reward", "claim_reward"),
        "query": ("look", "check", "wait", "time_passes", "advance"),
        "expire_run": ("expire", "expiry_run", "run_expiry"),
        "transfer": ("give_points", "transfer_points"),
        "merge": ("merge_members", "merge_accounts"),
    }
)
_EVENT = _others(
    {
        "member": ("customer", "user"),
        "order": ("order_id", "order_ref"),
        "items": ("lines", "products_bought", "basket"),
        "codes": ("coupon_codes", "promo_codes"),
        "quantity": ("count",),
    }
)
_ITEM = _others({"sku": ("product", "product_id"), "qty": ("quantity",), "unit_price": ("price",)})
_EXPECT = _others(
    {
        "points": ("points_balance", "points_after", "final_points"),
        "points_earned": ("earned_points", "points_awarded", "awarded"),
        "to_pay": ("amount_due", "amount_to_pay", "due"),
        "total": ("order_total", "total_after_discount"),
        "discount": ("discount_amount", "total_discount"),
        "untaxed_total": ("net_total", "total_excl_tax"),
        "tier": ("level", "final_tier"),
        "points_revoked": ("points_clawed_back", "points_taken_back", "points_deducted"),
        "points_restored": ("points_given_back", "points_refunded"),
        "coupon_value": ("coupon_amount",),
        "gift_card_left": ("gift_card_balance",),
        "wallet": ("wallet_balance",),
        "last_usable_day": ("valid_until", "usable_until", "last_valid_day"),
        "gone_on": ("expired_on", "first_day_without"),
        "cashback": ("cashback_total", "cashback_earned"),
        "ok": ("accepted", "redeemed_ok"),
        "pending": ("points_pending",),
        "available": ("points_available",),
    }
)
_ASIDE = ("note", "comment", "description")
"""Words for people."""


def _known_as(words: Mapping[str, str], data: Data) -> Data:
    found: Data = {}
    for word, value in data.items():
        if word in _ASIDE:
            continue
        name = words.get(word, word)
        if name in found or (name != word and name in data):
            raise NotExpressible(f"{word} beside {name}")
        found[name] = value
    return found


def _event(data: Data) -> Data:
    found = _known_as(_EVENT, data)
    found["type"] = _TYPES.get(str(found["type"]), found["type"])
    if isinstance(found.get("items"), list):
        found["items"] = [_known_as(_ITEM, one) if isinstance(one, dict) else one for one in found["items"]]
    return found


def respelled(case: Case) -> Case:
    """A case in the words that rules know.

    Raises:
        NotExpressible: where a word stands beside another spelling of itself.
    """
    events = [_event(event) for event in case.events]
    return replace(case, program=_known_as(_PROGRAM, case.program), events=events)


def expected(word: str, looks: Mapping[str, Any]) -> str:
    """The word by which something is looked up that a case expects."""
    return word if word in looks else _EXPECT.get(word, word)
