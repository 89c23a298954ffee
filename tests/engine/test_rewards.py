"""Whether a member can have a reward, at which price, and every reason why not."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.shop_world import NOON, at, member, program
from setia.engine.reward_periods import period_bounds
from setia.engine.reward_reasons import Reason
from setia.engine.rewards import (
    Available,
    Price,
    Used,
    Wish,
    availability,
    price_for,
    stock_keys,
    usable,
    worth_of,
)
from setia.engine.state import Counters, MemberState
from setia.program.rewards import RewardPeriod

BERLIN = ZoneInfo("Europe/Berlin")
TIERS = """
tiers:
  - {id: status, metric: points.stars.earned, levels: [{id: green, from: 0}, {id: gold, from: 100}]}
members: {attributes: {size: {values: [s, m]}}}
"""


def asked(
    text: str,
    state: MemberState | None = None,
    used: Used | None = None,
    now: dt.datetime = NOON,
    **wish: Any,
) -> Any:
    compiled = program(f"{TIERS}rewards: {{r: {{kind: voucher, {text}}}}}")
    return availability(
        compiled, compiled.rewards["r"], state or member(balances={"stars": 100}), used or Used(), now, Wish(**wish)
    )


def test_it_can_be_had_at_its_price() -> None:
    assert asked("cost: {stars: 100}, money: 1.50") == Available(Price({"stars": 100}, 150))
    assert asked("quantities: {most: 3}, cost: {stars: 20}", quantity=3) == Available(Price({"stars": 60}, 0))


def test_the_first_price_whose_condition_holds() -> None:
    text = """cost: {stars: 50}, prices: [{when: member.tiers.status == "gold", cost: {stars: 30}},
              {when: member.attributes.size == "m", money: 2}]"""
    assert asked(text) == Available(Price({"stars": 50}, 0))
    gold = member(balances={"stars": 40}, counters=Counters(tiers={"status": "gold"}))
    assert asked(text, gold) == Available(Price({"stars": 30}, 0))
    assert asked(text, member(attributes={"size": "m"})) == Available(Price({}, 200))
    compiled = program(f"{TIERS}rewards: {{r: {{kind: voucher, {text}}}}}")
    assert price_for(compiled, compiled.rewards["r"], gold, NOON, 2) == Price({"stars": 60}, 0)


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("enabled: false", [Reason("switched_off")]),
        ("schedule: {starts: 2026-03-05}", [Reason("not_yet", until=at("2026-03-04T23:00+00:00"))]),
        ("schedule: {ends: 2026-03-03}", [Reason("ended")]),
        ("schedule: {starts: 2026-03-01, ends: 2026-03-09}", None),
        ("schedule: {days: [thu]}", [Reason("closed_now", until=at("2026-03-04T23:00+00:00"))]),
        (
            'schedule: {days: [wed], from: "09:00", to: "12:00"}',
            [Reason("closed_now", until=at("2026-03-11T08:00+00:00"))],
        ),
        (
            'schedule: {ends: 2026-03-04, from: "09:00", to: "12:00"}',
            [Reason("closed_now")],
        ),
        ("from_level: {status: gold}", [Reason("level_needed", tier_set="status", level="gold")]),
        ("from_level: {status: green}", None),
        ("from_level: {other: gold}", None),
        (
            "when: member.points.stars > 5 && member.tags.size() > 0",
            [Reason("not_for_member", clause="member.tags.size() > 0")],
        ),
        (
            'when: member.attributes.size == "m"',
            [Reason("not_for_member", clause='member.attributes.size == "m"')],
        ),
        ("cost: {stars: 140}", [Reason("points_missing", points="stars", needed=140, missing=40)]),
        ("quantities: {least: 2, most: 3}", [Reason("quantity", least=2, limit=3)]),
        ("stock: 5", [Reason("out_of_stock", limit=5, left=0)]),
        ("per_member: {every: ever, uses: 2}", [Reason("member_limit", period="ever", limit=2, left=0)]),
        (
            "per_member: [{uses: 9}, {every: month, uses: 1}]",
            [Reason("member_limit", period="month", limit=1, left=0, until=at("2026-03-31T22:00+00:00"))],
        ),
        (
            "in_all: {every: day, uses: 3}",
            [Reason("total_limit", period="day", limit=3, left=0, until=at("2026-03-04T23:00+00:00"))],
        ),
        ("in_all: {every: week, uses: 30}", None),
    ],
)
def test_reasons(text: str, reasons: list[Reason] | None) -> None:
    used = Used(member={"ever": 2, "month": 1}, stock={"stock": 6, "day:2026-03-04": 4, "week:2026-W10": 3})
    found = asked(text, used=used)
    assert found == reasons if reasons is not None else isinstance(found, Available)


def test_nobody_who_is_suspended_and_no_code_that_is_not_there() -> None:
    assert asked("", member(status="suspended")) == [Reason("member_not_active")]
    assert asked("", used=Used(codes_left=0)) == [Reason("no_codes_left", left=0)]


DATES = """
rewards:
  evening:
    kind: experience
    lead_time: 1d
    dates:
      - {id: soon, starts: "2026-03-05T10:00:00+01:00"}
      - {id: later, starts: "2026-04-01T18:00:00+02:00", ends: "2026-04-01T20:00:00+02:00", places: 2}
"""


@pytest.mark.parametrize(
    ("wish", "taken", "reasons"),
    [
        (Wish(), 0, None),
        (Wish(), 2, [Reason("date_full")]),
        (Wish(date="later"), 1, None),
        (Wish(date="later"), 2, [Reason("date_full", date="later", limit=2, left=0)]),
        (Wish(date="soon"), 0, [Reason("date_closed", date="soon")]),
        (Wish(date="never"), 0, [Reason("date_unknown", date="never")]),
    ],
)
def test_dates(wish: Wish, taken: int, reasons: list[Reason] | None) -> None:
    compiled = program(DATES)
    found = availability(compiled, compiled.rewards["evening"], member(), Used(stock={"date:later": taken}), NOON, wish)
    assert found == reasons if reasons is not None else isinstance(found, Available)
    assert asked("", date="x") == [Reason("date_unknown", date="x")]


def test_dates_that_are_all_over() -> None:
    compiled = program(DATES)
    late = at("2026-05-01T10:00+00:00")
    found = availability(compiled, compiled.rewards["evening"], member(), Used(), late, Wish())
    assert found == [Reason("date_closed")]


def test_nobody_pays_for_more_than_it_is_worth() -> None:
    text = "rewards: {r: {kind: discount, worth: {amount: 0.30, most: 1.00}, quantities: {most: 9}}}"
    compiled = program(text)

    def found(quantity: int) -> Any:
        return availability(compiled, compiled.rewards["r"], member(), Used(), NOON, Wish(quantity))

    assert isinstance(found(4), Available)
    assert found(5) == [Reason("quantity", least=1, limit=4)]
    assert found(10) == [Reason("quantity", least=1, limit=9)]


def test_where_it_is_counted_and_when_it_can_be_used() -> None:
    compiled = program(DATES)
    evening = compiled.rewards["evening"]
    assert stock_keys(compiled, evening, NOON, "later") == {"date:later": 2}
    assert stock_keys(compiled, evening, NOON, "soon") == {}
    assert usable(compiled, evening, NOON, "later") == (NOON, at("2026-04-01T18:00+00:00"))
    text = "rewards: {r: {kind: voucher, stock: 9, in_all: {every: month, uses: 3}, lead_time: 1h, valid_for: 2h}}"
    compiled = program(text)
    assert list(stock_keys(compiled, compiled.rewards["r"], NOON, None).items()) == [("month:2026-03", 3), ("stock", 9)]
    hour = dt.timedelta(hours=1)
    assert usable(compiled, compiled.rewards["r"], NOON, None) == (NOON + hour, NOON + 3 * hour)
    assert usable(compiled, program("rewards: {r: {kind: raffle}}").rewards["r"], NOON, None) == (NOON, None)


@pytest.mark.parametrize(
    ("worth", "quantity", "expected"),
    [
        ("{amount: 0.015}", 3, 4),
        ("{amount: 5, most: 12.50}", 3, 1250),
        ("{amount: 5, most: 12.50}", 2, 1000),
        ("{percent: 10}", 1, None),
    ],
)
def test_worth(worth: str, quantity: int, expected: int | None) -> None:
    compiled = program(f"rewards: {{r: {{kind: discount, worth: {worth}}}, v: {{kind: voucher}}}}")
    assert worth_of(compiled, compiled.rewards["r"], quantity) == expected
    assert worth_of(compiled, compiled.rewards["v"], quantity) is None


@given(
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
    st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2090, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001 - the strategy wants bounds without a zone
)
def test_periods_follow_each_other(every: RewardPeriod, moment: dt.datetime) -> None:
    begins, ends = period_bounds(every, moment, BERLIN)
    assert begins is not None
    assert ends is not None
    assert begins <= moment < ends
    assert period_bounds(every, ends, BERLIN)[0] == ends
    assert period_bounds(every, begins, BERLIN) == (begins, ends)
    assert begins.astimezone(BERLIN).time() == dt.time()
    assert period_bounds("ever", moment, BERLIN) == (None, None)
