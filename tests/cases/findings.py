"""What a case expects, looked up in what the API says after it was played."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from cases.amounts import exact, money
from cases.birthdays import paid
from cases.carts import CART_LOOKS, applied_look
from cases.coupons import COUPON_LOOKS
from cases.draft import POINTS
from cases.gift_cards import CARD_LOOKS, rests
from cases.moving import MOVING_LOOKS, moving_look
from cases.play import Play, Step
from cases.published import NotExpressible
from cases.referrals import REFERRAL_LOOKS
from cases.returns import RETURN_LOOKS
from cases.rewards import REWARD_LOOKS, refusal, taken_off
from cases.rewards import paid as paid_with
from cases.tier_findings import TIER_LOOKS

Look = Callable[[Play, Any], Any]


def _last(play: Play) -> Step:
    return play.steps[-1]


def _points_earned(play: Play, wanted: Any) -> Any:
    if play.steps[-1].event["type"] == "register_birthday":
        return next((points for _, points in paid(play)), Decimal(0))
    earned = [step.earned(play.draft) for step in play.steps if step.event["type"] != "state"]
    return earned if isinstance(wanted, list) else sum(earned, Decimal(0))


def _points(play: Play, wanted: Any) -> Any:
    balances = [step.balance for step in play.steps]
    if not isinstance(wanted, list):
        return balances[-1]
    # Some cases tell of the opening position too, and some begin after it.
    return balances[-len(wanted) :] if _told(play) == len(wanted) else balances


def _told(play: Play) -> int:
    return sum(step.event["type"] != "state" for step in play.steps)


def _by_member(play: Play, wanted: Any) -> dict[str, Decimal]:
    return {name: play.balance(name) for name in wanted}


def _available(play: Play, _wanted: Any) -> Decimal:
    return play.balance(play.somebody)


def _pending(play: Play, _wanted: Any) -> Decimal:
    return play.shop.wallet(play.somebody)["pending"]


def _deficit(play: Play, _wanted: Any) -> Decimal:
    return max(Decimal(0), -play.balance(play.somebody))


def _lines(play: Play) -> list[dict[str, Any]]:
    return [line for entry in play.shop.statement(play.somebody) for line in entry["lines"] if line["points"] == POINTS]


def _is_earned(line: dict[str, Any]) -> bool:
    return str(line["source"]) == "issued"


def _lifetime_earned(play: Play, _wanted: Any) -> Decimal:
    return sum((play.shop.whole(line["amount"]) for line in _lines(play) if _is_earned(line)), Decimal(0))


def _points_expired(play: Play, _wanted: Any) -> Decimal:
    ended = (line for line in _lines(play) if line["destination"] == "expired")
    return sum((play.shop.whole(line["amount"]) for line in ended), Decimal(0))


def _entries(play: Play, _wanted: Any) -> int:
    return sum(bool(entry["lines"]) for entry in play.shop.statement(play.somebody))


def _open_lots(play: Play, _wanted: Any) -> list[Decimal]:
    return [play.shop.whole(lot["remaining"]) for lot in play.shop.lots(play.somebody)]


def _remaining_by_expiry(play: Play, wanted: dict[str, Any]) -> dict[str, Decimal]:
    found = dict.fromkeys(wanted, Decimal(0))
    for lot in play.shop.lots(play.somebody):
        last = _last_day(lot["expires_at"]) if lot["expires_at"] else "never"
        found[last] = found.get(last, Decimal(0)) + play.shop.whole(lot["remaining"])
    return found


def _expiring_by(play: Play, wanted: dict[str, Any]) -> dict[str, Decimal]:
    lots = [lot for lot in play.shop.lots(play.somebody) if lot["expires_at"]]
    return {
        day: sum((play.shop.whole(lot["remaining"]) for lot in lots if _last_day(lot["expires_at"]) <= day), Decimal(0))
        for day in wanted
    }


def _earned_lot_ends(play: Play) -> dt.datetime:
    ends = [effect.get("expires_at") for step in play.steps if step.answer for effect in step.answer.effects]
    found = [dt.datetime.fromisoformat(end) for end in ends if end]
    if not found:
        # What was not earned by an event may have come in another way.
        there = (lot["expires_at"] for lot in play.shop.lots(play.somebody))
        found = [dt.datetime.fromisoformat(end) for end in there if end]
    if not found:
        raise AssertionError("nothing that was earned ends")
    return found[-1]


def _last_day(ends: str | dt.datetime) -> str:
    """The last day on which points can be used that end at a moment."""
    moment = dt.datetime.fromisoformat(ends) if isinstance(ends, str) else ends
    return str((moment - dt.timedelta(microseconds=1)).date())


def _last_usable_day(play: Play, _wanted: Any) -> str:
    return _last_day(_earned_lot_ends(play))


def _gone_on(play: Play, _wanted: Any) -> str:
    return str(_earned_lot_ends(play).date())


def _expires(play: Play, wanted: str) -> str:
    """The month in which all points end, or the day after which they are gone, told by the clock."""
    begins, ends = _span(wanted)
    play.shop.move_clock(begins)
    if not play.balance(play.somebody):
        return f"gone before {wanted}"
    play.shop.move_clock(ends)
    return f"still there after {wanted}" if play.balance(play.somebody) else wanted


def _expires_at(play: Play, wanted: str) -> str:
    """The first moment without the points that were earned; the last one with them, where a case writes that."""
    ends = _earned_lot_ends(play)
    if len(wanted) == len("2026-01-01"):
        return _last_day(ends)
    last = ends - dt.timedelta(seconds=1) if wanted.endswith(":59") else ends
    return last.strftime("%Y-%m-%dT%H:%M:%S")


def _expires_after(play: Play, wanted: str) -> str:
    """A month after which there still are points."""
    play.shop.move_clock(_span(wanted)[1])
    return wanted if play.balance(play.somebody) else f"gone by the end of {wanted}"


def _span(text: str) -> tuple[dt.datetime, dt.datetime]:
    """The beginning and the end of a month; of a day, where its last moment is the last one."""
    if len(text) == len("2025-01"):
        first = dt.datetime.fromisoformat(f"{text}-01").replace(tzinfo=dt.UTC)
        return first, (first + dt.timedelta(days=31)).replace(day=1)
    first = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    return first, first + dt.timedelta(days=1)


def _custom(play: Play, name: str) -> list[dict[str, Any] | None]:
    """The values of an effect for the caller, after each event that is no opening; None where there was none."""
    found: list[dict[str, Any] | None] = []
    for step in play.steps:
        if step.event["type"] != "state":
            effects = step.answer.effects if step.answer else []
            values = [effect["value"] for effect in effects if effect["kind"] == "custom" and effect["name"] == name]
            found.append(values[0] if values else None)
    return found


def _applied(play: Play, wanted: Any) -> Any:
    if (of_cart := applied_look(play, wanted)) is not None:
        return of_cart
    applied = [values is not None for values in _custom(play, "applied")]
    # Where the source answers with an error, a campaign of ours does nothing, and the purchase counts.
    return [one or "error" for one in applied] if isinstance(wanted, list) else applied[-1]


def _told_by(effect: str, value: str) -> Look:
    def look(play: Play, wanted: Any) -> Any:
        found = [None if values is None else values[value] for values in _custom(play, effect)]
        return found if isinstance(wanted, list) else found[-1]

    return look


def _to_pay(value: str) -> Look:
    """What a purchase costs: told by the rewards of the program, or by the till of the case."""
    told = _told_by("till", value)

    def look(play: Play, wanted: Any) -> Any:
        after_cards = rests(play)
        if after_cards is not None:
            return after_cards if isinstance(wanted, list) else after_cards[-1]
        found = paid_with(play, wanted)
        return told(play, wanted) if found is None else found

    return look


def _breakdown(play: Play, _wanted: Any) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for step in play.steps:
        for effect in step.answer.effects if step.answer else []:
            if effect["kind"] == "earn":
                name = str(play.shop.program.campaigns[effect["campaign"]].name.root)  # type: ignore[union-attr]  # there, or the case fails loudly
                found[name] = found.get(name, Decimal(0)) + play.shop.whole(effect["amount"])
    return found


def _explanation(play: Play, _wanted: Any) -> str:
    answer = _last(play).answer
    if answer is None:
        raise AssertionError("nothing was decided")
    considered = play.shop.explanation(str(answer.body["id"]))["considered"]
    named = [one for one in considered if play.shop.program.campaigns[one["campaign"]].name is not None]
    return ", ".join(one["name"] for one in named if one["verdict"] == "matched")


def _cashback(play: Play, wanted: Any) -> Any:
    balances = [step.balance for step in play.steps]
    return [money(one) for one in balances] if isinstance(wanted, list) else money(balances[-1])


def _error(play: Play, wanted: Any) -> Any:
    if (refused := refusal(play)) is not None:
        return refused
    problem = _last(play).answer.problem if _last(play).answer else None  # type: ignore[union-attr]  # there, or the case fails loudly
    return wanted if problem in _ERRORS.get(str(wanted), ()) else problem


_ERRORS = {
    "not_enough_points": ("insufficient_points",),
    "bad_request": ("insufficient_points", "invalid_adjustment"),
}
"""What a source calls a refusal -> what Setia calls it."""


def _wallet(play: Play, _wanted: Any) -> str:
    return money(play.shop.wallet(play.somebody, "wallet")["available"])


def _paid_on(play: Play, _wanted: Any) -> str | None:
    return next((day for day, _ in paid(play)), None)


def _upgrade_fee(play: Play, _wanted: Any) -> Any:
    return next(values["fee"] for values in _custom(play, "upgrade") if values is not None)


def _asked(name: str) -> Look:
    return lambda play, _wanted: play.asked.get(name)


def _discount(play: Play, wanted: Any) -> Any:
    """What was taken off: the points that paid, or what promotions left."""
    if (found := taken_off(play)) is not None:
        return found
    return play.asked["discount"] if "discount" in play.asked else _told_by("till", "discount")(play, wanted)


def _discounts(play: Play) -> list[dict[str, Any]]:
    answer = _last(play).answer
    return list(answer.body.get("discounts", [])) if answer is not None else []


def _free_units(play: Play, _wanted: Any) -> int:
    """Units that were given: added by the caller, or those in the cart that cost nothing."""
    free = 0
    for one in _discounts(play):
        free += int(one.get("added_units") or 0)
        if not one.get("added_units"):
            prices = [exact(item["unit_price"]) for item in _last(play).event["items"]]
            free += int(exact(one["amount"]) / min(prices))
    return free


def _percent_applied(play: Play, _wanted: Any) -> Any:
    found = [play.shop.program.campaigns[one["campaign"]].discount for one in _discounts(play)]
    return found[0].percent if found and found[0] is not None else None


def _cards(play: Play, _wanted: Any) -> int:
    """A card of the source is there as soon as anything was ever put on it."""
    return int(bool(_lines(play)))


LOOKS: dict[str, Look] = {
    "points_earned": _points_earned,
    "credited": _points_earned,
    "points": _points,
    "balances": _by_member,
    "available": _available,
    "pending": _pending,
    "deficit": _deficit,
    "lifetime_earned": _lifetime_earned,
    "points_expired": _points_expired,
    "entries": _entries,
    "cards": _cards,
    "open_lots": _open_lots,
    "remaining_by_expiry": _remaining_by_expiry,
    "expiring_by": _expiring_by,
    "last_usable_day": _last_usable_day,
    "gone_on": _gone_on,
    "expires": _expires,
    "expires_at": _expires_at,
    "expires_after": _expires_after,
    "condition_met": _applied,
    "applied": _applied,
    "basis": _told_by("basis", "amount"),
    "total": _to_pay("total"),
    "to_pay": _to_pay("to_pay"),
    "discount": _discount,
    "discount_incl_tax": _discount,
    "free_units": _free_units,
    "percent_applied": _percent_applied,
    "untaxed_total": _told_by("till", "untaxed_total"),
    "breakdown": _breakdown,
    "explanation": _explanation,
    "cashback": _cashback,
    "error": _error,
    "wallet": _wallet,
    "upgrade_fee": _upgrade_fee,
    "paid_on": _paid_on,
    "earned_since": _asked("earned_since"),
    **TIER_LOOKS,
    **RETURN_LOOKS,
    **CART_LOOKS,
    **COUPON_LOOKS,
    **REFERRAL_LOOKS,
    **REWARD_LOOKS,
    **CARD_LOOKS,
    **MOVING_LOOKS,
}
_CAPABILITIES = {
    "messages": ("sent",),
    "audiences": ("members",),
    "accounts of partners": ("blocks", "charged", "points_by_partner", "member_points"),
    "memberships with a price": ("share", "fee", "periods"),
}
_LATER = {word: capability for capability, words in _CAPABILITIES.items() for word in words}


_MOVING = (
    "tier_until",
    "member_to",
    "next_date",
    "tier_expires_at",
    "silver_for",
    "gold_until",
    "tier_after",
    "expires",
    "expires_after",
)


def check_expressible(expect: dict[str, Any]) -> None:
    """Refuse a case that expects something which nothing here can tell.

    Raises:
        NotExpressible: with the capability that is missing.
    """
    for word, wanted in expect.items():
        if word not in LOOKS and moving_look(word, wanted) is None:
            raise NotExpressible(_LATER.get(word, f"expect {word}"))


def _look(word: str, wanted: Any) -> Look:
    look = LOOKS.get(word) or moving_look(word, wanted)
    if look is None:
        raise NotExpressible(f"expect {word}")
    return look


def look_up(play: Play, expect: dict[str, Any]) -> dict[str, Any]:
    """What was found for everything that is expected."""
    # What moves the clock on comes last, and `tier_after`, which moves it furthest, after everything else.
    words = sorted(expect, key=lambda word: (word in _MOVING, _MOVING.index(word) if word in _MOVING else 0))
    found = {word: _look(word, expect[word])(play, expect[word]) for word in words}
    return {word: found[word] for word in expect}
