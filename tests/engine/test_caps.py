"""Caps of a point type: at most so many for a member, whatever campaign gives them; and what crosses a limit whole."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.shop_world import at, decided, happening, member, purchase, total
from setia.engine.compiled import CompiledProgram, compile_program
from setia.engine.decision import Decision
from setia.engine.state import Counters
from setia.program.definition import Program
from setia.program.limits import Limit
from setia.program.yaml_text import load
from setia.program.yaml_writer import dump


def capped(caps: list[dict[str, Any]], **campaigns: Any) -> Program:
    given_campaigns = campaigns or {"a": {"on": "purchase", "earn": {"stars": "1 per 1.00"}}}
    return Program.model_validate(
        {
            "program": {"id": "shop", "name": "Shop", "currency": "EUR", "timezone": "Europe/Berlin"},
            "points": {"stars": {"caps": caps}, "status": {}},
            "events": {"earn": {"data": {"type": "object", "properties": {"points": {"type": "integer"}}}}},
            "campaigns": given_campaigns,
        }
    )


def ready(caps: list[dict[str, Any]], **campaigns: Any) -> CompiledProgram:
    return compile_program(capped(caps, **campaigns), 1)


def run(compiled: CompiledProgram, *events: tuple[str, int]) -> list[int]:
    """What a member earns by purchases of so many cents, one after the other."""
    counters, earned = Counters(), []
    for moment, amount in events:
        decision = decided(compiled, purchase(amount, at=at(moment)), member(counters=counters))
        counters = decision.counters
        earned.append(total(decision))
    return earned


def stars(decision: Decision) -> dict[str, int]:
    return {effect.campaign: effect.amount for effect in decision.outcome.points if effect.points == "stars"}


DAY = "2026-05-01T{}:00:00+02:00"
TWO = {
    "a": {"on": "purchase", "earn": {"stars": "1 per 1.00"}},
    "b": {"on": "purchase", "earn": {"stars": 30, "status": 5}},
}


def test_a_cap_counts_what_all_campaigns_give_together() -> None:
    compiled = ready([{"every": "day", "points": 50}], **TWO)
    first = decided(compiled, purchase(3000, at=at(DAY.format("09"))), member())
    assert stars(first) == {"a": 30, "b": 20}
    assert total(first, "status") == 5
    second = decided(compiled, purchase(3000, at=at(DAY.format("12"))), member(counters=first.counters))
    assert stars(second) == {"a": 0, "b": 0}
    assert total(second, "status") == 5
    wanted = {effect.campaign: effect.wanted for effect in second.outcome.points if effect.points == "stars"}
    assert wanted == {"a": 30, "b": 30}
    following = decided(compiled, purchase(100, at=at("2026-05-02T00:00:00+02:00")), member(counters=second.counters))
    assert total(following) == 1 + 30


def test_a_multiplier_fills_the_cap_too() -> None:
    double = {"on": "purchase", "multiply": {"by": 2}}
    only = {"on": "purchase", "multiply": {"by": 2, "points": ["status"]}}
    compiled = ready([{"every": "day", "points": 50}], a=TWO["a"], double=double, only=only)
    assert run(compiled, (DAY.format("09"), 3000), (DAY.format("10"), 100)) == [50, 0]


def test_each_event_by_itself() -> None:
    compiled = ready([{"every": "event", "points": 40}], **TWO)
    assert run(compiled, (DAY.format("09"), 3000), (DAY.format("09"), 500), (DAY.format("10"), 9900)) == [40, 35, 40]


def test_a_limit_of_one_campaign_for_each_event() -> None:
    limited = {"on": "purchase", "earn": {"stars": "1 per 1.00"}, "limits": [{"every": "event", "earn": "20 stars"}]}
    compiled = ready([], a=limited)
    decision = decided(compiled, purchase(3000), member())
    assert (total(decision), decision.counters.limits) == (20, {})


@pytest.mark.parametrize(("crossing", "earned"), [("cut", [45, 5, 0, 10]), ("whole", [45, 10, 0, 10])])
@pytest.mark.parametrize("place", ["cap", "limit"])
def test_the_award_that_crosses_is_cut_or_the_last_one(crossing: str, earned: list[int], place: str) -> None:
    campaign: dict[str, Any] = {"on": "earn", "earn": {"stars": {"expression": "event.data.points"}}}
    caps = []
    if place == "cap":
        caps = [{"every": "day", "points": 50, "crossing": crossing}]
    else:
        campaign["limits"] = [{"every": "day", "earn": "50 stars", "crossing": crossing}]
    compiled, counters, found = ready(caps, a=campaign), Counters(), []
    for moment, points in (
        ("2026-05-01T09:00:00+02:00", 45),
        ("2026-05-01T12:00:00+02:00", 10),
        ("2026-05-01T15:00:00+02:00", 10),
        ("2026-05-02T09:00:00+02:00", 10),
    ):
        decision = decided(
            compiled, happening("earn", at=at(moment), data={"points": points}), member(counters=counters)
        )
        counters = decision.counters
        found.append(total(decision))
    assert found == earned


def test_two_campaigns_cross_once() -> None:
    compiled = ready([{"every": "day", "points": 50, "crossing": "whole"}], **TWO)
    assert run(compiled, (DAY.format("09"), 4900), (DAY.format("10"), 100)) == [79, 0]
    assert run(compiled, (DAY.format("09"), 5000), (DAY.format("10"), 100)) == [50, 0]


@given(
    amounts=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9000)), max_size=12),
    cap=st.integers(0, 120),
    each=st.integers(0, 80),
)
def test_no_day_and_no_event_brings_more_than_its_cap(amounts: list[tuple[int, int]], cap: int, each: int) -> None:
    compiled = ready([{"every": "day", "points": cap}, {"every": "event", "points": each}], **TWO)
    day = dt.datetime.fromisoformat("2026-05-01T12:00:00+02:00")
    events = [((day + dt.timedelta(days=days)).isoformat(), cents) for days, cents in sorted(amounts)]
    earned = run(compiled, *events)
    assert all(points <= each for points in earned)
    by_day: dict[str, int] = {}
    for (moment, _), points in zip(events, earned, strict=True):
        by_day[moment] = by_day.get(moment, 0) + points
    assert all(points <= cap for points in by_day.values())
    if not amounts:
        return
    # What a cap does not have to cut is given: the first event gets all that both caps leave.
    assert earned[0] == min(events[0][1] // 100 + 30, cap, each)


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"every": "event", "uses": 1}, "`every: event` is about points"),
        ({"uses": 1, "crossing": "whole"}, "`crossing` is about points"),
        ({"in_all": "5 stars", "crossing": "whole"}, "never exceeded"),
        ({"in_all": "5 stars", "every": "event"}, "one event is one member's"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limit: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Limit.model_validate(limit)


def test_caps_and_crossing_limits_are_written_as_they_are_read() -> None:
    limited = {**TWO["a"], "limits": [{"per": "member", "every": "day", "earn": "5 stars", "crossing": "whole"}]}
    program = capped([{"every": "week", "points": 7, "crossing": "whole"}], a=limited)
    assert load(dump(program)).require() == program
