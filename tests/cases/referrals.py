"""Referrals of a case: who brings whom, what both get for it and when."""

from __future__ import annotations

import datetime as dt
from itertools import accumulate
from operator import or_
from typing import Any

from cases.amounts import money, number
from cases.draft import POINTS, Draft
from cases.play import Play
from cases.published import Data, NotExpressible, known
from cases.shop import Answer
from cases.words import meaning, plain

_MOMENTS = {
    **dict.fromkeys(("first_purchase", "purchase", "first order"), "first_purchase"),
    **dict.fromkeys(("registration", "signup", "sign up", "register", "enrol", "enrolled", "enrolment"), "enrolled"),
}
_SIDES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("both", "both sides"), ("won", "joined")),
    **dict.fromkeys(("referrer", "advocate", "inviter"), ("won",)),
    **dict.fromkeys(("friend", "referred", "referee", "invitee"), ("joined",)),
}
_EVERY = ("day", "week", "month", "quarter", "year")
_WORDS = (
    *("event", "reward", "points", "referrer_points", "friend_points", "referrer_percent_of_balance"),
    *("per_address", "per_signup", "per_first_purchase", "min_first_order", "basis", "first_order_only"),
    *("max_per_member", *(f"max_per_{every}" for every in _EVERY)),
)
REFERRER = "the referrer"
"""Who has brought the friend where a case names nobody."""


def write_referral(draft: Draft, words: Data) -> None:
    """`referral`: the terms, and a campaign for each side and step that gets something."""
    sides = {"referrer": "referrer_points", "friend": "friend_points", "referee_points": "friend_points"}
    words = {sides.get(word, word): value for word, value in words.items()}
    known(words, *_WORDS)
    if plain(words.get("event")) in {"every purchase", "each purchase"}:
        raise NotExpressible("a referral rewarded for every purchase of the friend")
    terms: Data = {"reward_at": meaning(_MOMENTS, words.get("event", "first_purchase"), "a referral rewarded at")}
    meaning(
        dict.fromkeys(("paid after discounts", "after discounts", "paid")), words.get("basis", "paid"), "a minimum of"
    )
    if not words.get("first_order_only", True):
        terms["reward_at"] = "purchase"
    if "min_first_order" in words:
        terms["at_least"] = number(words["min_first_order"])
    caps = [f"{words[f'max_per_{every}']} per {every}" for every in _EVERY if f"max_per_{every}" in words]
    caps += [str(words["max_per_member"])] if "max_per_member" in words else []
    if caps:
        terms["caps"] = {"referrer": caps}
    draft.more["referrals"] = {"friends": terms}
    draft.identifiers = ["external_id", "email"]
    for word, event in (
        ("per_address", "invited"),
        ("per_signup", "enrolled"),
        ("per_first_purchase", "won"),
        ("referrer_points", "won"),
        ("friend_points", "joined"),
    ):
        if word in words:
            draft.campaign(on=f"referral_{event}", earn={POINTS: number(words[word])})
    if "referrer_percent_of_balance" in words:
        share = f"member.points.{POINTS} * {number(words['referrer_percent_of_balance'])} / 100.0"
        draft.campaign(on="referral_won", earn={POINTS: {"expression": share}})
    for side in meaning(_SIDES, words.get("reward", "both"), "a referral rewards") if "points" in words else ():
        draft.campaign(on=f"referral_{side}", earn={POINTS: number(words["points"])})


def _refer(play: Play, event: Data, _at: dt.datetime) -> Answer:
    known(event, "type", "from", "to", "date")
    referrer, friend = str(event["from"]), str(event["to"])
    play.asked["referrer"] = referrer
    play.shop.contacts[friend] = {"email": f"{friend.lower()}@example.com"}
    body = {"referrer": play.shop.enrol(referrer), "friend": play.shop.contacts[friend]}
    return play.shop.post("/v1/referrals", body)


def _confirmed(play: Play, event: Data, at: dt.datetime) -> None:
    """A friend of somebody has done what is rewarded."""
    known(event, "type", "member", "date")
    referrer = play.named(event)
    friend = f"friend {len(play.steps)} of {referrer}"
    play.shop.enrol(friend, referral_code=_code(play, referrer))
    play.shop.send({"type": "purchase", "lines": [{"sku": "goods", "amount": "100.00"}]}, friend, at)


def referred(play: Play, event: Data, name: str) -> Data:
    """A purchase in a program with referrals, its coupon as the discount that it is.

    Where nobody was said to refer anybody, who buys and is new has been brought by somebody.
    """
    if "referral" not in play.draft.settings:
        return event
    told = any(one["type"] in {"refer", "referral_confirmed"} for one in play.draft.case.events)
    if not told and name not in play.shop.members:
        # A variant begins anew, and so does who has brought the friend.
        referrer = f"{REFERRER} of {name}" if play.opened_again else REFERRER
        play.asked["referrer"] = referrer
        play.asked.setdefault("referrers", {})[name] = referrer
        play.shop.enrol(name, referral_code=_code(play, referrer))
    if "coupon" in event:
        event = {**event, "discount": money(event["coupon"])}
        del event["coupon"]
    return event


def _code(play: Play, referrer: str) -> str:
    body = {"members": [play.shop.enrol(referrer)]}
    return str(play.shop.post("/v1/referrals/codes", body).body["codes"][0]["code"])


def _after_each(play: Play, wanted: Any) -> dict[str, list[Any]]:
    return {name: [step.points.get(name, 0) for step in play.steps] for name in wanted}


def _referrer_points(play: Play, wanted: Any) -> Any:
    of = play.asked.get("referrers", {})
    found = [step.points.get(of.get(step.who, play.asked["referrer"]), 0) for step in play.steps]
    return found if isinstance(wanted, list) else found[-1]


def _completed(play: Play, wanted: Any) -> Any:
    """Whether a referral has been rewarded, from the purchase on for which it was."""
    won = {one["order"] for one in play.shop.get("/v1/referrals?state=won")["items"]}
    here = [step.answer is not None and step.answer.body.get("id") in won for step in play.steps]
    found = list(accumulate(here, or_))
    return found if isinstance(wanted, list) else found[-1]


REFERRAL_HAPPENINGS = {"refer": _refer, "referral_confirmed": _confirmed}
REFERRAL_LOOKS = {
    "points_after_each": _after_each,
    "referrer_points": _referrer_points,
    "referral_completed": _completed,
}
