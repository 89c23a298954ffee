"""What events of a case do to levels."""

from __future__ import annotations

import datetime as dt

from cases.amounts import exact
from cases.basket import purchase
from cases.play import Play
from cases.published import Data, NotExpressible, known
from cases.shop import Answer

_WHEN = ("type", "member", "date", "at", "day", "days_ago")
_DAY = dt.timedelta(days=1)


def _bought(play: Play, name: str, amount: object, at: dt.datetime) -> Answer:
    return play.shop.send(purchase(play.draft, {"type": "purchase", "amount": amount}), name, at)


def _entered(play: Play, event: Data, at: dt.datetime) -> None:
    known(event, *_WHEN, "tier")
    play.shop.enrol(play.named(event))
    play.put_in_level(play.named(event), str(event["tier"]), at)


def _spend_in_window(play: Play, event: Data, at: dt.datetime) -> Answer:
    """Money spent some time after the level was reached, while it is held."""
    known(event, *_WHEN, "amount")
    play.shop.move_clock(at + 30 * _DAY)
    return _bought(play, play.named(event), event["amount"], play.shop.now)


def reach(play: Play, name: str, level: str, at: dt.datetime) -> None:
    """Let a member reach a level by what it asks for."""
    [floor] = [one["from"] for one in play.draft.tiers[0]["levels"] if one["name"] == level]
    if exact(floor):
        _bought(play, name, floor, at)


def _spend_recalculated(play: Play, event: Data, at: dt.datetime) -> Answer | None:
    """All that a member has spent comes to another sum: what was spent before counts no more."""
    known(event, *_WHEN, "amount")
    play.shop.move_clock(at.replace(year=at.year + 1) + 2 * _DAY)
    return _bought(play, play.named(event), event["amount"], play.shop.now) if exact(event["amount"]) else None


def _state_at_day(play: Play, event: Data, _at: dt.datetime) -> None:
    known(event, *_WHEN, "active_points", "points")
    play.set_points(play.named(event), event.get("active_points", event.get("points")))


def _review(play: Play, event: Data, _at: dt.datetime) -> None:
    known(event, *_WHEN)


def _expires(play: Play, event: Data, at: dt.datetime) -> None:
    """The level that is held comes to its end, whenever that is."""
    known(event, *_WHEN)
    play.shop.move_clock(at.replace(year=at.year + 1) + 2 * _DAY)


def qualify(play: Play, event: Data, name: str, at: dt.datetime) -> Answer:
    """Purchases that come to so much in the last month, so much in the last year, and are so many."""
    known(event, *_WHEN, "spend_in_month", "spend_in_year", "transactions_in_year")
    month, year = (
        exact(event.get("spend_in_month", 0)),
        exact(event.get("spend_in_year", event.get("spend_in_month", 0))),
    )
    count = int(event.get("transactions_in_year", 1))
    earlier = year - month
    if earlier < 0 or (earlier and count < 2):
        raise NotExpressible("purchases that contradict their sums")
    if earlier:
        _bought(play, name, earlier, at - 100 * _DAY)
        count -= 1
    for _ in range(count - 1):
        _bought(play, name, 0, at)
    return _bought(play, name, month, at)


def joined(play: Play, event: Data, at: dt.datetime) -> None:
    """Put somebody into the level that is the membership."""
    play.shop.enrol(play.named(event))
    play.put_in_level(play.named(event), "member", at)


TIER_HAPPENINGS = {
    "tier_entered": _entered,
    "spend_in_window": _spend_in_window,
    "spend_total_recalculated": _spend_recalculated,
    "state_at_day": _state_at_day,
    "tier_review": _review,
    "tier_expires": _expires,
}
