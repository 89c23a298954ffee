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
    known(event, *_WORDS, "gross", "amount", "tax", "qty", "items")
    data: Data = {"order": _order(play, event)}
    if "items" in event:
        data["lines"] = [_item(item) for item in event["items"]]
    elif "qty" in event:
        data["lines"] = [{"line": 0, "quantity": int(event["qty"])}]
    elif "gross" in event or "amount" in event:
        data["amount"] = float(exact(event.get("gross", event.get("amount"))) + exact(event.get("tax", 0)))
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
    if value not in {"proportional_to_order_value", "proportional part only until fully returned", "proportional"}:
        raise NotExpressible(f"returns: {value}")


def clawback(draft: Draft, value: str) -> None:
    """What becomes of points that were spent already."""
    words = {"clamp_to_zero": "block", "clamp": "block", "allow_negative": "allow", "negative": "allow"}
    words |= {"recover": "recover", "block": "block"}
    if value not in words:
        raise NotExpressible(f"points that were spent already: {value}")
    draft.points["negative"] = words[value]


def _points_revoked(play: Play, _wanted: Any) -> Decimal:
    answer = play.steps[-1].answer
    effects = answer.effects if answer is not None else []
    return -sum((play.shop.whole(effect["amount"]) for effect in effects if effect["kind"] == "deduct"), Decimal(0))


def _entry_status(play: Play, _wanted: Any) -> str:
    """What became of pending points: `cancelled` where they went back before anybody could use them."""
    lines = [line for entry in play.shop.statement(play.somebody) for line in entry["lines"]]
    if any(line["source"] == "pending" and line["destination"] == "issued" for line in lines):
        return "cancelled"
    return "pending" if play.shop.wallet(play.somebody)["pending"] else "available"


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
