"""The names that expressions of a program may use, with their types, for each trigger.

Attributes marked `personal` are left out on purpose: what a condition reads is kept with the decision, and decisions
carry no personal data (law 10).
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

from setia.program.definition import Program
from setia.program.events import BUILT_IN_EVENTS, OFFER_EVENTS, REFERRAL_EVENTS, TIME_EVENTS, Attribute
from setia.program.expression_language import (
    BOOL,
    DECIMAL,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    ListOf,
    Message,
    Schema,
    Type,
)
from setia.program.referrals import REFERRAL_DATA
from setia.program.triggers import TIER_ENDING_DATA, trigger_data

_STRINGS = ListOf(STRING)
_NAME = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")
_MAX_DATA_DEPTH = 8

LINE = Message(
    "Line",
    {
        "sku": STRING,
        "name": STRING,
        "category": STRING,
        "brand": STRING,
        "quantity": DECIMAL,
        "amount": DECIMAL,
        "gross": DECIMAL,
        "tax": DECIMAL,
        "discount": DECIMAL,
        "labels": _STRINGS,
    },
)
"""One line of a purchase. `amount` is on the program's money basis; `gross` what the line cost after its own discount,
tax included. Money in whole units of the currency (19.90), not in cents."""

TENDER = Message("Tender", {"type": STRING, "amount": DECIMAL})

LOCATION = Message("Location", {"id": STRING, "region": STRING, "labels": _STRINGS})

TIME = Message(
    "Time",
    {
        "year": INT,
        "month": INT,
        "day": INT,
        "hour": INT,
        "minute": INT,
        "weekday": INT,
        "week": INT,
        "date": STRING,
        "clock": STRING,
    },
)
"""The moment the event occurred, on the program's clock. `weekday` runs from 1 (Monday) to 7, `week` is ISO 8601's;
`date` is written 2026-03-01, `clock` 16:05."""

DATE = Message("Date", {"year": INT, "month": INT, "day": INT})
"""An attribute of type date by its parts, so that a condition can ask for the month of a birthday."""

_EVENT: dict[str, Type] = {
    "id": STRING,
    "type": STRING,
    "source": STRING,
    "occurred_at": TIMESTAMP,
    "channel": STRING,
    "location": STRING,
    "labels": _STRINGS,
}

_PURCHASE: dict[str, Type] = {
    **_EVENT,
    "currency": STRING,
    "total": DECIMAL,
    "gross": DECIMAL,
    "shipping": DECIMAL,
    "tax": DECIMAL,
    "discount": DECIMAL,
    "quantity": DECIMAL,
    "lines": ListOf(LINE),
    "tenders": ListOf(TENDER),
}

OFFER_DATA = Message("OfferData", {"offer": STRING, "instance": STRING, "starts": STRING, "ends": STRING}, access="key")
"""Which offer it is about: `offer` is its campaign, `instance` one assignment of it. Moments are texts, as sent."""

_ATTRIBUTE_TYPES: dict[str, Type] = {
    "string": STRING,
    "date": STRING,
    "integer": INT,
    "number": DECIMAL,
    "boolean": BOOL,
    "string_list": _STRINGS,
}

_TIME_TYPES: dict[str, Type] = {"string": STRING, "integer": INT, "number": DECIMAL, "points": DECIMAL}

_JSON_TYPES: dict[str, Type] = {"string": STRING, "integer": INT, "number": DECIMAL, "boolean": BOOL}


def vocabulary(program: Program, trigger: str, *, with_line: bool = False) -> Schema:
    """Return the variables an expression may use when `trigger` happened, in the order in which it takes them.

    They are `event`, `member`, `location`, `time`, and `line` where a line is looked at. `trigger` is `purchase`,
    `visit`, another event that every program has, or the id of one of the program's own events.

    Raises:
        KeyError: the program has no such event.
    """
    variables: dict[str, Type] = {
        "event": event_type(program, trigger),
        "member": member_type(program),
        "location": LOCATION,
        "time": TIME,
    }
    if with_line:
        variables["line"] = LINE
    return Schema(variables)


def event_type(program: Program, trigger: str) -> Message:
    """Return the type of `event` for one trigger."""
    if trigger == "purchase":
        return Message("Event", _PURCHASE)
    if trigger in TIME_EVENTS or trigger in program.triggers:
        return Message("Event", {**_EVENT, "data": Message("Data", _time_data(program, trigger), access="key")})
    if trigger in OFFER_EVENTS:
        return Message("Event", {**_EVENT, "data": OFFER_DATA})
    if trigger in REFERRAL_EVENTS:
        data = Message("Data", {name: _TIME_TYPES[kind] for name, kind in REFERRAL_DATA.items()}, access="key")
        return Message("Event", {**_EVENT, "data": data})
    if trigger in BUILT_IN_EVENTS:
        return Message("Event", _EVENT)
    # As text, because a schema is a mapping and so has no hash.
    return Message("Event", {**_EVENT, "data": _data_type(json.dumps(program.events[trigger].data, default=str))})


def _time_data(program: Program, trigger: str) -> dict[str, Type]:
    """What time says of what it does."""
    own = program.triggers.get(trigger)
    if own is None:
        return {name: _TIME_TYPES[kind] for name, kind in TIER_ENDING_DATA.items()}
    types = _TIME_TYPES
    if own.expiring is not None and own.expiring.points in program.points:
        types = types | {"points": INT if program.points[own.expiring.points].decimals == 0 else DECIMAL}
    return {name: types[kind] for name, kind in trigger_data(own).items()}


def audience_vocabulary(program: Program) -> Schema:
    """Return what the audience of a trigger may read: the member, and the moment on the program's clock."""
    return Schema({"member": member_type(program), "time": TIME})


def member_type(program: Program) -> Message:
    """Return the type of `member`: the same for every trigger."""
    amounts: dict[str, Type] = {
        point_type: INT if settings.decimals == 0 else DECIMAL for point_type, settings in program.points.items()
    }
    tiers: dict[str, Type] = {tier_set.id: STRING for tier_set in program.tiers}
    lifetime = Message(
        "Lifetime", {"orders": INT, "visits": INT, "spend": DECIMAL, "earned": Message("Earned", amounts, access="key")}
    )
    return Message(
        "Member",
        {
            "id": STRING,
            "enrolled_at": TIMESTAMP,
            "tags": _STRINGS,
            "attributes": Message("Attributes", _attributes(program.members.attributes), access="key"),
            "dates": Message("Dates", _dates(program.members.attributes), access="key"),
            "tiers": Message("Tiers", tiers, access="key"),
            "sums": Message("Sums", _sums(program, amounts), access="key"),
            "points": Message("Points", amounts, access="key"),
            "pending": Message("Pending", amounts, access="key"),
            "first_purchase": BOOL,
            "lifetime": lifetime,
        },
    )


def _sums(program: Program, amounts: Mapping[str, Type]) -> dict[str, Type]:
    kinds: dict[str, Type] = {"spend": DECIMAL, "orders": INT, "visits": INT}
    return {
        # Points that the program does not have are another finding.
        name: kinds.get(one.metric) or amounts.get(one.metric.split(".")[1], INT)
        for name, one in program.sums.items()
    }


def attribute_type(attribute: Attribute) -> Type:
    """Return the type of a member attribute in expressions."""
    return _ATTRIBUTE_TYPES[attribute.type]


def _attributes(attributes: Mapping[str, Attribute]) -> dict[str, Type]:
    return {name: attribute_type(attribute) for name, attribute in attributes.items() if not attribute.personal}


def _dates(attributes: Mapping[str, Attribute]) -> dict[str, Type]:
    return {name: DATE for name, attribute in attributes.items() if attribute.type == "date" and not attribute.personal}


@functools.lru_cache(maxsize=256)
def _data_type(schema: str) -> Type:
    data = _message("Data", json.loads(schema), 0)
    return data if isinstance(data, Message) else Message("Data", {}, access="key")


def _message(name: str, schema: Mapping[str, Any], depth: int) -> Type:
    """Make a record of an object's properties. What expressions have no type for is checked while evaluating."""
    properties = schema.get("properties")
    if not isinstance(properties, dict) or depth >= _MAX_DATA_DEPTH:
        return DYN
    # A property whose name is no name in expressions cannot be reached by them.
    return Message(
        name,
        {
            # The number keeps `a` in `b` and `b_a` apart.
            key: _json_type(f"{name}_{number}_{key}", value, depth + 1)
            for number, (key, value) in enumerate(properties.items())
            if isinstance(key, str) and _NAME.fullmatch(key)
        },
        access="key",
    )


def _json_type(name: str, schema: Any, depth: int) -> Type:
    if not isinstance(schema, dict):
        return DYN
    kind = schema.get("type")
    if kind == "object":
        return _message(name, schema, depth)
    if kind == "array":
        items = _json_type(name, schema.get("items"), depth + 1)
        return DYN if isinstance(items, ListOf) else ListOf(items)
    return _JSON_TYPES.get(kind, DYN) if isinstance(kind, str) else DYN
