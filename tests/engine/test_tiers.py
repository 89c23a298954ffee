"""Tiers: windows, thresholds, rising at once, and progress. What time does to levels: `test_reviews`."""

from __future__ import annotations

import datetime as dt

import pytest

from engine.shop_world import at, counted, decided, happening, line, member, program, purchase
from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Outcome, PointsEffect, TierChange
from setia.engine.state import Counters
from setia.engine.tiers import Need, Standing, metric_value, standings

LONG_AGO = at("2025-01-01T00:00Z")
LEVELS = "[{id: green, from: 0}, {id: gold, from: 100}, {id: black, from: 500, keep_from: 400}]"


def ladder(
    metric: str = "spend", window: str = "lifetime", rest: str = "campaigns: {}", **settings: str
) -> CompiledProgram:
    return program(f"tiers: [{{id: t, metric: {metric}, window: {window}, levels: {LEVELS}}}]\n{rest}", **settings)


def climb(compiled: CompiledProgram, *buys: tuple[str, int], enrolled_at: dt.datetime = LONG_AGO) -> list[str]:
    """The level after each purchase of so many euros."""
    counters, levels = Counters(), []
    for moment, euros in buys:
        state = member(counters=counters, enrolled_at=enrolled_at)
        counters = decided(compiled, purchase(euros * 100, at=at(moment)), state).counters
        levels.append(compiled.levels_of(counters)["t"])
    return levels


@pytest.mark.parametrize(("cents", "level"), [(9999, "green"), (10000, "gold"), (49999, "gold"), (50000, "black")])
def test_a_level_is_reached_at_its_threshold(cents: int, level: str) -> None:
    decision = decided(ladder(), purchase(cents))
    expected = [] if level == "green" else [TierChange("t", "green", level)]
    assert decision.outcome.tiers == expected
    assert decision.counters.tiers == ({} if level == "green" else {"t": level})


def test_a_member_rises_at_once_over_several_levels_and_only_once() -> None:
    compiled = ladder()
    assert climb(compiled, ("2026-01-01T12:00Z", 600), ("2026-01-02T12:00Z", 1)) == ["black", "black"]
    first = decided(compiled, purchase(60000))
    assert decided(compiled, purchase(100), member(counters=first.counters)).outcome.tiers == []


def test_nobody_falls_by_an_event() -> None:
    assert climb(ladder(window="calendar_year"), ("2025-12-31T12:00Z", 600), ("2026-01-02T12:00Z", 1)) == [
        "black",
        "black",
    ]


@pytest.mark.parametrize(
    ("window", "first", "second", "together"),
    [
        ("lifetime", "2020-01-01T12:00+01:00", "2026-01-01T12:00+01:00", True),
        ("calendar_year", "2026-01-01T00:00+01:00", "2026-12-31T23:59+01:00", True),
        ("calendar_year", "2025-12-31T23:59+01:00", "2026-01-01T00:00+01:00", False),
        ("calendar_year", "2025-12-31T23:00+00:00", "2026-12-31T22:59+00:00", True),  # both 2026 in Berlin
        ("rolling 30d", "2026-03-01T12:00+01:00", "2026-03-30T12:00+02:00", True),
        ("rolling 30d", "2026-03-01T12:00+01:00", "2026-03-31T00:00+02:00", False),
        ("rolling 12mo", "2025-03-05T12:00+01:00", "2026-03-04T23:00+01:00", True),
        ("rolling 12mo", "2025-03-04T12:00+01:00", "2026-03-04T00:00+01:00", False),
        ("rolling 1y", "2024-02-29T12:00+01:00", "2025-02-27T12:00+01:00", True),
        ("rolling 1y", "2024-02-29T12:00+01:00", "2025-03-01T00:00+01:00", False),
        ("rolling 2w", "2026-03-18T00:00+01:00", "2026-03-31T23:59+02:00", True),
        ("{starts: 2026-03-01, ends: 2026-03-31}", "2026-03-01T00:00+01:00", "2026-03-31T23:59+02:00", True),
        ("{starts: 2026-03-01, ends: 2026-03-31}", "2026-02-28T23:59+01:00", "2026-03-31T23:59+02:00", False),
        ("{starts: 2026-03-01, ends: 2026-03-31}", "2026-03-31T23:59+02:00", "2026-04-01T00:00+02:00", False),
    ],
)
def test_windows(window: str, first: str, second: str, *, together: bool) -> None:
    # 60 and 60 make gold only together
    assert climb(ladder(window=window), (first, 60), (second, 60)) == ["green", "gold" if together else "green"]


@pytest.mark.parametrize(
    ("enrolled", "first", "second", "together"),
    [
        ("2025-06-15T12:00+02:00", "2025-06-15T13:00+02:00", "2026-06-14T23:59+02:00", True),
        ("2025-06-15T12:00+02:00", "2026-06-14T23:59+02:00", "2026-06-15T00:00+02:00", False),
        # the year of one who enrolled on 29 February begins on the 28th where there is no 29th
        ("2024-02-29T12:00+01:00", "2025-02-27T12:00+01:00", "2025-02-28T00:00+01:00", False),
        ("2024-02-29T12:00+01:00", "2025-02-28T00:00+01:00", "2026-02-27T23:59+01:00", True),
        ("2024-02-29T12:00+01:00", "2028-02-28T12:00+01:00", "2028-02-29T00:00+01:00", False),
        # the day of enrolment is that of the program's zone: 31 December 23:30 UTC is 1 January in Berlin
        ("2025-12-31T23:30+00:00", "2026-12-31T23:59+01:00", "2027-01-01T00:00+01:00", False),
        # a purchase before enrolment lies in a year of its own
        ("2025-06-15T12:00+02:00", "2025-06-14T12:00+02:00", "2025-06-15T13:00+02:00", False),
    ],
)
def test_anniversary(enrolled: str, first: str, second: str, *, together: bool) -> None:
    levels = climb(ladder(window="anniversary"), (first, 60), (second, 60), enrolled_at=at(enrolled))
    assert levels == ["green", "gold" if together else "green"]


def test_late_events_count_in_the_window_in_which_they_occurred() -> None:
    compiled = ladder(window="calendar_year")
    # given 60 this year, then 60 that come late from last year
    counters = decided(compiled, purchase(6000, at=at("2026-01-05T12:00Z"))).counters
    late = decided(
        compiled, purchase(6000, at=at("2025-12-30T12:00Z")), member(counters=counters), now=at("2026-01-06T12:00Z")
    )
    assert late.outcome.tiers == []
    # when 40 more come for last year, then last year reaches gold
    late = decided(
        compiled,
        purchase(4000, at=at("2025-12-31T12:00Z")),
        member(counters=late.counters),
        now=at("2026-01-06T12:00Z"),
    )
    assert late.outcome.tiers == [TierChange("t", "green", "gold")]


def test_a_late_event_completes_a_rolling_window() -> None:
    # 60 on 20 March, and then 60 of 10 March come in: on 20 March there were 120 within 30 days
    buys = ("2026-03-20T12:00Z", 60), ("2026-03-10T12:00Z", 60)
    assert climb(ladder(window="rolling 30d"), *buys) == ["green", "gold"]


@pytest.mark.parametrize(
    ("metric", "events", "level"),
    [
        ("orders", 99, "green"),
        ("orders", 100, "gold"),
        ("points.stars.earned", 49, "green"),
        ("points.stars.earned", 50, "gold"),
    ],
)
def test_orders_and_points_earned(metric: str, events: int, level: str) -> None:
    compiled = ladder(metric, rest="campaigns: {a: {on: purchase, earn: {stars: 2}}}")
    assert climb(compiled, *[("2026-01-05T12:00Z", 1)] * events)[-1] == level


def test_visits() -> None:
    compiled = ladder("visits")
    counters = Counters()
    for _ in range(100):
        counters = decided(compiled, happening("visit"), member(counters=counters)).counters
    assert compiled.levels_of(counters) == {"t": "gold"}
    assert counters.lifetime == {"visits": 100}


def test_the_balance_counts_what_is_available_after_the_event() -> None:
    compiled = ladder("points.stars.balance", rest="campaigns: {a: {on: visit, earn: {stars: 10}}}")
    assert decided(compiled, happening("visit"), member(balances={"stars": 89})).outcome.tiers == []
    assert decided(compiled, happening("visit"), member(balances={"stars": 90})).outcome.tiers == [
        TierChange("t", "green", "gold")
    ]


def test_pending_points_are_earned_but_no_balance() -> None:
    rest = "campaigns: {a: {on: visit, earn: {stars: 100}}}"
    pending = "{stars: {available_after: 14d}}"
    balance = ladder("points.stars.balance", rest=rest, points=pending)
    assert decided(balance, happening("visit")).outcome.tiers == []
    earned = ladder("points.stars.earned", rest=rest, points=pending)
    assert decided(earned, happening("visit")).outcome.tiers == [TierChange("t", "green", "gold")]


def test_deductions_lower_the_balance_and_not_what_was_earned() -> None:
    rest = "campaigns: {a: {on: visit, earn: {stars: 100}, deduct: {stars: 1}}}"
    assert decided(ladder("points.stars.balance", rest=rest), happening("visit")).outcome.tiers == []
    assert decided(ladder("points.stars.earned", rest=rest), happening("visit")).outcome.tiers == [
        TierChange("t", "green", "gold")
    ]


@pytest.mark.parametrize(
    ("from_", "cents", "reached"),
    [("0.005", 0, False), ("0.005", 1, True), ("99.999", 9999, False), ("99.999", 10000, True)],
)
def test_a_threshold_finer_than_a_cent(from_: str, cents: int, *, reached: bool) -> None:
    compiled = program(
        f"tiers: [{{id: t, metric: spend, levels: [{{id: a, from: 0}}, {{id: b, from: {from_}}}]}}]\ncampaigns: {{}}"
    )
    assert bool(decided(compiled, purchase(cents)).outcome.tiers) is reached


@pytest.mark.parametrize(
    ("metric", "currency", "points", "digits"),
    [
        ("spend", "JPY", "{stars: {}}", 0),
        ("spend", "KWD", "{stars: {}}", 3),
        ("points.stars.earned", "EUR", "{stars: {decimals: 2}}", 2),
    ],
)
def test_metrics_in_the_decimals_of_their_unit(metric: str, currency: str, points: str, digits: int) -> None:
    compiled = ladder(
        metric,
        rest="campaigns: {a: {on: purchase, earn: {stars: {expression: event.total}}}}",
        currency=currency,
        points=points,
    )
    counters = decided(compiled, purchase(99 * 10**digits, currency=currency)).counters
    assert standings(compiled, counters, {}, dt.date(2026, 3, 4), at("2026-01-01T00:00Z")) == [
        Standing(
            *("t", "green", 99 * 10**digits, "gold", 10**digits, digits),
            needs=[Need(metric, "lifetime", 99 * 10**digits, 100 * 10**digits, digits)],
        )
    ]


def test_spend_is_counted_on_the_programs_basis() -> None:
    compiled = program(
        f"money: {{tax: excluded}}\ntiers: [{{id: t, metric: spend, levels: {LEVELS}}}]\ncampaigns: {{}}"
    )
    decision = decided(compiled, purchase(line(11900, tax=1900), line(5000, labels=("gift_card",)), shipping=500))
    assert decision.outcome.counted == {"orders": 1, "spend": 10000}
    assert decision.counters.lifetime == {"orders": 1, "spend": 10000}
    assert decision.outcome.tiers == [TierChange("t", "green", "gold")]


def test_conditions_see_the_level_before_the_event() -> None:
    compiled = ladder(rest="""campaigns: {a: {on: purchase, when: 'member.tiers.t == "gold"', earn: {stars: 1}}}""")
    first = decided(compiled, purchase(10000))
    assert first.outcome.points == []
    assert len(decided(compiled, purchase(100), member(counters=first.counters)).outcome.points) == 1


def test_a_campaign_sets_a_level() -> None:
    compiled = ladder(rest="campaigns: {vip: {on: visit, tier: {t: black}}}")
    decision = decided(compiled, happening("visit"))
    assert decision.outcome.tiers == [TierChange("t", "green", "black", "vip")]
    assert decision.counters.tiers == {"t": "black"}
    assert decision.outcome.uses == ["vip"]
    # who has it already keeps it without a change
    assert decided(compiled, happening("visit"), member(counters=decision.counters)).outcome.tiers == []


def test_a_level_is_set_after_the_metric_was_judged() -> None:
    compiled = ladder(rest="campaigns: {vip: {on: purchase, tier: {t: black}}}")
    assert decided(compiled, purchase(10000)).outcome.tiers == [
        TierChange("t", "green", "gold"),
        TierChange("t", "gold", "black", "vip"),
    ]


def test_several_ladders() -> None:
    compiled = program(
        f"tiers:\n"
        f"  - {{id: money, metric: spend, levels: {LEVELS}}}\n"
        f"  - {{id: often, metric: orders, levels: [{{id: one, from: 0}}, {{id: two, from: 2}}]}}\n"
        f"campaigns: {{}}"
    )
    first = decided(compiled, purchase(10000))
    assert first.outcome.tiers == [TierChange("money", "green", "gold")]
    second = decided(compiled, purchase(100), member(counters=first.counters))
    assert second.outcome.tiers == [TierChange("often", "one", "two")]
    assert compiled.levels_of(second.counters) == {"money": "gold", "often": "two"}


def test_the_explanation_shows_the_metric_against_the_next_level() -> None:
    compiled = ladder()
    assert decided(compiled, purchase(4200)).explanation.tiers == {"t": "4200/10000"}
    assert decided(compiled, purchase(60000)).explanation.tiers == {"t": "60000"}


def test_standings() -> None:
    compiled = ladder()
    day, enrolled = dt.date(2026, 3, 4), at("2026-01-01T00:00Z")

    def needs(value: int, needed: int) -> list[Need]:
        return [Need("spend", "lifetime", value, needed, 2)]

    assert standings(compiled, Counters(), {}, day, enrolled) == [
        Standing("t", "green", 0, "gold", 10000, 2, needs(0, 10000))
    ]
    counters = decided(compiled, purchase(60000)).counters
    assert standings(compiled, counters, {}, day, enrolled) == [Standing("t", "black", 60000, None, 0, 2)]
    # one who was put higher than the metric says has nothing missing to be less
    assert standings(compiled, Counters(tiers={"t": "gold"}), {}, day, enrolled) == [
        Standing("t", "gold", 0, "black", 50000, 2, needs(0, 50000))
    ]
    # and one whose level is no longer defined stands on the first, with all the metric says
    lost = Counters(tiers={"t": "gone"}, windows=counters.windows)
    assert standings(compiled, lost, {}, day, enrolled) == [
        Standing("t", "green", 60000, "gold", 0, 2, needs(60000, 10000))
    ]


def test_the_metric_outside_a_fixed_window_is_nothing() -> None:
    compiled = ladder(window="{starts: 2026-03-01, ends: 2026-03-31}")
    counters = decided(compiled, purchase(6000)).counters
    [measure] = compiled.tier_sets[0].measures
    enrolled = at("2026-01-01T00:00Z")
    assert metric_value(compiled, measure, counters, {}, dt.date(2026, 3, 31), enrolled) == 6000
    assert metric_value(compiled, measure, counters, {}, dt.date(2026, 4, 1), enrolled) == 0


def test_two_ladders_on_one_window_count_once() -> None:
    compiled = program(
        f"tiers:\n"
        f"  - {{id: one, metric: spend, levels: {LEVELS}}}\n"
        f"  - {{id: two, metric: spend, levels: {LEVELS}}}\n"
        f"campaigns: {{}}"
    )
    decision = decided(compiled, purchase(10000))
    assert [change.tier_set for change in decision.outcome.tiers] == ["one", "two"]
    assert len(decision.counters.windows) == 1


def test_points_granted_by_hand_count_as_earned() -> None:
    # an adjustment is an outcome as well
    compiled = ladder("points.stars.earned")
    outcome = Outcome(points=[PointsEffect("stars", 70, "adjustment"), PointsEffect("stars", -20, "adjustment")])
    moment = at("2026-03-04T12:00Z")
    counters = counted(compiled, Counters(), outcome, moment)
    [standing] = standings(compiled, counters, {}, moment.date(), moment)
    assert standing.value == 70


@pytest.mark.parametrize(("kind", "nearest"), [("any", "orders"), ("all", "spend")])
def test_progress_where_several_criteria_count(kind: str, nearest: str) -> None:
    # 40 of 100 euros and 3 of 5 orders: what is left is compared as a share, for there is no common unit
    criteria = "{metric: spend, from: 100}, {metric: orders, window: calendar_year, from: 5}"
    compiled = program(
        f"tiers: [{{id: t, levels: [{{id: green, from: 0}}, {{id: gold, {kind}: [{criteria}]}}]}}]\ncampaigns: {{}}"
    )
    counters = Counters()
    for euros in (20, 10, 10):
        counters = decided(compiled, purchase(euros * 100), member(counters=counters)).counters
    [standing] = standings(compiled, counters, {}, dt.date(2026, 3, 4), at("2026-01-01T00:00Z"))
    assert [(need.metric, need.value, need.needed) for need in standing.needs] == [
        ("spend", 4000, 10000),
        ("orders", 3, 5),
    ]
    assert standing.any_of is (kind == "any")
    assert (standing.value, standing.missing) == ((3, 2) if nearest == "orders" else (4000, 6000))
    for _ in range(2):
        counters = decided(compiled, purchase(100), member(counters=counters)).counters
    assert compiled.levels_of(counters) == {"t": "gold" if kind == "any" else "green"}
    [top] = standings(compiled, Counters(tiers={"t": "gold"}), {}, dt.date(2026, 3, 4), at("2026-01-01T00:00Z"))
    assert (top.next_level, top.value, top.needs) == (None, 0, [])


def test_a_ladder_of_one_level_has_nothing_to_show() -> None:
    compiled = program("tiers: [{id: t, levels: [{id: all_of_us, from: 0}]}]\ncampaigns: {}")
    assert decided(compiled, purchase(100)).explanation.tiers == {"t": ""}
    [standing] = standings(compiled, Counters(), {}, dt.date(2026, 3, 4), at("2026-01-01T00:00Z"))
    assert standing == Standing("t", "all_of_us", 0, None, 0, 0)
