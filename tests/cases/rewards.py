"""Rewards of a case: what they cost and take off, redeemed by themselves or with a purchase."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from cases.amounts import exact, money, number
from cases.draft import POINTS, Draft, Setting
from cases.gift_cards import redeem_card
from cases.play import Play
from cases.published import Data, NotExpressible, known
from cases.shop import Answer

_WHEN = ("type", "member", "date", "at", "day", "days_ago")
_PRICE = Decimal(100)
"""What a product costs where a case does not say."""
_MOST = 10**9


def _add(draft: Draft, reward: Data) -> None:
    """Add a reward. Where a case does not say, points of the same order pay too."""
    if reward["kind"] in {"discount", "product"}:
        draft.has_discounts = True
        reward["earned_pays"] = bool(draft.settings.get("earn_and_burn_same_order", True))
    rewards = draft.more.setdefault("rewards", {})
    rewards[f"r{len(rewards)}"] = {"quantities": {"most": _MOST}, **reward}


def _reward(draft: Draft, value: Data) -> None:
    """One reward, by what it takes off or hands out."""
    cost = {POINTS: number(value.get("cost_points", 1))}
    if "money_off_per_point" in value:
        known(value, "money_off_per_point")
        # One is the smallest part of a point, so that all of them can be redeemed.
        unit = Decimal(1).scaleb(-int(draft.points.get("decimals", 0)))
        worth = {"amount": number(exact(value["money_off_per_point"]) * unit)}
        _add(draft, {"kind": "discount", "cost": {POINTS: number(unit)}, "worth": worth})
    elif "free" in value or "free_product" in value:
        known(value, "free", "free_product", "cost_points")
        given = value.get("free", {value.get("free_product"): 1})
        if list(given.values()) != [1]:
            raise NotExpressible("a reward of several free units")
        _add(draft, {"kind": "product", "cost": cost, "items": list(given)})
    elif "percent_off_order" in value or "amount_off" in value:
        known(value, "percent_off_order", "amount_off", "cost_points")
        measure, word = ("percent", "percent_off_order") if "percent_off_order" in value else ("amount", "amount_off")
        _add(draft, {"kind": "discount", "cost": cost, "worth": {measure: number(value[word])}})
    else:
        known(value, "cost_points")
        _add(draft, {"kind": "voucher", "cost": cost})


def _rewards(draft: Draft, value: list[Data]) -> None:
    for one in value:
        _reward(draft, one)


def _rate(draft: Draft, value: Data) -> None:
    """Points into money at a rate, with clamps."""
    known(value, "points", "worth", "min_discount", "max_discount_per_product", "spread")
    worth: Data = {"amount": number(value["worth"])}
    reward: Data = {"kind": "discount", "cost": {POINTS: number(value["points"])}, "worth": worth}
    if "min_discount" in value:
        least = -(-exact(value["min_discount"]) // exact(value["worth"]))
        reward["quantities"] = {"least": int(least), "most": _MOST}
    if "max_discount_per_product" in value:
        worth["most_per_line"] = number(value["max_discount_per_product"])
    if "spread" in value:
        if value["spread"] != "evenly over products":
            raise NotExpressible(f"a discount spread {value['spread']}")
        worth["spread"] = "evenly"
    _add(draft, reward)


def _same_order(draft: Draft, value: bool) -> None:  # noqa: FBT001 - a setting of the case
    """Points of an order pay the order itself: then they are earned on what was paid with points too."""
    own = [campaign["basis"] for campaign in draft.campaigns.values() if "basis" in campaign]
    for basis in (draft.money, *own) if value else ():
        basis["paid_with_points"] = True


def _restored(draft: Draft, value: Any) -> None:
    """What rewards of an order cost comes back when all of it does."""
    if value not in {"full return only", True}:
        raise NotExpressible("returns of what was spent")
    if not {"reward", "rewards", "redeem"} & draft.settings.keys():
        # Points are spent with orders, and a case says of nothing what for: something that is added to them.
        _add(draft, {"kind": "product", "cost": {POINTS: 1}, "items": ["added"]})


def _restored_expiry(draft: Draft, value: str) -> None:
    """When points end that come back."""
    ways = {"from the return date": "new_lots", "as before": "same_lots"}
    if value not in ways:
        raise NotExpressible(f"points that come back end {value}")
    draft.points["on_refund"] = ways[value]


REWARD_SETTINGS: dict[str, Setting] = {
    "reward": _reward,
    "rewards": _rewards,
    "redeem": _rate,
    "earn_and_burn_same_order": _same_order,
    "restore_spent": _restored,
    "restored_expiry": _restored_expiry,
}


def claims(draft: Draft) -> bool:
    """Whether purchases of a case claim what a promotion gives, so that it is added to them."""
    return "rewards" not in draft.more and any("redeem" in event for event in draft.case.events)


def wishes(play: Play, event: Data, body: Data, at: dt.datetime) -> list[Data]:
    """What a purchase redeems: all rewards of the program, so often, or for so many points."""
    wanted = event["redeem"]
    rewards: Data = play.draft.more.get("rewards", {})
    if not rewards:
        return []  # the promotion is claimed, and applies
    if isinstance(wanted, list):
        return [{"reward": name} for name in rewards]
    [(name, reward)] = rewards.items()
    cost = exact(reward["cost"][POINTS])
    who = play.named(event)
    if wanted == "all":
        asked = {**body, "occurred_at": at.isoformat(), "member": {"id": play.shop.enrol(who)}}
        earned = play.shop.post("/v1/calculate", asked).body["granted"].get(POINTS, 0)
        return [{"reward": name, "points": play.shop.units(play.balance(who)) + earned}]
    if exact(wanted) % cost == 0 and reward["kind"] == "discount":
        return [{"reward": name, "points": play.shop.units(exact(wanted))}]
    return [{"reward": name, "quantity": int(wanted)}]


def _redeem(play: Play, event: Data, at: dt.datetime) -> Answer:
    if "reward" in event:
        return redeem_card(play, event, at)
    known(event, *_WHEN, "quantity", "points")
    [(name, reward)] = play.draft.more["rewards"].items()
    quantity = event.get("quantity", exact(event.get("points", 1)) // exact(reward["cost"][POINTS]))
    body = {"member": play.shop.enrol(play.named(event)), "reward": name, "quantity": int(quantity), "confirm": True}
    return play.shop.post("/v1/redemptions", body, {"Idempotency-Key": f"r{len(play.steps)}"})


def _redeem_on_order(play: Play, event: Data, at: dt.datetime) -> Answer:
    """An order of so many products, all at one price, with points that the member has."""
    known(event, *_WHEN, "points", "products")
    who = play.named(event)
    play.set_points(who, event["points"])
    lines = [{"sku": f"product {place}", "amount": money(_PRICE)} for place in range(int(event["products"]))]
    [name] = play.draft.more["rewards"]
    wish = {"reward": name, "points": play.shop.units(exact(event["points"]))}
    body = {"type": "purchase", "pricing": "before", "lines": lines, "redeem": [wish]}
    return play.shop.send(body, who, at)


REWARD_HAPPENINGS = {"redeem": _redeem, "redeem_on_order": _redeem_on_order}


def _answers(play: Play) -> list[Data]:
    """What was said of each purchase."""
    return [step.answer.body for step in play.steps if step.answer is not None and "to_pay" in step.answer.body]


def _redeemed(play: Play) -> list[Data]:
    return [one for answer in _answers(play) for one in answer["redeemed"]]


def paid(play: Play, wanted: Any) -> Any:
    """What was to pay for each purchase after its rewards; None where a case has none of ours."""
    if "rewards" not in play.draft.more:
        return None
    totals = [exact(answer["to_pay"]["total"]) for answer in _answers(play) if answer["to_pay"]]
    return totals if isinstance(wanted, list) else totals[-1]


def taken_off(play: Play) -> Decimal | None:
    """What rewards took off; None where there were none."""
    redeemed = _redeemed(play)
    return sum((exact(one["amount"]) for one in redeemed), Decimal(0)) if redeemed else None


def _used(play: Play, _wanted: Any) -> Decimal:
    return play.shop.whole(sum(one["points"].get(POINTS, 0) for one in _redeemed(play)))


def _issued(play: Play, _wanted: Any) -> Decimal:
    return sum((step.earned(play.draft) for step in play.steps), Decimal(0))


def _per_product(play: Play, _wanted: Any) -> Decimal:
    [one] = _redeemed(play)
    [each] = set(one["by_line"].values())
    return exact(each)


def _uncapped(play: Play, _wanted: Any) -> Decimal:
    [one] = _redeemed(play)
    [reward] = play.draft.more["rewards"].values()
    return exact(reward["worth"]["amount"]) * exact(one.get("wanted", one["quantity"])) / len(one["by_line"])


def _reasons(play: Play) -> list[Data]:
    answer = play.steps[-1].answer
    return [] if answer is None else list(answer.body.get("reasons", []))


def refusal(play: Play) -> str | None:
    """What sources call the reason why a reward cannot be had; None where none was refused."""
    words = {"points_missing": "not_enough_points", "quantity": "below_minimum"}
    return next((words.get(reason["code"], reason["code"]) for reason in _reasons(play)), None)


def _points_needed(play: Play, _wanted: Any) -> Decimal:
    [reward] = play.draft.more["rewards"].values()
    least = next(exact(reason["least"]) for reason in _reasons(play) if "least" in reason)
    return least * exact(reward["cost"][POINTS])


def _ok(play: Play, _wanted: Any) -> bool:
    answer = play.steps[-1].answer
    return answer is not None and answer.problem is None


def _restored_points(play: Play, _wanted: Any) -> Decimal:
    answer = play.steps[-1].answer
    effects = [] if answer is None else answer.effects
    return sum((play.shop.whole(one["amount"]) for one in effects if one["campaign"] == "redemption"), Decimal(0))


def _refund(play: Play, _wanted: Any) -> Any:
    answer = play.steps[-1].answer
    return None if answer is None else answer.body.get("refund")


REWARD_LOOKS = {
    "ok": _ok,
    "issued": _issued,
    "used": _used,
    "paid": paid,
    "refund": _refund,
    "per_product": _per_product,
    "per_product_uncapped": _uncapped,
    "points_needed": _points_needed,
    "points_restored": _restored_points,
}
