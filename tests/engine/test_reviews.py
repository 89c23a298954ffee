"""Reviews: levels held for a while, kept or lost when the time comes, however late somebody looks."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.shop_world import at, program
from engine.tier_world import Life, ladder
from setia.engine.reviews import ends_period, review

YEAR = "window: calendar_year"
_DEAR_TO_KEEP = "[{id: green, from: 0}, {id: gold, from: 100}]"


class TestCalendarYear:
    def test_a_level_lasts_to_the_end_of_the_year_and_is_kept_by_what_that_year_had(self) -> None:
        life = Life(ladder(YEAR))
        assert life.buy("2025-06-01T12:00Z", 100) == "gold"
        assert life.settle("2025-12-31T22:59Z") == "gold"
        assert life.settle("2025-12-31T23:00Z") == "gold"  # midnight in Berlin: kept, by the 100 of 2025
        [(moment, outcome)] = life.reviews
        assert (moment, outcome.renewed, outcome.tiers) == (at("2025-12-31T23:00Z"), ["t"], [])
        assert life.settle("2026-12-31T23:00Z") == "green"
        assert life.moves() == [("2027-01-01T00:00+01:00", "gold", "green")]

    @pytest.mark.parametrize(("euros", "level"), [(79, "green"), (80, "gold")])
    def test_keeping_may_be_cheaper_than_reaching(self, euros: int, level: str) -> None:
        life = Life(ladder(YEAR))
        life.buy("2025-06-01T12:00Z", 100)
        life.buy("2026-06-01T12:00Z", euros)
        assert life.settle("2026-12-31T23:00Z") == level

    def test_the_explanation_tells_what_keeping_asked_for(self) -> None:
        compiled = ladder(YEAR)
        life = Life(compiled)
        life.buy("2025-06-01T12:00Z", 120)
        found = review(compiled, compiled.tier_sets[0], life.state, at("2025-12-31T23:00Z"))
        assert found is not None
        [weighed] = found[1].weighed
        assert (weighed.level, weighed.metric, weighed.value, weighed.needed) == ("gold", "spend", 12000, 8000)

    def test_a_job_that_is_years_late_books_every_review_at_its_own_moment(self) -> None:
        life = Life(ladder(f"{YEAR}, downgrade: one_level"))
        life.buy("2025-06-01T12:00Z", 500)
        assert life.settle("2029-07-01T12:00Z") == "green"
        assert life.moves() == [
            ("2027-01-01T00:00+01:00", "black", "gold"),
            ("2028-01-01T00:00+01:00", "gold", "green"),
        ]

    def test_to_fit_falls_to_the_highest_level_that_is_kept(self) -> None:
        life = Life(ladder(YEAR))
        life.buy("2025-06-01T12:00Z", 500)
        life.buy("2026-06-01T12:00Z", 90)
        assert life.settle("2027-01-01T12:00Z") == "gold"
        assert life.moves() == [("2027-01-01T00:00+01:00", "black", "gold")]

    def test_never_falls(self) -> None:
        life = Life(ladder(f"{YEAR}, downgrade: never"))
        life.buy("2025-06-01T12:00Z", 100)
        assert life.settle("2035-01-01T12:00Z") == "gold"
        assert life.reviews == []
        assert life.until("2035-01-01T12:00Z") == (None, None)

    def test_nobody_is_judged_on_the_lowest_level(self) -> None:
        life = Life(ladder(YEAR))
        life.buy("2025-06-01T12:00Z", 1)
        life.settle("2030-01-01T12:00Z")
        assert life.reviews == []

    def test_a_late_event_of_last_year_lets_rise_after_the_review(self) -> None:
        life = Life(ladder(YEAR))
        life.buy("2025-12-01T12:00Z", 60)
        assert life.buy("2026-01-03T12:00Z", 40, occurred="2025-12-30T12:00Z") == "gold"
        assert life.settle("2026-12-31T22:59Z") == "gold"
        assert life.settle("2026-12-31T23:00Z") == "green"


class TestGrace:
    def test_a_level_stays_for_its_grace_and_what_is_counted_in_it_helps(self) -> None:
        life = Life(ladder(f"{YEAR}, grace: 2mo"))
        life.buy("2025-06-01T12:00Z", 100)
        life.buy("2026-06-01T12:00Z", 50)
        assert life.settle("2027-01-01T12:00Z") == "gold"
        assert life.outlook("2027-01-01T12:00Z").in_grace
        assert life.until("2027-01-01T12:00Z") == ("2027-03-01T00:00+01:00", "green")
        life.buy("2027-02-01T12:00Z", 30)  # 50 of 2026 and 30 make the 80 that keep it
        assert life.settle("2027-03-01T12:00Z") == "gold"
        assert life.reviews[-1][1].renewed == ["t"]
        assert not life.outlook("2027-03-01T12:00Z").in_grace

    def test_it_falls_when_the_grace_is_over(self) -> None:
        life = Life(ladder(f"{YEAR}, grace: 2mo"))
        life.buy("2025-06-01T12:00Z", 100)
        life.buy("2026-06-01T12:00Z", 50)
        life.buy("2027-02-01T12:00Z", 29)
        assert life.settle("2027-02-28T22:59Z") == "gold"
        assert life.settle("2027-02-28T23:00Z") == "green"
        assert life.moves() == [("2027-03-01T00:00+01:00", "gold", "green")]

    def test_one_level_with_grace_late_by_years(self) -> None:
        life = Life(ladder(f"{YEAR}, downgrade: one_level, grace: 1mo"))
        life.buy("2025-06-01T12:00Z", 500)
        life.settle("2030-06-01T12:00Z")
        assert life.moves() == [
            ("2027-02-01T00:00+01:00", "black", "gold"),
            ("2028-02-01T00:00+01:00", "gold", "green"),
        ]

    def test_rising_in_the_grace_ends_it(self) -> None:
        life = Life(ladder(f"{YEAR}, grace: 2mo"))
        life.buy("2025-06-01T12:00Z", 100)
        assert life.buy("2027-02-01T12:00Z", 500) == "black"
        assert not life.outlook("2027-02-02T12:00Z").in_grace
        assert life.settle("2027-12-31T22:59Z") == "black"

    @pytest.mark.parametrize(("euros", "level"), [(39, "green"), (40, "gold")])
    @pytest.mark.parametrize("window", ["rolling 6mo", "period"])
    def test_other_windows_are_longer_by_the_grace(self, window: str, euros: int, level: str) -> None:
        life = Life(ladder(f"window: {window}, validity: 6mo, grace: 2mo"))
        life.buy("2025-01-20T12:00Z", 100)
        life.buy("2025-01-21T12:00Z", 40)
        assert life.settle("2025-07-22T12:00Z") == "gold"
        assert life.outlook("2025-07-22T12:00Z").in_grace
        # A rolling window of six months has lost the 40 by then; that which ended with the period has not.
        life.buy("2025-08-20T12:00Z", euros)
        assert life.settle("2025-09-30T12:00Z") == level

    @pytest.mark.parametrize("window", ["calendar_year", "lifetime", "{starts: 2025-01-01, ends: 2025-12-31}"])
    def test_what_lies_in_one_window_is_not_counted_twice(self, window: str) -> None:
        life = Life(ladder(f"window: {window}, validity: 6mo, grace: 2mo", levels=_DEAR_TO_KEEP))
        life.state.counters.tiers = {"t": "gold"}  # as if a campaign had set it
        life.buy("2025-01-20T12:00Z", 60)
        assert life.settle("2025-07-22T12:00Z") == "gold"
        assert life.settle("2025-09-30T12:00Z") == "green"

    def test_the_same_year_is_not_counted_twice_after_a_grace(self) -> None:
        # Of two windows one begins anew and the other does not: each goes by itself.
        levels = (
            "[{id: green, from: 0}, {id: gold, all: [{metric: spend, window: calendar_year, from: 100},"
            " {metric: orders, window: rolling 30d, from: 1}]}]"
        )
        life = Life(program(f"tiers: [{{id: t, validity: 3mo, grace: 1mo, levels: {levels}}}]\ncampaigns: {{}}"))
        assert life.buy("2025-01-20T12:00Z", 100) == "gold"
        # the period that is not kept: nothing was bought in its last 30 days
        assert life.settle("2025-05-01T12:00Z") == "gold"
        life.buy("2025-05-02T12:00Z", 1)
        assert life.settle("2025-05-22T12:00Z") == "gold"
        last = life.reviews[-1][1]
        assert last.renewed == ["t"]

    def test_a_grace_reads_days_that_would_otherwise_be_forgotten(self) -> None:
        life = Life(ladder("window: rolling 30d, validity: 2mo, grace: 4mo", rest="late: {accept_within: 1d}"))
        life.buy("2025-02-01T12:00Z", 100)
        life.buy("2025-03-20T12:00Z", 70)
        life.settle("2025-04-03T12:00Z")
        life.buy("2025-07-20T12:00Z", 10)
        assert life.settle("2025-08-05T12:00Z") == "gold"
        assert life.reviews[-1][1].renewed == ["t"]

    def test_a_level_that_follows_its_metric_may_have_a_grace_too(self) -> None:
        life = Life(ladder("window: rolling 30d, grace: 10d"))
        life.buy("2025-03-01T12:00Z", 100)
        assert life.settle("2025-03-31T12:00Z") == "gold"  # the window has lost it; the grace begins
        assert life.until("2025-03-31T12:00Z") == ("2025-04-10T00:00+02:00", "green")
        life.buy("2025-04-05T12:00Z", 20)  # neither this nor a visit ends the grace, or begins another
        life.visit("2025-04-06T12:00Z")
        assert life.settle("2025-04-09T21:59Z") == "gold"
        assert life.settle("2025-04-09T22:00Z") == "green"

    def test_and_is_kept_if_the_metric_has_recovered(self) -> None:
        life = Life(ladder("window: rolling 30d, grace: 10d"))
        life.buy("2025-03-01T12:00Z", 100)
        life.buy("2025-04-05T12:00Z", 90)
        assert life.settle("2025-04-12T12:00Z") == "gold"
        assert life.until("2025-04-12T12:00Z") == ("2025-05-15T00:00+02:00", "green")  # another grace


class TestExtending:
    def test_qualifying_again_begins_a_new_period_at_once(self) -> None:
        life = Life(ladder("window: period, validity: 12mo, extend: at_once"))
        life.buy("2025-03-10T12:00Z", 100)
        assert life.until("2025-03-10T12:00Z") == ("2026-03-11T00:00+01:00", "green")
        life.buy("2025-06-10T12:00Z", 79)
        assert life.until("2025-06-10T12:00Z") == ("2026-03-11T00:00+01:00", "green")
        life.buy("2025-09-10T12:00Z", 1)  # together the 80 that keep it
        assert life.until("2025-09-10T12:00Z") == ("2026-09-11T00:00+02:00", "green")
        # what has extended it is used up
        life.buy("2025-09-11T12:00Z", 79)
        assert life.until("2025-09-11T12:00Z") == ("2026-09-11T00:00+02:00", "green")

    def test_or_only_at_the_review(self) -> None:
        life = Life(ladder("window: period, validity: 12mo"))
        life.buy("2025-03-10T12:00Z", 100)
        life.buy("2025-09-10T12:00Z", 80)
        # kept at the review already, so it holds to the end of the period after that
        assert life.until("2025-09-10T12:00Z") == ("2027-03-11T00:00+01:00", None)

    def test_an_event_that_counts_for_nothing_extends_nothing(self) -> None:
        life = Life(ladder("window: lifetime, validity: 12mo, extend: at_once"))
        life.buy("2025-03-10T12:00Z", 100)
        life.visit("2025-06-10T12:00Z")
        assert life.state.counters.periods["t"].since == at("2025-03-10T12:00Z")
        life.buy("2025-07-10T12:00Z", 1)
        assert life.state.counters.periods["t"].since == at("2025-07-10T12:00Z")

    def test_extending_ends_a_grace(self) -> None:
        life = Life(ladder("window: calendar_year, grace: 3mo, extend: at_once"))
        life.buy("2025-03-10T12:00Z", 100)
        assert life.settle("2027-01-02T12:00Z") == "gold"
        life.buy("2027-01-03T12:00Z", 80)
        assert not life.outlook("2027-01-03T12:00Z").in_grace


class TestResets:
    def test_what_a_reset_waits_for(self) -> None:
        compiled = ladder("window: calendar_year, reset_points: [stars], downgrade: never")
        life = Life(compiled)
        life.buy("2025-06-01T12:00Z", 1)
        # Also of those on the lowest level, and of those who never fall.
        life.settle("2027-06-01T12:00Z")
        assert [moment for moment, _ in life.reviews] == [at("2025-12-31T23:00Z"), at("2026-12-31T23:00Z")]
        assert all(outcome.renewed == ["t"] for _, outcome in life.reviews)
        life.buy("2027-06-02T12:00Z", 100)
        assert life.settle("2029-01-01T12:00Z") == "gold"

    def test_it_waits_for_the_end_of_a_grace(self) -> None:
        compiled = ladder("window: calendar_year, reset_points: [stars], grace: 1mo")
        [tier_set] = compiled.tier_sets
        life = Life(compiled)
        life.buy("2025-06-01T12:00Z", 100)
        year_end, grace_end = at("2026-12-31T23:00Z"), at("2027-01-31T23:00Z")
        life.settle("2026-06-01T12:00Z")
        assert not ends_period(compiled, tier_set, life.state, at("2026-12-31T22:59Z"))
        assert ends_period(compiled, tier_set, life.state, year_end)
        life.settle("2027-01-01T12:00Z")
        assert not ends_period(compiled, tier_set, life.state, at("2027-01-01T12:00Z"))
        assert ends_period(compiled, tier_set, life.state, grace_end)

    def test_levels_without_a_period_have_no_end(self) -> None:
        compiled = ladder("window: lifetime")
        assert not ends_period(compiled, compiled.tier_sets[0], Life(compiled).state, at("2099-01-01T00:00Z"))


def test_a_review_that_comes_too_early_books_nothing() -> None:
    life = Life(ladder(YEAR))
    life.buy("2025-06-01T12:00Z", 100)
    assert review(life.program, life.program.tier_sets[0], life.state, at("2025-07-01T12:00Z")) is None


@settings(max_examples=40)
@given(
    how=st.sampled_from(
        [
            YEAR,
            f"{YEAR}, downgrade: one_level, grace: 1mo",
            "window: rolling 2mo",
            "window: rolling 60d, downgrade: one_level",
            "window: rolling 3mo, grace: 20d, extend: at_once",
            "window: period, validity: {after: 6mo, align: month_end}, extend: at_once, grace: 1mo",
            "window: anniversary, validity: anniversary",
            "window: lifetime, validity: {every: 100d}",
            'window: calendar_year, validity: {on: ["01-01", "07-01"]}, grace: 2w',
        ]
    ),
    steps=st.lists(
        st.tuples(st.integers(0, 90), st.sampled_from(["buy", "visit", "give", "settle", "late"]), st.integers(1, 500)),
        max_size=12,
    ),
)
def test_looking_often_or_seldom_makes_no_difference(how: str, steps: list[tuple[int, str, int]]) -> None:
    """One life is looked at every day, the other only when something happens; both can be counted again."""
    compiled = ladder(how)
    often, seldom = Life(compiled), Life(compiled)
    moment = at("2025-01-15T10:00Z")
    for days, what, much in steps:
        for _ in range(days):
            moment += dt.timedelta(days=1)
            often.settle(moment.isoformat())
        now = moment.isoformat()
        for life in (often, seldom):
            if what == "buy":
                life.buy(now, much)
            elif what == "late":
                life.buy(now, much, occurred=(moment - dt.timedelta(days=min(much, 29))).isoformat())
            elif what == "visit":
                life.visit(now)
            elif what == "give":
                end = (moment + dt.timedelta(days=much)).isoformat()
                life.give(now, ["green", "gold", "black"][much % 3], end if much % 2 else None)
        assert often.level == seldom.level or what == "settle"
    end = (moment + dt.timedelta(days=500)).isoformat()
    for days in range(0, 500, 7):
        often.settle((moment + dt.timedelta(days=days)).isoformat())
    often.settle(end)
    seldom.settle(end)
    assert often.moves() == seldom.moves()
    assert often.state.counters == seldom.state.counters
    assert often.recounted() == often.state.counters
    assert seldom.recounted() == seldom.state.counters
