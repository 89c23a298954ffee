"""Settings about points: how long they last, when they can be used, how far below zero, at most how many."""

from __future__ import annotations

from typing import Any

from cases.amounts import number
from cases.birthdays import BIRTHDAY_SETTINGS
from cases.draft import LADDER, Draft, Setting, identifier
from cases.narrowing import boundary
from cases.published import Data, NotExpressible, known
from cases.returns import RETURN_SETTINGS
from cases.tier_settings import length, nothing
from cases.words import meaning

_ALIGNMENT = {
    **{word: f"{word}_end" for word in ("month", "quarter", "year")},
    **dict.fromkeys(("half year", "half_year", "half-year"), "half_year_end"),
}
_UNITS = {"days": "d", "weeks": "w", "months": "mo", "years": "y", "hours": "h"}


def expiry(draft: Draft, value: Any) -> None:
    """When points end."""
    if value is None or value == "never":
        return
    if isinstance(value, str):
        draft.points["expiry"] = {"after": length(value)}
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
    days = [str(day).split()[0] for day in (value["on"] if isinstance(value["on"], list) else [value["on"]])]
    # A day of one year is a last day; one of every year is when it happens.
    return {"on": days} | ({} if all(len(day) > len("MM-DD") for day in days) else {"on_is": "gone"})


_EXTENDS = {
    **dict.fromkeys(("purchase", "purchases", "transaction", "any transaction", "order"), "purchase"),
    **dict.fromkeys(("earning", "earn", "earning points"), "earning"),
    **dict.fromkeys(("any activity", "activity", "any event"), "anything"),
}
"""What keeps points from ending: the words of sources."""


def _rolling(draft: Draft, value: Data) -> None:
    """Points that end when nothing happens for so long."""
    known(value, *(f"rolling_{word}" for word in _UNITS), "extended_by", "zero_point_events_count")
    [after] = [f"{value[f'rolling_{word}']}{unit}" for word, unit in _UNITS.items() if f"rolling_{word}" in value]
    made: Data = {"inactivity": after}
    by = meaning(_EXTENDS, value.get("extended_by", "any activity"), "expiry that is extended by")
    if by == "purchase":
        made["extended_by"] = ["purchase"]
    if by == "earning" and not value.get("zero_point_events_count", False):
        made["must_earn"] = True
    draft.points["expiry"] = made


def pending_days(draft: Draft, value: Any) -> None:
    """Until then points cannot be used."""
    if isinstance(value, dict):
        pending(draft, value)
        return
    draft.points["available_after"] = f"{value}d"


def lots(draft: Draft, value: str) -> None:
    """Which points are used first. Without any end, the oldest ones end first too."""
    by_age = {"earliest_expiry_first": False, "first to expire first": False, "oldest_first": True, "fifo": True}
    ends = [str(event.get("expires", "~")) for event in draft.case.events if event["type"] == "earn"]
    if meaning(by_age, value, "lots") and ends != sorted(ends):
        raise NotExpressible("points used in the order in which they were earned, whenever they end")


def negative_balance(draft: Draft, value: str) -> None:
    """Whether a balance may lie below zero."""
    words = {
        **dict.fromkeys(("allowed", "allow", "true"), "allow"),
        **dict.fromkeys(("blocked", "block", "not allowed", "refused", "forbidden", "false"), "block"),
    }
    draft.points["negative"] = meaning(words, value, "a balance below zero")


def allow_negative(draft: Draft, value: bool) -> None:  # noqa: FBT001 - a setting of the case
    """The same as a truth value."""
    negative_balance(draft, "allowed" if value else "blocked")


_CROSSING = ("crossing_award", "crossing", "cap_crossing", "award_over_cap")
_CROSSES = {
    **dict.fromkeys(("cut", "cut off", "cut to the cap", "truncated", "partial"), "cut"),
    **dict.fromkeys(("whole", "in whole", "in full", "let in whole", "full"), "whole"),
}


def cap_per(every: str) -> Setting:
    """At most so many points a period, over all that earns them."""

    def cap(draft: Draft, value: Any) -> None:
        made: Data = {"every": every, "points": number(value)}
        told = next((draft.settings[word] for word in _CROSSING if word in draft.settings), "cut")
        crossing = meaning(_CROSSES, told, "an award that crosses a cap")
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
    draft.more.setdefault("stacking", {})["multipliers"] = meaning(words, value, "stacking")


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
    **dict.fromkeys(("max_cashback", "max_reward", "cashback_cap", "reward_cap", "cap"), cap_per("ever")),
    **{
        f"{what}_per_{every}": cap_per(every)
        for what in ("max_cashback", "max_reward", "max", "cashback_cap", "reward_cap", "cap")
        for every in ("day", "week", "month", "quarter", "year")
    },
    "caps": caps,
    "stacking": stacking,
    **dict.fromkeys(_CROSSING, nothing),
}
