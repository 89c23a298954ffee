"""Promotions of a case that take money off, as discounts of ours."""

from __future__ import annotations

import json
from typing import Any

from cases.amounts import decimal_text, number
from cases.draft import Draft, Setting, identifier, quoted
from cases.measures import MONEY_OFF, measure_of, parts_of
from cases.narrowing import IN_ALL, narrowed
from cases.published import Data, NotExpressible, known
from cases.words import meaning, plain

_LIKE_RULES = (
    *("from", "to", "iso_days", "days", "hours", "stores", "channels", "partners", "tiers", "first_purchase"),
    *("skus", "excluded_skus", "categories", "excluded_categories", "brands"),
    *(
        "enabled",
        "active",
        "max_per_member",
        *IN_ALL,
        *(f"max_per_{each}" for each in ("day", "week", "month", "year")),
    ),
)
"""What narrows a promotion as it does a rule."""
_WORDS = (
    *(*MONEY_OFF, "free", "free_product", "repeat", "name", "code", "coupon", "codes", "exclusive", "stackable"),
    *(
        "always_stackable",
        "always",
        "group",
        "stacking_category",
        "max_amount",
        "max_discount",
        "needs",
        "only_tag",
        "auto",
        "id",
        "max_amount_per_line",
        "rounding",
    ),
    *("min_amount", "min_qty", "min_amount_products", "min_qty_products", "min_amount_tax", "repeatable_per_unit"),
    *("max_units", "priority", "base", "uses", "bundle_price", *_LIKE_RULES),
)


def takes_money_off(promotion: Data) -> bool:
    """Whether a promotion is a discount."""
    return any(word in promotion for word in (*MONEY_OFF, "free_product"))


def write_discount(draft: Draft, promotion: Data) -> None:
    """One promotion as a campaign with a discount; one that is repeated by claims, as so many campaigns."""
    known(promotion, *_WORDS)
    parts = parts_of(promotion)
    if len(parts) > 1:
        for part in parts:
            write_discount(draft, part)
        return
    draft.has_discounts = True
    times = 1
    if promotion.get("repeatable_per_unit"):
        times = max(int(item.get("qty", 1)) for event in draft.case.events for item in event.get("items", []))
    for time in range(times):
        code = _code(draft, promotion) if times == 1 else f"claim {time + 1}"
        discount, lines = measure_of(draft, promotion)
        discount |= _asked_for(promotion, code)
        discount |= {ours: number(promotion[word]) for word, ours in _AT_MOST.items() if word in promotion}
        discount["base"] = meaning(_BASES, promotion.get("base", draft.settings.get("base", "left")), "a percentage of")
        campaign = draft.campaign(discount=discount)
        draft.coupons[str(code)] = list(draft.campaigns)[-1]
        campaign["name"] = str(promotion.get("name", code or f"promotion {len(draft.campaigns)}"))
        if lines:
            campaign["lines"] = lines
        _narrow(draft, campaign, promotion)


_AT_MOST = {
    **dict.fromkeys(("max_amount", "max_discount"), "at_most"),
    "max_amount_per_line": "at_most_per_line",
    "max_units": "units",
}
_BASES = {
    **dict.fromkeys(("original amount", "original", "initial amount", "initial", "undiscounted amount"), "original"),
    **dict.fromkeys(("discounted amount", "discounted", "remaining amount", "left"), "discounted"),
}


def _code(draft: Draft, promotion: Data) -> Any:
    code = promotion.get("code", promotion.get("coupon"))
    if code is None and any(event["type"] == "apply_codes" for event in draft.case.events):
        return promotion.get("name")  # what is shown are the names
    return code


def _asked_for(promotion: Data, code: object) -> Data:
    """By what a promotion is asked for: a coupon that can be used so often, a public code, or nothing."""
    if "coupon" in promotion and "uses" in promotion:
        return {"coupon": {"uses": int(promotion["uses"])}}
    return {} if code is None else {"codes": [str(code)]}


def _narrow(draft: Draft, campaign: Data, promotion: Data) -> None:
    conditions = []
    if "min_amount" in promotion:
        conditions.append(f"{_counted(promotion)} >= {decimal_text(promotion['min_amount'])}")
    if "min_qty_products" in promotion:
        conditions.append(_at_least(promotion["min_qty_products"], promotion.get("min_qty", 1)))
    elif "min_qty" in promotion:
        conditions.append(f"event.quantity >= {decimal_text(promotion['min_qty'])}")
    conditions += [_at_least([sku], quantity) for sku, quantity in promotion.get("needs", {}).items()]
    if conditions:
        campaign["when"] = " && ".join(conditions)
    like_rules = {word: promotion[word] for word in _LIKE_RULES if word in promotion}
    lines = campaign.get("lines")
    narrowed(draft, campaign, like_rules)
    if lines and campaign["lines"] != lines:
        campaign["lines"] = f"{lines} && {campaign['lines']}"
    if promotion.get("exclusive") or not promotion.get("stackable", True):
        campaign["exclusive"] = True
    if promotion.get("always_stackable", promotion.get("always")) or plain(promotion.get("stackable")) == "always":
        campaign["always"] = True
    if "priority" in promotion:
        campaign["priority"] = promotion["priority"]
    _grouped(draft, campaign, promotion)


def _grouped(draft: Draft, campaign: Data, promotion: Data) -> None:
    """Put a promotion into the group of which only so many apply."""
    groups = draft.more.setdefault("stacking", {}).setdefault("groups", {})
    of = promotion.get("group", promotion.get("stacking_category"))
    limits: Data = draft.settings.get("stacking_limit") or draft.settings.get("max_per_group") or {}
    if of is not None and of in limits:
        campaign["group"] = identifier(str(of))
        groups[campaign["group"]] = {"most": int(limits[of])}
        return
    order_wide = any(word in promotion for word in ("percent_off_order", "amount_off_order"))
    wide = draft.settings.get("order_wide_discounts", "all")
    if order_wide and meaning(_BEST_ONLY | {"all": False}, wide, "order-wide discounts"):
        campaign["group"] = "order_wide"
        groups["order_wide"] = {"choose": "best_value"}


_BEST_ONLY = dict.fromkeys(("best only", "best", "only the best", "highest only"), True)
_BEST_ONLY |= dict.fromkeys(("stack", "all stack"), False)


def _at_least(skus: list[str], quantity: object) -> str:
    units = f"sum(event.lines.filter(l, l.sku in {quoted(skus)}).map(l, l.quantity))"
    return f"{units} >= {decimal_text(quantity)}"


def _counted(promotion: Data) -> str:
    """What a minimum counts: the chosen products, with or without tax."""
    amount = "l.gross - l.tax" if promotion.get("min_amount_tax") == "excl" else "l.gross"
    lines = "event.lines"
    if "min_amount_products" in promotion:
        skus = json.dumps(promotion["min_amount_products"])
        lines = f"event.lines.filter(l, l.sku in {skus})"
    return f"sum({lines}.map(l, {amount}))"


def _order_wide(_draft: Draft, value: str) -> None:
    """`_narrow` puts discounts of whole orders into a group."""
    meaning(_BEST_ONLY, value, "order-wide discounts")


def _stacking_limit(draft: Draft, value: Data) -> None:
    """How many promotions of a group apply; `_grouped` says it of each."""
    words = ("group", "stacking_category", "category")
    named = {str(one[word]) for one in draft.settings.get("promotions", []) for word in words if word in one}
    if value.keys() - named:
        raise NotExpressible(f"a limit for {', '.join(sorted(value.keys() - named))}, which no promotion names")


def _price_list(_draft: Draft, _value: object) -> None:
    """The till sells at it: `basket` lowers the prices."""


def _base(_draft: Draft, value: str) -> None:
    """What a percentage is taken of; `write_discount` says it of each."""
    meaning(_BASES, value, "a percentage of")


DISCOUNT_SETTINGS: dict[str, Setting] = {
    "base": _base,
    "order_wide_discounts": _order_wide,
    "price_list_percent_off": _price_list,
    **dict.fromkeys(("stacking_limit", "max_per_group"), _stacking_limit),
}
