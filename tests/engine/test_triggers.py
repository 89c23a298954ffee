"""Triggers of time: when each comes, for whom, and once however often and late somebody looks."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.shop_world import at, counted, decided, happening, member, purchase
from engine.time_world import Passing, born, daily, passed, timely
from setia.engine.due import inactivity_ends, next_due
from setia.engine.state import Counters
from setia.engine.triggers import PointsEnd, next_occasions, reach_after, reach_from, warned_at

BEGIN, NEW_YEAR = "2026-01-01T12:00+01:00", "2027-01-01T00:00+01:00"
BIRTHDAY = "{birthday: {registered: 30d, late: %s}}"


# ------------------------------------------------------------------------------------------------------------ birthdays


def test_a_birthday_comes_each_year_on_its_day() -> None:
    passing = daily(timely("{birthday: {}}"), born("1990-03-20"), BEGIN, "2028-12-31T00:00Z")
    assert passing.moments == ["2026-03-20 09:00", "2027-03-20 09:00", "2028-03-20 09:00"]
    assert passing.happened[0].data == {"date": "2026-03-20"}


@pytest.mark.parametrize(
    ("late", "registered", "expected"),
    [
        # DOC-43d and DOC-45: registered 19 days before, paid 30 days after that (the first year only), or next year.
        ("after_lead", "2026-03-01T12:00+01:00", ["2026-03-31 09:00", "2027-03-20 09:00"]),
        ("next_year", "2026-03-01T12:00+01:00", ["2027-03-20 09:00"]),
        # DOC-43e: well ahead; and exactly in time.
        ("after_lead", "2026-01-10T12:00+01:00", ["2026-03-20 09:00", "2027-03-20 09:00"]),
        ("next_year", "2026-02-18T23:59+01:00", ["2026-03-20 09:00", "2027-03-20 09:00"]),
        ("next_year", "2026-02-19T00:00+01:00", ["2027-03-20 09:00"]),
        # After the day there is nothing to pay this year.
        ("after_lead", "2026-03-21T00:00+01:00", ["2027-03-20 09:00"]),
        # Late in the year before, and the lead ends in this one.
        ("after_lead", "2026-03-20T00:00+01:00", ["2026-04-19 09:00", "2027-03-20 09:00"]),
    ],
)
def test_a_birthday_that_was_registered_late(late: str, registered: str, expected: list[str]) -> None:
    state = born("1990-03-20", registered_at={"birthday": at(registered)})
    assert daily(timely(BIRTHDAY % late), state, registered, "2027-12-31T00:00Z").moments == expected


def test_a_lead_that_ends_in_the_next_year_is_of_the_birthday_before_it() -> None:
    state = born("1990-12-20", registered_at={"birthday": at("2026-12-15T12:00+01:00")})
    passing = daily(timely(BIRTHDAY % "after_lead"), state, "2026-12-15T12:00+01:00", "2028-06-01T00:00Z")
    assert passing.moments == ["2027-01-14 09:00", "2027-12-20 09:00"]


def test_changing_the_birthday_does_not_pay_twice_in_a_year() -> None:  # DOC-44
    passing = daily(timely("{birthday: {}}"), born("1990-04-10"), BEGIN, "2026-05-01T00:00Z")
    changed = at("2026-05-01T00:00Z")
    passing.state = msgspec.structs.replace(
        passing.state, attributes={"birthday": "1990-09-01"}, registered_at={"birthday": changed}
    )
    passing.woken(changed)
    for day in ("2026-05-01T00:00Z", "2026-09-01T12:00Z", "2027-04-10T12:00Z", "2027-09-01T12:00Z"):
        passing.look(at(day))
    assert passing.moments == ["2026-04-10 09:00", "2027-09-01 09:00"]


def test_who_has_had_one_waits_for_the_next_year_after_a_change() -> None:
    # Else New Year's Eve could be followed by New Year's Day.
    passing = daily(timely(BIRTHDAY % "after_lead"), born("1990-12-31"), BEGIN, "2026-12-31T12:00Z")
    passing.state = msgspec.structs.replace(
        passing.state,
        attributes={"birthday": "1990-01-01"},
        registered_at={"birthday": at("2026-12-31T12:00Z")},
    )
    passing.woken(at("2026-12-31T12:00Z"))
    for day in ("2027-01-01T12:00Z", "2027-02-01T12:00Z", "2028-01-01T12:00Z"):
        passing.look(at(day))
    assert passing.moments == ["2026-12-31 09:00", "2028-01-01 09:00"]


@pytest.mark.parametrize(
    ("leap_day", "expected"),
    [
        ("02-28", ["2026-02-28 09:00", "2027-02-28 09:00", "2028-02-29 09:00"]),
        ("03-01", ["2026-03-01 09:00", "2027-03-01 09:00", "2028-02-29 09:00"]),
    ],
)
def test_a_birthday_on_a_leap_day(leap_day: str, expected: list[str]) -> None:
    compiled = timely(f'{{birthday: {{leap_day: "{leap_day}"}}}}')
    assert daily(compiled, born("2000-02-29"), BEGIN, "2028-12-31T00:00Z").moments == expected


@pytest.mark.parametrize("attributes", [{}, {"birthday": "soon"}, {"birthday": 7}])
def test_without_a_date_there_is_no_birthday(attributes: dict[str, Any]) -> None:
    passing = daily(timely("{birthday: {}}"), member(attributes=attributes), BEGIN, NEW_YEAR)
    assert (passing.moments, passing.due) == ([], None)


def test_the_day_somebody_is_born_is_none_of_their_birthdays() -> None:
    passing = daily(timely("{birthday: {}}"), born("2026-06-01"), BEGIN, "2027-12-31T00:00Z")
    assert passing.moments == ["2027-06-01 09:00"]


# ------------------------------------------------------------------------------------------------------ by the calendar


@pytest.mark.parametrize(
    ("every", "enrolled", "expected"),
    [
        ("1y", "2024-02-29T12:00+01:00", [("2025-02-28", 1), ("2026-02-28", 2), ("2027-02-28", 3), ("2028-02-29", 4)]),
        ("1mo", "2026-01-31T12:00+01:00", [("2026-02-28", 1), ("2026-03-31", 2), ("2026-04-30", 3)]),
        ("100d", "2026-01-01T00:30+01:00", [("2026-04-11", 1), ("2026-07-20", 2)]),
        ("26w", "2025-12-31T23:30+00:00", [("2026-07-02", 1), ("2026-12-31", 2)]),  # New Year already in Berlin
    ],
)
def test_anniversaries_count_from_enrolment(every: str, enrolled: str, expected: list[tuple[str, int]]) -> None:
    compiled = timely(f"{{anniversary: {{every: {every}}}}}")
    until = f"{expected[-1][0]}T23:00Z"
    passing = daily(compiled, member(enrolled_at=at(enrolled)), enrolled, until)
    assert [(one.data["date"], one.data["number"]) for one in passing.happened] == expected


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("{every: day}", ["2026-01-02", "2026-01-03", "2026-01-04"]),
        ("{every: week}", ["2026-01-05", "2026-01-12", "2026-01-19"]),
        ("{every: week, on: sun}", ["2026-01-04", "2026-01-11", "2026-01-18"]),
        ("{every: month}", ["2026-02-01", "2026-03-01", "2026-04-01"]),
        ("{every: month, on: 31}", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("{every: month, on: last}", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("{every: quarter}", ["2026-04-01", "2026-07-01", "2026-10-01"]),
        ("{every: quarter, on: last}", ["2026-03-31", "2026-06-30", "2026-09-30"]),
        ("{every: year}", ["2027-01-01", "2028-01-01", "2029-01-01"]),
        ('{every: year, on: "02-29"}', ["2026-02-28", "2027-02-28", "2028-02-29"]),
    ],
)
def test_schedules(schedule: str, expected: list[str]) -> None:
    passing = daily(timely(f"{{schedule: {schedule}}}"), member(), BEGIN, f"{expected[-1]}T23:00Z")
    assert passing.moments == [f"{day} 09:00" for day in expected]
    assert passing.happened[0].data == {"date": expected[0], "period": schedule.split()[1].strip(",}")}


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        ("2026-03-29", "02:30", "2026-03-29T01:30:00+00:00"),  # does not exist: later by the clock
        ("2026-10-25", "02:30", "2026-10-25T00:30:00+00:00"),  # exists twice: the first
        ("2026-03-29", "03:00", "2026-03-29T01:00:00+00:00"),
        ("2026-10-25", "09:00", "2026-10-25T08:00:00+00:00"),
    ],
)
def test_a_time_of_day_when_clocks_change(day: str, clock: str, expected: str) -> None:
    compiled = timely(f'{{schedule: {{every: day, at: "{clock}"}}}}')
    [occasion] = next_occasions(compiled, member(), reach_from(at(f"{day}T00:00+01:00"), at(f"{day}T00:00+01:00")))
    assert occasion.at.isoformat() == expected


@pytest.mark.parametrize(("zone", "expected"), [("Asia/Kathmandu", "03:15"), ("Pacific/Kiritimati", "19:00")])
def test_a_schedule_is_of_the_programs_zone(zone: str, expected: str) -> None:
    compiled = timely("{schedule: {every: day}}", zone=zone)
    [occasion] = next_occasions(compiled, member(), reach_from(at("2026-05-01T00:00Z"), at("2026-05-01T00:00Z")))
    assert occasion.at.strftime("%H:%M") == expected


def test_calendars_end_where_dates_do() -> None:
    far = at("9997-12-30T12:00Z")
    for trigger in ("{schedule: {every: day}}", "{schedule: {every: month}}", "{anniversary: {}}", "{birthday: {}}"):
        state = born("1990-01-01", "9990-01-01T00:00Z")
        assert list(next_occasions(timely(trigger, zone="UTC"), state, reach_after(far, far)))[1:] == []


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("before: 3d", "2026-05-28 09:00"), ("after: 1w", "2026-06-07 09:00"), ('at: "18:30"', "2026-05-31 18:30")],
)
def test_a_date_that_a_member_has(setting: str, expected: str) -> None:
    compiled = timely(f"{{date: {{attribute: trial_ends, {setting}}}}}")
    passing = daily(compiled, member(attributes={"trial_ends": "2026-05-31"}), BEGIN, NEW_YEAR)
    assert [(one.at, one.data) for one in passing.happened] == [(expected, {"date": "2026-05-31"})]


def test_a_date_that_moves_comes_again_and_never_twice() -> None:
    compiled = timely("{date: {attribute: trial_ends, before: 3d}}")
    passing = daily(compiled, member(attributes={"trial_ends": "2026-05-31"}), BEGIN, "2026-05-29T00:00Z")
    for now, date in (("2026-05-29T00:00Z", "2026-06-30"), ("2026-06-28T00:00Z", "2026-05-31")):
        passing.state = msgspec.structs.replace(passing.state, attributes={"trial_ends": date})
        passing.woken(at(now))
        passing.look(at(now))
        passing.look(at("2026-06-27T12:00Z") if date == "2026-06-30" else at(NEW_YEAR))
    assert passing.moments == ["2026-05-28 09:00", "2026-06-27 09:00"]
    assert passing.state.counters.fired == {"t": "2026-05-31,2026-06-30"}


def test_no_date_no_occasion() -> None:
    compiled = timely("{date: {attribute: trial_ends}}")
    assert daily(compiled, member(), BEGIN, NEW_YEAR).due is None


def test_marks_of_dates_long_ago_are_forgotten() -> None:
    state = member(attributes={"trial_ends": "2026-05-31"}, counters=Counters(fired={"t": "2020-01-01,2026-01-01"}))
    passing = daily(timely("{date: {attribute: trial_ends}}"), state, BEGIN, NEW_YEAR)
    assert passing.state.counters.fired == {"t": "2026-01-01,2026-05-31"}


# ----------------------------------------------------------------------------------------------------------- inactivity


def test_inactivity_comes_once_in_a_spell() -> None:
    compiled = timely("{inactive: {after: 60d}}")
    passing = daily(compiled, member(counters=Counters(last_purchase_at=at("2026-01-10T18:00+01:00"))), BEGIN, NEW_YEAR)
    assert [(one.at, one.data) for one in passing.happened] == [
        ("2026-03-11 18:00", {"since": "2026-01-10", "days": 60})
    ]

    # A purchase begins a new spell.
    counters = msgspec.structs.replace(passing.state.counters, last_purchase_at=at("2027-01-01T12:00+01:00"))
    passing.state = msgspec.structs.replace(passing.state, counters=counters)
    passing.woken(at("2027-01-01T12:00+01:00"))
    for day in ("2027-01-02T00:00Z", "2027-06-01T00:00Z", "2028-01-01T00:00Z"):
        passing.look(at(day))
    assert passing.moments[1:] == []  # nobody looked for three months: too late
    counters = msgspec.structs.replace(passing.state.counters, last_purchase_at=at("2028-01-01T12:00+01:00"))
    passing.state = msgspec.structs.replace(passing.state, counters=counters)
    passing.woken(at("2028-01-01T12:00+01:00"))
    for day in ("2028-01-01T12:00Z", "2028-03-02T12:00Z"):
        passing.look(at(day))
    assert passing.moments[1:] == ["2028-03-01 12:00"]


def test_who_never_did_anything_is_inactive_from_enrolment_on() -> None:
    state = member(enrolled_at=at("2026-01-01T09:00+01:00"))
    assert daily(timely("{inactive: {after: 2w}}"), state, BEGIN, NEW_YEAR).moments == ["2026-01-15 09:00"]


def test_other_events_may_count_as_activity() -> None:
    compiled = timely("{inactive: {after: 10d, counting: [visit, purchase]}}", since="2026-02-01T00:00+01:00")
    state = member(enrolled_at=at("2026-01-01T09:00+01:00"))
    assert daily(compiled, state, "2026-02-01T00:00+01:00", NEW_YEAR).moments == ["2026-02-11 00:00"]

    visited = decided(compiled, happening("visit", at=at("2026-02-05T10:00+01:00")), state)
    bought = decided(compiled, purchase(100, at=at("2026-02-07T10:00+01:00")), state)
    assert (visited.outcome.active, bought.outcome.active) == (["t"], [])
    for decision, expected in ((visited, "2026-02-15 10:00"), (bought, "2026-02-17 10:00")):
        later = member(enrolled_at=state.enrolled_at, counters=decision.counters)
        assert daily(compiled, later, "2026-02-07T12:00+01:00", NEW_YEAR).moments == [expected]
    # An older one that comes late does not shorten it.
    late = decided(compiled, happening("visit", at=at("2026-02-01T10:00+01:00")), member(counters=visited.counters))
    assert late.counters.seen_at == visited.counters.seen_at == {"t": at("2026-02-05T10:00+01:00")}
    assert counted(compiled, visited.counters, late.outcome, at("2026-02-01T10:00+01:00")) == late.counters


# -------------------------------------------------------------------------------------------------------- ending points

ENDS = at("2026-04-01T00:00+02:00")


def ending(
    amount: int, *, points: str = "stars", earned: str = "2026-01-01T12:00Z", ends: dt.datetime = ENDS
) -> PointsEnd:
    return PointsEnd(points, amount, at(earned), ends)


def test_points_are_warned_of_once_for_each_day() -> None:
    ends = [ending(10), ending(5), ending(7, points="other"), ending(3, ends=at("2026-05-01T00:00+02:00"))]
    compiled = timely("{expiring: {points: stars}}", points="{stars: {expiry: {after: 3mo}}, other: {}}")
    passing = daily(compiled, member(), BEGIN, NEW_YEAR, ends=ends)
    assert [(one.at, one.data) for one in passing.happened] == [
        ("2026-03-17 09:00", {"points": "stars", "amount": 15, "date": "2026-03-31"}),
        ("2026-04-16 09:00", {"points": "stars", "amount": 3, "date": "2026-04-30"}),
    ]


def test_few_points_are_not_worth_a_word_and_amounts_are_whole_points() -> None:
    compiled = timely(
        "{expiring: {points: stars, before: 1w, at_least: 1.5}}", points="{stars: {decimals: 2, expiry: {after: 3mo}}}"
    )
    assert daily(compiled, member(), BEGIN, NEW_YEAR, ends=[ending(149)]).moments == []
    [one] = daily(compiled, member(), BEGIN, NEW_YEAR, ends=[ending(149), ending(1)]).happened
    assert (one.at, str(one.data["amount"])) == ("2026-03-24 09:00", "1.50")


def test_points_that_last_shorter_are_told_of_when_they_come() -> None:
    compiled = timely("{expiring: {points: stars, before: 2mo}}", points="{stars: {expiry: {after: 1mo}}}")
    ends = [
        ending(10, earned="2026-03-01T12:00Z"),
        ending(1, ends=at("2026-05-15T00:00+02:00"), earned="2026-03-14T08:00Z"),
    ]
    passing = daily(compiled, member(), "2026-03-01T12:00Z", NEW_YEAR, ends=ends)
    assert [(one.at, one.data["date"]) for one in passing.happened] == [
        ("2026-03-01 13:00", "2026-03-31"),
        ("2026-03-14 09:00", "2026-05-14"),
    ]
    earliest = warned_at(compiled, [ending(10), ending(2, points="other")], at("2026-03-01T12:00Z"))
    assert earliest == at("2026-03-01T12:00Z") + dt.timedelta(microseconds=1)
    assert warned_at(compiled, [ending(10)], at("2026-01-01T12:00Z")) == at("2026-01-31T09:00+01:00")
    assert warned_at(compiled, [], at("2026-01-01T12:00Z")) is None


def test_nobody_is_warned_of_points_that_have_ended() -> None:
    compiled = timely("{expiring: {points: stars}}", points="{stars: {expiry: {after: 3mo}}}")
    assert passed(compiled, member(), BEGIN, "2026-04-01T00:00Z", ends=[ending(10)]).moments == []


@pytest.mark.parametrize(("decay", "amount"), [("", 40), (", decay: {every: 1mo, percent: 10}", 4)])
def test_points_that_end_by_inactivity_are_warned_of(decay: str, amount: int) -> None:
    compiled = timely("{expiring: {points: stars}}", points=f"{{stars: {{expiry: {{inactivity: 3mo{decay}}}}}}}")
    state = member(balances={"stars": 40}, counters=Counters(active_at={"stars": at("2026-01-10T12:00+01:00")}))
    item = next_due(compiled, state, at(BEGIN))
    assert item is not None
    assert (item.kind, item.subject, item.key) == ("trigger", "t", "2026-04-10")
    assert item.at == at("2026-03-27T09:00+01:00")
    assert next_due(compiled, member(), at(BEGIN)) is None
    passing = daily(compiled, state, BEGIN, NEW_YEAR, ends=list(inactivity_ends(compiled, state)))
    assert [one.data for one in passing.happened] == [{"points": "stars", "amount": amount, "date": "2026-04-10"}]


# -------------------------------------------------------------------------------------------------------- ending offers


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("{}", [("2026-01-28 09:00", "2026-01-31", "o")]),
        ("{before: 1w, offers: [o]}", [("2026-01-24 09:00", "2026-01-31", "o")]),
        ("{offers: [other]}", []),
        ("{before: 2mo}", []),  # the window is shorter than that
    ],
)
def test_offers_that_end(settings: str, expected: list[tuple[str, str, str]]) -> None:
    # given an offer that was assigned until the end of January
    offers = "\n".join(
        f"  {name}: {{on: purchase, offer: {{valid_for: 30d, progress: {{orders: 2}}}}, earn: {{stars: 5}}}}"
        for name in ("o", "other")
    )
    compiled = timely(f"{{offer_ending: {settings}}}", rest=f"campaigns:\n{offers}")
    data = {"offer": "o", "ends": "2026-02-01T00:00:00+01:00"}
    assigned = decided(compiled, happening("offer_assigned", at=at(BEGIN), data=data), member()).counters

    # then its end is told once, with the instance
    passing = daily(compiled, member(counters=assigned), BEGIN, NEW_YEAR)
    assert [(one.at, one.data["date"], one.data["offer"]) for one in passing.happened] == expected
    assert all(one.data["instance"] in assigned.offers for one in passing.happened)


@pytest.mark.parametrize(
    ("audience", "tags", "comes"),
    [
        ('"vip" in member.tags', ("vip",), True),
        ('"vip" in member.tags', (), False),
        ("time.month == 3", (), True),
        ("time.month == 4", (), False),
        ('member.attributes.size == "m"', (), False),  # not set: nobody
        ("member.dates.birthday.month == time.month", (), True),
        ("member.dates.birthday.day == 1 && member.dates.birthday.year == 1990", (), False),
        ("member.dates.trial_ends.month == 3", (), False),
    ],
)
def test_an_audience(audience: str, tags: tuple[str, ...], *, comes: bool) -> None:
    compiled = timely(f"{{birthday: {{}}, for: '{audience}'}}")
    passing = daily(compiled, born("1990-03-20", tags=tags), BEGIN, NEW_YEAR)
    assert passing.moments == (["2026-03-20 09:00"] if comes else [])
    assert bool(passing.state.counters.fired) == comes


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_nothing_happens_to_who_is_not_active(status: str) -> None:
    passing = daily(timely("{schedule: {every: day}}"), member(status=status), BEGIN, NEW_YEAR)
    assert (passing.moments, passing.due) == ([], None)


@pytest.mark.parametrize(
    ("late_by", "look", "comes"),
    [
        ("7d", "2026-03-27T08:59+01:00", True),
        ("7d", "2026-03-27T09:01+01:00", False),
        ("90min", "2026-03-20T10:30+01:00", True),
        ("90min", "2026-03-20T10:31+01:00", False),
        ("36h", "2026-03-21T20:59+01:00", True),
        ("0d", "2026-03-20T09:00+01:00", True),
    ],
)
def test_what_is_too_late_is_left_out(late_by: str, look: str, *, comes: bool) -> None:
    compiled = timely(f"{{birthday: {{}}, late_by: {late_by}}}")
    passing = passed(compiled, born("1990-03-20"), BEGIN, look)
    assert passing.moments == (["2026-03-20 09:00"] if comes else [])
    assert passing.due == at("2027-03-20T09:00+01:00")


def test_what_was_due_before_the_trigger_was_there_is_not_made_up_for() -> None:
    compiled = timely("{schedule: {every: day}}", since="2026-02-01T10:00+01:00")
    passing = passed(compiled, member(), "2026-01-30T00:00+01:00", "2026-02-03T00:00+01:00")
    assert passing.moments == ["2026-02-02 09:00"]


def test_what_was_due_before_the_enrolment_neither() -> None:
    state = member(enrolled_at=at("2026-02-01T10:00+01:00"))
    passing = passed(timely("{schedule: {every: day}}"), state, "2026-01-30T00:00+01:00", "2026-02-03T00:00+01:00")
    assert passing.moments == ["2026-02-02 09:00"]


def test_several_at_one_moment_come_by_name() -> None:
    compiled = timely("{schedule: {every: day}}\n  a: {schedule: {every: day}}\n  z: {birthday: {}}")
    passing = passed(compiled, born("1990-01-02"), BEGIN, "2026-01-02T12:00+01:00", "2026-01-02T13:00+01:00")
    assert [one.type for one in passing.happened] == ["a", "t", "z"]


def test_what_time_does_is_no_activity_and_makes_nothing_late() -> None:
    compiled = timely("{schedule: {every: day}}", points="{stars: {expiry: {inactivity: 1mo}}}")
    event = happening("t", at=at("2026-03-01T09:00+01:00"), fired={"t": "2026-03-01"})
    decision = decided(compiled, event, member(balances={"stars": 5}))
    assert (decision.outcome.extends, decision.counters.newest_at) == ([], None)
    assert decision.counters.fired == decision.outcome.fired == {"t": "2026-03-01"}
    assert counted(compiled, Counters(), decision.outcome, event.occurred_at) == decision.counters


_TRIGGERS = st.sampled_from(
    [
        "{schedule: {every: day}, late_by: 1y}",
        "{schedule: {every: week, on: wed}, late_by: 1y}",
        '{schedule: {every: month, on: last, at: "02:30"}, late_by: 1y}',
        "{anniversary: {every: 1mo}, late_by: 1y}",
        "{birthday: {}, late_by: 1y}",
        "{date: {attribute: trial_ends, before: 1mo}, late_by: 1y}",
        "{inactive: {after: 45d}, late_by: 1y}",
        "{expiring: {points: stars}, late_by: 1y}",
    ]
)


@given(
    trigger=_TRIGGERS,
    zone=st.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "UTC"]),
    looks=st.lists(st.integers(0, 300 * 24 * 4), min_size=1, max_size=12),
    wakes=st.lists(st.integers(0, 300 * 24 * 4), max_size=4),
)
def test_each_occasion_comes_exactly_once_whenever_somebody_looks(
    trigger: str, zone: str, looks: list[int], wakes: list[int]
) -> None:
    # given a member for whom every trigger has something
    compiled = timely(trigger, zone=zone, points="{stars: {expiry: {after: 3mo}}}")
    state = born("1990-08-31")
    state.attributes["trial_ends"] = "2026-07-31"
    begin, quarter = at(BEGIN), dt.timedelta(minutes=15)
    last = max(looks)
    ends = [PointsEnd("stars", 5, begin, begin + 400 * dt.timedelta(days=1))]

    # when nobody is late, and when somebody looks whenever they like, twice, and out of order with changes
    prompt = daily(compiled, state, BEGIN, (begin + last * quarter).isoformat(), ends=ends)
    sloppy = Passing(compiled, state, BEGIN, ends=ends)
    for moment, look in sorted([(look, 1) for look in (*looks, *looks)] + [(wake, 0) for wake in wakes if wake < last]):
        now = begin + moment * quarter
        if look:
            sloppy.look(now)
        else:
            sloppy.woken(now)

    # then the same has happened
    assert sloppy.happened == prompt.happened
    assert len(set(map(str, prompt.happened))) == len(prompt.happened)
