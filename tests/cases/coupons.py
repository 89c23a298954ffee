"""Coupons of a case: those an order earns, those it is paid with, and what becomes of both."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from typing import Any

from cases.amounts import exact, money, number
from cases.basket import purchase
from cases.draft import Draft
from cases.narrowing import COMMON, boundary, narrowed
from cases.play import Play
from cases.published import Data, NotExpressible, known
from cases.shop import Answer
from cases.timeline import day_of
from cases.words import MODES, meaning, plain

_WHEN = ("type", "member", "date", "at", "day", "days_ago")
_SHOWN = "shown_coupon"
"""The promotion of coupons that a case brings along."""
_WORTH = re.compile(r"^coupon worth (\d+(?:\.\d+)?)% of the order$")
_EMPTY: Data = {"type": "purchase"}
_POLICIES = {
    **dict.fromkeys(("proportional", "proportionally", "in proportion"), "proportional"),
    "full": "full",
    **dict.fromkeys(("never", "none"), "never"),
}


def _earned(draft: Draft, discount: Data, gift: Data, **when: Any) -> Data:
    """A campaign that gives a coupon, and the promotion that the coupon is for."""
    draft.has_discounts = True
    promotion = draft.campaign(discount=discount)
    [name] = [key for key, campaign in draft.campaigns.items() if campaign is promotion]
    return draft.campaign(coupon={"of": name, **gift}, **when)


def next_order_coupon(draft: Draft, rule: Data) -> Data:
    """A rule that gives a coupon worth a share of the order; `round` says to which whole units of money."""
    known(rule, *COMMON, "percent", "round")
    gift: Data = {"percent": number(rule["percent"])}
    if "round" in rule:
        gift |= {"step": 1, "rounding": meaning(MODES, rule["round"], "rounding")}
    return _earned(draft, {"coupon": {"amount": "own"}}, gift)


def instant_reward(draft: Draft, rule: Data) -> Data:
    """A rule that gives something at once: of coupons those that are worth a share of the order."""
    known(rule, *COMMON, "reward")
    worth = _WORTH.match(str(rule["reward"]))
    if worth is None:
        raise NotExpressible(f"instant reward {rule['reward']}")
    return _earned(draft, {"coupon": {"amount": "own"}}, {"percent": worth[1]})


def write_next_order(draft: Draft, promotion: Data) -> None:
    """A promotion whose discount is a coupon for the next order; the promotion's dates are the coupon's too."""
    discounts: dict[str, Any] = {
        "percent_off_order": lambda value: ({"percent": number(value)}, ""),
        "amount_off_order": lambda value: ({"amount": number(value)}, ""),
        "free_product": lambda value: ({"percent": 100, "on": "cheapest"}, f"line.sku == {json.dumps(str(value))}"),
    }
    known(promotion, *COMMON, "next_order_coupon", "min_qty", "min_amount", "from", "to")
    [(word, value)] = promotion["next_order_coupon"].items()
    if word not in discounts:
        raise NotExpressible(f"a coupon for the next order with {word}")
    discount, lines = discounts[word](value)
    earning = _earned(draft, discount | {"coupon": True}, {})
    target = draft.campaigns[earning["coupon"]["of"]]
    if lines:
        target["lines"] = lines
    if "to" in promotion:
        target["schedule"] = {"ends": boundary(str(promotion["to"]))}
    narrowed(draft, earning, {key: one for key, one in promotion.items() if key != "next_order_coupon"})


def declare_coupons(draft: Draft, event: Data) -> None:
    """Put the promotion into the program that the coupons of an order are for."""
    if "coupons_used" in event and _SHOWN not in draft.campaigns:
        draft.has_discounts = True
        policy = meaning(_POLICIES, draft.settings.get("coupon_return", "proportional"), "what comes back to coupons")
        coupon = {"amount": "own", "per_order": 50, "on_return": policy}
        draft.campaigns[_SHOWN] = {"on": "purchase", "discount": {"coupon": coupon}}


def order_with_coupons(play: Play, event: Data, body: Data, at: dt.datetime) -> Answer:
    """Buy with coupons: they are made, and their codes are shown.

    What came back of them before the case begins came back with the goods of the order.
    """
    for coupon in event["coupons_used"]:
        known(coupon, "value", "expires_in_days", "already_returned")
        more: Data = {"amount": money(coupon["value"])}
        if "expires_in_days" in coupon:
            more["ends"] = (at + dt.timedelta(days=int(coupon["expires_in_days"]))).isoformat()
        body["codes"] = [*body.get("codes", []), _made(play, _SHOWN, **more)]
    answer = play.shop.send(body, play.named(event), at)
    if any("already_returned" in coupon for coupon in event["coupons_used"]):
        _came_back(play, event, answer, at)
    return answer


def _made(play: Play, campaign: str, **more: Any) -> str:
    """Make a coupon that everybody can use; give its code."""
    count = play.asked["coupons_made"] = play.asked.get("coupons_made", 0) + 1
    body = {"campaign": campaign, "count": 1, **more}
    answer = play.shop.post("/v1/coupons", body, {"Idempotency-Key": f"coupon {count}".replace(" ", "-")})
    if answer.problem is not None:
        raise AssertionError(f"no coupon could be made: {answer.body}")
    return str(answer.body["coupons"][0]["code"])


def code_of(play: Play, name: str) -> str:
    """The code that is shown for one that a case names: of coupons that can be used so often, one that is made."""
    of = play.draft.coupons.get(name)
    if of is None or not isinstance(play.draft.campaigns[of]["discount"].get("coupon"), dict):
        return name
    codes = play.asked.setdefault("codes_made", {})
    if name not in codes:
        codes[name] = _made(play, of)
    return str(codes[name])


def _came_back(play: Play, event: Data, order: Answer, at: dt.datetime) -> None:
    """Goods for as much as the coupons have got back: all of them together, in proportion."""
    whole = sum((exact(coupon["value"]) for coupon in event["coupons_used"]), Decimal(0))
    back = sum((exact(coupon.get("already_returned", 0)) for coupon in event["coupons_used"]), Decimal(0))
    data: Data = {"order": order.body["external_id"]}
    if back < whole:
        # In prices before coupons, as what comes back is told.
        worth = sum((exact(line["amount"]) for line in purchase(play.draft, event)["lines"]), Decimal(0))
        play.asked["order_worth"] = worth
        play.asked["came_back"] = (worth * back / whole).quantize(Decimal("0.01"))
        data["amount"] = float(play.asked["came_back"])
    answer = play.shop.send({"type": "return", "data": data}, play.named(event), at)
    if answer.problem is not None:
        raise AssertionError(f"the order cannot come back: {answer.body}")


def _policy(_draft: Draft, value: str) -> None:
    """What comes back to coupons; `declare_coupons` says it of their promotion."""
    meaning(_POLICIES, value, "what comes back to coupons")


def _order_of(_draft: Draft, value: str) -> None:
    """Which of several coupons comes back first: ours has one order."""
    meaning({"latest expiry first": None, "latest first": None}, value, "coupons come back")


COUPON_SETTINGS = {"coupon_return": _policy, "order": _order_of}


def _draft_order(play: Play, event: Data, at: dt.datetime) -> Answer:
    """A cart that is not bought: it is only asked what it would do."""
    known(event, *_WHEN, "items")
    play.asked["drafted"] = purchase(play.draft, {"type": "purchase", "items": event["items"]})
    play.asked["coupons_before"] = len(_held(play, event))
    member = {"id": play.shop.enrol(play.named(event))}
    return play.shop.post("/v1/calculate", {**play.asked["drafted"], "occurred_at": at.isoformat(), "member": member})


def _confirm(play: Play, event: Data, at: dt.datetime) -> Answer:
    """The cart is bought; of several, the one that is named."""
    known(event, *_WHEN, "order")
    carts = play.asked.get("carts", {})
    body = dict(carts[str(event["order"])] if "order" in event else play.asked["drafted"])
    body.setdefault("external_id", "confirmed")
    answer = play.shop.send(body, play.named(event), at)
    play.asked["confirmed"] = body, at
    play.asked.setdefault("orders", {})[body["external_id"]] = answer
    return answer


def apply_to_order(play: Play, event: Data, at: dt.datetime) -> Answer:
    """A coupon is put on an order that has a name: one that is confirmed later waits, another holds it from now on."""
    known(event, *_WHEN, "order", "code")
    order = str(event["order"])
    body = {**purchase(play.draft, _EMPTY), "codes": [code_of(play, str(event["code"]))], "external_id": order}
    play.asked.setdefault("carts", {})[order] = body
    if any(other["type"] == "confirm" and str(other.get("order")) == order for other in play.draft.case.events):
        member = {"id": play.shop.enrol(play.named(event))}
        return play.shop.post("/v1/calculate", {**body, "occurred_at": at.isoformat(), "member": member})
    answer = play.shop.send(body, play.named(event), at)
    play.asked.setdefault("orders", {})[order] = answer
    return answer


def _reopen(play: Play, event: Data, at: dt.datetime) -> Answer:
    """What cancelled an order is cancelled itself."""
    known(event, *_WHEN, "order")
    order = str(event["order"])
    cancelled = [
        step.answer.body["external_id"]
        for step in play.steps
        if step.event["type"] == "cancel" and str(step.event.get("order")) == order and step.answer is not None
    ]
    answer = play.shop.send({"type": "cancel", "data": {"order": cancelled[-1]}}, play.named(event), at)
    play.asked["orders"][order] = answer
    return answer


COUPON_HAPPENINGS = {
    "draft_order": _draft_order,
    "confirm": _confirm,
    "reopen_and_confirm": _reopen,
}


def _held(play: Play, event: Data) -> list[Data]:
    member = play.shop.enrol(play.named(event))
    return list(play.shop.get(f"/v1/members/{member}/coupons")["items"])


def _granted(play: Play) -> list[Data]:
    answers = [step.answer for step in play.steps if step.answer is not None and "id" in step.answer.body]
    return [one for answer in answers for one in answer.body.get("coupons", []) if one["what"] == "granted"]


def _value(play: Play, _wanted: Any) -> Decimal:
    return exact(_granted(play)[-1]["amount"])


def _status(play: Play, wanted: Any) -> str:
    """What became of the coupon, in the word of the case."""
    [coupon] = _held(play, play.steps[-1].event)
    usable = ("active", "issued", "valid", "unused", "available")
    is_that = coupon["state"] == "usable" and plain(wanted) in usable
    return str(wanted if is_that else coupon["state"])


def _expires(play: Play, wanted: str) -> str:
    """The last day of the coupon, as the case writes it."""
    ends = dt.datetime.fromisoformat(_granted(play)[-1]["ends"])
    last = (ends - dt.timedelta(microseconds=1)).date()
    return wanted if last == day_of(wanted) else str(last)


def _returned(play: Play, _wanted: Any) -> list[Decimal]:
    answer = play.steps[-1].answer
    changes = [] if answer is None else answer.body.get("coupons", [])
    return [exact(one["amount"]) for one in changes if one["what"] == "restored"]


def _before(play: Play, _wanted: Any) -> int:
    return int(play.asked["coupons_before"])


def _after(play: Play, _wanted: Any) -> int:
    held = _held(play, play.steps[-1].event)
    return sum(coupon["uses"] - coupon["used"] for coupon in held if coupon["state"] == "usable")


def _on_same_order(play: Play, _wanted: Any) -> bool:
    """Whether the order that earned a coupon could be sent again with it."""
    body, at = play.asked["confirmed"]
    code = _granted(play)[-1]["code"]
    member = {"id": play.shop.enrol(play.named(play.steps[-1].event))}
    again = {**body, "codes": [code], "member": member, "occurred_at": at.isoformat()}
    return play.shop.post("/v1/events", again).problem is None


def _has_discount(order: str) -> Any:
    def look(play: Play, _wanted: Any) -> bool:
        body = play.asked["orders"][order].body
        whole = sum((exact(line["amount"]) for line in play.asked["carts"][order]["lines"]), Decimal(0))
        return bool(exact(body["to_pay"]["total"]) < whole)

    return look


COUPON_LOOKS = {
    "coupons_issued": lambda play, _wanted: len(_granted(play)),
    "coupon_value": _value,
    "coupon_status": _status,
    "coupon_expires": _expires,
    "coupons_returned": _returned,
    "coupon_points_before_confirm": _before,
    "coupon_points_after_confirm": _after,
    "claimable_on_same_order": _on_same_order,
    **{f"order_{order}_has_discount": _has_discount(order) for order in "ABC"},
}
