"""What a case expects, looked up in what the API says after it was played."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from cases.amounts import exact, money
from cases.audiences import AUDIENCE_LOOKS
from cases.birthdays import paid
from cases.carts import CART_LOOKS, applied_look
from cases.coupons import COUPON_LOOKS
from cases.gift_cards import CARD_LOOKS, rests
from cases.memberships import MEMBERSHIP_LOOKS
from cases.moving import MOVING_LOOKS, moving_look
from cases.play import Play, Step
from cases.point_findings import POINT_LOOKS
from cases.published import NotExpressible
from cases.referrals import REFERRAL_LOOKS
from cases.refusals import named
from cases.returns import RETURN_LOOKS
from cases.rewards import REWARD_LOOKS, taken_off
from cases.rewards import paid as paid_with
from cases.spellings import expected
from cases.tier_findings import TIER_LOOKS, named_kind, tier_look

Look = Callable[[Play, Any], Any]


def _last(play: Play) -> Step:
    return play.steps[-1]


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
    told = [step for step in play.steps if step.event["type"] != "state"]
    applied = [
        values is not None or (step.answer is not None and bool(step.answer.body.get("discounts")))
        for step, values in zip(told, _custom(play, "applied"), strict=True)
    ]
    if not isinstance(wanted, list):
        return applied[-1]
    # Where the source answers with an error, a campaign of ours does nothing, and the purchase counts.
    errors = [place < len(wanted) and wanted[place] == "error" for place in range(len(applied))]
    return ["error" if error and not one else one for one, error in zip(applied, errors, strict=True)]


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
        if found is None and value == "to_pay" and "wallet" in play.draft.other_points:
            return (
                _after_wallet(play, told(play, []))
                if isinstance(wanted, list)
                else _after_wallet(play, told(play, []))[-1]
            )
        return told(play, wanted) if found is None else found

    return look


def _after_wallet(play: Play, before: list[Any]) -> list[Any]:
    """What is left to pay when stored money has paid its part."""
    found = []
    steps = (step for step in play.steps if step.event["type"] != "state")
    for step, amount in zip(steps, before, strict=True):
        effects = step.answer.effects if step.answer is not None else []
        paid_off = (one for one in effects if one["kind"] == "deduct" and one.get("points") == "wallet")
        found.append(
            None
            if amount is None
            else exact(amount) + sum(play.shop.whole(one["amount"], "wallet") for one in paid_off)
        )
    return found


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
    """What kept the last thing from happening, in the word of the case; None where it happened."""
    answer = _last(play).answer
    if answer is None:
        return None
    reasons = [str(reason["code"]) for reason in answer.body.get("reasons") or []]
    reasons += [str(one["code"]) for refused in answer.body.get("refused") or [] for one in refused["reasons"]]
    reasons += [answer.problem] if answer.problem is not None else []
    reasons += [str(one["reason"]) for one in answer.body.get("refused_codes") or []]
    return named(wanted, reasons) if reasons else None


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
    lines = _last(play).event["items"]
    for one in _discounts(play):
        free += int(one.get("added_units") or 0)
        whole = (
            discount := play.shop.program.campaigns[one["campaign"]].discount
        ) is not None and discount.percent == 100
        if whole and not one.get("added_units"):
            prices = (
                (exact(amount), exact(lines[int(place)]["unit_price"])) for place, amount in one["by_line"].items()
            )
            free += sum(int(amount / price) for amount, price in prices if price)
    return free


def _percent_applied(play: Play, _wanted: Any) -> Any:
    found = [play.shop.program.campaigns[one["campaign"]].discount for one in _discounts(play)]
    return found[0].percent if found and found[0] is not None else None


LOOKS: dict[str, Look] = {
    **POINT_LOOKS,
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
    **AUDIENCE_LOOKS,
    **MEMBERSHIP_LOOKS,
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
    "accounts of partners": ("blocks", "charged", "points_by_partner", "member_points"),
    "memberships with a price": ("periods",),
}
_LATER = {word: capability for capability, words in _CAPABILITIES.items() for word in words}


_MOVING = (
    "tier_until",
    "member_to",
    "next_date",
    "tier_expires_at",
    "tier_for",
    "tier_held_until",
    "tier_after",
    "expires",
    "expires_after",
)


def check_expressible(expect: dict[str, Any]) -> None:
    """Refuse a case that expects something which nothing here can tell.

    Raises:
        NotExpressible: with the capability that is missing.
    """
    for asked, wanted in expect.items():
        word = expected(asked, LOOKS)
        if word not in LOOKS and moving_look(word, wanted) is None and tier_look(word) is None:
            raise NotExpressible(_LATER.get(word, f"expect {word}"))


def _look(word: str, wanted: Any) -> Look:
    look = LOOKS.get(expected(word, LOOKS)) or moving_look(word, wanted) or tier_look(word)
    if look is None:
        raise NotExpressible(f"expect {word}")
    return look


def _rank(word: str) -> int:
    word = expected(word, LOOKS)
    kind = named_kind(word) or word
    return 1 + _MOVING.index(kind) if kind in _MOVING else 0


def look_up(play: Play, expect: dict[str, Any]) -> dict[str, Any]:
    """What was found for everything that is expected."""
    # What moves the clock on comes last, and `tier_after`, which moves it furthest, after everything else.
    words = sorted(expect, key=_rank)
    found = {word: _look(word, expect[word])(play, expect[word]) for word in words}
    return {word: found[word] for word in expect}
