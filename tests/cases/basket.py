"""Purchases of a case as Setia's API takes them: the case's till puts in taxes and changes money."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from cases.amounts import exact, money, number
from cases.draft import Draft, label
from cases.published import Data, NotExpressible, known

_AMOUNTS = ("items_total", "order_total", "total", "gross", "basis", "eligible", "amount", "converted")
_ITEM = (
    *(
        "sku",
        "qty",
        "quantity",
        "unit_price",
        "price",
        "gross",
        "amount",
        "net",
        "category",
        "brand",
        "labels",
        "tags",
        "delivery",
    ),
    *("wallet_topup", "tax", "name", "line_discount_pct"),
)
PURCHASE = (
    *("type", "date", "at", "day", "days_ago", "member", "store", "partner", "at_partner", "channel", "tier"),
    *("birthday", "codes", "apply", "items", "currency", "order", "first", "key", "redeem"),
    "coupons_used",
    *("items_tax", "order_tax", "tax", "net", "tax_pct", "shipping", "discount", "base_points", "points_earned"),
    *("pay_with_gift_card", "pay_with_gift_cards", "pay_with_wallet", "pay_with_points", *_AMOUNTS),
)
"""The words of a purchase."""
GIVEN = "earns="
"""A label that says how many points a purchase earns, where the case does not say by which rule."""


def purchase(draft: Draft, event: Data) -> Data:
    """The body of a purchase, without who and when.

    Raises:
        NotExpressible: for words that nobody knows here, and for prices that only the case's own till can make.
    """
    known(event, *PURCHASE)
    event = converted(draft, event)
    body: Data = {"type": "purchase", **_basket(draft, event)}
    if "converted" not in event and event.get("currency", draft.currency) != draft.currency:
        body["currency"] = str(event["currency"])
    if draft.has_discounts:
        body |= {"pricing": "before", "codes": [str(code) for code in event.get("codes", [])]}
    # A partner of a coalition is a place where members buy.
    for word, ours in (
        ("store", "location"),
        ("partner", "location"),
        ("at_partner", "location"),
        ("channel", "channel"),
    ):
        if word in event:
            body[ours] = str(event[word])
    if "points_earned" in event:
        body["labels"] = [f"{GIVEN}{number(event['points_earned'])}"]
    return body


def converted(draft: Draft, event: Data) -> Data:
    """A purchase in another currency as it is told: as it is, or by the till in the currency of the program.

    Setia converts final prices itself. What promotions, rewards and cards take off is in the program's currency, so the
    till of such a case converts before.
    """
    currency = str(event.get("currency", draft.currency))
    if currency == draft.currency or "converted" in event:
        return event
    if currency not in draft.rates:
        raise NotExpressible(f"a purchase in {currency} without a rate to {draft.currency}")
    if not (draft.has_discounts or "gift_cards" in draft.more):
        return event
    rate = exact(draft.rates[currency])

    def exchanged(data: Data) -> Data:
        return {word: money(_cents(exact(value) * rate)) if word in _MONEY else value for word, value in data.items()}

    items = {"items": [exchanged(item) for item in event["items"]]} if "items" in event else {}
    return {**exchanged(event), **items, "currency": draft.currency}


_MONEY = (*_AMOUNTS, "unit_price", "net", "tax", "items_tax", "order_tax", "shipping", "discount")


def payable(body: Data) -> Decimal:
    """What a purchase costs: its lines and shipping after all discounts, with tax."""
    goods = sum((exact(line["amount"]) for line in body["lines"]), Decimal(0))
    return goods - exact(body.get("discount", 0)) + exact(body.get("shipping", 0))


def _basket(draft: Draft, event: Data) -> Data:
    if "items" in event:
        return _items(draft, event)
    if "items_total" in event:
        shipping = exact(event["order_total"]) - exact(event["items_total"])
        shipping_tax = exact(event.get("order_tax", 0)) - exact(event.get("items_tax", 0))
        goods = _line("goods", exact(event["items_total"]), exact(event.get("items_tax", 0)))
        return {"lines": [goods], "shipping": money(shipping), "shipping_tax": money(shipping_tax)}
    if "net" in event:
        net = exact(event["net"])
        tax = _cents(net * exact(event.get("tax_pct", 0)) / 100)
        return {"lines": [_line("goods", net + tax, tax)]}
    for name in _AMOUNTS:
        if name in event:
            tax = exact(event.get("tax", 0))
            # A case whose basis is before tax writes amounts without it.
            added = tax if str(draft.settings.get("basis", "")).startswith("before tax") else Decimal(0)
            return _with_discount({"lines": [_line("goods", exact(event[name]) + added, tax)]}, event)
    # Nothing is said of money: one euro, or as many as the source gives points of its own for.
    return {"lines": [_line("goods", exact(event.get("base_points", 1)), Decimal(0))]}


def _with_discount(body: Data, event: Data) -> Data:
    if "discount" in event:
        body["discount"] = money(event["discount"])
    if "shipping" in event:
        body["shipping"] = money(event["shipping"])
    return body


def _line(sku: str, amount: Decimal, tax: Decimal, **more: Any) -> Data:
    return {"sku": sku, "amount": money(amount), "tax": money(tax), **more}


def _items(draft: Draft, event: Data) -> Data:
    settings = draft.settings
    # Delivery counts where any rule says so; the others do not tell the two apart.
    counts = any(rule.get("delivery_cost_counts") for rule in settings.get("rules", []))
    lines: list[Data] = []
    shipping = Decimal(0)
    for item in event["items"]:
        known(item, *_ITEM)
        amount, tax = _price(settings.get("tax", {}), item)
        # A price list, or the till itself, has lowered the price before any promotion.
        lower = (100 - exact(settings.get("price_list_percent_off", 0))) / 100
        lower *= (100 - exact(item.get("line_discount_pct", 0))) / 100
        amount, tax = _cents(amount * lower), _cents(tax * lower)
        if item.get("delivery") and not counts:
            shipping += amount
            continue
        labels = [label(key, value) for key, value in item.get("labels", {}).items()]
        labels += [label("tag", tag) for tag in item.get("tags", [])]
        labels += ["wallet_topup"] if item.get("wallet_topup") else []
        more = {name: str(item[name]) for name in ("category", "brand", "name") if name in item}
        sku = str(item.get("sku", item.get("category", "item")))
        line = _line(sku, amount, tax, quantity=str(item.get("qty", item.get("quantity", 1))), labels=labels, **more)
        lines.append(line)
    body: Data = {"lines": lines}
    if shipping:
        body["shipping"] = money(shipping)
    return _with_discount(body, event)


def _price(tax: Any, item: Data) -> tuple[Decimal, Decimal]:
    """What a line costs with tax, and the tax in it."""
    quantity = exact(item.get("qty", item.get("quantity", 1)))
    rate, included = _tax_of(tax, str(item.get("sku", "")))
    if "gross" in item:
        return exact(item["gross"]), exact(item.get("tax", 0))
    price = exact(item["amount"]) if "amount" in item else exact(_unit_price(item)) * quantity
    if included:
        return price, _cents(price * rate / (100 + rate))
    added = _cents(price * rate / 100)
    return price + added, added


def _unit_price(item: Data) -> Any:
    return item.get("unit_price", item.get("price", item.get("net", 0)))


def _tax_of(tax: Any, sku: str) -> tuple[Decimal, bool]:
    """The rate of a product in percent, and whether prices contain it."""
    if not isinstance(tax, dict):
        return Decimal(0), False
    own = tax.get(sku, tax if "rate" in tax else 0)
    if isinstance(own, dict):
        return exact(own["rate"]), own.get("mode") in {"included", "inclusive"}
    return exact(own), tax.get("mode") in {"included", "inclusive"}


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
