"""Carts of a case: goods, codes that are shown one after the other, and what is left to pay after each."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from cases.amounts import exact, money
from cases.basket import purchase
from cases.coupons import apply_to_order, code_of
from cases.discounts import write_discount
from cases.draft import Draft
from cases.gift_cards import shown_cards
from cases.measures import MONEY_OFF
from cases.play import Play
from cases.published import Data, NotExpressible, known
from cases.shop import Answer

_WHEN = ("type", "member", "date", "at", "day", "days_ago")
_EMPTY: Data = {"type": "purchase"}
"""A cart of which a case says nothing."""


def _ask(play: Play, event: Data, at: dt.datetime, cart: Data, *codes: str) -> Answer:
    """What the cart costs with these codes: asked, and bought with the last event of the case."""
    play.asked["cart"], play.asked["codes"] = cart, codes
    body = purchase(play.draft, {**cart, "codes": [code_of(play, code) for code in codes]})
    if already := play.asked.get("already_discounted"):
        [line] = body["lines"]
        line["amount"] = money(exact(line["amount"]) - exact(already))
        line["discount"] = money(already)
    if play.asked.get("cards_shown"):
        body["tenders"] = shown_cards(play)
    if event is play.draft.case.events[-1]:
        answer = play.shop.send(body, play.named(event), at)
    else:
        member = {"id": play.shop.enrol(play.named(event))}
        answer = play.shop.post("/v1/calculate", {**body, "occurred_at": at.isoformat(), "member": member})
    play.asked.setdefault("quotes", []).append(answer.body)
    return answer


def _cart(play: Play, event: Data, at: dt.datetime) -> Answer:
    known(event, *_WHEN, "items")
    return _ask(play, event, at, {"type": "purchase", "items": event["items"]})


def _order(play: Play, event: Data, at: dt.datetime) -> Answer:
    known(event, *_WHEN, "amount", "already_discounted")
    play.asked["already_discounted"] = event.get("already_discounted", 0)
    return _ask(play, event, at, {"type": "purchase", "amount": event["amount"]})


def _again(play: Play, event: Data, at: dt.datetime, *more: str) -> Answer:
    """The same cart with more codes."""
    cart = play.asked.get("cart") or _bought(play)
    return _ask(play, event, at, cart, *play.asked.get("codes", ()), *more)


def _bought(play: Play) -> Data:
    return next((step.event for step in play.steps if step.event["type"] == "purchase"), _EMPTY)


def _show(play: Play, event: Data, at: dt.datetime) -> Answer:
    if "order" in event:
        return apply_to_order(play, event, at)
    known(event, *_WHEN, "code", "codes")
    return _again(play, event, at, *map(str, event.get("codes", [event.get("code")])))


def _claim(play: Play, event: Data, at: dt.datetime) -> Answer:
    """A promotion that can be had several times is as many of ours, each with a code."""
    known(event, *_WHEN, "times")
    play.asked["codes"] = ()
    play.asked["quotes"] = []
    return [_again(play, event, at, claimed(time)) for time in range(int(event.get("times", 1)))][-1]


def claimed(time: int) -> str:
    """The code of one claim."""
    return f"claim {time + 1}"


def _pay_with_cards(play: Play, event: Data, at: dt.datetime) -> Answer:
    """From now on the cards of the case pay; what promotions take off comes before them, whenever it is asked for."""
    known(event, *_WHEN)
    play.asked["cards_shown"] = True
    return _again(play, event, at)


def _apply(play: Play, event: Data, at: dt.datetime) -> Answer:
    return _again(play, event, at, applied(play.draft, event))


def applied(draft: Draft, event: Data) -> str:
    """The code of a promotion that an event of the case applies."""
    return f"apply {draft.case.events.index(event) + 1}"


def declare_applied(draft: Draft, event: Data) -> None:
    """Put what events apply into the program: lists apply by themselves, an event of its own by a code."""
    for promotion in event.get("apply", []):
        known(promotion, *MONEY_OFF)
        write_discount(draft, promotion)
    if event["type"] == "apply":
        known(event, *_WHEN, *MONEY_OFF)
        promotion = {word: value for word, value in event.items() if word not in _WHEN}
        write_discount(draft, promotion | {"code": applied(draft, event)})


def other_code(play: Play, event: Data, at: dt.datetime) -> Answer:
    """A variant of a cart: another code in the place of one, and what becomes of it."""
    codes = [str(code) for code in play.asked["codes"]]
    for word, other in event.items():
        if word.startswith("instead_of_"):
            codes[codes.index(word.removeprefix("instead_of_"))] = str(other)
        elif word not in _WHEN:
            raise NotExpressible(f"a variant of a cart with {word}")
    quotes = list(play.asked["quotes"])
    answer = _ask(play, event, at, play.asked["cart"], *codes)
    play.asked["quotes"] = quotes
    reasons = [one["reason"] for one in answer.body["refused_codes"]]
    play.asked["variant"] = {"error": _ERRORS.get(reasons[0], reasons[0])} if reasons else {}
    return answer


_ERRORS = {"group": "existing discount is better"}
"""What sources say where a better one of a group applies."""


CART_HAPPENINGS = {
    "cart": _cart,
    "order": _order,
    "apply": _apply,
    "apply_code": _show,
    "apply_coupon": _show,
    "apply_codes": _show,
    "claim": _claim,
    "pay_with_gift_card": _pay_with_cards,
    "pay_with_gift_cards": _pay_with_cards,
}


def _quotes(play: Play) -> list[Data]:
    return list(play.asked.get("quotes", ()))


def _last_quote(play: Play) -> Data:
    quotes = play.asked.get("quotes")
    if quotes:
        return dict(quotes[-1])
    [answer] = [step.answer for step in play.steps[-1:] if step.answer is not None]
    return answer.body


def _taken_off(quote: Data) -> Decimal:
    return sum((exact(one["amount"]) for one in quote["discounts"]), Decimal(0))


def _totals(play: Play, _wanted: Any) -> list[Decimal]:
    quotes = _quotes(play) if "quotes" in play.asked else [step.answer.body for step in play.steps if step.answer]
    return [exact(quote["to_pay"]["total"]) for quote in quotes if quote.get("to_pay")]


def _tax(play: Play, _wanted: Any) -> Decimal:
    return exact(_last_quote(play)["to_pay"]["tax"])


def _untaxed(play: Play, _wanted: Any) -> Decimal:
    to_pay = _last_quote(play)["to_pay"]
    return exact(to_pay["total"]) - exact(to_pay["tax"])


def _discounts(play: Play, _wanted: Any) -> list[Decimal]:
    """What is taken off after each code."""
    return [_taken_off(quote) for quote in _quotes(play) if quote["discounts"]]


def _each(play: Play, _wanted: Any) -> list[Decimal]:
    return [exact(one["amount"]) for one in _last_quote(play)["discounts"]]


def applied_look(play: Play, wanted: Any) -> Any:
    """The promotions that applied by name, or what was taken off; None where the case has no cart."""
    if "quotes" not in play.asked:
        return None
    quote = _last_quote(play)
    if not isinstance(wanted, list):
        return bool(quote["discounts"]) if isinstance(wanted, bool) else _taken_off(quote)
    shown = [str(code) for code in play.asked.get("codes", ())]
    names = [one["name"] for one in quote["discounts"]]
    return sorted(names, key=lambda name: shown.index(name) if name in shown else -1)


def _per_line(play: Play, _wanted: Any) -> list[Decimal]:
    """What is taken off each line of the last cart."""
    quote = _last_quote(play)
    off = [Decimal(0)] * len(quote["to_pay"]["lines"])
    for one in [*quote["discounts"], *quote.get("redeemed", [])]:
        for place, amount in one["by_line"].items():
            off[int(place)] += exact(amount)
    return off


CART_LOOKS = {
    **dict.fromkeys(("per_line", "discount_per_line", "per_item"), _per_line),
    "totals": _totals,
    "totals_after_each_claim": _totals,
    "tax_at_end": _tax,
    "untaxed_at_end": _untaxed,
    "discounts": _discounts,
    "each": _each,
    "variant": lambda play, _wanted: play.asked.get("variant"),
}
