"""What events of a case do: each type by the words it has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

from cases.amounts import exact, money, number
from cases.basket import purchase
from cases.birthdays import BIRTHDAY_HAPPENINGS, date_of, declare_birthdays
from cases.carts import CART_HAPPENINGS, declare_applied, other_code
from cases.coupons import COUPON_HAPPENINGS, code_of, declare_coupons, order_with_coupons
from cases.draft import POINTS, Draft, identifier
from cases.earning_rules import trigger
from cases.gift_cards import declare_cards, open_cards, pay_with_cards
from cases.levels import with_those_of
from cases.memberships import MEMBERSHIP_HAPPENINGS
from cases.moving import MOVING_HAPPENINGS, of_each
from cases.play import Play
from cases.published import Data, NotExpressible, known
from cases.referrals import REFERRAL_HAPPENINGS, referred
from cases.returns import RETURN_HAPPENINGS, given_points
from cases.rewards import REWARD_HAPPENINGS, wishes
from cases.shop import Answer
from cases.tier_happenings import TIER_HAPPENINGS, qualify, reach
from cases.timeline import moment_of

Happen = Callable[[Play, Data, dt.datetime], Answer | None]
_WHEN = ("type", "member", "date", "at", "day", "days_ago", "key", "name")


def _purchase(play: Play, event: Data, at: dt.datetime) -> Answer:
    name = play.member_of(event)
    if name is not None:
        event = referred(play, event, name)
        prepared(play, event, name, at)
    body = purchase(play.draft, event)
    pay_with_cards(play, event, body)
    if "order" in event:
        body["external_id"] = str(event["order"])
    elif "key" in event:
        body |= _by_key(play, event)
    if body.get("codes"):
        body["codes"] = [code_of(play, code) for code in body["codes"]]
    if "pay_with_wallet" in event:
        body["labels"] = [*body.get("labels", []), "pay_with_wallet"]
    if "pay_with_points" in event:
        _burnt(play, event, body, at)
    if "coupons_used" in event:
        return order_with_coupons(play, event, body, at)
    if "redeem" in event:
        body["redeem"] = wishes(play, event, body, at)
    return play.shop.send(body, name, at)


def _by_key(play: Play, event: Data) -> Data:
    """What makes an event that is sent again the same one: its id, and when it happened."""
    at = event.get("at", event.get("date"))
    moment = play.timeline.start if at is None else moment_of(str(at))
    return {"external_id": f"key {event['key']}", "occurred_at": moment.isoformat()}


def _burnt(play: Play, event: Data, body: Data, at: dt.datetime) -> None:
    """Pay with points: they go, and what they are worth is a part of the payment."""
    name = play.named(event)
    points = play.balance(name) if event["pay_with_points"] == "all" else exact(event["pay_with_points"])
    answer = play.shop.send({"type": "burn", "data": {"points": float(points)}}, name, at)
    [worth] = [effect["value"]["discount"] for effect in answer.effects if effect["kind"] == "custom"]
    body["tenders"] = [{"type": "points", "amount": money(worth)}]
    play.asked["discount"] = worth


def prepared(play: Play, event: Data, name: str, at: dt.datetime) -> None:
    """Make a member what the event says that he is."""
    if "birthday" in event and "birthday" in play.draft.attributes:
        play.shop.set_attributes(name, birthday=date_of(str(event["birthday"])))
    if "tier" in event:
        play.put_in_level(name, str(event["tier"]), at)


def _purchases(play: Play, event: Data, at: dt.datetime) -> Answer:
    known(event, *_WHEN, "amount")
    return play.shop.send(purchase(play.draft, {"type": "purchase", "amount": event["amount"]}), play.named(event), at)


def _own(play: Play, event: Data, at: dt.datetime) -> Answer:
    """`event`: something with a name that the program gives points for."""
    known(event, *_WHEN, "store")
    name = str(event["name"])
    if name in {"account_created", "enrolled", "signup"}:
        return _enrolled(play, play.named(event))
    if name == "first_purchase":
        return _purchase(play, {"type": "purchase", **{key: event[key] for key in ("store",) if key in event}}, at)
    body: Data = {"type": identifier(name)}
    if "store" in event:
        body["location"] = event["store"]
    if "key" in event:
        body |= _by_key(play, event)
    return play.shop.send(body, play.named(event), at)


def _enrolled(play: Play, name: str) -> Answer:
    """Enrol; what it earned stands in the statement, for the API answers with the member."""
    play.shop.enrol(name)
    earned = play.balance(name)
    return Answer({"effects": [{"kind": "earn", "amount": play.shop.units(earned), "campaign": None}]})


def _enrol(play: Play, event: Data, _at: dt.datetime) -> Answer:
    return _enrolled(play, play.named(event))


def _earn(play: Play, event: Data, at: dt.datetime) -> Answer:
    known(event, *_WHEN, "points", "expires", "tier")
    points = exact(event.get("points", 1))
    if "expires" in event:
        ends = dt.datetime.combine(dt.date.fromisoformat(str(event["expires"])) + dt.timedelta(1), dt.time(), dt.UTC)
        return play.shop.adjust(play.named(event), points, expires_at=ends.isoformat())
    data = {"points": float(points) if points % 1 else int(points)}
    answer = play.shop.send({"type": "earn", "data": data}, play.named(event), at)
    if "tier" in event:
        play.put_in_level(play.named(event), str(event["tier"]), at)
    return answer


def _spend(play: Play, event: Data, _at: dt.datetime) -> Answer:
    known(event, *_WHEN, "points", "forced", "to_tier_range")
    name = play.named(event)
    if "to_tier_range" in event:
        return play.shop.adjust(name, _within(play.draft, str(event["to_tier_range"])) - play.balance(name))
    return play.shop.adjust(name, -exact(event["points"]))


def _within(draft: Draft, level: str) -> Decimal:
    """A balance with which one is in a level: half way to the next."""
    floors = [exact(one["from"]) for one in draft.tiers[0]["levels"]]
    place = [one["name"] for one in draft.tiers[0]["levels"]].index(level)
    return (floors[place] + floors[place + 1]) // 2 if place + 1 < len(floors) else floors[place]


def _adjust(play: Play, event: Data, _at: dt.datetime) -> Answer:
    known(event, *_WHEN, "points")
    return play.shop.adjust(play.named(event), exact(event["points"]))


def _set_points(play: Play, event: Data, _at: dt.datetime) -> None:
    known(event, *_WHEN, "value")
    play.set_points(play.named(event), event["value"])


def _state(play: Play, event: Data, at: dt.datetime) -> None:
    words = ("total_spend", "spend", "gift_card", "gift_cards", "wallet", "points", "tier", "manually_assigned_tier")
    if "members" in event:
        for one in of_each(event):
            _state(play, one, at)
        return
    known(event, *_WHEN, *words, "active", "active_points", "earned_on")
    play.opening.append(event)
    name = play.named(event)
    play.shop.enrol(name)
    open_cards(play, event)
    for word in ("total_spend", "spend"):
        if exact(event.get(word, 0)):
            play.shop.send(purchase(play.draft, {"type": "purchase", "total": event[word]}), name, at)
    if "wallet" in event:
        play.shop.adjust(name, exact(event["wallet"]), "wallet")
    for word in ("points", "active", "active_points"):
        if word in event:
            play.set_points(name, event[word])
    _begin_on_level(play, event, name, at)


def _begin_on_level(play: Play, event: Data, name: str, at: dt.datetime) -> None:
    if "tier" in event and "manual_tier" in play.draft.settings:
        reach(play, name, str(event["tier"]), at)
    elif "tier" in event:
        play.put_in_level(name, str(event["tier"]), at)
    if "manually_assigned_tier" in event:
        play.shop.give_level(name, identifier(str(event["manually_assigned_tier"])))


def _evaluate(play: Play, event: Data, at: dt.datetime) -> Answer:
    known(event, *_WHEN)
    return play.shop.send({"type": "visit"}, play.named(event), at)


def _query(play: Play, event: Data, at: dt.datetime) -> None:
    known(event, *_WHEN, "hours", "days", "weeks")


def _earned_since(play: Play, event: Data, _at: dt.datetime) -> None:
    since = dt.datetime.fromisoformat(str(event["at"])).replace(tzinfo=dt.UTC)
    found = Decimal(0)
    for entry in play.shop.statement(play.named(event)):
        if dt.datetime.fromisoformat(entry["occurred_at"]) >= since:
            found += sum(play.shop.whole(line["amount"]) for line in entry["lines"] if line["source"] == "issued")
    play.asked["earned_since"] = found


def _expire_run(play: Play, event: Data, at: dt.datetime) -> None:
    """The run of a day that lets points end sees the whole day: it is over."""
    known(event, *_WHEN)
    play.shop.move_clock(dt.datetime.combine(at.date() + dt.timedelta(days=1), dt.time(), dt.UTC))


def _price_in_points(play: Play, event: Data, at: dt.datetime) -> Answer:
    known(event, *_WHEN, "amount", "currency", "converted")
    return play.shop.send(
        purchase(play.draft, {"type": "purchase", "amount": event["converted"]}), play.named(event), at
    )


def _downgrade_membership(play: Play, event: Data, at: dt.datetime) -> Answer:
    known(event, *_WHEN)
    return play.shop.send({"type": "downgrade_membership"}, play.named(event), at)


def _upgrade(play: Play, event: Data, at: dt.datetime) -> Answer:
    known(event, *_WHEN, "months_left")
    body = {"type": "upgrade", "data": {"months_left": event.get("months_left", 12)}}
    return play.shop.send(body, play.named(event), at)


def _variant(play: Play, event: Data, at: dt.datetime) -> Answer | None:
    """The same again from the opening position, with another input, for somebody new."""
    if "cart" in play.asked:
        return other_code(play, event, at)
    play.somebody = f"{play.somebody}'"
    for opening in list(play.opening):
        _state(play, {**opening, "member": play.somebody}, at)
    if any(word.startswith(("spend_in", "transactions_in")) for word in event):
        return qualify(play, event, play.somebody, at)
    before = next((step.event for step in play.steps if step.event["type"] not in {"state", "variant"}), None)
    if before is None:
        raise NotExpressible(f"a variant of nothing: {', '.join(event)}")
    merged = {**before, **{key: value for key, value in event.items() if key != "type"}, "member": play.somebody}
    return HAPPENINGS[merged["type"]](play, merged, at)


HAPPENINGS: dict[str, Happen] = {
    "purchase": _purchase,
    "purchases_in_period": _purchases,
    "event": _own,
    "enrol": _enrol,
    "earn": _earn,
    "spend": _spend,
    "adjust": _adjust,
    "set_points": _set_points,
    "state": _state,
    "evaluate": _evaluate,
    "visit": _evaluate,
    "query": _query,
    "query_earned_since": _earned_since,
    "expire_run": _expire_run,
    "price_in_points": _price_in_points,
    "downgrade_membership": _downgrade_membership,
    "variant": _variant,
    "upgrade": _upgrade,
    **TIER_HAPPENINGS,
    **MEMBERSHIP_HAPPENINGS,
    **BIRTHDAY_HAPPENINGS,
    **RETURN_HAPPENINGS,
    **CART_HAPPENINGS,
    **COUPON_HAPPENINGS,
    **REFERRAL_HAPPENINGS,
    **REWARD_HAPPENINGS,
    **MOVING_HAPPENINGS,
}
_CAPABILITIES = {
    "accounts of partners": ("partner_accrual",),
    "memberships with a price": ("change_quantity",),
}
LATER = {kind: capability for capability, kinds in _CAPABILITIES.items() for kind in kinds}


def happening(event: Data) -> Happen:
    """What an event does.

    Raises:
        NotExpressible: it is of a type that nothing here can do yet.
    """
    kind = str(event["type"])
    if kind in LATER:
        raise NotExpressible(LATER[kind])
    if kind not in HAPPENINGS:
        raise NotExpressible(f"event {kind}")
    return HAPPENINGS[kind]


def declare(draft: Draft, events: list[Data]) -> None:
    """Put into the program what the events of a case need, beside what its settings say."""
    levels = with_those_of(events, [])
    if levels:
        draft.levels_by_hand(levels)
    for event in events:
        happening(event)
        _declare(draft, event)
    draft.put_in_levels()


def _declare(draft: Draft, event: Data) -> None:
    kind = event["type"]
    declare_applied(draft, event)
    declare_coupons(draft, event)
    declare_cards(draft, event)
    if kind == "earn" and "earn" not in draft.events:
        own = draft.own_event("earn", points="number")
        draft.campaign(on=own, earn={POINTS: {"expression": "event.data.points"}})
    elif kind == "event" and draft_needs(draft, event):
        trigger(draft, str(event["name"]))
    elif kind in BIRTHDAY_HAPPENINGS and "triggers" not in draft.more:
        declare_birthdays(draft)
    elif "pay_with_points" in event and "burn" not in draft.events:
        worth = number(draft.points.get("value", 1))
        own = draft.own_event("burn", points="number")
        draft.campaign(
            on=own,
            deduct={POINTS: {"expression": "event.data.points"}},
            effect={"name": "burn", "values": {"discount": f"event.data.points * {worth}"}},
        )
    elif kind == "downgrade_membership" and "downgrade_membership" not in draft.events:
        draft.own_event("downgrade_membership")
    if "base_points" in event and "base_points" not in draft.asides:
        draft.asides.add("base_points")
        draft.campaign(earn={POINTS: {"expression": "event.total"}})
    if "points_earned" in event:
        given_points(draft, event)
    if ("wallet" in event or "pay_with_wallet" in event) and "wallet" not in draft.other_points:
        _wallet(draft)


def _wallet(draft: Draft) -> None:
    """Stored money: points that are money, which pay a purchase and are topped up by what is bought."""
    draft.other_points["wallet"] = {"decimals": 2, "value": "1"}
    draft.campaign(
        when='"pay_with_wallet" in event.labels',
        deduct={"wallet": {"expression": "min(member.points.wallet, event.gross)"}},
    )
    draft.campaign(lines='"wallet_topup" in line.labels', earn={"wallet": {"expression": "line.gross"}})


def draft_needs(draft: Draft, event: Data) -> bool:
    """Whether an event with a name is one of the program's own, and not declared yet."""
    name = identifier(str(event["name"]))
    built_in = {"account_created", "enrolled", "signup", "first_purchase"}
    return name not in built_in and name not in draft.events
