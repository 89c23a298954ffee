"""When points end, in every way a program can say it; and what waits for events."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.shop_world import NOON, at, campaigns, happening, member, program, purchase
from setia.engine.calendar import expires_at, next_end_day, step_after
from setia.engine.counting import count_moves, recount
from setia.engine.decide import decide
from setia.engine.decision import LotMove, Outcome
from setia.engine.due import inactivity_end, next_due, share_of
from setia.engine.lot_sentences import event_name, move_sentences, points_name
from setia.engine.state import Balance, Counters, Waiting
from setia.engine.waiting import moves_of
from setia.program.campaigns import Campaign
from setia.program.expiry import Decay, Expiry
from setia.program.names import Period

BERLIN = ZoneInfo("Europe/Berlin")


def ends(earned: str, levels: dict[str, str] | None = None, **rule: Any) -> str | None:
    found = expires_at(at(earned), Expiry.model_validate(rule), BERLIN, levels)
    return None if found is None else found.astimezone(BERLIN).isoformat()


@pytest.mark.parametrize(
    ("earned", "rule", "end"),
    [
        # the day on which points are earned counts, or not
        ("2026-07-01T10:00+02:00", {"after": "20d"}, "2026-07-22T00:00:00+02:00"),
        ("2026-07-01T10:00+02:00", {"after": "20d", "first_day_counts": True}, "2026-07-21T00:00:00+02:00"),
        ("2026-07-01T10:00+02:00", {"after": "0d", "first_day_counts": True}, "2026-07-02T00:00:00+02:00"),
        # a day of each year with a safe time: what was earned on 1 March goes after a year, what came later stays
        (
            "2024-03-01T10:00+01:00",
            {"after": "1y", "on": ["03-01"], "on_is": "gone"},
            "2025-03-01T00:00:00+01:00",
        ),
        (
            "2024-03-02T10:00+01:00",
            {"after": "1y", "on": ["03-01"], "on_is": "gone"},
            "2026-03-01T00:00:00+01:00",
        ),
        ("2024-03-01T10:00+01:00", {"after": "1y", "on": ["03-01"]}, "2025-03-02T00:00:00+01:00"),
        # nothing is gone before it came
        ("2026-03-01T10:00+01:00", {"on": ["03-01"], "on_is": "gone"}, "2027-03-01T00:00:00+01:00"),
        # dates, once, and mixed with days of the year
        ("2026-03-01T10:00+01:00", {"on": ["2026-12-31"]}, "2027-01-01T00:00:00+01:00"),
        ("2027-01-01T10:00+01:00", {"on": ["2026-12-31"]}, None),
        ("2027-01-01T10:00+01:00", {"on": ["2026-12-31", "06-30"]}, "2027-07-01T00:00:00+02:00"),
        ("2026-12-01T10:00+01:00", {"on": ["2026-12-31", "06-30"], "after": "1mo"}, "2027-07-01T00:00:00+02:00"),
        # a leap day, and the ends of months
        ("2024-02-29T10:00+01:00", {"after": "1y"}, "2025-03-01T00:00:00+01:00"),
        ("2026-01-31T10:00+01:00", {"after": "1mo"}, "2026-03-01T00:00:00+01:00"),
        ("2026-08-31T23:59+02:00", {"after": "6mo", "align": "half_year_end"}, "2027-07-01T00:00:00+02:00"),
        # both nights in which the clocks change
        ("2026-03-27T10:00+01:00", {"after": "2d"}, "2026-03-30T00:00:00+02:00"),
        ("2026-10-23T10:00+02:00", {"after": "2d"}, "2026-10-26T00:00:00+01:00"),
        ("2026-03-28T12:00+01:00", {"after": "24h"}, "2026-03-29T13:00:00+02:00"),
        ("9990-01-01T10:00+01:00", {"on": ["9999-12-31"]}, "9998-01-01T00:00:00+01:00"),
    ],
)
def test_when_points_end(earned: str, rule: dict[str, Any], end: str | None) -> None:
    assert ends(earned, **rule) == end


def test_the_level_held_says_how_long() -> None:
    rule: dict[str, Any] = {"by_tier": {"status": {"gold": "1y", "silver": "36h"}, "club": {"member": "2mo"}}}
    earned = "2026-01-10T10:00+01:00"
    assert ends(earned, {"status": "gold", "club": "member"}, **rule) == "2027-01-11T00:00:00+01:00"
    assert ends(earned, {"status": "silver"}, **rule) == "2026-01-11T22:00:00+01:00"
    assert ends(earned, {"status": "green", "club": "member"}, **rule) == "2026-03-11T00:00:00+01:00"
    assert ends(earned, {"status": "green"}, **rule) is None
    assert ends(earned, {}, after="1mo", **rule) == "2026-02-11T00:00:00+01:00"
    assert ends(earned, {"status": "gold"}, on=["12-31"], **rule) == "2028-01-01T00:00:00+01:00"


@pytest.mark.parametrize(
    "wrong",
    [
        {"must_earn": True},
        {"decay": {"every": "1mo", "percent": 10}},
        {"first_day_counts": True},
        {"on_is": "gone"},
        {"inactivity": "1y", "by_tier": {"status": {"gold": "1y"}}},
        {"by_tier": {"status": {}}},
        {"inactivity": "1y", "decay": {"every": "12h", "percent": 10}},
        {"inactivity": "1y", "decay": {"every": "0d", "percent": 10}},
        {"inactivity": "1y", "decay": {"every": "1mo", "percent": 101}},
    ],
)
def test_settings_that_would_do_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Expiry.model_validate(wrong)


def test_a_campaign_has_no_inactivity_of_its_own() -> None:
    with pytest.raises(ValidationError, match="by the calendar"):
        Campaign.model_validate({"on": "visit", "earn": {"stars": 1}, "expiry": {"inactivity": "1y"}})


@given(st.dates(dt.date(2000, 1, 1), dt.date(2090, 12, 31)), st.sampled_from(("12-31", "02-29", "2050-06-30")))
def test_an_end_is_never_before_the_day_asked_for(day: dt.date, end: str) -> None:
    found = next_end_day((end,), day)
    assert found is None or found >= day
    assert (found is None) == (len(end) == 10 and day > dt.date(2050, 6, 30))


# ------------------------------------------------------------------------------------------------------- inactivity

DECAY = "{stars: {expiry: {inactivity: 1mo, decay: {every: 1mo, percent: 10}}}}"


@given(st.integers(0, 4000), st.sampled_from(("1d", "1w", "1mo", "3mo", "1y")))
def test_a_step_is_the_first_after_what_was_booked(days: int, every: str) -> None:
    first = at("2024-01-31T00:00+01:00")
    booked = first + dt.timedelta(days=days)
    period = Period.model_validate(every)
    found = step_after(first, period, booked, BERLIN)
    assert booked < found <= booked + dt.timedelta(days=367 if every == "1y" else 93)
    assert step_after(first, period, found - dt.timedelta(microseconds=1), BERLIN) == found
    assert found.astimezone(BERLIN).time() == dt.time(0)


def test_steps_keep_to_the_ends_of_months() -> None:
    first, month = at("2024-01-31T00:00+01:00"), Period.model_validate("1mo")
    assert step_after(first, month, None, BERLIN) == first
    assert step_after(first, month, first - dt.timedelta(1), BERLIN) == first
    assert step_after(first, month, at("2024-02-28T00:00+01:00"), BERLIN) == at("2024-02-29T00:00+01:00")
    assert step_after(first, month, at("2024-02-29T00:00+01:00"), BERLIN) == at("2024-03-31T00:00+01:00")


@given(st.integers(1, 10**15), st.decimals("0.000001", 100, places=6))
def test_a_share_ends_everything_in_the_end_and_never_more(amount: int, percent: Decimal) -> None:
    share = share_of(amount, percent)
    assert 1 <= share <= amount
    assert share - 1 < amount * percent / 100 <= share


def test_when_decay_and_inactivity_are_due() -> None:
    compiled = program("campaigns: {a: {on: visit, earn: {stars: 1}}}", points=DECAY)
    state = member(counters=Counters(active_at={"stars": NOON}))
    assert next_due(compiled, state, NOON) is None
    state.balances["stars"] = Balance(available=5)
    due = next_due(compiled, state, NOON)
    assert due is not None
    assert (due.kind, due.subject, due.at) == ("decay", "stars", at("2026-04-05T00:00+02:00"))
    state.counters.decayed = {"stars": due.at}
    assert inactivity_end(compiled, state, "stars") == at("2026-05-05T00:00+02:00")
    hours = program("campaigns: {a: {on: visit, earn: {stars: 1}}}", points="{stars: {expiry: {inactivity: 36h}}}")
    assert inactivity_end(hours, state, "stars") == NOON + dt.timedelta(hours=36)
    assert inactivity_end(program("campaigns: {}"), state, "stars") is None


@pytest.mark.parametrize(
    ("more", "kind", "there", "extends"),
    [
        ("", "visit", 1, ["stars"]),
        (", extended_by: [purchase]", "visit", 1, []),
        (", extended_by: [purchase]", "visit", 0, ["stars"]),  # who has nothing begins anew
        (", must_earn: true", "visit", 1, ["stars"]),
        (", must_earn: true", "purchase", 1, []),
        (", must_earn: true", "purchase", 0, []),
    ],
)
def test_what_counts_as_activity(more: str, kind: str, there: int, extends: list[str]) -> None:
    points = f"{{stars: {{expiry: {{inactivity: 1y{more}}}}}, other: {{}}}}"
    compiled = campaigns("a: {on: visit, earn: {stars: 1}}", points=points)
    event = purchase(500) if kind == "purchase" else happening("visit")
    decision = decide(compiled, member(balances={"stars": there}), event, NOON)
    assert decision.outcome.extends == extends
    assert decision.counters.active_at == dict.fromkeys(extends, NOON)


def test_what_friends_do_is_no_activity_unless_it_is_named() -> None:
    points = "{{stars: {{expiry: {{inactivity: 1y{}}}}}}}"
    won = "won: {on: referral_won, earn: {stars: 1}}"
    for more, there, extends in (("", 1, []), ("", 0, ["stars"]), (", extended_by: [referral_won]", 1, ["stars"])):
        compiled = campaigns(won, points=points.format(more))
        decision = decide(compiled, member(balances={"stars": there}), happening("referral_won"), NOON)
        assert decision.outcome.extends == extends


# ---------------------------------------------------------------------------------------------------------- waiting

WAITING = """program: {id: shop, name: Shop, timezone: Europe/Berlin, currency: EUR}
events: {shipped: {name: {en: delivery}}, lost: {}}
points:
  stars: {name: {en: stars}, one: {en: star}, available_on: shipped, cancel_on: lost}
  extra: {}
  status: {spendable: false}
tiers:
- {id: rank, metric: points.stars.earned, window: calendar_year, levels: [{id: low, from: 0}, {id: high, from: 900}]}
- {id: money, metric: spend, levels: [{id: low, from: 0}]}
- {id: last, metric: points.stars.earned, window: {starts: 2020-01-01, ends: 2020-12-31}, levels: [{id: low, from: 0}]}
campaigns:
  base: {on: purchase, earn: {stars: 1 per 1.00, status: 1}}
  now: {on: purchase, earn: {stars: 1, status: 1}, available_after: 0d, expiry: {after: 1d}}
  both: {on: purchase, earn: {stars: 1}, available_after: 14d, available_on: lost}
"""


def lot(points: str = "stars", campaign: str = "base", order: str | None = "o1", seq: int = 1) -> Waiting:
    return Waiting(points, campaign, 10, (seq, 0), order, NOON)


def test_what_a_campaign_says_of_waiting_replaces_what_its_type_says() -> None:
    compiled = program(WAITING)
    assert compiled.watched == {"shipped", "lost"}
    effects = decide(compiled, member(), purchase(1000), NOON).outcome.points
    by_campaign = {(one.campaign, one.points): one for one in effects}
    base, now, both = (by_campaign[name, "stars"] for name in ("base", "now", "both"))
    assert (base.is_pending, base.available_at, base.expires_at, base.waits_for) == (True, None, None, "shipped")
    assert (now.is_pending, now.available_at, now.waits_for) == (False, None, None)
    assert now.expires_at == at("2026-03-06T00:00+01:00")
    assert (both.waits_for, both.available_at) == ("lost", NOON + dt.timedelta(days=14))
    # points that only count wait for nothing, and do not end
    counting = by_campaign["now", "status"]
    assert (counting.is_pending, counting.expires_at) == (False, None)
    assert compiled.waits_for("gone", "base") is None


def test_an_event_moves_the_lots_of_its_order() -> None:
    compiled = program(WAITING)
    waiting = [lot(), lot(order="o2", seq=2), lot(order=None, seq=3), lot("extra", seq=4), lot("gone", seq=5)]

    def moved(kind: str, **data: Any) -> list[tuple[str, int]]:
        event = happening(kind, data=data)
        return [(move.what, move.lot[0]) for move in moves_of(compiled, event, waiting)]

    assert moved("shipped", order="o1") == [("released", 1)]
    assert moved("shipped") == [("released", 1), ("released", 2), ("released", 3)]
    assert moved("shipped", order=7) == []
    assert moved("lost", order="o2") == [("cancelled", 2)]
    assert moved("visit") == []
    # a lot that the same event would release and take back is taken back
    assert [move.what for move in moves_of(compiled, happening("lost"), [lot(campaign="both")])] == ["cancelled"]


def test_cancelled_points_were_never_earned() -> None:
    compiled = program(WAITING)
    first = decide(compiled, member(), purchase(1000), NOON)
    state = member(counters=first.counters)
    state.waiting = [lot()]
    second = decide(compiled, state, happening("lost", data={"order": "o1"}), NOON)
    assert first.counters.earned["stars"] == 12
    assert second.counters.earned["stars"] == 2
    key = next(key for key in first.counters.windows if "stars" in key)
    assert second.counters.windows[key] == {"2026": 2}
    again = recount(compiled, first.counters, "event", second.outcome, NOON, NOON, state.enrolled_at)
    assert again == second.counters
    # what a window no longer keeps is not taken off, and nothing falls below zero
    counters = Counters(earned={"stars": 3})
    move = LotMove("cancelled", "stars", 10, "base", (1, 0), occurred_at=NOON)
    count_moves(compiled, counters, Outcome(moves=[move], decayed=["stars"], extends=["stars"]), NOON, NOON, NOON)
    assert counters.earned == {"stars": 0}
    assert (counters.decayed, counters.active_at) == ({"stars": NOON}, {"stars": NOON})


def test_released_points_count_for_a_balance_at_once() -> None:
    text = WAITING.replace("metric: points.stars.earned, window: calendar_year", "metric: points.stars.balance")
    compiled = program(text)
    state = member()
    state.waiting = [Waiting("stars", "base", 900, (1, 0), "o1", NOON)]
    decision = decide(compiled, state, happening("shipped"), NOON)
    assert [(change.tier_set, change.after) for change in decision.outcome.tiers] == [("rank", "high")]


@pytest.mark.parametrize(
    ("move", "told"),
    [
        (LotMove("released", "stars", 1, "base", (1, 0)), "1 star can be used now."),
        (LotMove("released", "stars", 2, "base", (1, 0), "o1"), "2 stars of order o1 can be used now."),
        (LotMove("cancelled", "stars", 2, "base", (1, 0)), "2 pending stars taken back."),
        (LotMove("cancelled", "stars", 2, "base", (1, 0), "o1"), "2 pending stars of order o1 taken back."),
        (LotMove("expired", "gone", 1000, "base", (1, 0)), "1,000 gone ended by hand."),
        (LotMove("extended", "extra", 2, "base", (1, 0)), "2 extra no longer end."),
        (
            LotMove("extended", "stars", 2, "base", (1, 0), expires_at=at("2027-01-01T00:00+01:00")),
            "2 stars can now be used through 2026-12-31.",
        ),
    ],
)
def test_sentences_about_lots(move: LotMove, told: str) -> None:
    compiled = program(WAITING)
    assert move_sentences(compiled, [move], "en") == [told]
    assert move_sentences(compiled, [move, move], "en", "why") != [told]
    assert all(len(move_sentences(compiled, [move, move], language)) == 1 for language in ("de", "ms"))


def test_names_in_sentences() -> None:
    compiled = program(WAITING)
    assert (event_name(compiled, "shipped", "en"), event_name(compiled, "order_lost", "en")) == (
        "delivery",
        "order lost",
    )
    assert points_name(compiled, "stars", 1, "de") == "star"


def test_a_step_of_decay_is_counted_in_days_and_longer() -> None:
    assert Decay.model_validate({"every": "2w", "percent": "0.5"}).percent == Decimal("0.5")
