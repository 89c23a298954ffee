"""Birthdays of a case: the trigger of time, the member's attribute, and what was paid on which day."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from cases.amounts import number
from cases.draft import POINTS, Draft
from cases.earning_rules import rounding
from cases.play import Play
from cases.published import Data, NotExpressible, known
from cases.shop import Answer

TRIGGER = "birthday"
_WORDS = ("type", "member", "date", "at", "day", "birthday", "tier", "to")
_A_YEAR_AND_SOME = dt.timedelta(days=400)
_LATE = {"next year": "next_year", "after the lead": "after_lead", "after the lead time": "after_lead"}


def declare_birthdays(draft: Draft) -> None:
    """The attribute, and the trigger with how long before a birthday has to be known."""
    draft.attributes[TRIGGER] = {"type": "date"}
    trigger: Data = {"attribute": TRIGGER}
    lead = draft.settings.get("register_days_before")
    if lead:
        late = str(draft.settings.get("if_late", "after the lead"))
        if late not in _LATE:
            raise NotExpressible(f"a birthday that is registered late: {late}")
        trigger |= {"registered": f"{lead}d", "late": _LATE[late]}
    draft.more["triggers"] = {TRIGGER: {"birthday": trigger}}


def birthday_points(draft: Draft, value: Any) -> None:
    """Points on the birthday, the same for everybody."""
    declare_birthdays(draft)
    rounding(draft, draft.settings)
    draft.campaign(on=TRIGGER, earn={POINTS: number(value)})


def birthday_points_by_tier(draft: Draft, value: Data) -> None:
    """Points on the birthday, by level."""
    declare_birthdays(draft)
    draft.levels_by_hand(list(value))
    for name, points in value.items():
        draft.campaign(on=TRIGGER, when=draft.level_is(name), earn={POINTS: number(points)})


def date_of(month_and_day: str) -> str:
    """A birthday of a case, which has no year, as the attribute has it; 1992 has a 29 February."""
    return month_and_day if len(month_and_day) > len("MM-DD") else f"1992-{month_and_day}"


def _registered(play: Play, event: Data, at: dt.datetime) -> None:
    """Somebody tells his birthday."""
    known(event, *_WORDS)
    name = play.named(event)
    play.shop.enrol(name)
    if "tier" in event:
        play.put_in_level(name, str(event["tier"]), at)
    play.shop.set_attributes(name, birthday=date_of(str(event.get("birthday", event.get("to")))))


def known_before(play: Play, events: list[Data]) -> None:
    """Enrol those whose birthday an event takes for known, when the program begins."""
    for event in events:
        name = play.named(event)
        if event["type"] == "birthday_run" and name not in play.shop.members:
            play.shop.enrol(name)
            if "birthday" in event:
                play.shop.set_attributes(name, birthday=date_of(str(event["birthday"])))


def _run(play: Play, event: Data, _at: dt.datetime) -> None:
    """The birthdays of a day: time has come to it, and that is all that happens."""
    known(event, *_WORDS)


def _birthday(play: Play, event: Data, at: dt.datetime) -> Answer:
    """A birthday at any time, known long enough before."""
    known(event, *_WORDS)
    name = play.named(event)
    play.shop.enrol(name)
    if "tier" in event:
        play.put_in_level(name, str(event["tier"]), at)
    day = at + dt.timedelta(days=100)
    play.shop.set_attributes(name, birthday=date_of(day.strftime("%m-%d")))
    before = play.balance(name)
    play.shop.move_clock(day)
    units = play.shop.units(play.balance(name) - before)
    return Answer({"effects": [{"kind": "earn", "amount": units, "campaign": None}]})


def paid(play: Play) -> list[tuple[str, Decimal]]:
    """What was given after the last event, with the day: until everybody has had a birthday, however late told."""
    play.shop.move_clock(play.steps[-1].at + _A_YEAR_AND_SOME)
    return [
        (str(dt.datetime.fromisoformat(entry["occurred_at"]).date()), play.shop.whole(line["amount"]))
        for entry in play.shop.statement(play.somebody)
        for line in entry["lines"]
        if line["source"] == "issued"
    ]


BIRTHDAY_SETTINGS = {"birthday_points": birthday_points, "birthday_points_by_tier": birthday_points_by_tier}
BIRTHDAY_HAPPENINGS = {
    "register_birthday": _registered,
    "change_birthday": _registered,
    "birthday_run": _run,
    "birthday": _birthday,
}
