"""Whether something is one too many: against a plain search over all stretches of time."""

import datetime as dt
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from setia.engine.calendar import after
from setia.engine.decision import PointsEffect
from setia.engine.velocity import Use, compile_velocity, measured, most_within, reach
from setia.program.definition import Program
from setia.program.names import Period

BERLIN = ZoneInfo("Europe/Berlin")
NOON = dt.datetime(2026, 3, 28, 12, tzinfo=dt.UTC)
RULES = {
    "fast": {"per": "member", "every": "1h", "more_than": {"events": 5}, "on": "purchase"},
    "much": {
        "per": "operator",
        "every": "1d",
        "more_than": {"points": "2.5 stars"},
        "on": ["purchase", "purchase", "redemption"],
        "then": "refuse",
    },
    "off": {"per": "member", "every": "1h", "more_than": {"events": 5}, "on": "visit", "enabled": False},
}
DEFINITION = Program.model_validate(
    {
        "program": {"id": "p", "name": "P", "currency": "EUR"},
        "points": {"stars": {"decimals": 1}, "other": {}},
        "velocity": RULES,
    }
)

moments = st.integers(0, 60 * 24 * 12).map(lambda minutes: NOON + dt.timedelta(minutes=minutes))
uses = st.builds(Use, moments, st.integers(0, 5))
periods = st.sampled_from(["30min", "6h", "1d", "2w", "1mo", "1y"]).map(Period.model_validate)


@given(periods, uses, st.lists(uses, max_size=12))
def test_it_is_the_fullest_stretch_that_holds_the_use(every: Period, use: Use, others: list[Use]) -> None:
    everything = [use, *others]
    plain = max(
        sum(one.amount for one in everything if start <= one.at < after(start, every, BERLIN))
        for start in (one.at for one in everything)
        if start <= use.at < after(start, every, BERLIN)
    )
    assert most_within(every, BERLIN, use, others) == plain


@given(periods, uses, st.lists(uses, max_size=12))
def test_what_lies_beyond_the_reach_changes_nothing(every: Period, use: Use, others: list[Use]) -> None:
    near = [one for one in others if use.at - reach(every) < one.at < use.at + reach(every)]
    assert most_within(every, BERLIN, use, near) == most_within(every, BERLIN, use, others)


def test_a_day_is_the_calendars() -> None:
    # On 29 March 2026 clocks go forward: a day that begins on the 28th at noon has 23 hours.
    one, other = Use(NOON, 1), Use(NOON + dt.timedelta(hours=23), 1)
    assert most_within(Period.model_validate("1d"), BERLIN, other, [one]) == 1
    assert most_within(Period.model_validate("24h"), BERLIN, other, [one]) == 2


def test_rules_are_found_by_what_they_watch() -> None:
    found = compile_velocity(DEFINITION, {"stars": 10, "other": 1})
    assert {watched: [rule.id for rule in rules] for watched, rules in found.items()} == {
        "purchase": ["fast", "much"],
        "redemption": ["much"],
    }
    fast, much = found["purchase"]
    assert (fast.per, fast.points, fast.most) == ("member", None, 5)
    assert (much.per, much.points, much.most) == ("operator", "stars", 25)


def test_what_counts() -> None:
    fast, much = compile_velocity(DEFINITION, {"stars": 10})["purchase"]
    effects = [
        PointsEffect("stars", 30, "a"),
        PointsEffect("stars", -4, "b"),
        PointsEffect("other", 9, "a"),
        PointsEffect("stars", -7, "redemption"),
    ]
    assert measured(fast, ["purchase", "redemption"], effects) == 1
    assert measured(much, ["purchase"], effects) == 30
    assert measured(much, ["redemption"], effects) == 7
    assert measured(much, ["purchase", "redemption"], effects) == 37


def test_a_period_of_thousands_of_years_reaches_far_and_no_further() -> None:
    assert reach(Period.model_validate("9999y")) == dt.timedelta(days=366 * 200)
