"""The outlook: what a member is told of a level's end. `test_reviews` compares it with what then comes."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.shop_world import at, program
from engine.tier_world import LEVELS, Life, ladder
from setia.engine.state import Balance

CASES = [
    "window: calendar_year",
    "window: calendar_year, grace: 2mo",
    "window: calendar_year, downgrade: one_level, grace: 10d",
    "window: rolling 45d",
    "window: rolling 45d, grace: 10d",
    "window: rolling 45d, downgrade: one_level",
    "window: lifetime, validity: 90d",
    "window: period, validity: {after: 3mo, align: month_end}, extend: at_once",
    "window: anniversary",
]


def test_nothing_ends_the_lowest_level() -> None:
    life = Life(ladder("window: calendar_year"))
    view = life.outlook("2025-03-01T12:00Z")
    assert (view.level, view.valid_until, view.falls_to, view.keep) == ("green", None, None, [])


def test_what_keeping_asks_for() -> None:
    levels = (
        "[{id: green, from: 0}, {id: gold, any: [{metric: spend, window: calendar_year, from: 100, keep_from: 80},"
        " {metric: orders, from: 5}]}]"
    )
    life = Life(program(f"tiers: [{{id: t, levels: {levels}}}]\ncampaigns: {{}}"))
    life.buy("2025-03-01T12:00Z", 120)
    view = life.outlook("2026-03-01T12:00Z")
    assert view.keep_any_of
    assert [(need.metric, need.window, need.value, need.needed) for need in view.keep] == [
        ("spend", "calendar_year", 0, 8000),
        ("orders", "lifetime", 1, 5),
    ]


def test_a_level_on_a_balance_has_no_end_that_could_be_told() -> None:
    life = Life(
        program(
            f"tiers: [{{id: t, metric: points.stars.balance, levels: {LEVELS}}}]\n"
            "campaigns: {a: {on: purchase, earn: {stars: 1 per 1.00}}}"
        )
    )
    life.state.balances["stars"] = Balance(available=200)
    view = life.outlook("2025-03-01T12:00Z")
    assert (view.level, view.valid_until, view.falls_to) == ("gold", None, None)


@pytest.mark.parametrize("how", CASES)
@settings(max_examples=8)
@given(
    buys=st.lists(st.tuples(st.integers(0, 80), st.integers(1, 300)), min_size=1, max_size=6),
    given_for=st.none() | st.integers(1, 200),
)
def test_what_was_told_is_what_comes(how: str, buys: list[tuple[int, int]], given_for: int | None) -> None:
    """If nothing more happens, the level holds just until then, and then is the one that was named."""
    life = Life(ladder(how))
    moment = at("2025-01-16T12:00Z")
    for days, euros in buys:
        moment += dt.timedelta(days=days)
        life.buy(moment.isoformat(), euros)
    if given_for is not None:
        life.give(moment.isoformat(), "gold", (moment + dt.timedelta(days=given_for)).isoformat())
    view = life.outlook(moment.isoformat())
    if view.valid_until is None:
        assert life.settle((moment + dt.timedelta(days=4000)).isoformat()) == view.level
        return
    before = view.valid_until - dt.timedelta(microseconds=1)
    assert before >= moment
    assert life.settle(before.isoformat()) == view.level
    after = life.settle(view.valid_until.isoformat())
    if view.falls_to is not None:
        assert after == view.falls_to


def test_a_grace_that_will_be_passed_is_not_the_end() -> None:
    life = Life(ladder("window: rolling 45d, grace: 10d"))
    life.buy("2025-01-16T12:00Z", 100)
    life.buy("2025-03-02T12:00Z", 80)  # the grace that began today will be passed, and another begins in April
    assert life.until("2025-03-02T12:00Z") == ("2025-04-26T00:00+02:00", "green")


def test_a_floor_without_end_has_none_though_reviews_go_on_beneath_it() -> None:
    life = Life(ladder("window: calendar_year, reset_points: [stars]"))
    life.give("2025-03-01T12:00Z", "gold")
    assert life.until("2025-03-01T12:00Z") == (None, None)
