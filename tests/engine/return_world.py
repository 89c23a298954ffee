"""A shop that takes goods back, without a database: orders and returns as the journal would keep them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from engine.shop_world import NOON, line, purchase
from setia.engine.compiled import CompiledProgram
from setia.engine.counting import recount
from setia.engine.decide import decide
from setia.engine.decision import Decision, Outcome, PointsEffect
from setia.engine.occurrences import Line, Occurrence
from setia.engine.returned import Returned, ReturnedLine
from setia.engine.returning import CancelledReturn, PastOrder, decide_return
from setia.engine.state import Balance, Budgets, Counters, MemberState

__all__ = ["NOON", "Returned", "ReturnedLine", "Shop", "line", "plain"]


class Shop:
    """One member's orders, by number. Balances may go below zero, so that nothing that was spent hides a difference."""

    def __init__(self, program: CompiledProgram, enrolled_at: dt.datetime = NOON - dt.timedelta(days=90)) -> None:
        self.program = program
        self.state = MemberState(id="mem_1", enrolled_at=enrolled_at)
        self.budgets = Budgets()
        self.orders: list[PastOrder] = []
        self.returns: list[list[Returned]] = []
        self.history: list[tuple[Outcome, dt.datetime, dt.datetime]] = []

    def buy(self, *lines: Line | int, at: dt.datetime = NOON, **more: Any) -> Decision:
        """An order; its number is the next one from 0."""
        before = msgspec.convert(msgspec.to_builtins(self.state), MemberState)
        event = msgspec.structs.replace(purchase(*lines, at=at, **more), id=f"evt_{len(self.orders)}")
        decision = decide(self.program, self.state, event, at, self.budgets)
        self._book(decision, event, at)
        self.orders.append(PastOrder(event, self.program, before, at, [self.history[-1][0]]))
        self.returns.append([])
        return decision

    def give_back(self, order: int, *lines: ReturnedLine, at: dt.datetime | None = None, **more: Any) -> Decision:
        """A return of lines, of an `amount`, or of everything."""
        past, now = self.orders[order], at or self.orders[-1].booked_at
        parts = [*self.returns[order], Returned(lines, **more)]
        decision = decide_return(self.program, self.state, past, parts, now)
        self._book(decision, past.event, now)
        self.returns[order] = parts
        self.orders[order] = msgspec.structs.replace(past, outcomes=[*past.outcomes, self.history[-1][0]])
        return decision

    def cancel(self, order: int, number: int) -> Decision:
        """Cancel a return of an order, by its number from 0: one that has not been cancelled."""
        past = self.orders[order]
        parts = [one for place, one in enumerate(self.returns[order]) if place != number]
        cancelled = CancelledReturn(f"evt_r{number}", past.outcomes[number + 1])
        now = self.orders[-1].booked_at
        decision = decide_return(self.program, self.state, past, parts, now, cancelled)
        self._book(decision, past.event, now)
        self.returns[order] = parts
        self.orders[order] = msgspec.structs.replace(past, outcomes=[*past.outcomes, self.history[-1][0]])
        return decision

    def replace_last(self, order: int, points: list[PointsEffect]) -> None:
        """Book the last return of an order as what could be taken."""
        past, (outcome, *moments) = self.orders[order], self.history[-1]
        could = msgspec.structs.replace(outcome, points=points)
        self.history[-1] = (could, moments[0], moments[1])
        self.orders[order] = msgspec.structs.replace(past, outcomes=[*past.outcomes[:-1], could])

    def spend(self, points: str, amount: int) -> None:
        self.state.balances.setdefault(points, Balance()).available -= amount

    def _book(self, decision: Decision, event: Occurrence, now: dt.datetime) -> None:
        # As the journal keeps it: what cannot be written down would be lost.
        outcome = msgspec.json.decode(msgspec.json.encode(decision.outcome), type=Outcome)
        for effect in outcome.points:
            self.state.balances.setdefault(effect.points, Balance()).available += effect.amount
        self.state.counters = decision.counters
        for key, periods in decision.budget_uses.items():
            for period, amount in periods.items():
                used = self.budgets.used.setdefault(key, {})
                used[period] = used.get(period, 0) + amount
        self.history.append((outcome, event.occurred_at, now))

    def recounted(self) -> Counters:
        """The counters again from all that was booked (law 9)."""
        counters = Counters()
        for outcome, occurred_at, now in self.history:
            counters = recount(self.program, counters, "event", outcome, occurred_at, now, self.state.enrolled_at)
        return counters

    @property
    def stars(self) -> int:
        return self.available("stars")

    def available(self, points: str) -> int:
        return self.state.balances.get(points, Balance()).available

    @property
    def level(self) -> str:
        return self.program.levels_of(self.state.counters)["t"]

    @property
    def budget(self) -> dict[str, dict[str, int]]:
        used: dict[str, dict[str, int]] = _without_nothing(self.budgets.used)
        return used

    @property
    def figures(self) -> dict[str, Any]:
        """Everything that stands for the member and in the budgets."""
        balances = {name: balance.available for name, balance in self.state.balances.items() if balance.available}
        figures = {"balances": balances, "budgets": self.budget, **plain(self.state.counters)}
        return {name: value for name, value in figures.items() if value}


def plain(counters: Counters) -> dict[str, Any]:
    """What was counted, without sums of nothing: that something is 0 is no difference. Moments are left out."""
    known = msgspec.to_builtins(counters)
    for name in ("first_purchase_at", "last_purchase_at", "newest_at"):
        known.pop(name, None)
    found: dict[str, Any] = _without_nothing(known)
    # An offer without any progress, and the first level, are those of somebody who has never bought.
    found["offers"] = {
        key: held for key, held in found.get("offers", {}).items() if held.get("progress") or held.get("completions")
    }
    found["tiers"] = {name: level for name, level in found.get("tiers", {}).items() if level != "green"}
    return {name: value for name, value in found.items() if value}


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        cleaned = {key: _without_nothing(one) for key, one in value.items()}
        return {key: one for key, one in cleaned.items() if one not in ({}, 0, [], None)}
    return value
