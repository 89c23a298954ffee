"""Triggers of time: moments at which something happens to a member because time has come, and nobody did anything."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from setia.program.campaigns import Expression, Weekday
from setia.program.names import Identifier, Part, Period, Text

TriggerKind = Literal["birthday", "anniversary", "schedule", "inactive", "expiring", "date", "offer_ending"]
TRIGGER_KINDS: tuple[TriggerKind, ...] = (
    "birthday",
    "anniversary",
    "schedule",
    "inactive",
    "expiring",
    "date",
    "offer_ending",
)

_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")
_MONTH_AND_DAY = re.compile(r"^\d\d-\d\d$")
_WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_DAY = 31
_CALENDAR = {"days", "weeks", "months", "years"}
_LONGEST = {"minutes": 527_040, "hours": 8_784, "days": 366, "weeks": 52, "months": 12, "years": 1}


def _clock(value: object) -> object:
    if not isinstance(value, str) or not _CLOCK.match(value):
        message = f'{value!r} is not a time of day; write it in quotes as "HH:MM", for example "09:00"'
        raise ValueError(message)
    return value


def _in_days(period: Period) -> Period:
    if period.unit not in _CALENDAR:
        message = f"{period} is no number of days; write it in days, weeks, months or years, such as 14d"
        raise ValueError(message)
    return period


Clock = Annotated[str, BeforeValidator(_clock)]
"""A time of day on the program's clock."""


class Birthday(Part):
    """Once a year, on the day of a member attribute of type date."""

    attribute: Identifier = "birthday"
    registered: Period = Period(count=0, unit="days")
    """How long before it the birthday must have been registered, or changed last: nobody has two in a month."""
    late: Literal["next_year", "after_lead"] = "next_year"
    """One that was registered too late: waits for the next year, or comes `registered` after that, the first time."""
    leap_day: Literal["02-28", "03-01"] = "02-28"
    """When 29 February is in a year without it."""
    at: Clock = "09:00"

    @model_validator(mode="after")
    def _counted_in_days(self) -> Birthday:
        _in_days(self.registered)
        return self


class Anniversary(Part):
    """A period after the day of enrolment, and after each further one."""

    every: Period = Period(count=1, unit="years")
    at: Clock = "09:00"

    @model_validator(mode="after")
    def _counted_in_days(self) -> Anniversary:
        if not _in_days(self.every).count:
            message = "an anniversary comes after some time; write 1y, or 6mo"
            raise ValueError(message)
        return self


# A day of the month may be written as a number; it becomes a text before it is checked.
_DAY_OR_NUMBER: Any = {
    "anyOf": [{"type": "string"}, {"type": "integer", "minimum": 1, "maximum": 31}, {"type": "null"}]
}


class Recurrence(Part):
    """Again and again, for everybody: each day, or on one day of each week, month, quarter or year."""

    every: Literal["day", "week", "month", "quarter", "year"]
    on: Annotated[str | None, Field(json_schema_extra=_DAY_OR_NUMBER)] = None
    """The day: `mon` to `sun` of a week; 1 to 31 or `last` of a month; 1 or `last` of a quarter; `MM-DD` of a year.

    By default the first one.
    """
    at: Clock = "09:00"

    @model_validator(mode="before")
    @classmethod
    def _number_of_day(cls, value: object) -> object:
        if isinstance(value, dict) and isinstance(value.get("on"), int) and not isinstance(value["on"], bool):
            return {**value, "on": str(value["on"])}
        return value

    @model_validator(mode="after")
    def _day_of_period(self) -> Recurrence:
        on = self.on
        fits = {
            "day": on is None,
            "week": on in {None, *_WEEKDAYS},
            "month": on in {None, "last", *map(str, range(1, _MOST_DAY + 1))},
            "quarter": on in {None, "1", "last"},
            "year": on is None or _is_day(on),
        }
        if not fits[self.every]:
            how = {
                "day": "every day has no `on`; remove it",
                "week": "write a day of the week: mon, tue, wed, thu, fri, sat or sun",
                "month": "write a day of the month, 1 to 31, or last",
                "quarter": "write 1 or last",
                "year": 'write a day of the year in quotes as "MM-DD", such as "12-24"',
            }
            message = f"{self.on!r} is no day for `every: {self.every}`; {how[self.every]}"
            raise ValueError(message)
        return self

    @property
    def weekday(self) -> Weekday:
        """The day of a week."""
        return next((day for day in _WEEKDAYS if day == self.on), "mon")


class Inactive(Part):
    """Once, when a member has not done something for a while; again only after the member has."""

    after: Period
    counting: Annotated[tuple[Identifier, ...], Field(min_length=1)] = ("purchase",)
    """The events that are activity."""

    @model_validator(mode="after")
    def _some_time(self) -> Inactive:
        if not self.after.count:
            message = "inactivity lasts some time; write 60d"
            raise ValueError(message)
        return self


class Expiring(Part):
    """Some time before points end, once for each day on which some do."""

    points: Identifier
    before: Period = Period(count=14, unit="days")
    at_least: Annotated[Decimal, Field(ge=0, max_digits=21, decimal_places=9)] = Decimal(1)
    """How many whole points must end on that day."""
    at: Clock = "09:00"

    @model_validator(mode="after")
    def _some_time(self) -> Expiring:
        if not _in_days(self.before).count:
            message = "a warning comes some time before; write 14d"
            raise ValueError(message)
        return self


class AttributeDate(Part):
    """On the day that a member attribute of type date says, or some time before or after: the end of a trial."""

    attribute: Identifier
    before: Period | None = None
    after: Period | None = None
    at: Clock = "09:00"

    @model_validator(mode="after")
    def _one_side(self) -> AttributeDate:
        if self.before is not None and self.after is not None:
            message = "it is either `before` the day or `after` it; remove one of them"
            raise ValueError(message)
        for period in (self.before, self.after):
            if period is not None:
                _in_days(period)
        return self


class OfferEnding(Part):
    """Some time before the window of an offer ends that the member has not completed."""

    offers: tuple[Identifier, ...] = ()
    """The campaigns whose offers are meant; empty means all."""
    before: Period = Period(count=3, unit="days")
    at: Clock = "09:00"

    @model_validator(mode="after")
    def _counted_in_days(self) -> OfferEnding:
        _in_days(self.before)
        return self


What: TypeAlias = Birthday | Anniversary | Recurrence | Inactive | Expiring | AttributeDate | OfferEnding


class Trigger(Part):
    """One trigger of time: an event of its name, which campaigns use with `on`. Exactly one kind."""

    name: Text | None = None
    birthday: Birthday | None = None
    anniversary: Anniversary | None = None
    schedule: Recurrence | None = None
    inactive: Inactive | None = None
    expiring: Expiring | None = None
    date: AttributeDate | None = None
    offer_ending: OfferEnding | None = None
    for_: Annotated[Expression | None, Field(alias="for")] = None
    """The audience: a condition over `member`. Outside it nothing happens, and nothing is kept."""
    late_by: Period = Period(count=7, unit="days")
    """How late it may still happen when the server was down. What is older is left out: too late helps nobody."""

    @model_validator(mode="after")
    def _one_kind(self) -> Trigger:
        given = [kind for kind in TRIGGER_KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            message = f"a trigger has exactly one of {', '.join(TRIGGER_KINDS)}"
            raise ValueError(message)
        if self.late_by.count > _LONGEST[self.late_by.unit]:
            message = f"a trigger may be a year late at most, not {self.late_by}"
            raise ValueError(message)
        return self

    @property
    def kind(self) -> TriggerKind:
        """Which of them it is."""
        return next(kind for kind in TRIGGER_KINDS if getattr(self, kind) is not None)

    @property
    def what(self) -> What:
        """The settings of its kind."""
        simple = (self.birthday, self.anniversary, self.schedule, self.inactive)
        return next(one for one in (*simple, self.expiring, self.date, self.offer_ending) if one is not None)


def _is_day(text: str) -> bool:
    if not _MONTH_AND_DAY.match(text):
        return False
    try:
        dt.date(2024, int(text[:2]), int(text[3:]))  # a leap year, so that 02-29 is a day
    except ValueError:
        return False
    return True


def trigger_data(trigger: Trigger) -> dict[str, str]:
    """What `event.data` of a trigger holds: name -> `string`, `integer`, or `points` (an amount of the point type)."""
    match trigger.kind:
        case "birthday" | "date":
            return {"date": "string"}
        case "anniversary":
            return {"date": "string", "number": "integer"}
        case "schedule":
            return {"date": "string", "period": "string"}
        case "inactive":
            return {"since": "string", "days": "integer"}
        case "expiring":
            return {"points": "string", "amount": "points", "date": "string"}
        case "offer_ending":
            return {"offer": "string", "instance": "string", "date": "string"}


TIER_ENDING_DATA = {
    "tier_set": "string",
    "level": "string",
    "falls_to": "string",
    "on": "string",
    "metric": "string",
    "missing": "number",
}
"""What `event.data` of `tier_ending` holds."""
