"""What a case expects of levels, looked up in what the API says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from cases.play import Play
from cases.timeline import moment_of

_SECOND = dt.timedelta(seconds=1)
_DAY = dt.timedelta(days=1)


def _tier(play: Play, wanted: Any) -> Any:
    levels = [step.level for step in play.steps]
    return levels if isinstance(wanted, list) else levels[-1]


def _tier_before(play: Play, _wanted: Any) -> str | None:
    return play.steps[-2].level


def _direction(play: Play, _wanted: Any) -> str | None:
    levels = [step.level for step in play.steps]
    names = list(play.draft.level_names.values())
    before, after = (names.index(str(level)) for level in levels[-2:])
    return None if before == after else "up" if after > before else "down"


def _tier_on(play: Play, wanted: dict[str, str]) -> dict[str, str | None]:
    return {day: play.probed.get(day) for day in wanted}


def _qualified(play: Play, _wanted: Any) -> list[bool]:
    return [step.level == "reached" for step in play.steps]


def _held_until(play: Play, level: str | None, last: dt.datetime) -> str:
    """Whether a level is held at a moment, and not a second later, told by the clock."""
    if play.shop.now > last:
        return f"it is {play.shop.now.isoformat()} already"
    play.shop.move_clock(last)
    if play.level(play.somebody) != level:
        return f"not held at {last.isoformat()}"
    play.shop.move_clock(last + _SECOND)
    return "" if play.level(play.somebody) != level else f"still held after {last.isoformat()}"


def _last_level(play: Play) -> str | None:
    return play.steps[-1].level


def _tier_until(play: Play, wanted: str) -> str:
    """The last day of the level that is held."""
    return _held_until(play, _last_level(play), moment_of(wanted).replace(hour=23, minute=59, second=59)) or wanted


def _tier_expires_at(play: Play, wanted: str) -> str:
    return _held_until(play, _highest(play), moment_of(wanted) - _SECOND) or wanted


def _highest(play: Play) -> str | None:
    return play.steps[0].level


def _gold_until(play: Play, wanted: str) -> str:
    """The last moment of the level that was reached first; a day `(at once)` is that of the event that ended it."""
    if wanted.endswith("(at once)"):
        lost = [step for step in play.steps if step.level != _highest(play)]
        return f"{lost[0].at.date()} (at once)" if lost else "not lost at once"
    return _held_until(play, _highest(play), moment_of(wanted)) or wanted


def _tier_after(play: Play, _wanted: Any) -> str | None:
    """The level in the end, when all that is held for a while is over."""
    play.shop.move_clock(play.shop.now + 62 * _DAY)
    return play.level(play.somebody)


def _silver_for(play: Play, wanted: str) -> str:
    """`12 months from the day it was reached`."""
    reached = max(play.steps[-1].at, play.shop.now)
    last = reached.replace(year=reached.year + 1, hour=23, minute=59, second=59)
    return _held_until(play, _last_level(play), last) or wanted


def member_from(play: Play, _wanted: Any) -> str:
    """The day on which the level that is the membership was reached."""
    return next(str(step.at.date()) for step in play.steps if step.level == "member")


def _next_date(play: Play, wanted: str) -> str:
    """The day after the last one of a period."""
    return _held_until(play, "member", moment_of(wanted).replace(hour=0) - _SECOND) or wanted


TIER_LOOKS: dict[str, Callable[[Play, Any], Any]] = {
    "tier": _tier,
    "tier_before": _tier_before,
    "direction": _direction,
    "tier_on": _tier_on,
    "qualified": _qualified,
    "tier_until": _tier_until,
    "tier_expires_at": _tier_expires_at,
    "tier_after": _tier_after,
    "member_to": _tier_until,
    "next_date": _next_date,
}
_NAMED = (("_until", "tier_held_until", _gold_until), ("_for", "tier_for", _silver_for))


def named_kind(word: str) -> str | None:
    """What a word asks that begins with the name of a level: `gold_until`, `silver_for`."""
    return next((kind for ending, kind, _ in _NAMED if word.endswith(ending) and word not in TIER_LOOKS), None)


def tier_look(word: str) -> Callable[[Play, Any], Any] | None:
    """How to find that."""
    return next((look for ending, _, look in _NAMED if word.endswith(ending)), None)
