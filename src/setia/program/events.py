"""Event types of a program's own, members' attributes and identifiers, and what to do with events that come late."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from setia.program.names import Identifier, Part, Period, Text

ASSIGNED, ACTIVATED = "offer_assigned", "offer_activated"
OFFER_EVENTS = (ASSIGNED, ACTIVATED)
"""What happens to offers: a member gets one, or says yes to it. Their `data` tells which."""
TIME_EVENTS = ("tier_ending",)
"""What time does in every program that listens: a member will soon lose a level. Their `data` tells which."""
RETURN_EVENTS = ("return", "cancel")
"""An order comes back: lines or an amount of it, or all that is left. Their `data` names it."""
INVITED, FRIEND_ENROLLED, WON = "referral_invited", "referral_enrolled", "referral_won"
ACCEPTED, JOINED = "referral_accepted", "referral_joined"
REFERRAL_EVENTS = (INVITED, FRIEND_ENROLLED, WON, ACCEPTED, JOINED)
"""What happens in referrals, made by Setia: the first three to who refers, the others to the friend."""
BUILT_IN_EVENTS = (
    *("purchase", "visit", "member_enrolled"),
    *(*OFFER_EVENTS, *TIME_EVENTS, *RETURN_EVENTS, *REFERRAL_EVENTS),
)
"""The event types every program has."""

_HUGE = 10**18

AttributeType = Literal["string", "integer", "number", "boolean", "date", "string_list"]
IdentifierKind = Literal["external_id", "card", "phone", "email"]


class EventType(Part):
    """An event of the program's own. Its `data` is checked against a JSON Schema (2020-12) of type object."""

    name: Text | None = None
    data: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})

    @field_validator("data", mode="before")
    @classmethod
    def _plain_json(cls, value: object) -> object:
        # A JSON Schema is JSON, whose validators know no Decimal: `multipleOf: 0.01` must reach them as 0.01.
        return _without_decimals(value)


def _without_decimals(value: object) -> object:
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() and abs(value) < _HUGE else float(value)
        case dict():
            return {key: _without_decimals(item) for key, item in value.items()}
        case list():
            return [_without_decimals(item) for item in value]
        case _:
            return value


class Attribute(Part):
    """One member attribute. `personal` ones live in the member tables only and never reach facts or decisions."""

    type: AttributeType = "string"
    name: Text | None = None
    values: tuple[str, ...] = ()
    """The allowed values of a string; empty means any."""
    max_length: int = Field(default=1000, ge=1, le=10_000)
    personal: bool = False


class Members(Part):
    """Who members are: their attributes, how events name them, and what happens to an event of somebody unknown."""

    attributes: dict[Identifier, Attribute] = Field(default_factory=dict)
    identifiers: Annotated[tuple[IdentifierKind, ...], Field(min_length=1)] = ("external_id", "card", "phone", "email")
    """The kinds of identifiers that members have. Several given together must mean the same member."""
    unknown: Literal["refuse", "enrol", "keep"] = "refuse"
    """`refuse` the event, `enrol` a new member by it, or `keep` it aside and apply it at enrolment."""
    phone_region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    """The country whose national phone numbers may be written without a prefix, such as DE."""


class LateEvents(Part):
    """Events arrive late and out of order. Schedules and windows judge them by when they occurred, balances by arrival.

    An event that occurred more than `accept_within` before the member's newest event is refused, because limits and
    windows that far back are no longer kept. One that lies more than `future` ahead of the server's clock is refused
    too.
    """

    accept_within: Period = Period(count=90, unit="days")
    future: Period = Period(count=5, unit="minutes")


class Location(Part):
    """A shop, till or site that events name in `location`."""

    name: Text | None = None
    labels: tuple[str, ...] = ()
    region: str | None = None
