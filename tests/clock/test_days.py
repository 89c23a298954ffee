"""Where a clock stops: at the beginning of local days, whatever a zone does to them."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.clock.days import midnight_from, next_stop
from setia.engine.calendar import after, midnight
from setia.program.names import Period

ZONES = (
    *("UTC", "Europe/Berlin", "Pacific/Apia", "Asia/Kathmandu", "America/Sao_Paulo", "America/Havana"),
    *("Australia/Lord_Howe", "America/New_York", "Pacific/Chatham", "Africa/Casablanca", "Asia/Beirut"),
)
FIRST, LAST = dt.datetime(1971, 1, 1), dt.datetime(2100, 1, 1)  # noqa: DTZ001 - Hypothesis adds the zone
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(dt.UTC))
A_DAY = dt.timedelta(hours=25)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("zone", "moment", "begins"),
    [
        # A midnight is its own day's beginning; a moment later it is the next one's.
        ("Europe/Berlin", "2026-05-01T00:00:00+02:00", "2026-05-01T00:00:00+02:00"),
        ("Europe/Berlin", "2026-05-01T00:00:00.000001+02:00", "2026-05-02T00:00:00+02:00"),
        # The clocks go forward: the day has 23 hours. They go back: it has 25.
        ("Europe/Berlin", "2026-03-29T00:00:01+01:00", "2026-03-30T00:00:00+02:00"),
        ("Europe/Berlin", "2026-10-25T00:00:01+02:00", "2026-10-26T00:00:00+01:00"),
        # Leap day, and none.
        ("Europe/Berlin", "2028-02-28T12:00:00+01:00", "2028-02-29T00:00:00+01:00"),
        ("Europe/Berlin", "2026-02-28T12:00:00+01:00", "2026-03-01T00:00:00+01:00"),
        ("Asia/Kathmandu", "2026-02-28T12:00:00+05:45", "2026-03-01T00:00:00+05:45"),
        # Brazil's clocks skipped midnight: the day began at 01:00. And they went back at midnight, to 23:00.
        ("America/Sao_Paulo", "2018-11-03T12:00:00-03:00", "2018-11-04T01:00:00-02:00"),
        ("America/Sao_Paulo", "2019-02-16T22:30:00-02:00", "2019-02-17T00:00:00-03:00"),
        ("America/Sao_Paulo", "2019-02-16T23:30:00-03:00", "2019-02-17T00:00:00-03:00"),
        # Cuba has midnight twice in autumn; the day begins at the first.
        ("America/Havana", "2026-10-31T12:00:00-04:00", "2026-11-01T00:00:00-04:00"),
        ("America/Havana", "2026-11-01T00:30:00-05:00", "2026-11-02T00:00:00-05:00"),
        # Samoa left 30 December 2011 out.
        ("Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00"),
        ("Australia/Lord_Howe", "2026-10-03T23:00:00+10:30", "2026-10-04T00:00:00+10:30"),
    ],
)
def test_the_next_beginning_of_a_local_day(zone: str, moment: str, begins: str) -> None:
    assert midnight_from(at(moment), ZoneInfo(zone)) == at(begins)


@given(moment=MOMENTS, zone=st.sampled_from(ZONES))
def test_it_is_the_first_beginning_of_a_day_that_is_not_past(moment: dt.datetime, zone: str) -> None:
    here = ZoneInfo(zone)
    begins = midnight_from(moment, here)
    assert moment <= begins < moment + A_DAY
    day = begins.astimezone(here).date()
    assert begins == midnight(day, here)
    # Just before it is another day, and none begins between it and the moment.
    assert (begins - dt.timedelta(microseconds=1)).astimezone(here).date() < day
    for back in range(3):
        other = midnight(day - dt.timedelta(days=back), here)
        assert other >= begins or other < moment


@given(
    now=MOMENTS,
    due=st.none() | st.timedeltas(dt.timedelta(days=-3), dt.timedelta(days=800)),
    ahead=st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=400)),
    zone=st.sampled_from(ZONES),
)
def test_each_stop_goes_on_and_passes_over_nothing(
    now: dt.datetime, due: dt.timedelta | None, ahead: dt.timedelta, zone: str
) -> None:
    here, target, due_at = ZoneInfo(zone), now + ahead, None if due is None else now + due
    stop = next_stop(now, due_at, target, here)
    assert now < stop <= target
    if due_at is not None and now < due_at <= target:
        assert due_at <= stop < due_at + A_DAY
    if due_at is None or due_at > target:
        assert stop == target


@pytest.mark.parametrize(
    ("zone", "start", "by", "end"),
    [
        ("Europe/Berlin", "2026-03-28T12:00:00+01:00", "1d", "2026-03-29T12:00:00+02:00"),
        ("Europe/Berlin", "2026-03-28T12:00:00+01:00", "24h", "2026-03-29T13:00:00+02:00"),
        ("Europe/Berlin", "2026-10-24T12:00:00+02:00", "1d", "2026-10-25T12:00:00+01:00"),
        ("Europe/Berlin", "2026-10-24T12:00:00+02:00", "24h", "2026-10-25T11:00:00+01:00"),
        ("Europe/Berlin", "2026-01-31T09:00:00+01:00", "1mo", "2026-02-28T09:00:00+01:00"),
        ("Europe/Berlin", "2028-01-31T09:00:00+01:00", "1mo", "2028-02-29T09:00:00+01:00"),
        ("Europe/Berlin", "2028-02-29T09:00:00+01:00", "1y", "2029-02-28T09:00:00+01:00"),
        ("Pacific/Apia", "2011-12-29T12:00:00-10:00", "2d", "2011-12-31T12:00:00+14:00"),
        ("Asia/Kathmandu", "2026-06-01T00:00:00+05:45", "6w", "2026-07-13T00:00:00+05:45"),
    ],
)
def test_a_period_is_counted_on_the_programs_calendar(zone: str, start: str, by: str, end: str) -> None:
    assert after(at(start), Period.model_validate(by), ZoneInfo(zone)) == at(end)
