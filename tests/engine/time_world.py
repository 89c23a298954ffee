"""Time passing for one member, as settling lets it pass: whoever looks finds what is due, the earliest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from engine.shop_world import at, member, program
from setia.engine.compiled import CompiledProgram, compile_program
from setia.engine.occurrences import Occurrence
from setia.engine.state import MemberState
from setia.engine.triggers import (
    Occasion,
    PointsEnd,
    Reach,
    data_of,
    is_for,
    mark_of,
    next_occasions,
    reach_from,
    type_of,
)
from setia.program.yaml_text import load

ATTRIBUTES = "members: {attributes: {birthday: {type: date}, trial_ends: {type: date}, size: {}}}\n"


class Happened(NamedTuple):
    at: str
    type: str
    data: dict[str, Any]


def timely(trigger: str, *, rest: str = "", since: str = "", **settings: str) -> CompiledProgram:
    """A program with one trigger `t`, in YAML."""
    compiled = program(f"{ATTRIBUTES}triggers:\n  t: {trigger}\n{rest}", **settings)
    return compile_program(compiled.definition, 1, {"t": at(since)}) if since else compiled


def defined(text: str) -> CompiledProgram:
    return compile_program(load(text).require(), 1)


def born(day: str, enrolled: str = "2026-01-01T09:00+01:00", **more: Any) -> MemberState:
    return member(enrolled_at=at(enrolled), attributes={"birthday": day}, **more)


class Passing:
    """One member while time passes. `due` is when to look next, as it is stored with the member."""

    def __init__(
        self, compiled: CompiledProgram, state: MemberState, begins: str, ends: Sequence[PointsEnd] = ()
    ) -> None:
        self.compiled = compiled
        self.state = state
        self.ends = ends
        self.happened: list[Happened] = []
        self.due: dt.datetime | None = None
        self.woken(at(begins))

    def woken(self, now: dt.datetime) -> None:
        """Something about the member has changed."""
        self.due = now if self.due is None else min(self.due, now)

    def look(self, now: dt.datetime) -> None:
        """Settle what is due of triggers."""
        if self.due is None or self.due > now:
            return
        reach = reach_from(self.due, now)._replace(ends=self.ends)
        while (occasion := self._next(reach)) is not None and occasion.at <= now:
            self._happen(occasion, reach)
            reach = reach._replace(passed=occasion)
        self.due = None if occasion is None else occasion.at

    def _next(self, reach: Reach) -> Occasion | None:
        return min(next_occasions(self.compiled, self.state, reach), default=None)

    def _happen(self, occasion: Occasion, reach: Reach) -> None:
        event = Occurrence(id="e", type=type_of(occasion), source="setia", external_id="x", occurred_at=occasion.at)
        if is_for(self.compiled, self.state, event):
            data = data_of(self.compiled, self.state, occasion, reach)
            mark = {occasion.subject: mark_of(self.compiled, self.state, occasion)}
            counters = msgspec.structs.replace(self.state.counters, fired=self.state.counters.fired | mark)
            self.state = msgspec.structs.replace(self.state, counters=counters)
            here = occasion.at.astimezone(self.compiled.zone)
            self.happened.append(Happened(here.strftime("%Y-%m-%d %H:%M"), event.type, data))

    @property
    def moments(self) -> list[str]:
        return [one.at for one in self.happened]


def passed(compiled: CompiledProgram, state: MemberState, begins: str, *looks: str, **more: Any) -> Passing:
    """Let time pass, with somebody looking at these moments."""
    passing = Passing(compiled, state, begins, **more)
    for moment in looks:
        passing.look(at(moment))
    return passing


def daily(compiled: CompiledProgram, state: MemberState, begins: str, until: str, **more: Any) -> Passing:
    """Let time pass, with somebody looking whenever something is due."""
    passing = Passing(compiled, state, begins, **more)
    passing.look(at(begins))
    while passing.due is not None and passing.due <= at(until):
        passing.look(passing.due)
    return passing
