"""A member's story with offers, for the tests of offers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from engine.shop_world import (
    NOON,
    campaigns,
    decided,
    happening,
    member,
)
from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Decision
from setia.engine.occurrences import Occurrence
from setia.engine.state import Budgets, MemberState

HOUR = dt.timedelta(hours=1)
DAY = 24 * HOUR


def offer(settings: str, rest: str = "earn: {stars: 5}", on: str = "purchase") -> CompiledProgram:
    """A program with one offer, `o`."""
    return campaigns(f"o: {{on: {on}, offer: {{{settings}}}, {rest}}}")


def assignment(name: str = "o", moment: dt.datetime = NOON, event: str = "evt_a", **data: Any) -> Occurrence:
    return named(happening("offer_assigned", at=moment, data={"offer": name, **data}), event)


def named(event: Occurrence, name: str) -> Occurrence:
    return msgspec.structs.replace(event, id=name)


class Story:
    """One member, and what happens to it."""

    def __init__(self, compiled: CompiledProgram, state: MemberState | None = None) -> None:
        self.compiled = compiled
        self.state = state or member()
        self.budgets = Budgets()
        self.last: Decision | None = None

    def __call__(self, event: Occurrence) -> Decision:
        self.last = decided(self.compiled, event, self.state, now=max(NOON, event.occurred_at), budgets=self.budgets)
        self.state.counters = self.last.counters
        for key, periods in self.last.budget_uses.items():
            for period, amount in periods.items():
                used = self.budgets.used.setdefault(key, {})
                used[period] = used.get(period, 0) + amount
        return self.last

    def progress(self, instance: str = "evt_a") -> tuple[int, int]:
        """(progress, completions) of an instance."""
        one = self.state.counters.offers[instance]
        return one.progress, one.completions


def changed(decision: Decision) -> list[tuple[str, str, int, int]]:
    """(kind, instance, added, completed) of each change."""
    return [(one.kind, one.instance, one.added, one.completed) for one in decision.outcome.offers]


def everybody(settings: str, rest: str = "earn: {stars: 5}", on: str = "purchase") -> Story:
    return Story(offer(f"for: everybody, {settings}", rest, on))


# ----------------------------------------------------------------------------------------------- what counts, and how


def activation(moment: dt.datetime = NOON, **data: Any) -> Occurrence:
    return happening("offer_activated", at=moment, data=data)
