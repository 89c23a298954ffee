"""Gift cards of a case: issued before it begins, shown with purchases and carts, issued and loaded by rewards."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from cases.amounts import exact, money, number
from cases.draft import Draft
from cases.play import Play
from cases.published import Data, NotExpressible, known
from cases.shop import Answer

_KIND = "card"
_WHEN = ("type", "member", "date", "at", "day", "days_ago")
PAYS = ("pay_with_gift_card", "pay_with_gift_cards")
"""The words of a purchase that is paid by card: `all` of them that are there, or so much."""
_NEW = re.compile(r"gift card (?P<value>\d+(?:\.\d+)?)(?: \+ credit (?P<worth>\d+(?:\.\d+)?))?")
_TOP_UP = re.compile(r"(?:top-up|credit) (?P<worth>\d+(?:\.\d+)?)")


def declare_cards(draft: Draft, event: Data) -> None:
    """Put the cards of an event into the program, and the reward that is one."""
    if any(word in event for word in ("gift_card", "gift_cards", *PAYS)) or event["type"] in PAYS:
        _kind(draft, "0")
    if event["type"] == "redeem" and "reward" in event:
        text = str(event["reward"])
        found = _NEW.fullmatch(text) or _TOP_UP.fullmatch(text)
        if found is None:
            raise NotExpressible(f"a reward called {text!r}")
        _kind(draft, number(found.groupdict().get("value", 0)))
        worth = {"amount": number(found["worth"] or 0)}
        draft.more.setdefault("rewards", {})["card"] = {"kind": "gift_card", "card": _KIND, "worth": worth}


def _kind(draft: Draft, value: str) -> None:
    draft.more.setdefault("gift_cards", {}).setdefault(_KIND, {"value": value})


def open_cards(play: Play, event: Data) -> None:
    """Issue the cards that a case takes for granted."""
    for amount in event.get("gift_cards", [event["gift_card"]] if "gift_card" in event else []):
        _issue(play, exact(amount))


def _issue(play: Play, amount: Decimal) -> None:
    cards = play.asked.setdefault("cards", [])
    body = {"kind": _KIND, "amount": _units(amount)}
    answer = play.shop.post("/v1/gift-cards", body, {"Idempotency-Key": f"g{len(cards)}"})
    if answer.problem is not None:
        raise AssertionError(f"no card was issued: {answer.body}")
    cards.append(answer.body)


def pay_with_cards(play: Play, event: Data, body: Data) -> None:
    """Let the cards that are there pay for a purchase, where it says so."""
    for word in PAYS:
        if word not in event:
            continue
        if event[word] == "all":
            body["tenders"] = shown_cards(play)
        else:
            if not play.asked.get("cards"):
                _issue(play, exact(event[word]))
            body["tenders"] = [{**shown_cards(play)[0], "amount": money(event[word])}]


def shown_cards(play: Play) -> list[Data]:
    """All cards of a case, as a purchase shows them."""
    return [{"type": "gift_card", "code": card["code"]} for card in play.asked.get("cards", [])]


def redeem_card(play: Play, event: Data, _at: dt.datetime) -> Answer:
    """Redeem a reward that is a gift card: a new one, or for the one that is there."""
    known(event, *_WHEN, "reward")
    body: Data = {"member": play.shop.enrol(play.named(event)), "reward": _KIND, "confirm": True}
    cards = play.asked.setdefault("cards", [])
    if _TOP_UP.fullmatch(str(event["reward"])):
        body["gift_card"] = cards[-1]["id"]
    answer = play.shop.post("/v1/redemptions", body, {"Idempotency-Key": f"r{len(play.steps)}"})
    if answer.body.get("code"):
        cards.append(play.shop.post("/v1/gift-cards/look-up", {"code": answer.body["code"]}).body)
    return answer


def _left(play: Play, _wanted: Any) -> Decimal:
    """What is on the last card."""
    found = play.shop.gift_card(str(play.asked["cards"][-1]["id"]))
    return Decimal(found["balance"]).scaleb(-_DIGITS)


def _each_left(play: Play, _wanted: Any) -> list[Decimal]:
    """What is on each card, in the order in which a case names them."""
    found = [play.shop.gift_card(str(card["id"])) for card in play.asked["cards"]]
    return [Decimal(card["balance"]).scaleb(-_DIGITS) for card in found]


def _before(play: Play, _wanted: Any) -> Decimal:
    """What an order came to before its cards."""
    [answer] = [step.answer for step in play.steps[-1:] if step.answer is not None]
    return exact(answer.body["payment"]["total"])


def rests(play: Play) -> list[Decimal] | None:
    """What was left to pay after each change of a cart; None where no card was shown in one."""
    if not play.asked.get("cards_shown"):
        return None
    return [exact((quote["payment"] or {"rest": quote["to_pay"]["total"]})["rest"]) for quote in play.asked["quotes"]]


_DIGITS = 2
"""The decimals of the currencies of all cases with cards."""


def _units(amount: Decimal) -> int:
    return int(amount.scaleb(_DIGITS))


CARD_LOOKS = {
    **dict.fromkeys(("gift_card", "gift_card_left"), _left),
    **dict.fromkeys(("gift_cards", "gift_cards_left"), _each_left),
    "before": _before,
}
