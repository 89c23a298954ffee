"""Sums: what a member did in a window, before the event, for conditions and amounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.shop_world import at, decided, happening, member, purchase, total
from setia.engine.compiled import CompiledProgram, compile_program
from setia.engine.state import Counters
from setia.program.definition import Program
from setia.program.lint import compile_check
from setia.program.sums import Sum
from setia.program.yaml_text import load
from setia.program.yaml_writer import dump

BANDS = "max(0.0, min({end}, {top}) - max(member.sums.spent, {low})) * {percent} / 100"
END = "(member.sums.spent + event.total)"


def with_sums(sums: dict[str, Any], **campaigns: Any) -> Program:
    return Program.model_validate(
        {
            "program": {"id": "shop", "name": "Shop", "currency": "EUR", "timezone": "Europe/Berlin"},
            "points": {"stars": {}, "cash": {"decimals": 2}},
            "sums": sums,
            "campaigns": campaigns,
        }
    )


def ready(sums: dict[str, Any], **campaigns: Any) -> CompiledProgram:
    program = with_sums(sums, **campaigns)
    assert [finding for finding in compile_check(program) if finding.severity == "error"] == []
    return compile_program(program, 1)


def run(compiled: CompiledProgram, *events: Any, points: str = "stars") -> list[int]:
    """What a member earns by these events, one after the other."""
    counters, earned = Counters(), []
    for event in events:
        decision = decided(compiled, event, member(counters=counters))
        counters = decision.counters
        earned.append(total(decision, points))
    return earned


@pytest.mark.parametrize(
    ("window", "earned"),
    [
        ("calendar_year", [0, 20, 0]),
        ("rolling 2d", [0, 20, 40]),
        ("rolling 1d", [0, 0, 0]),
        ("lifetime", [0, 20, 40]),
        ({"starts": "2026-12-31", "ends": "2026-12-31"}, [0, 20, 0]),
    ],
)
def test_a_sum_is_that_of_its_window_before_the_event(window: Any, earned: list[int]) -> None:
    compiled = ready(
        {"spent": {"metric": "spend", "window": window}},
        a={"on": "purchase", "earn": {"stars": {"expression": "member.sums.spent"}}},
    )
    moments = ("2026-12-31T10:00:00+01:00", "2026-12-31T23:59:59+01:00", "2027-01-01T00:00:00+01:00")
    if window == "rolling 1d":
        moments = ("2026-12-30T10:00:00+01:00", "2026-12-31T23:59:59+01:00", "2027-01-01T00:00:00+01:00")
    assert run(compiled, *(purchase(2000, at=at(moment)) for moment in moments)) == earned


def test_orders_visits_and_points_are_summed_too_each_in_its_unit() -> None:
    compiled = ready(
        {
            "orders": {"metric": "orders", "window": "calendar_year"},
            "visits": {"metric": "visits"},
            "cash": {"metric": "points.cash.earned"},
            "stars": {"metric": "points.stars.earned"},
        },
        money={"on": "purchase", "earn": {"cash": "1 per 100.00"}},
        third={"on": "purchase", "when": "member.sums.orders == 2", "earn": {"stars": 7}},
        often={"on": "visit", "when": "member.sums.visits >= 1 && member.sums.cash >= 0.2", "earn": {"stars": 5}},
        more={"on": "visit", "when": "member.sums.stars > 6", "earn": {"stars": 1}},
    )
    events = [purchase(1000), purchase(1000), purchase(1000), happening("visit"), happening("visit")]
    assert run(compiled, *events) == [0, 0, 7, 1, 6]


def test_bands_of_a_year_are_marginal_and_begin_anew() -> None:
    parts = [
        BANDS.format(end=END, top="100.0", low="0.0", percent="1.0"),
        BANDS.format(end=END, top="300.0", low="100.0", percent="2.0"),
    ]
    compiled = ready(
        {"spent": {"metric": "spend", "window": "calendar_year"}},
        a={"on": "purchase", "earn": {"cash": {"expression": " + ".join(parts)}}},
    )
    days = ("2026-02-01", "2026-05-01", "2026-08-01", "2027-01-01")
    events = [purchase(15_000, at=at(f"{day}T12:00:00+00:00")) for day in days]
    assert run(compiled, *events, points="cash") == [200, 300, 0, 200]


@given(st.lists(st.integers(1, 20_000), max_size=8))
def test_what_is_marginal_comes_to_the_same_however_the_money_is_split(amounts: list[int]) -> None:
    campaign = {"on": "purchase", "earn": {"stars": {"expression": f"floor({END}) - floor(member.sums.spent)"}}}
    compiled = ready({"spent": {"metric": "spend"}}, a=campaign)
    earned = sum(run(compiled, *(purchase(cents) for cents in amounts)))
    assert earned == sum(amounts) // 100


def test_a_sum_counts_what_came_before_it_was_asked_for() -> None:
    sums = {"spent": {"metric": "spend"}}
    before = compile_program(with_sums({}), 1)
    after = ready(sums, a={"on": "purchase", "earn": {"stars": {"expression": "member.sums.spent"}}})
    # Another digest makes the counters of members be counted again from their history.
    assert before.tracking != after.tracking


def test_a_sum_of_points_that_are_not_there_is_found_with_its_place() -> None:
    program = with_sums({"s": {"metric": "points.star.earned"}})
    [finding] = [one for one in compile_check(program) if one.severity == "error"]
    assert (finding.code, finding.path, finding.hint) == (
        "unknown_point_type",
        "/sums/s/metric",
        "did you mean 'stars'?",
    )


def test_a_period_is_that_of_a_tier_set() -> None:
    with pytest.raises(ValidationError, match="a `period` is that of a tier set"):
        Sum.model_validate({"metric": "spend", "window": "period"})
    with pytest.raises(ValidationError, match="String should match pattern"):
        Sum.model_validate({"metric": "points.stars.balance"})


def test_sums_are_written_as_they_are_read() -> None:
    program = with_sums({"a": {"metric": "spend", "window": "rolling 12mo"}, "b": {"metric": "orders"}})
    assert load(dump(program)).require() == program
    assert program.sums["a"].window.length is not None
    assert Decimal(program.sums["a"].window.length.count) == 12
