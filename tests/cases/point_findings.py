"""What a case expects of points and their lots, looked up in what the API says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from cases.birthdays import paid
from cases.draft import POINTS
from cases.play import Play

Look = Callable[[Play, Any], Any]


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


def _available(play: Play, wanted: Any) -> Any:
    return _points(play, wanted) if isinstance(wanted, list) else play.balance(play.somebody)


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


def _sum_of(way: str, *places: str) -> Look:
    """All points that ever went a way, by hand or not: where they came from, or where they went."""

    def look(play: Play, _wanted: Any) -> Decimal:
        lines = (line for line in _lines(play) if line[way] in places)
        return sum((play.shop.whole(line["amount"]) for line in lines), Decimal(0))

    return look


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


def _cards(play: Play, _wanted: Any) -> int:
    """A card of the source is there as soon as anything was ever put on it."""
    return int(bool(_lines(play)))


POINT_LOOKS: dict[str, Look] = {
    "points_earned": _points_earned,
    "credited": _points_earned,
    "points": _points,
    "balances": _by_member,
    "available": _available,
    "pending": _pending,
    "deficit": _deficit,
    "lifetime_earned": _lifetime_earned,
    **dict.fromkeys(("earned", "total_earned", "points_ever_earned"), _sum_of("source", "issued", "adjusted")),
    **dict.fromkeys(("points_expired", "expired"), _points_expired),
    **dict.fromkeys(
        ("points_used", "points_spent", "spent", "redeemed"), _sum_of("destination", "redeemed", "adjusted")
    ),
    **dict.fromkeys(("active", "active_points", "balance"), _points),
    **dict.fromkeys(("locked", "pending_points"), _pending),
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
}
