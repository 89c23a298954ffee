"""Settings about points: how long they last, when they can be used, how far below zero, at most how many."""

from __future__ import annotations

from typing import Any

from cases.amounts import number
from cases.birthdays import BIRTHDAY_SETTINGS
from cases.draft import LADDER, Draft, Setting, identifier
from cases.narrowing import boundary
from cases.published import Data, NotExpressible, known
from cases.returns import RETURN_SETTINGS
from cases.tier_settings import nothing

_ALIGNMENT = {
    **{word: f"{word}_end" for word in ("month", "quarter", "year")},
    **dict.fromkeys(("half year", "half_year", "half-year"), "half_year_end"),
}
_UNITS = {"days": "d", "weeks": "w", "months": "mo", "years": "y", "hours": "h"}


def expiry(draft: Draft, value: Any) -> None:
    """When points end."""
    if value is None or value == "never":
        return
    if any(f"rolling_{word}" in value for word in _UNITS):
        _rolling(draft, value)
        return
    older = [f"older_than_{word}" for word in _UNITS]
    known(value, *_UNITS, *older, "round_up_to", "on", "fixed_date", "date")
    named = ((name, unit) for word, unit in _UNITS.items() for name in (word, f"older_than_{word}"))
    lengths = [f"{value[name]}{unit}" for name, unit in named if name in value]
    made: Data = {"after": lengths[0]} if lengths else {}
    if "round_up_to" in value:
        if value["round_up_to"] not in _ALIGNMENT:
            raise NotExpressible(f"expiry at the end of a {value['round_up_to']}")
        made["align"] = _ALIGNMENT[value["round_up_to"]]
    draft.points["expiry"] = made | _on_days(value)


def _on_days(value: Data) -> Data:
    """Days on which points end: fixed dates are the last ones with them, days of each year the first ones without."""
    fixed = [str(value[word]) for word in ("fixed_date", "date") if word in value]
    if fixed:
        return {"on": fixed}
    if "on" not in value:
        return {}
    days = value["on"] if isinstance(value["on"], list) else [value["on"]]
    return {"on": [str(day).split()[0] for day in days], "on_is": "gone"}


def _rolling(draft: Draft, value: Data) -> None:
    """Points that end when nothing happens for so long."""
    known(value, *(f"rolling_{word}" for word in _UNITS), "extended_by", "zero_point_events_count")
    [after] = [f"{value[f'rolling_{word}']}{unit}" for word, unit in _UNITS.items() if f"rolling_{word}" in value]
    made: Data = {"inactivity": after}
    by = value.get("extended_by", "any activity")
    if by == "purchase":
        made["extended_by"] = ["purchase"]
    elif by not in {"earning", "any activity"}:
        raise NotExpressible(f"expiry that is extended by {by}")
    if by == "earning" and not value.get("zero_point_events_count", False):
        made["must_earn"] = True
    draft.points["expiry"] = made


def pending_days(draft: Draft, value: int) -> None:
    """Until then points cannot be used."""
    draft.points["available_after"] = f"{value}d"


def lots(draft: Draft, value: str) -> None:
    """Which points are used first. Without any end, the oldest ones end first too."""
    if value not in {"earliest_expiry_first", "oldest_first", "fifo"}:
        raise NotExpressible(f"lots: {value}")


def negative_balance(draft: Draft, value: str) -> None:
    """Whether a balance may lie below zero."""
    draft.points["negative"] = "allow" if value == "allowed" else "block"


def allow_negative(draft: Draft, value: bool) -> None:  # noqa: FBT001 - a setting of the case
    """The same as a truth value."""
    negative_balance(draft, "allowed" if value else "blocked")


def cap_per(every: str) -> Setting:
    """At most so many points a period, over all that earns them."""

    def cap(draft: Draft, value: Any) -> None:
        made: Data = {"every": every, "points": number(value)}
        crossing = str(draft.settings.get("crossing_award", "cut"))
        if crossing not in {"cut", "whole"}:
            raise NotExpressible(f"an award that crosses a cap: {crossing}")
        draft.points.setdefault("caps", []).append(made | ({} if crossing == "cut" else {"crossing": crossing}))

    return cap


def caps(draft: Draft, value: Data) -> None:
    """Several caps: `{per_day: 50, per_event: 20}`."""
    for word, points in value.items():
        every = str(word).removeprefix("per_")
        if every not in {"event", "day", "week", "month", "quarter", "year"}:
            raise NotExpressible(f"a cap {word}")
        cap_per(every)(draft, points)


def stacking(draft: Draft, value: str) -> None:
    """How several multipliers combine."""
    words = {
        **dict.fromkeys(("additive", "add", "sum", "sum of bonuses"), "sum_of_bonuses"),
        **dict.fromkeys(("multiplicative", "multiply", "product", "compound"), "product"),
        **dict.fromkeys(("best", "best only", "highest", "maximum"), "best"),
    }
    if value not in words:
        raise NotExpressible(f"stacking: {value}")
    draft.more.setdefault("stacking", {})["multipliers"] = words[value]


def starts(draft: Draft, value: str) -> None:
    """From when the whole program runs."""
    for campaign in draft.campaigns.values():
        campaign.setdefault("schedule", {})["starts"] = boundary(str(value))


def ends(draft: Draft, value: str) -> None:
    """Through when the whole program runs."""
    for campaign in draft.campaigns.values():
        campaign.setdefault("schedule", {})["ends"] = boundary(str(value))


def expiry_by_tier(draft: Draft, value: Data) -> None:
    """How long points last, by the level held when they are earned."""
    draft.levels_by_hand(list(value))
    lengths = {}
    for name, one in value.items():
        known(one, *_UNITS)
        [lengths[identifier(name)]] = [f"{one[word]}{unit}" for word, unit in _UNITS.items() if word in one]
    draft.points.setdefault("expiry", {})["by_tier"] = {LADDER: lengths}


def pending(draft: Draft, value: Data) -> None:
    """Until then points cannot be used: so long after they were earned."""
    known(value, *_UNITS)
    [draft.points["available_after"]] = [f"{value[word]}{unit}" for word, unit in _UNITS.items() if word in value]


POINT_SETTINGS: dict[str, Setting] = {
    "expiry": expiry,
    "pending_days": pending_days,
    "pending": pending,
    "expiry_by_tier": expiry_by_tier,
    **RETURN_SETTINGS,
    "lots": lots,
    "negative_balance": negative_balance,
    "allow_negative": allow_negative,
    **BIRTHDAY_SETTINGS,
    "register_days_before": nothing,
    "if_late": nothing,
    "from": starts,
    "to": ends,
    **{f"max_points_per_{every}": cap_per(every) for every in ("day", "week", "month", "quarter", "year", "event")},
    **{f"max_points_per_{word}": cap_per("event") for word in ("purchase", "order", "transaction")},
    "max_points": cap_per("ever"),
    **dict.fromkeys(("max_cashback", "cashback_cap", "cap"), cap_per("ever")),
    **dict.fromkeys(("max_cashback_per_year", "max_per_year"), cap_per("year")),
    "caps": caps,
    "stacking": stacking,
    "crossing_award": nothing,
}
