"""Levels given by hand, and new settings of a tier set that is live."""

from __future__ import annotations

from engine.tier_world import Life, ladder

YEAR = "window: calendar_year"


class TestGivenByHand:
    def test_a_given_level_holds_to_its_end_and_then_what_was_beneath_it_shows(self) -> None:
        life = Life(ladder(YEAR))
        assert life.give("2025-03-01T12:00Z", "black", "2025-06-15T12:00Z") == "black"
        assert life.until("2025-03-01T12:00Z") == ("2025-06-15T14:00+02:00", "green")
        assert life.buy("2025-04-01T12:00Z", 100) == "black"  # gold by right, beneath it
        assert life.state.counters.beneath == {"t": "gold"}
        assert life.until("2025-04-01T12:00Z") == ("2025-06-15T14:00+02:00", "gold")
        assert life.settle("2025-06-15T12:00Z") == "gold"
        assert life.state.counters.beneath == {}
        assert life.moves() == [("2025-06-15T14:00+02:00", "black", "gold")]
        assert life.until("2025-06-15T12:00Z") == ("2027-01-01T00:00+01:00", None)

    def test_an_earned_level_is_not_lost_by_the_end_of_a_given_one(self) -> None:
        life = Life(ladder(YEAR))
        life.buy("2025-06-01T12:00Z", 100)  # gold until the end of 2026
        life.give("2025-07-01T12:00Z", "gold", "2026-03-01T12:00Z")
        assert life.settle("2026-03-01T12:00Z") == "gold"
        assert life.state.counters.floors == {}
        assert life.settle("2026-12-31T22:59Z") == "gold"
        assert life.settle("2026-12-31T23:00Z") == "green"

    def test_the_level_beneath_is_judged_as_if_nothing_had_been_given(self) -> None:
        life = Life(ladder(YEAR))
        life.buy("2025-06-01T12:00Z", 100)
        life.give("2025-07-01T12:00Z", "black", "2027-06-01T12:00Z")
        assert life.settle("2027-01-01T12:00Z") == "black"
        assert life.state.counters.beneath == {"t": "green"}
        assert life.settle("2027-06-01T12:00Z") == "green"

    def test_a_level_without_end_is_a_floor_for_ever(self) -> None:
        life = Life(ladder(YEAR))
        life.give("2025-03-01T12:00Z", "gold")
        assert life.buy("2025-04-01T12:00Z", 500) == "black"
        assert life.until("2025-04-01T12:00Z") == ("2027-01-01T00:00+01:00", None)
        assert life.settle("2027-01-01T12:00Z") == "gold"
        assert life.until("2027-01-01T12:00Z") == (None, None)
        assert life.moves() == [("2027-01-01T00:00+01:00", "black", "gold")]
        view = life.outlook("2027-01-01T12:00Z")
        assert (view.floor, view.floor_until) == ("gold", None)

    def test_taken_away_and_replaced(self) -> None:
        life = Life(ladder(YEAR))
        life.give("2025-03-01T12:00Z", "black")
        assert life.give("2025-03-02T12:00Z", "gold") == "gold"
        assert life.give("2025-03-03T12:00Z", None) == "green"
        assert life.state.counters.periods == {}

    def test_one_below_the_level_held_shows_only_when_that_is_lost(self) -> None:
        life = Life(ladder(YEAR))
        life.buy("2025-06-01T12:00Z", 500)
        assert life.give("2025-07-01T12:00Z", "gold") == "black"
        assert life.settle("2027-01-01T12:00Z") == "gold"

    def test_an_end_at_the_moment_of_a_review(self) -> None:
        life = Life(ladder(YEAR))
        life.buy("2025-06-01T12:00Z", 100)
        life.give("2026-07-01T12:00Z", "black", "2026-12-31T23:00Z")
        assert life.settle("2026-12-31T23:00Z") == "green"
        assert life.moves() == [
            ("2027-01-01T00:00+01:00", "black", "gold"),
            ("2027-01-01T00:00+01:00", "gold", "green"),
        ]

    def test_a_level_that_follows_its_metric_does_so_beneath_a_floor(self) -> None:
        life = Life(ladder("window: rolling 30d"))
        life.give("2025-03-01T12:00Z", "gold", "2025-06-01T12:00Z")
        assert life.buy("2025-03-02T12:00Z", 500) == "black"
        assert life.settle("2025-04-02T12:00Z") == "gold"
        assert life.state.counters.beneath == {"t": "green"}
        assert life.settle("2025-06-02T12:00Z") == "green"

    def test_a_campaign_sets_the_level_beneath(self) -> None:
        rest = "campaigns: {vip: {on: visit, tier: {t: gold}}}"
        life = Life(ladder(YEAR, rest=rest))
        life.give("2025-03-01T12:00Z", "black", "2025-04-01T12:00Z")
        assert life.visit("2025-03-02T12:00Z") == "black"
        assert life.settle("2025-04-01T12:00Z") == "gold"


class TestNewSettings:
    def test_at_review_the_new_settings_wait(self) -> None:
        life = Life(ladder(YEAR))
        life.buy("2025-06-01T12:00Z", 100)
        dearer = ladder(YEAR, levels="[{id: green, from: 0}, {id: gold, from: 300}]")
        assert life.publish(dearer, "2025-07-01T12:00Z") == "gold"
        assert life.settle("2026-01-01T12:00Z") == "green"

    def test_at_once_they_hold_now(self) -> None:
        life = Life(ladder(f"{YEAR}, on_change: at_once"))
        life.buy("2025-06-01T12:00Z", 100)
        dearer = ladder(f"{YEAR}, on_change: at_once", levels="[{id: green, from: 0}, {id: gold, from: 300}]")
        assert life.publish(dearer, "2025-07-01T12:00Z") == "green"
        assert life.moves() == [("2025-07-01T14:00+02:00", "gold", "green")]
        cheaper = ladder(f"{YEAR}, on_change: at_once", levels="[{id: green, from: 0}, {id: gold, from: 50}]")
        assert life.publish(cheaper, "2025-08-01T12:00Z") == "gold"

    def test_at_once_judges_by_the_year_in_which_the_level_was_reached(self) -> None:
        # given gold of 2025 that holds through 2026, in which nothing was bought yet
        life = Life(ladder(f"{YEAR}, on_change: at_once"))
        life.buy("2025-06-01T12:00Z", 100)
        life.settle("2026-01-02T12:00Z")
        renamed = ladder(f"{YEAR}, on_change: at_once, name: Status")
        assert life.publish(renamed, "2026-02-01T12:00Z") == "gold"
        assert life.settle("2027-01-01T12:00Z") == "green"

    def test_other_changes_judge_nobody(self) -> None:
        before = ladder(f"{YEAR}, on_change: at_once")
        after = ladder(f"{YEAR}, on_change: at_once", rest="late: {accept_within: 10d}")
        assert before.tracking != after.tracking
        assert after.changed_since(before.tracking) == []
        assert after.counted_anew(before.tracking) == after.tracking

    def test_counted_anew_but_not_judged(self) -> None:
        before = ladder(f"{YEAR}, on_change: at_once")
        after = ladder(f"{YEAR}, on_change: at_once, grace: 1mo")
        kept = after.counted_anew(before.tracking)
        assert kept.split()[0] == after.tracking.split()[0]
        assert [tier_set.id for tier_set in after.changed_since(kept)] == ["t"]

    def test_a_level_that_is_gone_is_replaced_by_what_the_metrics_give(self) -> None:
        life = Life(ladder(YEAR))
        life.buy("2025-06-01T12:00Z", 100)
        other = ladder(YEAR, levels="[{id: green, from: 0}, {id: silver, from: 60}, {id: platinum, from: 900}]")
        assert life.publish(other, "2025-07-01T12:00Z") == "silver"
        assert life.moves() == [("2025-07-01T14:00+02:00", "gold", "silver")]
        lowest = ladder(YEAR, levels="[{id: start, from: 0}]")
        assert life.publish(lowest, "2025-08-01T12:00Z") == "start"
        assert life.state.counters.tiers == {"t": "start"}

    def test_a_period_window_that_is_unknown_lets_nobody_fall_at_once(self) -> None:
        life = Life(ladder("window: period, validity: 12mo, on_change: at_once"))
        life.buy("2025-06-01T12:00Z", 100)
        longer = ladder("window: period, validity: 24mo, on_change: at_once")
        assert life.publish(longer, "2025-07-01T12:00Z") == "gold"
        assert life.until("2025-07-01T12:00Z") == ("2027-06-02T00:00+02:00", "green")

    def test_who_has_no_period_yet_is_judged_by_today(self) -> None:
        life = Life(ladder(f"{YEAR}, on_change: at_once"))
        life.buy("2025-06-01T12:00Z", 90)
        cheaper = ladder(f"{YEAR}, on_change: at_once", levels="[{id: green, from: 0}, {id: gold, from: 50}]")
        assert life.publish(cheaper, "2025-08-01T12:00Z") == "gold"
        following = ladder("window: rolling 30d, on_change: at_once", levels="[{id: green, from: 0}]")
        assert following.changed_since(cheaper.tracking) != []
