"""Rewards of a case: what they cost and take off, redeemed by themselves or with a purchase."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from cases.amounts import exact, money, number
from cases.draft import POINTS, Draft, Setting
from cases.gift_cards import redeem_card
from cases.narrowing import aliased, boundary
from cases.play import Play
from cases.published import Data, NotExpressible, known
from cases.shop import Answer
from cases.words import meaning

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


_TERMS = (
    *("stock", "max_uses", "max_per_member", "tiers", "name", "id", "from", "to", "min_amount", "max_discount"),
    "enabled",
)
"""What any reward may have beside what it is."""


def _terms(draft: Draft, value: Data) -> Data:
    """How many there are of a reward, for whom, and when."""
    found: Data = {"stock": int(value["stock"])} if "stock" in value else {}
    for word, ours in (("max_uses", "in_all"), ("max_per_member", "per_member")):
        if word in value:
            found[ours] = {"uses": int(value[word])}
    if "tiers" in value:
        draft.levels_by_hand([str(name) for name in value["tiers"]])
        found["when"] = " || ".join(draft.level_is(str(name)) for name in value["tiers"])
    schedule = {
        ours: boundary(str(value[word])) for word, ours in (("from", "starts"), ("to", "ends")) if word in value
    }
    found |= {"schedule": schedule} if schedule else {}
    return found | ({"enabled": bool(value["enabled"])} if "enabled" in value else {})


def _reward(draft: Draft, value: Data) -> None:
    """One reward, by what it takes off or hands out."""
    value = aliased(value, limit="stock")
    cost = {POINTS: number(value.get("cost_points", 1))}
    terms = _terms(draft, value)
    worth: Data = {}
    if "min_amount" in value:
        worth["least_total"] = number(value["min_amount"])
    if "max_discount" in value:
        worth["most"] = number(value["max_discount"])
    if "money_off_per_point" in value:
        known(value, *_TERMS, "money_off_per_point", *_STEPS)
        # One is the smallest part of a point, so that all of them can be redeemed, or a step that the case names.
        unit = Decimal(1).scaleb(-int(draft.points.get("decimals", 0)))
        unit = next((exact(value[word]) for word in _STEPS if word in value), unit)
        worth["amount"] = number(exact(value["money_off_per_point"]) * unit)
        _add(draft, {"kind": "discount", "cost": {POINTS: number(unit)}, "worth": worth, **terms})
    elif "free" in value or "free_product" in value:
        known(value, *_TERMS, "free", "free_product", "cost_points")
        given = value.get("free", {value.get("free_product"): 1})
        if list(given.values()) != [1]:
            raise NotExpressible("a reward of several free units")
        _add(draft, {"kind": "product", "cost": cost, "items": list(given), **terms})
    elif _OFF.keys() & value.keys():
        known(value, *_TERMS, *_OFF, "cost_points")
        [(word, measure)] = [(word, measure) for word, measure in _OFF.items() if word in value]
        worth[measure] = number(value[word])
        _add(draft, {"kind": "discount", "cost": cost, "worth": worth, **terms})
    else:
        known(value, *_TERMS, "cost_points")
        _add(draft, {"kind": "voucher", "cost": cost, **terms})


_OFF = {
    **dict.fromkeys(("percent_off_order", "percent_off", "percent"), "percent"),
    **dict.fromkeys(("amount_off", "amount_off_order", "amount"), "amount"),
}
_STEPS = ("points_step", "step", "in_steps_of", "required_points", "points_multiple")


def _rewards(draft: Draft, value: list[Data]) -> None:
    for one in value:
        _reward(draft, one)


_CLAMPS = {
    **dict.fromkeys(("max_discount", "max_amount"), "most"),
    **dict.fromkeys(("max_discount_pct", "max_percent_of_order", "max_pct_of_order"), "most_share"),
    **dict.fromkeys(("min_cart", "min_order", "min_cart_amount", "min_amount", "min_order_total"), "least_total"),
}
"""What limits money for points: at most so much, at most such a share, and only from such a basket on."""


def _rate(draft: Draft, value: Data) -> None:
    """Points into money at a rate, with clamps."""
    value = aliased(value)
    known(value, "points", "worth", "min_discount", "max_discount_per_product", "spread", "min_points", *_CLAMPS)
    worth: Data = {"amount": number(value["worth"])}
    reward: Data = {"kind": "discount", "cost": {POINTS: number(value["points"])}, "worth": worth}
    if "min_discount" in value:
        least = -(-exact(value["min_discount"]) // exact(value["worth"]))
        reward["quantities"] = {"least": int(least), "most": _MOST}
    for word, ours in _CLAMPS.items():
        if word in value:
            worth[ours] = number(value[word])
    if "min_points" in value:
        reward["quantities"] = {"least": int(-(-exact(value["min_points"]) // exact(value["points"]))), "most": _MOST}
    if "max_discount_per_product" in value:
        worth["most_per_line"] = number(value["max_discount_per_product"])
    if "spread" in value:
        ways = {
            **dict.fromkeys(("evenly over products", "evenly"), "evenly"),
            **dict.fromkeys(("by value", "in proportion to price", "proportional"), "by_value"),
        }
        worth["spread"] = meaning(ways, value["spread"], "a discount spread")
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
    ways = {
        **dict.fromkeys(("from the return date", "new", "fresh"), "new_lots"),
        **dict.fromkeys(("as before", "original", "unchanged", "same as before"), "same_lots"),
    }
    draft.points["on_refund"] = meaning(ways, value, "points that come back end")


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
        earned = play.shop.post("/v1/calculate", asked).body["granted"].get(POINTS, 0) if reward["earned_pays"] else 0
        return [{"reward": name, "points": play.shop.units(play.balance(who)) + earned}]
    if exact(wanted) % cost == 0 and reward["kind"] == "discount":
        return [{"reward": name, "points": play.shop.units(exact(wanted))}]
    return [{"reward": name, "quantity": int(wanted)}]


def _redeem(play: Play, event: Data, at: dt.datetime) -> Answer:
    if "reward" in event:
        return redeem_card(play, event, at)
    known(event, *_WHEN, "quantity", "points")
    [(name, reward)] = play.draft.more["rewards"].items()
    quantity = event.get(
        "quantity", exact(event["points"]) // exact(reward["cost"][POINTS]) if "points" in event else 1
    )
    body = {"member": play.shop.enrol(play.named(event)), "reward": name, "quantity": int(quantity), "confirm": True}
    return play.shop.post("/v1/redemptions", body, {"Idempotency-Key": f"r{len(play.steps)}"})


def _redeem_on_order(play: Play, event: Data, at: dt.datetime) -> Answer:
    """An order of so many products, all at one price, with points that the member has."""
    known(event, *_WHEN, "points", "products", "total", "amount")
    who = play.named(event)
    play.set_points(who, event["points"])
    products = int(event.get("products", 1))
    whole = exact(event.get("total", event.get("amount", _PRICE * products)))
    lines = [{"sku": f"product {place}", "amount": money(whole / products)} for place in range(products)]
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
    if not redeemed:
        # Redeemed by itself, it is worth so many cents.
        answer = play.steps[-1].answer
        worth = answer.body.get("worth") if answer is not None and "redeem" in play.steps[-1].event["type"] else None
        return None if worth is None else Decimal(worth).scaleb(-2)
    return sum((exact(one["amount"]) for one in redeemed), Decimal(0))


def _used(play: Play, _wanted: Any) -> Decimal:
    if not _redeemed(play):
        lines = [
            line for entry in play.shop.statement(play.somebody) for line in entry["lines"] if line["points"] == POINTS
        ]
        gone = (line for line in lines if line["destination"] in {"redeemed", "adjusted"})
        return sum((play.shop.whole(line["amount"]) for line in gone), Decimal(0))
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
