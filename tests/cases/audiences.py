"""Audiences of a case: conditions over members, and who meets them."""

from __future__ import annotations

import json
from typing import Any

from cases.amounts import decimal_text
from cases.draft import Draft, Setting, identifier, quoted
from cases.play import Play
from cases.published import Data, NotExpressible

_EFFECT = "in_audience"
_ORDERS = "member.lifetime.orders"
_SPEND = "member.lifetime.spend"
_BETWEEN = {
    **dict.fromkeys(("transactions", "transaction_count", "orders", "purchases"), _ORDERS),
    **dict.fromkeys(("transaction_amount", "spend", "total_spend", "amount_spent"), _SPEND),
    **dict.fromkeys(("avg_transaction", "average_transaction", "avg_transaction_amount"), f"{_SPEND} / {_ORDERS}"),
}
"""What lies between two bounds, which both belong to it."""
_BOUGHT = {
    **dict.fromkeys(("bought_in_store", "bought_in_stores", "store"), ("when", "event.location")),
    **dict.fromkeys(("bought_in_channel", "channel"), ("when", "event.channel")),
    **dict.fromkeys(("bought_sku", "bought_skus", "bought_product", "bought_products"), ("lines", "line.sku")),
    **dict.fromkeys(("bought_category", "bought_categories"), ("lines", "line.category")),
    **dict.fromkeys(("bought_brand", "bought_brands"), ("lines", "line.brand")),
}
"""What members have bought, or where: a campaign notes it of them with a tag."""


def segment_parts(draft: Draft, parts: list[list[Data]]) -> None:
    """An audience: of each part one criterion has to hold. It is the condition of a campaign on visits."""
    any_of = [" || ".join(f"({_criterion(draft, one)})" for one in part) for part in parts]
    when = " && ".join(f"({one})" for one in any_of)
    draft.campaign(on="visit", when=when, effect={"name": _EFFECT})


def _criterion(draft: Draft, criterion: Data) -> str:
    found = []
    for word, value in criterion.items():
        if word in _BETWEEN:
            low, high = value
            ends = [f"{_BETWEEN[word]} >= {decimal_text(low)}"] if low is not None else []
            ends += [f"{_BETWEEN[word]} <= {decimal_text(high)}"] if high is not None else []
            found.append(" && ".join([f"{_ORDERS} > 0", *ends] if "/" in _BETWEEN[word] else ends))
        elif word in _BOUGHT:
            found.append(_bought(draft, word, value if isinstance(value, list) else [value]))
        else:
            raise NotExpressible(f"an audience by {word}")
    return " && ".join(found)


def _bought(draft: Draft, word: str, wanted: list[Any]) -> str:
    place, path = _BOUGHT[word]
    tag = identifier("_".join(["bought", path.split(".")[1], *map(str, wanted)]))
    draft.campaign(**{place: f"{path} in {quoted(wanted)}"}, tag=[tag])
    return f"{json.dumps(tag)} in member.tags"


def _members(play: Play, _wanted: Any) -> list[str]:
    """Who is in the audience now: asked of everybody, in the order in which they came."""
    found = []
    for name, member in play.shop.members.items():
        body = {"type": "visit", "occurred_at": play.shop.now.isoformat(), "member": {"id": member}}
        effects = play.shop.post("/v1/calculate", body).effects
        if any(one["kind"] == "custom" and one["name"] == _EFFECT for one in effects):
            found.append(name)
    return found


AUDIENCE_SETTINGS: dict[str, Setting] = {"segment_parts": segment_parts}
AUDIENCE_LOOKS = {"members": _members}
