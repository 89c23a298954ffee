"""What a promotion of a case takes off, and from what."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cases.amounts import exact, number
from cases.draft import Draft, label, quoted
from cases.published import Data, NotExpressible
from cases.rewards import claims

_STEPS_BY = {
    "percent_by_amount": ("percent", "amount"),
    "amount_by_amount": ("amount", "amount"),
    "percent_by_qty": ("percent", "quantity"),
    "amount_by_qty": ("amount", "quantity"),
}
"""Steps of a discount: from so much on, or so many, so much off."""
MONEY_OFF = (
    *("percent_off_order", "percent_off_category", "percent_off_items", "percent_off_product", "percent_off_cheapest"),
    *("amount_off_order", "amount_off_product", "amount_off_category", "percent_off_brand", "percent_off_dearest"),
    *("amount_off_shipping", "percent_off_shipping", "buy", "bundle", "steps", *_STEPS_BY),
    *("amount_off", "percent_off", "percent", "amount", "gift_card"),
)
"""The words that say what is taken off. In lists of what is applied one after the other they are shorter."""


def parts_of(promotion: Data) -> list[Data]:
    """A promotion for several products or categories as one for each, where they get different amounts off."""
    for word in _OF_LINES:
        values = promotion.get(word)
        if isinstance(values, dict) and len({number(value) for value in values.values()}) > 1:
            if {"code", "coupon", "max_amount", "max_discount", "uses"} & promotion.keys():
                raise NotExpressible("one code, or one cap, for several products or categories")
            return [{**promotion, word: {name: value}} for name, value in values.items()]
    return [promotion]


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
    "amount_off_category": ("amount", "lines", "category"),
    "percent_off_brand": ("percent", "order", "brand"),
    "amount_off_product": ("amount", "lines", "sku"),
}


def measure_of(draft: Draft, promotion: Data) -> tuple[Data, str]:
    """The discount, and the condition on the lines that it is taken off."""
    for words, written in _OF_UNITS.items():
        if any(word in promotion for word in words):
            return written(draft, promotion)
    for word, (measure, where) in _OF_THE_ORDER.items():
        if word in promotion:
            return {measure: number(promotion[word]), "on": where}, ""
    for word, (measure, where, path) in _OF_LINES.items():
        if word in promotion:
            value = next(iter(promotion[word].values()))
            return {measure: number(value), "on": where}, f"line.{path} in {quoted(list(promotion[word]))}"
    tagged = f"{json.dumps(label('tag', promotion['only_tag']))} in line.labels" if "only_tag" in promotion else ""
    word, of = ("percent_off_cheapest", "cheapest") if "percent_off_cheapest" in promotion else _DEAREST
    return {"percent": number(promotion[word]), "on": of}, tagged


def _bundle(_draft: Draft, promotion: Data) -> tuple[Data, str]:
    """Several products together for one price, or with so much off."""
    parts = [
        {"lines": f"line.sku == {json.dumps(sku)}", "quantity": int(of)} for sku, of in promotion["bundle"].items()
    ]
    measures = (("bundle_price", "price"), ("percent", "percent"), ("amount", "amount"), ("percent_off", "percent"))
    [(word, measure)] = [(word, measure) for word, measure in measures if word in promotion]
    return {"bundle": parts, measure: number(promotion[word])}, ""


def _steps(_draft: Draft, promotion: Data) -> tuple[Data, str]:
    if "steps" in promotion:
        return {"steps": [{word: number(value) for word, value in step.items()} for step in promotion["steps"]]}, ""
    [(word, (measure, by))] = [(word, meant) for word, meant in _STEPS_BY.items() if word in promotion]
    steps = sorted(promotion[word].items(), key=lambda step: exact(step[0]))
    return {"steps": [{"from": number(start), measure: number(off)} for start, off in steps], "steps_by": by}, ""


_DEAREST = ("percent_off_dearest", "dearest")


def _only_one(value: Data) -> list[tuple[str, Any]]:
    if len(value) != 1:
        raise NotExpressible("free units with, or of, several products together")
    return list(value.items())


def _free_units(draft: Draft, promotion: Data) -> tuple[Data, str]:
    """So many units free with so many bought.

    Of another product those that are in the cart, where any is; of the same, the case counts them on top of what is
    bought where the promotion repeats or is claimed.
    """
    [(bought, units)], [(given, free)] = _only_one(promotion["buy"]), _only_one(promotion["free"])
    repeat = bool(promotion.get("repeat"))
    discount: Data = {"percent": 100, "units": free, "repeat": repeat}
    discount["buy"] = {"lines": f"line.sku == {json.dumps(bought)}", "quantity": units}
    on_top = repeat or claims(draft) if bought == given else not _in_a_cart(draft, given)
    discount["free"] = "added" if on_top else "in_cart"
    return discount, f"line.sku == {json.dumps(given)}"


def _free_product(draft: Draft, promotion: Data) -> tuple[Data, str]:
    """One unit of a product free: of the cart, or added to it where no cart of the case has any."""
    sku = str(promotion["free_product"])
    lines = f"line.sku == {json.dumps(sku)}"
    if _in_a_cart(draft, sku):
        return {"percent": 100, "on": "cheapest"}, lines
    buy = {"lines": f"line.sku != {json.dumps(sku)}", "quantity": 1}
    return {"percent": 100, "units": 1, "repeat": False, "buy": buy, "free": "added"}, lines


def _in_a_cart(draft: Draft, sku: str) -> bool:
    return any(str(item.get("sku")) == sku for event in draft.case.events for item in event.get("items", []))


_OF_UNITS: dict[tuple[str, ...], Callable[[Draft, Data], tuple[Data, str]]] = {
    ("buy",): _free_units,
    ("bundle",): _bundle,
    ("steps", *_STEPS_BY): _steps,
    ("free_product",): _free_product,
}
