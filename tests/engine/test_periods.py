"""Periods of validity: until when a level that was reached or kept at a moment is held."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.shop_world import at, program
from setia.engine import periods
from setia.engine.periods import period_end

LEVELS = "[{id: green, from: 0}, {id: gold, from: 100}]"


def end(validity: str, since: str, *, enrolled: str = "2024-02-29T12:00Z", zone: str = "Europe/Berlin") -> str | None:
    """The local day that begins when the period ends."""
    compiled = program(
        f"tiers: [{{id: t, metric: spend, validity: {validity}, levels: {LEVELS}}}]\ncampaigns: {{}}", zone=zone
    )
    ends = period_end(compiled, compiled.tier_sets[0], at(since), at(enrolled))
    if ends is None:
        return None
    here = ends.astimezone(ZoneInfo(zone))
    before = (ends - dt.timedelta(microseconds=1)).astimezone(ZoneInfo(zone))
    assert here.date() == before.date() + dt.timedelta(days=1), "a period ends with a local day"
    return here.date().isoformat()


@pytest.mark.parametrize(
    ("validity", "since", "ends"),
    [
        ("calendar_year", "2025-06-01T12:00Z", "2026-01-01"),
        ("calendar_year", "2025-12-31T22:59Z", "2026-01-01"),
        ("calendar_year", "2025-12-31T23:00Z", "2027-01-01"),  # 1 January in Berlin
        ("anniversary", "2024-06-01T12:00Z", "2025-02-28"),  # enrolled on 29 February
        ("anniversary", "2027-03-01T12:00Z", "2028-02-29"),
        ("12mo", "2025-06-01T12:00Z", "2026-06-02"),
        ("{after: 12mo, first_day_counts: true}", "2025-06-01T12:00Z", "2026-06-01"),
        ("{after: 20d, first_day_counts: true}", "2025-07-01T12:00Z", "2025-07-21"),
        ("1mo", "2025-01-31T12:00Z", "2025-03-01"),
        ("1mo", "2024-01-31T12:00Z", "2024-03-01"),
        ("1y", "2024-02-29T12:00Z", "2025-03-01"),
        ("{after: 12mo, align: month_end}", "2025-06-10T12:00Z", "2026-07-01"),
        ("{after: 12mo, align: quarter_end}", "2025-05-10T12:00Z", "2026-07-01"),
        ("{after: 12mo, align: half_year_end}", "2025-07-10T12:00Z", "2027-01-01"),
        ("{after: 12mo, align: year_end}", "2025-06-10T12:00Z", "2027-01-01"),
        ("{every: 365d}", "2024-03-01T12:00Z", "2025-02-28"),
        ("{every: 365d}", "2025-02-27T23:00Z", "2026-02-28"),
        ("{every: 1mo}", "2024-03-30T12:00Z", "2024-04-29"),
        ("{every: 2w}", "2034-03-30T12:00Z", "2034-04-13"),
        ('{on: ["01-01", "07-01"]}', "2025-06-30T12:00Z", "2025-07-01"),
        ('{on: ["01-01", "07-01"]}', "2025-06-30T22:00Z", "2026-01-01"),
        ('{on: ["02-29"]}', "2024-03-01T12:00Z", "2025-02-28"),
        ("for_ever", "2025-06-01T12:00Z", None),
        ("current", "2025-06-01T12:00Z", None),
        ("9999y", "2025-06-01T12:00Z", "9998-01-01"),
    ],
)
def test_ends(validity: str, since: str, ends: str | None) -> None:
    assert end(validity, since) == ends


@pytest.mark.parametrize(
    "validity",
    [
        "12mo",
        "90d",
        "{after: 12mo, first_day_counts: true}",
        "{after: 12mo, align: month_end}",
        "{after: 12mo, align: year_end}",
        "{after: 6mo, align: half_year_end}",
    ],
)
def test_periods_that_follow_each_other_do_not_grow(validity: str) -> None:
    moment = end(validity, "2025-01-20T12:00Z", zone="UTC")
    ends = []
    for _ in range(4):
        moment = end(validity, f"{moment}T00:00Z", zone="UTC")
        ends.append(moment)
    expected = {
        "12mo": ["2027-01-21", "2028-01-21", "2029-01-21", "2030-01-21"],
        "90d": ["2025-07-20", "2025-10-18", "2026-01-16", "2026-04-16"],
        "{after: 12mo, first_day_counts: true}": ["2027-01-20", "2028-01-20", "2029-01-20", "2030-01-20"],
        "{after: 12mo, align: month_end}": ["2027-02-01", "2028-02-01", "2029-02-01", "2030-02-01"],
        "{after: 12mo, align: year_end}": ["2028-01-01", "2029-01-01", "2030-01-01", "2031-01-01"],
        "{after: 6mo, align: half_year_end}": ["2026-07-01", "2027-01-01", "2027-07-01", "2028-01-01"],
    }
    assert ends == expected[validity]


@pytest.mark.parametrize(
    ("zone", "since", "ends_at"),
    [
        # clocks go forward at midnight: the day begins at 01:00, which is one moment with the end of the day before
        ("America/Sao_Paulo", "2018-10-03T12:00Z", "2018-11-04T03:00Z"),
        ("Asia/Beirut", "2024-02-29T12:00Z", "2024-03-30T22:00Z"),
        # clocks go back at midnight: the hour before it is there twice, and the period ends after the second
        ("America/Sao_Paulo", "2018-01-17T12:00Z", "2018-02-18T03:00Z"),
    ],
)
def test_midnights_that_clocks_pass_over(zone: str, since: str, ends_at: str) -> None:
    length = "{after: 30d, first_day_counts: false}" if zone == "Asia/Beirut" else "1mo"
    compiled = program(
        f"tiers: [{{id: t, metric: spend, validity: {length}, levels: {LEVELS}}}]\ncampaigns: {{}}", zone=zone
    )
    ends = period_end(compiled, compiled.tier_sets[0], at(since), at("2018-01-01T12:00Z"))
    assert ends == at(ends_at)


moments = st.integers(631_152_000, 4_102_444_800).map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC))
"""From 1990 to 2100."""


@given(
    since=moments,
    enrolled=moments,
    validity=st.sampled_from(
        [
            *("calendar_year", "anniversary", "1d", "1mo", "5y", "{every: 1d}", "{every: 1mo}", "{every: 7y}"),
            *('{on: ["02-29", "12-31"]}', "{after: 1d, first_day_counts: true}", "{after: 1mo, align: quarter_end}"),
        ]
    ),
    zone=st.sampled_from(["UTC", "Asia/Kuala_Lumpur", "America/Sao_Paulo", "Europe/Berlin"]),
)
def test_a_period_ends_after_it_began_and_the_next_one_after_that(
    since: dt.datetime, enrolled: dt.datetime, validity: str, zone: str
) -> None:
    first = end(validity, since.isoformat(), enrolled=enrolled.isoformat(), zone=zone)
    assert first is not None
    assert first > since.astimezone(ZoneInfo(zone)).date().isoformat()
    begins = dt.datetime.combine(dt.date.fromisoformat(first), dt.time(), ZoneInfo(zone))
    second = end(validity, begins.isoformat(), enrolled=enrolled.isoformat(), zone=zone)
    assert second is not None
    assert second > first


def test_what_was_worked_out_is_remembered_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periods, "_MOST_REMEMBERED", 3)
    compiled = program(f"tiers: [{{id: t, metric: spend, validity: 1mo, levels: {LEVELS}}}]\ncampaigns: {{}}")
    days = [f"2025-0{month}-10T12:00Z" for month in (1, 2, 3, 4, 5, 1)]
    ends = [period_end(compiled, compiled.tier_sets[0], at(day), at("2024-01-01T12:00Z")) for day in days]
    assert [one.month for one in ends if one is not None] == [2, 3, 4, 5, 6, 2]
    assert period_end(compiled, compiled.tier_sets[0], at(days[0]), at("2020-01-01T12:00Z")) == ends[0]
    assert len(compiled.period_ends) <= 3
