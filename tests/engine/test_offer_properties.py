"""What holds for offers whatever happens: against a model of a few lines, and in any order of arrival."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.shop_world import NOON, campaigns, counted, decided, happening, line, member, purchase
from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Outcome
from setia.engine.occurrences import Occurrence
from setia.engine.state import Counters

HOURS = 60
TARGETS = {"spend": 2000, "stamps": 4, "once": 1500, "slow": 3}
PROGRAM = campaigns(
    """
    spend: {on: purchase, offer: {valid_for: 24h, end: inclusive, progress: {spend: 20}, repeat: always},
            earn: {stars: 1}}
    stamps: {on: purchase, offer: {valid_for: 24h, progress: {units: 0.000004}, repeat: {times: 2}}, earn: {stars: 1}}
    once: {on: purchase, offer: {valid_for: 24h, progress: {spend: 15}}, earn: {stars: 1}}
    slow: {on: purchase, offer: {valid_for: 24h, progress: {orders: 3}, carry_over: false, repeat: always},
           earn: {stars: 1}}
    """
)


class Happening(msgspec.Struct, frozen=True):
    """A purchase of so many cents, or the assignment of an offer, at an hour."""

    hour: int
    cents: int = 0
    offer: str = ""

    def event(self, name: str) -> Occurrence:
        moment = NOON + dt.timedelta(hours=self.hour)
        if self.offer:
            event = happening("offer_assigned", at=moment, data={"offer": self.offer})
        else:
            event = purchase(line(self.cents, quantity="0.000003"), at=moment)
        return msgspec.structs.replace(event, id=name)


buys = st.builds(Happening, st.integers(0, HOURS), st.integers(0, 6000))
gifts = st.builds(Happening, st.integers(0, HOURS), st.just(0), st.sampled_from(sorted(TARGETS)))
histories = st.lists(buys | gifts, min_size=1, max_size=25)


def book(compiled: CompiledProgram, history: list[Happening]) -> tuple[Counters, list[Outcome]]:
    state, outcomes = member(), []
    for number, one in enumerate(history):
        event = one.event(f"evt_{number:02d}")
        decision = decided(compiled, event, state, now=NOON + dt.timedelta(hours=HOURS))
        state.counters = decision.counters
        outcomes.append(decision.outcome)
    return state.counters, outcomes


class Model(msgspec.Struct):
    """One instance, told in a few lines."""

    offer: str
    starts: int
    progress: int = 0
    completions: int = 0

    def sees(self, hour: int, cents: int) -> int:
        """Count a purchase; how often it completes the offer."""
        ends = self.starts + 24 + (self.offer == "spend")
        if not self.starts <= hour < ends or (self.offer == "once" and self.completions):
            return 0
        if self.offer == "stamps" and self.completions == 2:
            return 0
        self.progress += {"spend": cents, "once": cents, "stamps": 3, "slow": 1}[self.offer]
        times, rest = divmod(self.progress, TARGETS[self.offer])
        if self.offer == "once":
            times, rest = min(times, 1), 0 if times else rest
        elif self.offer == "stamps" and self.completions + times >= 2:
            times, rest = 2 - self.completions, 0
        self.progress, self.completions = rest, self.completions + times
        return times


@given(histories)
@settings(max_examples=200)
def test_every_instance_counts_every_purchase_in_its_window_exactly_once(history: list[Happening]) -> None:
    counters, outcomes = book(PROGRAM, history)
    models: dict[str, Model] = {}
    for number, (one, outcome) in enumerate(zip(history, outcomes, strict=True)):
        expected = {}
        if one.offer:
            models[f"evt_{number:02d}"] = Model(one.offer, one.hour)
        else:
            for instance, model in models.items():
                times = model.sees(one.hour, one.cents)
                if times:
                    expected[instance] = times
        assert {change.instance: change.completed for change in outcome.offers if change.completed} == expected
        assert outcome.uses.count("once") == sum(expected[name] for name in expected if models[name].offer == "once")
        stars = sum(effect.amount for effect in outcome.points)
        assert stars == sum(expected.values()) == len(outcome.uses)
    stored = {name: (one.progress, one.completions) for name, one in counters.offers.items()}
    assert stored == {name: (model.progress, model.completions) for name, model in models.items()}


@given(histories)
def test_the_outcomes_counted_again_give_the_same_offers(history: list[Happening]) -> None:
    counters, outcomes = book(PROGRAM, history)
    again = Counters()
    for one, outcome in zip(history, outcomes, strict=True):
        stored: Any = msgspec.json.decode(msgspec.json.encode(outcome), type=Outcome)
        again = counted(PROGRAM, again, stored, one.event("").occurred_at)
    assert again.offers == counters.offers
    assert msgspec.json.decode(msgspec.json.encode(again), type=Counters) == again


@given(st.lists(gifts, min_size=1, max_size=4), st.lists(buys, max_size=10), st.randoms())
def test_whatever_order_purchases_arrive_in_an_offer_without_end_comes_to_the_same(
    assigned: list[Happening], bought: list[Happening], random: Any
) -> None:
    shuffled = list(bought)
    random.shuffle(shuffled)
    results = []
    for order in (bought, shuffled):
        counters, _ = book(PROGRAM, [*assigned, *order])
        results.append(
            {
                name: (one.completions, one.progress)
                for name, one in counters.offers.items()
                if one.campaign in {"spend", "slow"} or not one.completions
            }
        )
    assert results[0] == results[1]


@given(histories, st.integers(0, 20))
def test_a_decision_changes_nothing_that_it_was_given(history: list[Happening], cents: int) -> None:
    counters, _ = book(PROGRAM, history)
    kept = msgspec.json.encode(counters)
    for event in (purchase(cents * 100), happening("offer_assigned", data={"offer": "once"})):
        decided(PROGRAM, event, member(counters=counters))
    assert msgspec.json.encode(counters) == kept
