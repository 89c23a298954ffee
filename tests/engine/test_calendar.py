"""The local calendar: periods, lengths of time, the end of lots; both changes of the clocks in Berlin."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.shop_world import at
from setia.engine.calendar import (
    FIRST_DAY,
    LAST_DAY,
    add_to_day,
    after,
    expires_at,
    full_years,
    local,
    midnight,
    period_key,
)
from setia.program.expiry import Expiry
from setia.program.limits import LimitPeriod
from setia.program.names import Period

BERLIN = ZoneInfo("Europe/Berlin")
KUALA_LUMPUR = ZoneInfo("Asia/Kuala_Lumpur")
days = st.dates(dt.date(1990, 1, 1), dt.date(2100, 12, 31))


def period(text: str) -> Period:
    return Period.model_validate(text)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def expiry(**settings: object) -> Expiry:
    return Expiry.model_validate(settings)


def test_local_is_the_same_moment_on_another_clock() -> None:
    moment = at("2026-03-04T23:30+00:00")
    here = local(moment, BERLIN)
    assert here == moment
    assert here.isoformat() == "2026-03-05T00:30:00+01:00"


@pytest.mark.parametrize(
    ("kind", "date", "key"),
    [
        ("day", "2026-01-31", "2026-01-31"),
        ("week", "2026-01-31", "2026-W05"),
        ("week", "2027-01-01", "2026-W53"),
        ("week", "2024-12-30", "2025-W01"),
        ("month", "2026-01-31", "2026-01"),
        ("quarter", "2026-03-31", "2026-Q1"),
        ("quarter", "2026-04-01", "2026-Q2"),
        ("quarter", "2026-12-31", "2026-Q4"),
        ("year", "2026-12-31", "2026"),
        ("ever", "2026-12-31", "ever"),
    ],
)
def test_the_period_of_a_day(kind: LimitPeriod, date: str, key: str) -> None:
    assert period_key(kind, day(date)) == key


@given(days, days, st.sampled_from(("day", "week", "month", "quarter", "year")))
def test_period_keys_sort_by_time(one: dt.date, other: dt.date, kind: LimitPeriod) -> None:
    early, late = sorted((one, other))
    assert period_key(kind, early) <= period_key(kind, late)


@pytest.mark.parametrize(
    ("start", "length", "times", "end"),
    [
        ("2026-01-31", "1mo", 1, "2026-02-28"),
        ("2028-01-31", "1mo", 1, "2028-02-29"),
        ("2026-03-31", "1mo", -1, "2026-02-28"),
        ("2028-02-29", "1y", 1, "2029-02-28"),
        ("2028-02-29", "4y", 1, "2032-02-29"),
        ("2026-01-31", "13mo", 1, "2027-02-28"),
        ("2026-01-15", "12mo", -1, "2025-01-15"),
        ("2026-12-31", "1d", 1, "2027-01-01"),
        ("2026-01-01", "2w", -1, "2025-12-18"),
        ("2026-01-01", "0d", 1, "2026-01-01"),
    ],
)
def test_lengths_of_time_on_the_calendar(start: str, length: str, times: int, end: str) -> None:
    assert add_to_day(day(start), period(length), times) == day(end)


@pytest.mark.parametrize("length", ["99999d", "99999w", "99999mo", "9000y"])
def test_for_ever_is_no_error(length: str) -> None:
    # `accept_within: 9000y` and `expiry: {after: 9000y}` are how people write "always"
    start = day("2026-03-04")
    late, early = add_to_day(start, period(length)), add_to_day(start, period(length), -1)
    assert start < late <= LAST_DAY
    assert FIRST_DAY <= early < start


@pytest.mark.parametrize("length", ["5min", "5h"])
def test_hours_are_not_counted_in_days(length: str) -> None:
    with pytest.raises(ValueError, match="is not counted in days"):
        add_to_day(day("2026-01-01"), period(length))


@pytest.mark.parametrize(
    ("moment", "length", "then"),
    [
        # elapsed time runs on over both changes of the clocks
        ("2026-03-29T01:30+01:00", "1h", "2026-03-29T03:30+02:00"),
        ("2026-10-25T02:30+02:00", "60min", "2026-10-25T02:30+01:00"),
        ("2026-03-28T12:00+01:00", "24h", "2026-03-29T13:00+02:00"),
        # days keep the time of day: 23 and 25 hours
        ("2026-03-28T12:00+01:00", "1d", "2026-03-29T12:00+02:00"),
        ("2026-10-24T12:00+02:00", "1d", "2026-10-25T12:00+01:00"),
        # 02:30 does not exist on 29 March, and is read with the offset before: 03:30
        ("2026-03-28T02:30+01:00", "1d", "2026-03-29T03:30+02:00"),
        # 02:30 exists twice on 25 October: the first
        ("2026-10-24T02:30+02:00", "1d", "2026-10-25T02:30+02:00"),
        ("2026-10-18T02:30+02:00", "1w", "2026-10-25T02:30+02:00"),
        # the second 02:30 is as good a start as the first
        ("2026-10-25T02:30+01:00", "1d", "2026-10-26T02:30+01:00"),
        ("2026-10-25T02:30+01:00", "154d", "2027-03-28T03:30+02:00"),
        ("2026-10-25T02:30+01:00", "0d", "2026-10-25T02:30+01:00"),
        ("2026-01-31T10:00+01:00", "1mo", "2026-02-28T10:00+01:00"),
        ("2026-03-01T10:00+01:00", "1y", "2027-03-01T10:00+01:00"),
    ],
)
def test_later_by_a_period(moment: str, length: str, then: str) -> None:
    result = after(at(moment), period(length), BERLIN)
    assert result == at(then)
    assert result.tzinfo is dt.UTC


def test_midnight_is_the_beginning_of_the_local_day() -> None:
    assert midnight(day("2026-03-29"), BERLIN) == at("2026-03-28T23:00+00:00")
    assert midnight(day("2026-03-30"), BERLIN) == at("2026-03-29T22:00+00:00")
    # Beirut's clocks go forward at midnight: the day begins at 01:00
    assert midnight(day("2026-03-29"), ZoneInfo("Asia/Beirut")) == at("2026-03-29T01:00+03:00")


@pytest.mark.parametrize(
    ("settings", "earned", "ends"),
    [
        ({"after": "6mo"}, "2026-01-31T12:00+01:00", "2026-08-01T00:00+02:00"),
        ({"after": "1mo"}, "2026-01-31T12:00+01:00", "2026-03-01T00:00+01:00"),
        ({"after": "6mo", "align": "month_end"}, "2026-01-10T12:00+01:00", "2026-08-01T00:00+02:00"),
        ({"after": "1d", "align": "quarter_end"}, "2026-03-30T12:00+02:00", "2026-04-01T00:00+02:00"),
        ({"after": "1d", "align": "quarter_end"}, "2026-03-31T12:00+02:00", "2026-07-01T00:00+02:00"),
        ({"after": "1d", "align": "half_year_end"}, "2026-03-30T12:00+02:00", "2026-07-01T00:00+02:00"),
        ({"after": "2y", "align": "year_end"}, "2026-03-30T12:00+02:00", "2029-01-01T00:00+01:00"),
        ({"after": "30d"}, "2026-03-04T12:00+01:00", "2026-04-04T00:00+02:00"),
        # the local day counts, not that of UTC
        ({"after": "1d"}, "2026-03-04T23:30+00:00", "2026-03-07T00:00+01:00"),
        ({"after": "12h"}, "2026-03-28T20:00+01:00", "2026-03-29T09:00+02:00"),
        ({"after": "90min"}, "2026-03-29T01:00+01:00", "2026-03-29T03:30+02:00"),
        # hours to the end of a month: that of the day itself
        ({"after": "12h", "align": "month_end"}, "2026-03-04T12:00+01:00", "2026-04-01T00:00+02:00"),
        ({"on": ["03-31"]}, "2026-03-31T23:59+02:00", "2026-04-01T00:00+02:00"),
        ({"on": ["03-31"]}, "2026-04-01T00:00+02:00", "2027-04-01T00:00+02:00"),
        ({"on": ["12-31", "06-30"]}, "2026-03-04T12:00+01:00", "2026-07-01T00:00+02:00"),
        ({"on": ["12-31", "06-30"], "after": "6mo"}, "2026-03-04T12:00+01:00", "2027-01-01T00:00+01:00"),
        ({"on": ["02-29"]}, "2026-03-04T12:00+01:00", "2027-03-01T00:00+01:00"),
        ({"on": ["02-29"]}, "2027-03-04T12:00+01:00", "2028-03-01T00:00+01:00"),
        ({"on": ["06-30"], "after": "12h"}, "2026-06-30T20:00+02:00", "2026-07-01T00:00+02:00"),
    ],
)
def test_the_end_of_a_lot(settings: dict[str, object], earned: str, ends: str) -> None:
    assert expires_at(at(earned), expiry(**settings), BERLIN) == at(ends)


@pytest.mark.parametrize("settings", [{}, {"inactivity": "6mo"}])
def test_lots_that_do_not_end_by_the_calendar(settings: dict[str, object]) -> None:
    assert expires_at(at("2026-03-04T12:00+01:00"), expiry(**settings), BERLIN) is None


@pytest.mark.parametrize("align", ["none", "year_end"])
def test_a_lot_that_ends_in_nine_thousand_years(align: str) -> None:
    ends = expires_at(at("2026-03-04T12:00+01:00"), expiry(after="9000y", align=align), BERLIN)
    assert ends is not None
    assert ends.year >= LAST_DAY.year
    assert expires_at(at("2026-03-04T12:00+01:00"), expiry(after="9000y", on=["06-30"]), BERLIN) == at(
        "9998-07-01T00:00+02:00"
    )


def test_the_zone_decides_which_month_ends() -> None:
    moment = at("2026-01-31T20:00+00:00")  # in Kuala Lumpur it is 1 February, 04:00
    rule = expiry(after="0d", align="month_end")
    assert expires_at(moment, rule, BERLIN) == at("2026-02-01T00:00+01:00")
    assert expires_at(moment, rule, KUALA_LUMPUR) == at("2026-03-01T00:00+08:00")


@pytest.mark.parametrize(
    ("since", "date", "years"),
    [
        ("2024-02-29", "2025-02-27", 0),
        ("2024-02-29", "2025-02-28", 1),
        ("2024-02-29", "2028-02-28", 3),
        ("2024-02-29", "2028-02-29", 4),
        ("2025-06-15", "2026-06-14", 0),
        ("2025-06-15", "2026-06-15", 1),
        ("2025-06-15", "2025-06-14", -1),
    ],
)
def test_full_years(since: str, date: str, years: int) -> None:
    assert full_years(day(since), day(date)) == years


@given(days, st.integers(0, 400), st.sampled_from(("d", "w", "mo", "y")))
def test_a_longer_wait_never_ends_sooner(start: dt.date, count: int, unit: str) -> None:
    assert add_to_day(start, period(f"{count}{unit}")) <= add_to_day(start, period(f"{count + 1}{unit}"))
