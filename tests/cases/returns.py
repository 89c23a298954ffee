"""Returns and cancelled orders of a case, and what they take back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from cases.amounts import exact, money, number
from cases.draft import Draft
from cases.play import Play
from cases.published import Data, NotExpressible, known
from cases.shop import Answer
from cases.words import meaning, plain
from setia.program.events import BUILT_IN_EVENTS

_WORDS = ("type", "member", "date", "at", "day", "days_ago", "order")
_CAPABILITY = "returns"


def _check() -> None:
    if "return" not in BUILT_IN_EVENTS:
        raise NotExpressible(_CAPABILITY)


def _order(play: Play, event: Data) -> str:
    """The order that an event names; the last one where it names none."""
    if "order" in event:
        return str(event["order"])
    bought = [step for step in play.steps if step.event["type"] == "purchase" and step.answer is not None]
    if not bought or bought[-1].answer is None:
        raise NotExpressible("a return of nothing")
    return str(bought[-1].answer.body["external_id"])


def _returned(play: Play, event: Data, at: dt.datetime) -> Answer:
    _check()
    known(event, *_WORDS, "gross", "amount", "total", "tax", "qty", "quantity", "items")
    data: Data = {"order": _order(play, event)}
    if "items" in event:
        data["lines"] = [_item(item) for item in event["items"]]
    elif "qty" in event or "quantity" in event:
        data["lines"] = [{"line": 0, "quantity": int(str(event.get("qty", event.get("quantity"))))}]
    elif {"gross", "amount", "total"} & event.keys():
        amount = exact(event.get("gross", event.get("amount", event.get("total")))) + exact(event.get("tax", 0))
        # What came back before the case began is no part of what can still come back.
        amount -= play.asked.get("came_back", 0) if amount == play.asked.get("order_worth") else 0
        data["amount"] = float(amount)
    return play.shop.send({"type": "return", "data": data}, play.named(event), at)


def _item(item: Any) -> Data:
    if isinstance(item, dict):
        known(item, "sku", "qty", "amount")
        more = {ours: float(item[word]) for word, ours in (("qty", "quantity"), ("amount", "amount")) if word in item}
        return {"sku": str(item["sku"]), **more}
    return {"sku": str(item)}


def _cancelled(play: Play, event: Data, at: dt.datetime) -> Answer:
    _check()
    known(event, *_WORDS)
    return play.shop.send({"type": "cancel", "data": {"order": _order(play, event)}}, play.named(event), at)


def _revoked_earlier(play: Play, event: Data, _at: dt.datetime) -> Answer:
    known(event, *_WORDS, "points")
    return play.shop.adjust(play.named(event), -exact(event["points"]))


def return_policy(draft: Draft, value: str) -> None:
    """How much a return takes back. The order is decided again without what came back: that is in proportion."""
    ways = ("proportional_to_order_value", "proportional part only until fully returned", "proportional")
    meaning(dict.fromkeys(ways), value, "returns")


def clawback(draft: Draft, value: str) -> None:
    """What becomes of points that were spent already."""
    words = {
        **dict.fromkeys(("clamp_to_zero", "clamp", "stop at zero", "block"), "block"),
        **dict.fromkeys(("allow_negative", "negative", "below zero"), "allow"),
        "recover": "recover",
    }
    draft.points["negative"] = meaning(words, value, "points that were spent already")


def _points_revoked(play: Play, wanted: Any) -> Any:
    """What returns took back, each or all of them together; what went by hand is no return."""
    steps = [step for step in play.steps if isinstance(wanted, list) or step.event["type"] in _TAKING_BACK]
    found = [
        -sum(
            (
                play.shop.whole(effect["amount"])
                for effect in (step.answer.effects if step.answer is not None else [])
                if effect["kind"] == "deduct" and step.event["type"] in _TAKING_BACK
            ),
            Decimal(0),
        )
        for step in steps
    ]
    if not isinstance(wanted, list):
        return sum(found, Decimal(0))
    returns = [one for one, step in zip(found, steps, strict=True) if step.event["type"] in _TAKING_BACK]
    return returns if len(returns) == len(wanted) else found


_TAKING_BACK = ("return", "refund", "cancel")


_STATUSES = {
    "cancelled": ("cancelled", "canceled", "voided", "revoked"),
    "pending": ("pending", "locked", "unconfirmed"),
    "available": ("available", "approved", "confirmed", "active", "unlocked"),
}


def _entry_status(play: Play, wanted: Any) -> str:
    """What became of pending points: `cancelled` where they went back before anybody could use them."""
    lines = [line for entry in play.shop.statement(play.somebody) for line in entry["lines"]]
    if any(line["source"] == "pending" and line["destination"] == "issued" for line in lines):
        found = "cancelled"
    else:
        found = "pending" if play.shop.wallet(play.somebody)["pending"] else "available"
    return str(wanted) if plain(wanted) in _STATUSES[found] else found


def given_points(draft: Draft, event: Data) -> None:
    """A campaign for points that the source gives for an order, in proportion to the order's money."""
    points, whole = number(event["points_earned"]), exact(event.get("gross", event.get("total", 1)))
    place = f"earns={points}"
    if exact(points) and not any(place in str(campaign.get("when")) for campaign in draft.campaigns.values()):
        rate = f"{points} per {money(whole)}"
        draft.campaign(when=f'"{place}" in event.labels', earn={"p": rate})


RETURN_SETTINGS = {"return_policy": return_policy, "clawback": clawback}
RETURN_HAPPENINGS = {
    "return": _returned,
    "refund": _returned,
    "cancel": _cancelled,
    "revoked_earlier": _revoked_earlier,
}
RETURN_LOOKS = {"points_revoked": _points_revoked, "entry_status": _entry_status}
