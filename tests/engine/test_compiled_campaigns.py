"""Schedules: dates, moments, days and times of day on the program's clock; campaigns by what starts them."""

from __future__ import annotations

import pytest

from engine.shop_world import at, campaigns, considered, decided, granted, happening, program, purchase, total, verdicts
from setia.engine.compiled import compile_program
from setia.program.definition import Program


def runs(schedule: str, moment: str, zone: str = "Europe/Berlin") -> bool:
    compiled = campaigns(f"a: {{on: visit, schedule: {schedule}, earn: {{stars: 1}}}}", zone=zone)
    decision = decided(compiled, happening("visit", at=at(moment)))
    verdict = considered(decision, "a").verdict
    assert verdict in {"matched", "schedule"}
    assert total(decision) == (1 if verdict == "matched" else 0)
    return verdict == "matched"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-02-28T23:59:59+01:00", False),
        ("2026-03-01T00:00:00+01:00", True),
        ("2026-03-31T23:59:59+02:00", True),
        ("2026-04-01T00:00:00+02:00", False),
        # the same in UTC: a day of Berlin does not begin at midnight UTC
        ("2026-02-28T23:00:00+00:00", True),
        ("2026-03-31T22:00:00+00:00", False),
    ],
)
def test_dates_are_inclusive(moment: str, *, expected: bool) -> None:
    assert runs("{starts: 2026-03-01, ends: 2026-03-31}", moment) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-01T09:59:59+01:00", False),
        ("2026-03-01T10:00:00+01:00", True),
        ("2026-03-01T19:59:59.999999+01:00", True),
        ("2026-03-01T20:00:00+01:00", False),
    ],
)
def test_moments_start_inclusive_and_end_exclusive(moment: str, *, expected: bool) -> None:
    schedule = '{starts: "2026-03-01T10:00:00+01:00", ends: "2026-03-01T20:00:00+01:00"}'
    assert runs(schedule, moment) is expected


@pytest.mark.parametrize(("day", "expected"), [("2026-03-02", True), ("2026-03-03", False), ("2026-03-07", True)])
def test_days_of_the_week(day: str, *, expected: bool) -> None:
    assert runs("{days: [mon, sat]}", f"{day}T12:00+01:00") is expected


def test_the_day_is_that_of_the_program() -> None:
    # Monday 23:30 UTC is Tuesday in Berlin
    assert runs("{days: [tue]}", "2026-03-02T23:30+00:00")
    assert not runs("{days: [mon]}", "2026-03-02T23:30+00:00")


def test_an_empty_list_of_days_never_matches() -> None:
    assert not any(runs("{days: []}", f"2026-03-0{day}T12:00+01:00") for day in range(1, 8))


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("15:59", False), ("16:00", True), ("17:59", True), ("18:00", False)],
)
def test_from_is_inclusive_and_to_exclusive(clock: str, *, expected: bool) -> None:
    assert runs('{from: "16:00", to: "18:00"}', f"2026-03-03T{clock}+01:00") is expected


def test_until_midnight() -> None:
    assert runs('{from: "20:00", to: "24:00"}', "2026-03-03T23:59:59+01:00")
    assert not runs('{from: "20:00", to: "24:00"}', "2026-03-04T00:00+01:00")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-06T21:59+01:00", False),  # Friday evening, too early
        ("2026-03-06T22:00+01:00", True),
        ("2026-03-07T01:59+01:00", True),  # Saturday, but Friday's night
        ("2026-03-07T02:00+01:00", False),
        ("2026-03-07T22:30+01:00", False),  # Saturday's night
        ("2026-03-06T01:00+01:00", False),  # Friday, but Thursday's night
    ],
)
def test_hours_over_midnight_belong_to_the_day_they_began(moment: str, *, expected: bool) -> None:
    assert runs('{days: [fri], from: "22:00", to: "02:00"}', moment) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-01T01:00+01:00", False),  # the night of 28 February
        ("2026-03-01T22:00+01:00", True),
        ("2026-03-31T23:00+02:00", True),
        ("2026-04-01T01:59+02:00", True),  # the night of 31 March
        ("2026-04-01T02:00+02:00", False),
        ("2026-04-01T22:00+02:00", False),
    ],
)
def test_dates_mean_whole_nights_too(moment: str, *, expected: bool) -> None:
    assert runs('{starts: 2026-03-01, ends: 2026-03-31, from: "22:00", to: "02:00"}', moment) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        # 29 March: 02:00 to 03:00 does not exist
        ("2026-03-29T00:59:59+00:00", False),  # 01:59:59
        ("2026-03-29T01:00:00+00:00", True),  # 03:00
        ("2026-03-29T01:30:00+00:00", False),  # 03:30
        # 25 October: it exists twice
        ("2026-10-25T00:00:00+00:00", True),  # 02:00 summer time
        ("2026-10-25T01:30:00+00:00", True),  # 02:30 winter time
        ("2026-10-25T02:30:00+00:00", False),  # 03:30
    ],
)
def test_times_of_day_when_the_clocks_change(moment: str, *, expected: bool) -> None:
    assert runs('{from: "02:00", to: "03:30"}', moment) is expected


def test_dates_when_the_clocks_change() -> None:
    # 29 March has 23 hours, 25 October has 25
    assert runs("{starts: 2026-03-29, ends: 2026-03-29}", "2026-03-29T21:59:59+00:00")
    assert not runs("{starts: 2026-03-29, ends: 2026-03-29}", "2026-03-29T22:00:00+00:00")
    assert runs("{starts: 2026-10-25, ends: 2026-10-25}", "2026-10-25T22:59:59+00:00")
    assert not runs("{starts: 2026-10-25, ends: 2026-10-25}", "2026-10-25T23:00:00+00:00")


def test_a_schedule_in_another_zone() -> None:
    schedule = '{days: [tue], from: "08:00", to: "10:00"}'
    assert runs(schedule, "2026-03-03T00:00+00:00", zone="Asia/Kuala_Lumpur")
    assert not runs(schedule, "2026-03-03T08:00+00:00", zone="Asia/Kuala_Lumpur")


@pytest.mark.parametrize(
    "schedule", ["{ends: 9999-12-31}", "{starts: 0001-01-01}", "{starts: 0001-01-01, ends: 9999-12-31}"]
)
def test_for_ever(schedule: str) -> None:
    assert runs(schedule, "2026-03-03T00:00+00:00")


def test_a_campaign_is_only_considered_for_its_events() -> None:
    compiled = campaigns(
        """
        buys: {on: purchase, earn: {stars: 1}}
        comes: {on: visit, earn: {stars: 2}}
        both: {on: [purchase, visit], earn: {stars: 4}}
        joins: {on: member_enrolled, earn: {stars: 50}}
        asleep: {on: purchase, enabled: false, earn: {stars: 100}}
        """
    )
    assert granted(decided(compiled, purchase(100))) == {"buys": 1, "both": 4}
    assert granted(decided(compiled, happening("visit"))) == {"comes": 2, "both": 4}
    assert granted(decided(compiled, happening("member_enrolled"))) == {"joins": 50}
    assert "asleep" not in verdicts(decided(compiled, purchase(100)))


def test_an_event_of_the_programs_own() -> None:
    compiled = program(
        """
events: {review: {data: {type: object, properties: {rating: {type: integer}}}}}
campaigns:
  good: {on: review, when: event.data.rating >= 4, earn: {stars: 25}}
"""
    )
    assert total(decided(compiled, happening("review", data={"rating": 5}))) == 25
    assert total(decided(compiled, happening("review", data={"rating": 3}))) == 0


def test_an_event_that_the_program_does_not_know_starts_nothing() -> None:
    decision = decided(campaigns("a: {on: visit, earn: {stars: 1}}"), happening("earthquake"))
    assert decision.outcome.points == []
    assert decision.explanation.considered == []


def test_a_factor_given_as_text_is_a_number() -> None:
    data = {
        "program": {"id": "p", "name": "P", "currency": "EUR"},
        "points": {"stars": {}},
        "campaigns": {
            "base": {"on": "purchase", "earn": {"stars": 10}},
            "more": {"on": "purchase", "multiply": {"of": ["base"], "by": "1.25"}},
        },
    }
    assert total(decided(compile_program(Program.model_validate(data), 1), purchase(100))) == 12


def test_counters_are_counted_again_only_when_what_they_count_changes() -> None:
    text = (
        "late: {accept_within: 30d}\n"
        "tiers: [{id: t, metric: spend, levels: [{id: a, from: 0}]}]\n"
        "campaigns:\n"
        "  a: {on: visit, earn: {stars: 1}, limits: [{uses: 3}]}"
    )
    one = program(text).tracking
    assert program(text).tracking == one
    assert program(text.replace("stars: 1", "stars: 2")).tracking == one
    assert program(text.replace("uses: 3", "uses: 4")).tracking != one
    assert program(text.replace("30d", "31d")).tracking != one
    assert program(text.replace("spend", "orders")).tracking != one
    assert program(text, zone="UTC").tracking != one
