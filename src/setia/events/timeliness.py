"""Events that come late, and events from the future."""

from __future__ import annotations

import datetime as dt

from setia.engine.calendar import after
from setia.engine.compiled import CompiledProgram
from setia.engine.state import Counters
from setia.events.problems import EventInFuture, EventTooLate


def is_future(program: CompiledProgram, occurred_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether an event lies further ahead of the server's clock than clocks may differ."""
    return occurred_at > now and occurred_at > after(now, program.definition.late.future, program.zone)


def check_not_future(program: CompiledProgram, occurred_at: dt.datetime, now: dt.datetime) -> None:
    """Refuse an event from the future: raises EventInFuture."""
    if is_future(program, occurred_at, now):
        message = (
            f"It occurred at {occurred_at.isoformat()}, and it is {now.isoformat()} here; "
            f"{program.definition.late.future} ahead are accepted."
        )
        raise EventInFuture(message)


def check_not_late(program: CompiledProgram, counters: Counters, occurred_at: dt.datetime) -> None:
    """Refuse an event that lies too far back behind the member's newest one: raises EventTooLate.

    Late is measured from the member's newest event and not from the clock, so that years of history can be imported in
    order; see `LateEvents`.
    """
    late, newest = program.definition.late, counters.newest_at
    if newest is not None and occurred_at < newest and after(occurred_at, late.accept_within, program.zone) < newest:
        message = (
            f"It occurred at {occurred_at.isoformat()}, more than {late.accept_within} before the member's newest "
            f"event ({newest.isoformat()}). Raise late.accept_within in the program to accept it."
        )
        raise EventTooLate(message)
