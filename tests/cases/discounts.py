"""Promotions of a case that take money off, as discounts of ours."""

from __future__ import annotations

import json
from typing import Any

from cases.amounts import decimal_text, number
from cases.draft import Draft, Setting, label
from cases.narrowing import boundary
from cases.published import Data, NotExpressible, known
from cases.rewards import claims
from setia.events.schemas import EventIn

MONEY_OFF = (
    *("percent_off_order", "percent_off_category", "percent_off_items", "percent_off_product", "percent_off_cheapest"),
    *("amount_off_order", "amount_off_product", "amount_off_shipping", "percent_off_shipping", "buy"),
    *("amount_off", "percent_off", "percent", "amount", "gift_card"),
)
"""The words that say what is taken off. In lists of what is applied one after the other they are shorter."""
_WORDS = (
    *(*MONEY_OFF, "free", "repeat", "name", "code", "coupon", "exclusive", "max_amount", "needs", "only_tag"),
    *("min_amount", "min_qty", "min_amount_products", "min_amount_tax", "repeatable_per_unit", "max_units"),
    *("from", "to", "priority", "base", "uses"),
)


def are_there() -> bool:
    """Whether purchases may come with prices before promotions."""
    return "pricing" in EventIn.__struct_fields__


def takes_money_off(promotion: Data) -> bool:
    """Whether a promotion is a discount."""
    return any(word in promotion for word in MONEY_OFF)


def write_discount(draft: Draft, promotion: Data) -> None:
    """One promotion as a campaign with a discount; one that is repeated by claims, as so many campaigns."""
    if not are_there():
        raise NotExpressible("coupons: what is taken off a price")
    known(promotion, *_WORDS)
    draft.has_discounts = True
    times = 1
    if promotion.get("repeatable_per_unit"):
        times = max(int(item.get("qty", 1)) for event in draft.case.events for item in event.get("items", []))
    for time in range(times):
        discount, lines = _measure(promotion, added=claims(draft))
        code = promotion.get("code", promotion.get("coupon"))
        if code is None and any(event["type"] == "apply_codes" for event in draft.case.events):
            code = promotion.get("name")  # what is shown are the names
        if times > 1:
            code = f"claim {time + 1}"
        discount |= _asked_for(promotion, code)
        if "max_amount" in promotion:
            discount["at_most"] = number(promotion["max_amount"])
        if promotion.get("base", draft.settings.get("base")) in {"original amount", "original"}:
            discount["base"] = "original"
        campaign = draft.campaign(discount=discount)
        draft.coupons[str(code)] = list(draft.campaigns)[-1]
        campaign["name"] = str(promotion.get("name", code or f"promotion {len(draft.campaigns)}"))
        if lines:
            campaign["lines"] = lines
        _narrow(draft, campaign, promotion)


def _asked_for(promotion: Data, code: object) -> Data:
    """By what a promotion is asked for: a coupon that can be used so often, a public code, or nothing."""
    if "coupon" in promotion and "uses" in promotion:
        return {"coupon": {"uses": int(promotion["uses"])}}
    return {} if code is None else {"codes": [str(code)]}


_OF_THE_ORDER = {
    **dict.fromkeys(("percent_off_order", "percent_off_items", "percent_off", "percent"), ("percent", "order")),
    **dict.fromkeys(("amount_off_order", "amount_off", "amount", "gift_card"), ("amount", "order")),
    "percent_off_shipping": ("percent", "shipping"),
    "amount_off_shipping": ("amount", "shipping"),
}
"""What is taken off the order or its shipping: the word, our measure, and where."""
_OF_LINES = {
    "percent_off_product": ("percent", "order", "sku"),
    "percent_off_category": ("percent", "order", "category"),
    "amount_off_product": ("amount", "lines", "sku"),
}


def _measure(promotion: Data, *, added: bool) -> tuple[Data, str]:
    """The discount, and the condition on the lines that it is taken off."""
    if "buy" in promotion:
        return _free_units(promotion, added=added)
    for word, (measure, where) in _OF_THE_ORDER.items():
        if word in promotion:
            return {measure: number(promotion[word]), "on": where}, ""
    for word, (measure, where, path) in _OF_LINES.items():
        if word in promotion:
            [(name, value)] = _only_one(promotion[word])
            return {measure: number(value), "on": where}, f"line.{path} == {json.dumps(name)}"
    tagged = f"{json.dumps(label('tag', promotion['only_tag']))} in line.labels" if "only_tag" in promotion else ""
    return {"percent": number(promotion["percent_off_cheapest"]), "on": "cheapest"}, tagged


def _only_one(value: Data) -> list[tuple[str, Any]]:
    if len(value) != 1:
        raise NotExpressible("one promotion for several products or categories")
    return list(value.items())


def _free_units(promotion: Data, *, added: bool) -> tuple[Data, str]:
    """So many units free with so many bought: added to the order where it repeats or is claimed, else in the cart."""
    [(bought, units)], [(given, free)] = _only_one(promotion["buy"]), _only_one(promotion["free"])
    repeat = bool(promotion.get("repeat"))
    discount: Data = {"percent": 100, "units": free, "repeat": repeat}
    discount["buy"] = {"lines": f"line.sku == {json.dumps(bought)}", "quantity": units}
    discount["free"] = "added" if repeat or added else "in_cart"
    return discount, f"line.sku == {json.dumps(given)}"


def _narrow(draft: Draft, campaign: Data, promotion: Data) -> None:
    conditions = []
    if "min_amount" in promotion:
        conditions.append(f"{_counted(promotion)} >= {decimal_text(promotion['min_amount'])}")
    if "min_qty" in promotion:
        conditions.append(f"event.quantity >= {decimal_text(promotion['min_qty'])}")
    for sku, quantity in promotion.get("needs", {}).items():
        units = f"sum(event.lines.filter(l, l.sku == {json.dumps(sku)}).map(l, l.quantity))"
        conditions.append(f"{units} >= {decimal_text(quantity)}")
    if conditions:
        campaign["when"] = " && ".join(conditions)
    schedule = {
        ours: boundary(str(promotion[word])) for word, ours in (("from", "starts"), ("to", "ends")) if word in promotion
    }
    if schedule:
        campaign["schedule"] = schedule
    if promotion.get("exclusive"):
        campaign["exclusive"] = True
    if "priority" in promotion:
        campaign["priority"] = promotion["priority"]
    order_wide = any(word in promotion for word in ("percent_off_order", "amount_off_order"))
    if draft.settings.get("order_wide_discounts") == "best only" and order_wide:
        campaign["group"] = "order_wide"
        draft.more.setdefault("stacking", {})["groups"] = {"order_wide": {"choose": "best_value"}}


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
    if value != "best only":
        raise NotExpressible(f"order-wide discounts: {value}")


def _price_list(_draft: Draft, _value: object) -> None:
    """The till sells at it: `basket` lowers the prices."""


def _base(_draft: Draft, value: str) -> None:
    """What a percentage is taken of; `write_discount` says it of each."""
    if value not in {"original amount", "original", "discounted amount"}:
        raise NotExpressible(f"a percentage of the {value}")


DISCOUNT_SETTINGS: dict[str, Setting] = {
    "base": _base,
    "order_wide_discounts": _order_wide,
    "price_list_percent_off": _price_list,
}
