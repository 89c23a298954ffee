"""Limits per member and budgets over all, in uses and in points, by the period of the program's calendar."""

from __future__ import annotations

import datetime as dt

import pytest

from engine.shop_world import (
    at,
    campaigns,
    considered,
    decided,
    effect_of,
    granted,
    happening,
    member,
    purchase,
    total,
    verdicts,
)
from setia.engine.compiled import CompiledProgram
from setia.engine.limits import Allowance, count_uses
from setia.engine.state import Budgets, Counters
from setia.program.limits import Limit


def run(compiled: CompiledProgram, *moments: str, amount: int = 1000) -> list[int]:
    """What a member earns by purchases at these moments, one after the other."""
    counters, budgets, earned = Counters(), Budgets(), []
    for moment in moments:
        decision = decided(compiled, purchase(amount, at=at(moment)), member(counters=counters), budgets=budgets)
        counters = decision.counters
        for key, periods in decision.budget_uses.items():
            used = budgets.used.setdefault(key, {})
            for period, taken in periods.items():
                used[period] = used.get(period, 0) + taken
        earned.append(total(decision))
    return earned


def limited(limit: str, zone: str = "Europe/Berlin") -> CompiledProgram:
    return campaigns(f"a: {{on: purchase, earn: {{stars: 1 per 1.00}}, limits: [{limit}]}}", zone=zone)


# The boundary of each period in Berlin: the last moment of one and the first of the next, and one later in that one.
BOUNDARIES = [
    ("day", "2026-03-28T23:59:59+01:00", "2026-03-29T00:00:00+01:00", "2026-03-29T23:59:59+02:00"),
    ("week", "2026-03-29T23:59:59+02:00", "2026-03-30T00:00:00+02:00", "2026-04-05T23:59:59+02:00"),
    ("month", "2026-03-31T23:59:59+02:00", "2026-04-01T00:00:00+02:00", "2026-04-30T23:59:59+02:00"),
    ("quarter", "2026-03-31T23:59:59+02:00", "2026-04-01T00:00:00+02:00", "2026-06-30T23:59:59+02:00"),
    ("year", "2026-12-31T23:59:59+01:00", "2027-01-01T00:00:00+01:00", "2027-12-31T23:59:59+01:00"),
]


@pytest.mark.parametrize(("every", "last", "first", "same"), BOUNDARIES)
@pytest.mark.parametrize("measure", ["per: member, every: {}, uses: 1", "every: {}, in_all: 1 uses"])
def test_uses_in_each_period(every: str, last: str, first: str, same: str, measure: str) -> None:
    compiled = limited("{" + measure.format(every) + "}")
    assert run(compiled, last, last, first, same) == [10, 0, 10, 0]


@pytest.mark.parametrize(("every", "last", "first", "same"), BOUNDARIES)
@pytest.mark.parametrize("measure", ["per: member, every: {}, earn: 15 stars", "every: {}, in_all: 15 stars"])
def test_points_in_each_period(every: str, last: str, first: str, same: str, measure: str) -> None:
    compiled = limited("{" + measure.format(every) + "}")
    assert run(compiled, last, last, last, first, same) == [10, 5, 0, 10, 5]


def test_for_ever() -> None:
    assert run(limited("{uses: 2}"), "2026-01-01T12:00Z", "2026-06-01T12:00Z", "2030-01-01T12:00Z") == [10, 10, 0]
    assert run(limited("{earn: 15 stars}"), "2026-01-01T12:00Z", "2026-06-01T12:00Z", "2030-01-01T12:00Z") == [10, 5, 0]


def test_periods_are_those_of_the_programs_zone() -> None:
    # 16:00 UTC is midnight in Kuala Lumpur
    moments = ("2026-03-04T15:59:59Z", "2026-03-04T16:00:00Z")
    assert run(limited("{every: day, uses: 1}", "Asia/Kuala_Lumpur"), *moments) == [10, 10]
    assert run(limited("{every: day, uses: 1}"), *moments) == [10, 0]


def test_a_late_event_counts_in_the_period_in_which_it_occurred() -> None:
    moments = ("2026-03-04T12:00Z", "2026-03-03T12:00Z", "2026-03-03T13:00Z", "2026-03-04T13:00Z")
    assert run(limited("{every: day, uses: 1}"), *moments) == [10, 10, 0, 0]
    assert run(limited("{every: day, earn: 15 stars}"), *moments) == [10, 10, 5, 5]


def test_the_tightest_limit_cuts_and_is_named() -> None:
    compiled = limited("{every: day, earn: 9 stars}, {earn: 7 stars}, {every: year, earn: 8 stars}")
    decision = decided(compiled, purchase(1000))
    assert total(decision) == 7
    assert considered(decision, "a").arithmetic[0].cut_by == "a#1"
    assert decision.counters.limits == {"a#0": {"2026-03-04": 7}, "a#1": {"ever": 7}, "a#2": {"2026": 7}}


def test_a_cut_shows_what_was_wanted() -> None:
    effect = effect_of(decided(limited("{earn: 7 stars}"), purchase(1000)), "a")
    assert (effect.amount, effect.wanted) == (7, 10)
    effect = effect_of(decided(limited("{earn: 10 stars}"), purchase(1000)), "a")
    assert (effect.amount, effect.wanted) == (10, None)


def test_a_limit_on_other_points_cuts_nothing() -> None:
    compiled = campaigns(
        "a: {on: purchase, earn: {stars: 10, cash: 4}, limits: [{earn: 3 cash}]}", points="{stars: {}, cash: {}}"
    )
    decision = decided(compiled, purchase(1000))
    assert (total(decision), total(decision, "cash")) == (10, 3)
    assert decision.counters.limits == {"a#0": {"ever": 3}}


def test_a_limit_in_points_with_decimals() -> None:
    compiled = campaigns(
        "a: {on: purchase, earn: {cash: 1 per 1.00}, limits: [{earn: 7.5 cash}]}", points="{cash: {decimals: 2}}"
    )
    assert total(decided(compiled, purchase(1234)), "cash") == 750


@pytest.mark.parametrize("limit", ["{uses: 0}", "{earn: 0 stars}", "{in_all: 0 uses}", "{in_all: 0 stars}"])
def test_a_limit_of_nothing(limit: str) -> None:
    decision = decided(limited(limit), purchase(1000))
    assert total(decision) == 0
    assert verdicts(decision) == {"a": "limit"}
    assert considered(decision, "a").limit == "a#0"
    assert decision.outcome.uses == []


def test_a_limit_belongs_to_its_campaign() -> None:
    compiled = campaigns(
        "a: {on: purchase, earn: {stars: 1}, limits: [{uses: 1}]}\n"
        "b: {on: purchase, earn: {stars: 2}, limits: [{uses: 2}]}"
    )
    assert run(compiled, *["2026-03-04T12:00Z"] * 3) == [3, 2, 0]


def test_one_limit_over_several_kinds_of_events() -> None:
    compiled = campaigns("a: {on: [purchase, visit], earn: {stars: 5}, limits: [{every: day, uses: 1}]}")
    first = decided(compiled, purchase(100))
    assert granted(decided(compiled, happening("visit"), member(counters=first.counters))) == {}


def test_uses_count_though_points_are_cut() -> None:
    compiled = limited("{every: day, earn: 15 stars}, {uses: 3}")
    assert run(compiled, *[f"2026-03-0{day}T12:00Z" for day in (1, 1, 1, 2, 3)]) == [10, 5, 0, 10, 0]


def test_a_budget_is_shared_by_all_members() -> None:
    compiled = limited("{in_all: 25 stars}")
    budgets = Budgets(used={"a#0": {"ever": 18}})
    decision = decided(compiled, purchase(1000), budgets=budgets)
    assert total(decision) == 7
    assert decision.budget_uses == {"a#0": {"ever": 7}}
    # the member's own counters know nothing of it, and the budget given was not touched
    assert decision.counters.limits == {}
    assert budgets.used == {"a#0": {"ever": 18}}


def test_a_budget_and_a_limit_together() -> None:
    compiled = limited("{in_all: 2 uses}, {every: day, earn: 4 stars}")
    decision = decided(compiled, purchase(1000))
    assert decision.budget_uses == {"a#0": {"ever": 1}}
    assert decision.counters.limits == {"a#1": {"2026-03-04": 4}}


def test_effects_without_points_use_a_campaign_too() -> None:
    compiled = campaigns("a: {on: visit, tag: [guest], limits: [{uses: 1}]}")
    first = decided(compiled, happening("visit"))
    assert first.outcome.uses == ["a"]
    assert verdicts(decided(compiled, happening("visit"), member(counters=first.counters))) == {"a": "limit"}


def test_an_allowance_remembers_what_it_granted() -> None:
    limit = Limit.model_validate({"earn": "100 stars"})
    allowance = Allowance([("a#0", limit)], dt.date(2026, 3, 4), {"a#0": {"ever": 10}}, {})
    assert allowance.exhausted() is None
    assert allowance.points("stars", 1, 60) == (60, None)
    assert allowance.points("cash", 1, 60) == (60, None)
    assert allowance.points("stars", 1, 60) == (30, "a#0")
    assert allowance.points("stars", 1, 60) == (0, "a#0")


def test_what_a_use_adds() -> None:
    limits = [
        ("a#0", Limit.model_validate({"every": "month", "uses": 2})),
        ("a#1", Limit.model_validate({"every": "day", "earn": "5 stars"})),
        ("a#2", Limit.model_validate({"in_all": "100 stars"})),
        ("a#3", Limit.model_validate({"in_all": "100 cash"})),
    ]
    day = dt.date(2026, 3, 4)
    assert count_uses(limits, day, {"stars": 5}, "member") == {"a#0": {"2026-03": 1}, "a#1": {"2026-03-04": 5}}
    assert count_uses(limits, day, {"stars": 5}, "all") == {"a#2": {"ever": 5}}
    assert count_uses(limits, day, {}, "member") == {"a#0": {"2026-03": 1}}
