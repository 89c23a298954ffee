"""The data of events about offers: which offer or assignment, and the window where it is not the offer's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from setia.engine.compiled import CompiledProgram
from setia.program.events import ACTIVATED, ASSIGNED

_FIELDS = {ASSIGNED: ("offer", "starts", "ends"), ACTIVATED: ("offer", "instance")}
_EARLIEST, _LATEST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(9000, 1, 1, tzinfo=dt.UTC)
"""Far enough from the bounds of dates that every length of time can be added."""
_LONGEST = 200
_WINDOW = ("starts", "ends")


class Fault(NamedTuple):
    """What is wrong with `data`, or with one field of it."""

    path: tuple[str, ...]
    message: str
    hint: str | None


def offer_data_faults(program: CompiledProgram, event_type: str, data: Mapping[str, Any] | None) -> Iterator[Fault]:
    """Everything that is wrong with the data of `offer_assigned` or `offer_activated`."""
    fields = _FIELDS[event_type]
    if not data:
        yield Fault((), "It is missing.", 'Write for example {"offer": "NAME"}, with the name of the campaign.')
        return
    for name in data:
        if name not in fields:
            yield Fault((name,), "There is no such field.", f"The data of {event_type} has {', '.join(fields)}.")
    texts = {name: value for name, value in data.items() if name in fields and value is not None}
    for name, value in texts.items():
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
            yield Fault((name,), f"It is a text of 1 to {_LONGEST} characters.", None)
            return
    if "offer" in texts or event_type == ASSIGNED:
        yield from _unknown_offer(program, event_type, texts.get("offer"))
    elif "instance" not in texts:
        yield Fault((), "It names neither an offer nor an instance.", "Give one of `offer` and `instance`.")
    yield from _window(texts)


def _unknown_offer(program: CompiledProgram, event_type: str, name: str | None) -> Iterator[Fault]:
    wanted = {
        offer.campaign
        for offer in program.offers.values()
        if (not offer.everybody if event_type == ASSIGNED else offer.by_member)
    }
    if name in wanted:
        return
    known = ", ".join(sorted(wanted)) or "none"
    if name is None:
        yield Fault(("offer",), "It is missing.", f"The program has: {known}.")
    elif name not in program.offers:
        yield Fault(("offer",), f"The program has no offer {name!r} that is switched on.", f"It has: {known}.")
    elif event_type == ASSIGNED:
        yield Fault(
            ("offer",), f"The offer {name!r} is for everybody, and needs no assignment.", f"Others are: {known}."
        )
    else:
        yield Fault(("offer",), f"The offer {name!r} needs no activation.", f"Those that do are: {known}.")


def _window(texts: Mapping[str, str]) -> Iterator[Fault]:
    moments: dict[str, dt.datetime] = {}
    for name in _WINDOW:
        if name in texts:
            moment = _moment(texts[name])
            if moment is None:
                message = "It is not a moment with an offset, between the years 1900 and 9000."
                yield Fault((name,), message, "Write it as 2026-01-05T10:00:00Z or with +01:00.")
            else:
                moments[name] = moment
    if len(moments) == len(_WINDOW) and moments["ends"] <= moments["starts"]:
        yield Fault(("ends",), "It does not lie after the start.", "Exchange them, or correct one of them.")


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and _EARLIEST <= moment <= _LATEST else None
