"""Levels that follow their metrics: rolling windows and balances."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.shop_world import NOON, at, decided, member, program, purchase
from engine.tier_world import LEVELS, Life, ladder
from setia.engine.due import next_due
from setia.engine.reviews import review_due
from setia.engine.state import Balance

BY_BALANCE = "campaigns: {a: {on: purchase, earn: {stars: 1 per 1.00}}, b: {on: visit, deduct: {stars: 60}}}"


def balance_ladder(how: str = "extend: at_review") -> Life:
    return Life(program(f"tiers: [{{id: t, metric: points.stars.balance, {how}, levels: {LEVELS}}}]\n{BY_BALANCE}"))


class TestFollowing:
    """Levels that follow their metrics: rolling windows and balances."""

    def test_a_rolling_window_is_judged_at_each_midnight_on_which_it_loses_a_day(self) -> None:
        life = Life(ladder("window: rolling 30d"))
        life.buy("2025-03-01T12:00Z", 60)
        assert life.buy("2025-03-10T12:00Z", 60) == "gold"
        assert life.until("2025-03-10T13:00Z") == ("2025-03-31T00:00+02:00", "green")
        assert life.settle("2025-03-30T21:59Z") == "gold"
        assert life.settle("2025-03-30T22:00Z") == "green"

    def test_a_day_may_leave_the_window_without_harm(self) -> None:
        life = Life(ladder("window: rolling 30d"))
        life.buy("2025-03-01T12:00Z", 10)
        life.buy("2025-03-10T12:00Z", 100)
        assert life.settle("2025-04-01T12:00Z") == "gold"
        assert life.reviews == []
        assert life.until("2025-04-01T12:00Z") == ("2025-04-09T00:00+02:00", "green")

    @pytest.mark.parametrize(
        ("bought", "ends"),
        [
            ("2025-01-31T12:00Z", "2025-03-01T00:00+01:00"),  # 31 January lies in the month before 28 February
            ("2025-02-28T12:00Z", "2025-03-28T00:00+01:00"),
            ("2025-03-31T12:00Z", "2025-05-01T00:00+02:00"),
            ("2024-01-31T12:00Z", "2024-03-01T00:00+01:00"),
        ],
    )
    def test_rolling_months_of_different_lengths(self, bought: str, ends: str) -> None:
        life = Life(ladder("window: rolling 1mo"), enrolled="2024-01-01T00:00Z")
        life.buy(bought, 100)
        assert life.until(bought) == (ends, "green")
        life.settle("2026-01-01T00:00Z")
        assert life.moves() == [(ends, "gold", "green")]

    def test_an_event_that_comes_late_cannot_raise_what_a_window_has_lost(self) -> None:
        life = Life(ladder("window: rolling 30d"))
        life.buy("2025-03-01T12:00Z", 100)
        assert life.settle("2025-04-05T12:00Z") == "green"
        # the visit was on a day on which the window still held the 100
        assert life.visit("2025-04-05T13:00Z", occurred="2025-03-29T12:00Z") == "green"
        # and with the 100 of 10 March it holds enough today
        assert life.buy("2025-04-05T14:00Z", 100, occurred="2025-03-10T12:00Z") == "gold"
        assert life.until("2025-04-05T14:00Z") == ("2025-04-09T00:00+02:00", "green")

    def test_spending_points_lets_fall_at_once_and_earning_them_rise(self) -> None:
        life = balance_ladder()
        assert life.buy("2025-03-01T12:00Z", 130) == "gold"
        assert life.visit("2025-03-02T12:00Z") == "green"  # 70 left, and keeping takes 80
        assert life.until("2025-03-02T12:00Z") == (None, None)
        assert life.buy("2025-03-03T12:00Z", 30) == "gold"
        assert life.until("2025-03-03T12:00Z") == (None, None)

    def test_points_that_come_or_go_without_an_event_move_the_level_too(self) -> None:
        life = balance_ladder()
        life.state.balances["stars"] = Balance(available=120)
        assert life.settle("2025-03-01T12:00Z") == "gold"
        assert life.since == at("2025-03-01T12:00Z")
        life.state.balances["stars"] = Balance(available=79)
        assert life.settle("2025-03-02T12:00Z") == "green"
        assert life.moves() == [
            ("2025-01-15T10:00+01:00", "green", "gold"),  # since the member was looked at last
            ("2025-03-01T13:00+01:00", "gold", "green"),
        ]

    def test_a_balance_lets_rise_at_once_where_levels_are_held_for_a_time(self) -> None:
        life = balance_ladder("validity: calendar_year")
        life.state.balances["stars"] = Balance(available=120)
        assert life.settle("2025-03-01T12:00Z") == "gold"
        life.state.balances["stars"] = Balance(available=0)
        assert life.settle("2025-12-31T22:59Z") == "gold"
        assert life.settle("2025-12-31T23:00Z") == "green"

    def test_one_level_a_day(self) -> None:
        levels = "[{id: a, from: 0}, {id: b, from: 10}, {id: c, from: 20}, {id: d, from: 30}]"
        life = Life(ladder("window: rolling 10d, downgrade: one_level", levels=levels))
        assert life.buy("2025-03-01T12:00Z", 30) == "d"
        life.settle("2025-04-01T12:00Z")
        assert life.moves() == [
            ("2025-03-11T00:00+01:00", "d", "c"),
            ("2025-03-12T00:00+01:00", "c", "b"),
            ("2025-03-13T00:00+01:00", "b", "a"),
        ]

    def test_one_level_a_day_by_events_too(self) -> None:
        life = balance_ladder("downgrade: one_level")
        assert life.buy("2025-03-01T12:00Z", 510) == "black"
        assert life.visit("2025-03-01T13:00Z") == "black"  # 450 keep it
        assert life.visit("2025-03-01T14:00Z") == "black"  # 390 do not, and the day has not ended
        assert life.settle("2025-03-01T22:59Z") == "black"
        assert life.settle("2025-03-01T23:00Z") == "gold"
        life.state.balances["stars"] = Balance(available=100)
        assert life.visit("2025-03-02T12:00Z") == "gold"
        assert life.settle("2025-03-02T23:00Z") == "green"

    def test_several_windows_follow_each_its_own(self) -> None:
        levels = (
            "[{id: green, from: 0}, {id: gold, any: [{metric: spend, window: rolling 10d, from: 100},"
            " {metric: orders, window: calendar_year, from: 3},"
            " {metric: visits, window: anniversary, from: 2},"
            " {metric: spend, window: {starts: 2025-06-01, ends: 2025-06-30}, from: 50}]}]"
        )
        compiled = program(f"tiers: [{{id: t, levels: {levels}}}]\ncampaigns: {{}}")
        life = Life(compiled)
        life.buy("2025-06-05T12:00Z", 100)
        assert life.until("2025-06-06T12:00Z") == ("2025-07-01T00:00+02:00", "green")
        life.buy("2025-06-06T12:00Z", 1)
        life.buy("2025-06-07T12:00Z", 1)
        assert life.until("2025-06-07T12:00Z") == ("2026-01-01T00:00+01:00", "green")
        life.visit("2025-06-08T12:00Z")
        life.visit("2025-06-09T12:00Z")
        assert life.until("2025-06-09T12:00Z") == ("2026-01-15T00:00+01:00", "green")
        life.settle("2027-01-01T12:00Z")
        assert life.moves() == [("2026-01-15T00:00+01:00", "gold", "green")]

    def test_a_fixed_window_that_is_over_is_followed_no_more(self) -> None:
        life = Life(ladder("window: {starts: 2025-06-01, ends: 2025-06-30}, validity: current"))
        assert life.buy("2025-06-10T12:00Z", 100) == "gold"
        life.settle("2025-07-02T12:00Z")
        assert life.moves() == [("2025-07-01T00:00+02:00", "gold", "green")]

    @settings(max_examples=25)
    @given(
        buys=st.lists(
            st.tuples(st.dates(dt.date(2024, 1, 1), dt.date(2024, 4, 15)), st.integers(1, 60)), min_size=1, max_size=6
        ),
        window=st.sampled_from(["30d", "2w", "1mo", "3mo", "1y"]),
    )
    def test_it_is_never_noticed_too_late(self, buys: list[tuple[dt.date, int]], window: str) -> None:
        """Against an oracle that looks at every single day."""
        compiled = ladder(f"window: rolling {window}", zone="America/Sao_Paulo")
        hurried = Life(compiled, enrolled="2023-01-01T12:00Z")
        daily = Life(compiled, enrolled="2023-01-01T12:00Z")
        for day, euros in sorted(buys):
            moment = f"{day.isoformat()}T15:00Z"
            assert hurried.buy(moment, euros) == daily.buy(moment, euros)
        day = min(bought for bought, _ in buys)
        for step in range(500):
            [tier_set] = compiled.tier_sets
            evening = dt.datetime.combine(day, dt.time(15), dt.UTC) + dt.timedelta(days=step)
            if evening >= daily.since:
                daily.settle(evening.isoformat())
                due = review_due(compiled, tier_set, daily.state, evening)
                assert due is None or due > evening
        hurried.settle(daily.since.isoformat())
        assert hurried.moves() == daily.moves()
        assert hurried.state.counters == daily.state.counters == daily.recounted()


def test_a_window_may_end_with_the_last_day_that_can_be_written() -> None:
    compiled = program(
        "tiers: [{id: t, metric: spend, window: {starts: 2026-01-01, ends: 9999-12-31}, validity: current, "
        "levels: [{id: a, from: 0}, {id: b, from: 10}]}]\ncampaigns: {}"
    )
    risen = decided(compiled, purchase(2000))
    state = member(counters=risen.counters)
    due = next_due(compiled, state, NOON)
    assert due is not None
    assert due.at.year == 9997
