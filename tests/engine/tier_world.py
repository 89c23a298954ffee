"""One member's life on the ladders, without a database: what time does is booked before each event, as in settling."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from engine.shop_world import at, decided, happening, member, program, purchase
from setia.engine.compiled import CompiledProgram
from setia.engine.counting import recount
from setia.engine.decision import Outcome
from setia.engine.due import next_due
from setia.engine.holding import hold, own_level
from setia.engine.outlook import Outlook, outlook
from setia.engine.reviews import rejudge, review
from setia.engine.state import Balance, Counters, Floor

_MOST = 2_000
LEVELS = "[{id: green, from: 0}, {id: gold, from: 100, keep_from: 80}, {id: black, from: 500, keep_from: 400}]"
NO_CAMPAIGNS = "campaigns: {}"


def ladder(settings: str, *, levels: str = LEVELS, rest: str = NO_CAMPAIGNS, **world: str) -> CompiledProgram:
    """A program with the one tier set `t`; `settings` are YAML keys such as `window: calendar_year`."""
    return program(f"tiers: [{{id: t, metric: spend, {settings}, levels: {levels}}}]\n{rest}", **world)


class Life:
    """`reviews` are the outcomes that time brought, with their moments; `history` is the journal."""

    def __init__(self, compiled: CompiledProgram, enrolled: str = "2025-01-15T09:00Z") -> None:
        self.program = compiled
        self.state = member(enrolled_at=at(enrolled))
        self.since = self.state.enrolled_at
        self.reviews: list[tuple[dt.datetime, Outcome]] = []
        self.history: list[tuple[str, Outcome, dt.datetime, dt.datetime]] = []

    def buy(self, moment: str, euros: int, occurred: str | None = None) -> str:
        """A purchase that arrives at a moment (and occurred then, unless said otherwise); the level after it."""
        now = at(moment)
        self.settle(moment)
        return self._decide(purchase(euros * 100, at=at(occurred or moment)), now)

    def visit(self, moment: str, occurred: str | None = None) -> str:
        now = at(moment)
        self.settle(moment)
        return self._decide(happening("visit", at=at(occurred or moment)), now)

    def _decide(self, event: Any, now: dt.datetime) -> str:
        decision = decided(self.program, event, self.state, now=now)
        for effect in decision.outcome.points:
            balance = self.state.balances.setdefault(effect.points, Balance())
            balance.available += effect.amount
        self.state.counters = decision.counters
        self._note("event", decision.outcome, event.occurred_at, now)
        return self.level

    def settle(self, now: str) -> str:
        """Book all that is due; the level then."""
        for _ in range(_MOST):
            item = next_due(self.program, self.state, self.since)
            if item is None or item.at > at(now):
                self.since = max(self.since, at(now))
                return self.level
            self.since = max(self.since, item.at)
            [tier_set] = [one for one in self.program.tier_sets if one.id == item.subject]
            found = review(self.program, tier_set, self.state, item.at)
            if found is not None:
                self.reviews.append((item.at, found[0]))
                self._recount("review", found[0], item.at, at(now))
        raise AssertionError("time does not go on")

    def give(self, moment: str, level: str | None, until: str | None = None) -> str:
        """A level given by hand, or taken away."""
        self.settle(moment)
        [tier_set] = self.program.tier_sets
        floor = None if level is None else Floor(level, None if until is None else at(until))
        outcome = Outcome(floors={"t": floor})
        own = own_level(tier_set, self.state.counters)
        hold(tier_set, self.state.counters, own, outcome, floor=tier_set.index(level))
        self._recount("level", outcome, at(moment), at(moment))
        return self.level

    def publish(self, compiled: CompiledProgram, moment: str) -> str:
        """New settings from a moment on; the level after what they do at once."""
        self.settle(moment)
        changed = compiled.changed_since(self.program.tracking)
        self.program = compiled
        self.state.counters = self.recounted()
        for tier_set in changed:
            found = rejudge(compiled, tier_set, self.state, at(moment))
            if found is not None:
                self.reviews.append((at(moment), found[0]))
                self._recount("review", found[0], at(moment), at(moment))
        return self.settle(moment)

    def _recount(self, kind: str, outcome: Outcome, at_: dt.datetime, booked_at: dt.datetime) -> None:
        counters = recount(self.program, self.state.counters, kind, outcome, at_, booked_at, self.state.enrolled_at)
        self.state.counters = counters
        self._note(kind, outcome, at_, booked_at)

    def _note(self, kind: str, outcome: Outcome, at_: dt.datetime, booked_at: dt.datetime) -> None:
        # As the journal keeps it: what cannot be written down would be lost.
        stored = msgspec.json.decode(msgspec.json.encode(outcome), type=Outcome)
        self.history.append((kind, stored, at_, booked_at))

    def recounted(self) -> Counters:
        """The counters again from all that was noted (law 9)."""
        counters = Counters()
        for kind, outcome, moment, booked_at in self.history:
            counters = recount(self.program, counters, kind, outcome, moment, booked_at, self.state.enrolled_at)
        return counters

    @property
    def level(self) -> str:
        return self.program.levels_of(self.state.counters)["t"]

    def outlook(self, now: str) -> Outlook:
        self.settle(now)
        return outlook(self.program, self.program.tier_sets[0], self.state, at(now))

    def until(self, now: str) -> tuple[str | None, str | None]:
        """The local moment at which the level ends, and what it falls to."""
        view = self.outlook(now)
        if view.valid_until is None:
            return None, view.falls_to
        return view.valid_until.astimezone(self.program.zone).isoformat(timespec="minutes"), view.falls_to

    def moves(self) -> list[tuple[str, str, str]]:
        """What reviews changed: local moment, level before and after."""
        return [
            (moment.astimezone(self.program.zone).isoformat(timespec="minutes"), change.before, change.after)
            for moment, outcome in self.reviews
            for change in outcome.tiers
        ]
