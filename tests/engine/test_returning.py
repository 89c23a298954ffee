"""Returns decided: points, sums, limits, budgets, offers and levels as if what came back had never been bought."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.return_world import NOON, Returned, ReturnedLine, Shop, line, plain
from engine.shop_world import at, campaigns, effect_of, granted, program
from setia.engine.counting import count_return
from setia.engine.decision import Outcome, PointsEffect, Undone
from setia.engine.returning import decide_return
from setia.engine.state import Balance, Counters, TierPeriod

BASE = "base: {on: purchase, earn: {stars: 1 per 1.00}}"
DAY = dt.timedelta(days=1)
LEVELS = "levels: [{id: green, from: 0}, {id: gold, from: 100}, {id: black, from: 500}]"


def _tiers(settings: str = "window: lifetime", metric: str = "spend", more: str = BASE) -> Shop:
    return Shop(program(f"tiers: [{{id: t, metric: {metric}, {settings}, {LEVELS}}}]\ncampaigns: {{{more}}}"))


def test_a_lost_threshold_takes_its_bonus() -> None:
    shop = Shop(campaigns(f"{BASE}\nbig: {{on: purchase, when: event.total >= 50.0, earn: {{stars: 100}}}}"))
    shop.buy(line(4000, "x"), line(2000, "y", "2"))
    assert granted(shop.give_back(0, ReturnedLine(1, Decimal(1)))) == {"base": -10}
    last = shop.give_back(0, ReturnedLine(1))
    assert granted(last) == {"base": -10, "big": -100}
    # It tells why: the condition that fails for what is left.
    [big] = [one for one in last.explanation.considered if one.campaign == "big"]
    assert big.verdict == "condition"
    assert granted(shop.give_back(0)) == {"base": -40}
    assert shop.stars == 0


def test_a_line_that_came_back_whole_fits_no_campaign_any_more() -> None:
    shop = Shop(campaigns("tea: {on: purchase, lines: 'line.sku == \"tea\"', earn: {stars: 50}}\n" + BASE))
    shop.buy(line(1000, "tea"), line(1000, "x"))
    assert granted(shop.give_back(0, ReturnedLine(0))) == {"tea": -50, "base": -10}
    assert shop.stars == 10


def test_a_return_may_give_what_another_campaign_had_kept_from_the_order() -> None:
    shop = Shop(
        campaigns(
            "big: {on: purchase, when: event.total >= 50.0, exclusive: true, priority: 1, earn: {stars: 3}}\n"
            "small: {on: purchase, earn: {stars: 1 per 1.00}}"
        )
    )
    shop.buy(line(4000), line(2000))
    decision = shop.give_back(0, ReturnedLine(1))
    assert granted(decision) == {"big": -3, "small": 40}
    assert shop.stars == 40
    shop.give_back(0)
    assert shop.figures == {}


def test_what_a_return_gives_waits_and_ends_as_the_orders_own_points() -> None:
    settings = "{stars: {available_after: 14d, expiry: {after: 12mo}}}"
    shop = Shop(
        campaigns(
            "big: {on: purchase, when: event.total >= 50.0, exclusive: true, priority: 1, earn: {stars: 3}}\n"
            "small: {on: purchase, earn: {stars: 1 per 1.00}}",
            points=settings,
        )
    )
    shop.buy(line(4000), line(2000))
    decision = shop.give_back(0, ReturnedLine(1), at=NOON + 3 * DAY)
    effect, lost = effect_of(decision, "small"), effect_of(decision, "big")
    assert effect.available_at is not None
    assert effect.available_at - NOON == 14 * DAY
    assert effect.expires_at is not None
    assert (lost.available_at, lost.expires_at) == (None, None)


def test_uses_and_points_of_limits_and_budgets_come_back_on_the_day_of_the_order() -> None:
    shop = Shop(
        campaigns(
            "once: {on: purchase, earn: {stars: 5}, limits: [{every: day, uses: 1}, {per: all, every: day, uses: 3}]}\n"
            "some: {on: purchase, earn: {stars: 1 per 1.00}, "
            "limits: [{every: month, earn: 50 stars}, {per: all, every: month, earn: 60 stars}]}"
        )
    )
    shop.buy(4000)
    shop.buy(4000, at=NOON + DAY)
    assert (shop.stars, shop.budget) == (
        60,
        {"once#1": {"2026-03-04": 1, "2026-03-05": 1}, "some#1": {"2026-03": 50}},
    )
    half = shop.give_back(0, amount=2000, at=NOON + 2 * DAY)
    assert half.budget_uses == {"some#1": {"2026-03": -20}}
    whole = shop.give_back(0, at=NOON + 2 * DAY)
    assert whole.budget_uses == {"once#1": {"2026-03-04": -1}, "some#1": {"2026-03": -20}}
    assert shop.state.counters.limits == {
        "once#0": {"2026-03-04": 0, "2026-03-05": 1},
        "some#0": {"2026-03": 10},
    }
    # What another order had found used up is not given to it afterwards.
    shop.give_back(1, at=NOON + 2 * DAY)
    assert shop.figures == {}
    assert granted(shop.buy(4000, at=NOON + 2 * DAY)) == {"once": 5, "some": 40}


def test_a_budget_that_others_used_up_meanwhile_does_not_cut_what_the_order_keeps() -> None:
    shop = Shop(campaigns("a: {on: purchase, earn: {stars: 1 per 1.00}, limits: [{per: all, earn: 60 stars}]}"))
    shop.buy(line(4000), line(4000))
    shop.budgets.used["a#0"]["ever"] = 60
    assert granted(shop.give_back(0, ReturnedLine(0))) == {"a": -20}
    assert granted(shop.give_back(0)) == {"a": -40}


def test_it_is_decided_by_the_version_and_the_facts_of_the_orders_day() -> None:
    attributes = "members: {attributes: {vip: {type: boolean}}}"
    old = program(
        f"{attributes}\ncampaigns: {{a: {{on: purchase, when: member.attributes.vip, earn: {{stars: 2 per 1.00}}}}}}"
    )
    shop = Shop(old)
    shop.state.attributes = {"vip": True}
    shop.buy(4000, 1000)
    shop.state.attributes = {"vip": False}
    shop.program = program(
        "members: {attributes: {vip: {type: boolean}}}\ncampaigns: {a: {on: purchase, earn: {stars: 9 per 1.00}}}"
    )
    decision = shop.give_back(0, ReturnedLine(1))
    assert granted(decision) == {"a": -20}
    assert decision.outcome.undoes is not None
    assert decision.outcome.undoes.version == old.version


def test_points_of_several_types_are_taken_from_each() -> None:
    shop = Shop(
        campaigns("a: {on: purchase, earn: {stars: 1 per 1.00, coins: 2 per 1.00}}", points="{stars: {}, coins: {}}")
    )
    shop.buy(line(1000), line(3000))
    shop.give_back(0, ReturnedLine(0))
    assert (shop.available("stars"), shop.available("coins")) == (30, 60)


def test_a_level_that_hung_on_the_order_goes_at_once() -> None:
    shop = _tiers()
    shop.buy(9000, at=at("2026-01-10T12:00Z"))
    shop.buy(5000, at=at("2026-02-10T12:00Z"))
    assert shop.level == "gold"
    decision = shop.give_back(1, at=at("2026-02-20T12:00Z"))
    assert (shop.level, decision.explanation.tiers) == ("green", {"t": "9000/10000"})
    assert shop.state.counters.periods == {}
    assert plain(shop.recounted()) == plain(shop.state.counters)


def test_each_of_several_levels_goes_with_what_it_hung_on() -> None:
    shop = _tiers()
    for day, euros in ((1, 120), (2, 450), (3, 10)):
        shop.buy(euros * 100, at=at(f"2026-01-0{day}T12:00Z"))
    assert shop.level == "black"
    gold_since = at("2026-01-01T12:00Z")
    assert shop.state.counters.periods["t"].risen == (("green", None), ("gold", gold_since))
    shop.give_back(1)
    assert shop.level == "gold"
    # It is held since it was reached, and not since the return.
    assert shop.state.counters.periods["t"] == TierPeriod(gold_since, risen=(("green", None),))
    shop.give_back(0)
    assert shop.level == "green"
    assert shop.recounted().periods == {}


def test_a_level_between_is_held_since_the_member_rose_past_it() -> None:
    shop = _tiers()
    shop.buy(line(20000), line(40000), at=at("2026-01-01T12:00Z"))
    shop.give_back(0, ReturnedLine(1))
    assert shop.level == "gold"
    since = at("2026-01-01T12:00Z")
    hangs = {"gold": since}  # on what else was booked until the return
    assert shop.state.counters.periods["t"] == TierPeriod(since, risen=(("green", None),), hangs=hangs)


def test_a_level_reached_before_the_order_or_without_it_stays() -> None:
    shop = _tiers("window: calendar_year, validity: 12mo")
    shop.buy(12000, at=at("2025-12-20T12:00Z"))
    shop.buy(5000, at=at("2026-01-10T12:00Z"))
    shop.give_back(1)
    assert shop.level == "gold"
    shop.buy(60000, at=at("2026-01-11T12:00Z"))
    shop.buy(50000, at=at("2026-01-12T12:00Z"))
    shop.give_back(2)
    assert shop.level == "black"  # what is left reaches it


def test_a_level_kept_at_a_review_since_stays() -> None:
    shop = _tiers()
    shop.buy(12000)
    shop.state.counters.periods = {"t": TierPeriod(NOON + 5 * DAY)}
    shop.give_back(0, at=NOON + 6 * DAY)
    assert shop.level == "gold"
    # A rise after the review goes; the level that was kept then does not.
    shop.state.counters.tiers = {"t": "black"}
    shop.state.counters.periods = {"t": TierPeriod(NOON + 7 * DAY, risen=(("gold", NOON + 5 * DAY),))}
    shop.buy(100, at=NOON + 7 * DAY)
    past = msgspec.structs.replace(shop.orders[1], booked_at=NOON + 4 * DAY)
    shop.orders[1] = past
    shop.give_back(1, at=NOON + 8 * DAY)
    assert shop.level == "gold"


def test_a_level_may_stay_until_the_next_review() -> None:
    shop = _tiers("window: lifetime, on_return: at_review")
    shop.buy(12000)
    shop.give_back(0)
    assert shop.level == "gold"


def test_a_level_that_follows_its_metrics_follows_a_return() -> None:
    shop = _tiers("window: rolling 30d, validity: current")
    shop.buy(60000)
    assert shop.level == "black"
    shop.give_back(0, amount=45000)
    assert shop.level == "gold"


def test_pending_points_are_taken_before_those_a_level_counts() -> None:
    shop = _tiers("validity: current", metric="points.stars.balance")
    shop.state.balances = {"stars": Balance(available=120, pending=0)}
    shop.buy(3000)
    assert shop.level == "gold"
    # 30 of them wait: the 30 that go are those, and the 120 that are there stay.
    shop.state.balances = {"stars": Balance(available=120, pending=30)}
    shop.give_back(0)
    assert shop.level == "gold"


def test_an_order_of_a_period_that_is_over_takes_nothing_from_the_next_one() -> None:
    shop = _tiers("window: period, validity: 12mo")
    shop.buy(4000, at=at("2026-01-10T12:00Z"))
    shop.buy(7000, at=at("2026-01-20T12:00Z"))  # reaches gold: a period begins, and with it the sums
    shop.buy(3000, at=at("2026-01-30T12:00Z"))
    assert shop.state.counters.windows == {"spend|period|t": {"period": 3000}}
    early = shop.give_back(0)
    assert early.outcome.undoes is not None
    assert early.outcome.undoes.closed == ["spend|period|t"]
    assert shop.state.counters.windows == {"spend|period|t": {"period": 3000}}
    # Another order has ended that period: what it would have come to is not known, and the level stays.
    assert shop.level == "gold"
    shop.give_back(2, amount=1000)
    assert shop.state.counters.windows == {"spend|period|t": {"period": 2000}}


def test_the_order_that_brought_the_rise_takes_it_back_and_the_period_goes_on() -> None:
    shop = _tiers("window: period, validity: 12mo")
    shop.buy(4000, at=at("2026-01-10T12:00Z"))
    shop.buy(line(5000), line(2000), at=at("2026-01-20T12:00Z"))
    shop.buy(500, at=at("2026-01-30T12:00Z"))
    shop.give_back(1, amount=400)
    assert shop.level == "gold"  # 40 + 66 are still enough
    shop.give_back(1, ReturnedLine(1))
    assert shop.level == "green"
    sums = shop.state.counters.windows["spend|period|t"]["period"]
    assert shop.recounted() == shop.state.counters
    assert sums == 4000 + 4714 + 500
    shop.give_back(0)
    shop.give_back(1)
    shop.give_back(2)
    assert shop.figures == {}


def test_what_a_window_no_longer_keeps_is_not_counted_less() -> None:
    compiled = _tiers("window: rolling 30d").program
    outcome = Outcome(points=[], counted={"spend": -500}, undoes=Undone("evt_1", NOON))
    counters = Counters(windows={"spend|rolling 30d": {"2026-09-01": 700}}, lifetime={"orders": 1, "spend": 700})
    assert outcome.undoes is not None
    after = count_return(compiled, counters, outcome, outcome.undoes, NOON)
    assert after.windows == counters.windows
    assert after.lifetime == {"orders": 1, "spend": 200}


def test_points_that_were_spent_were_earned_no_more_than_the_others() -> None:
    compiled = campaigns("a: {on: purchase, earn: {stars: 1 per 1.00}, limits: [{every: day, earn: 90 stars}]}")
    counters = Counters(earned={"stars": 90}, limits={"a#0": {"2026-03-04": 90}}, lifetime={"orders": 1})
    undone = Undone("evt_1", NOON, ["a"])
    outcome = Outcome(points=[PointsEffect("stars", -20, "a", wanted=-90)], counted={"orders": -1}, undoes=undone)
    after = count_return(compiled, counters, outcome, undone, NOON)
    assert (after.earned, after.limits) == ({"stars": 0}, {"a#0": {"2026-03-04": 0}})


def test_moments_of_purchases_go_with_the_last_order() -> None:
    shop = Shop(campaigns(BASE))
    shop.buy(1000)
    shop.buy(1000, at=NOON + DAY)
    shop.give_back(1)
    assert shop.state.counters.first_purchase_at == NOON
    shop.give_back(0)
    counters = shop.state.counters
    assert (counters.first_purchase_at, counters.last_purchase_at) == (None, None)
    assert counters.newest_at == NOON + DAY


def _offer(progress: str, more: str = "") -> Shop:
    return Shop(
        campaigns(f"o: {{on: purchase, offer: {{progress: {progress}, for: everybody{more}}}, earn: {{stars: 9}}}}")
    )


def _progress(shop: Shop) -> tuple[int, int, tuple[str, ...]]:
    state = shop.state.counters.offers["o"]
    return state.progress, state.completions, state.items


def test_progress_of_an_offer_is_taken_back_and_a_completion_with_its_points() -> None:
    shop = _offer("{spend: 100.00}", ", repeat: {times: 3}, carry_over: true")
    shop.buy(8000)
    shop.buy(line(4000), line(14000))
    assert (_progress(shop), shop.stars) == ((6000, 2, ()), 18)
    part = shop.give_back(1, ReturnedLine(1))
    assert (_progress(shop), shop.stars) == ((2000, 1, ()), 9)
    assert part.outcome.undoes is not None
    assert part.outcome.undoes.uses == ["o"]
    # The second order alone would not have completed it; what it was given stays, and is made up for first.
    shop.give_back(0)
    assert (_progress(shop), shop.stars) == ((-6000, 1, ()), 9)
    shop.buy(15000)
    assert (_progress(shop), shop.stars) == ((9000, 1, ()), 9)
    shop.give_back(2)
    shop.give_back(1)
    assert shop.figures == {}
    assert shop.state.counters.offers["o"].completed_at is None


def test_articles_of_an_offer_are_taken_back() -> None:
    shop = _offer("{items: [a, b, c]}")
    shop.buy(line(100, "a"), line(100, "b"))
    shop.buy(line(100, "b"), line(100, "c"))
    assert _progress(shop) == (0, 1, ())
    shop.give_back(1, ReturnedLine(1))
    assert _progress(shop) == (2, 0, ("a", "b"))
    assert shop.stars == 0
    shop.give_back(0, ReturnedLine(0))
    assert _progress(shop) == (1, 0, ("b",))


def test_an_offer_that_is_no_longer_known_or_not_concerned_is_left_alone() -> None:
    shop = _offer("{orders: 3}")
    shop.buy(line(100), line(100))
    assert shop.give_back(0, ReturnedLine(0)).outcome.offers == []
    shop.state.counters = msgspec.structs.replace(shop.state.counters, offers={})
    assert shop.give_back(0).outcome.offers == []


def test_nothing_given_is_changed() -> None:
    shop = _tiers()
    shop.buy(line(4000), line(60000))
    before = msgspec.json.encode([shop.state, shop.orders[0].before, shop.orders[0].outcomes])
    decide_return(shop.program, shop.state, shop.orders[0], [Returned(amount=63000)], NOON)
    assert msgspec.json.encode([shop.state, shop.orders[0].before, shop.orders[0].outcomes]) == before


@pytest.mark.parametrize("more", [{"discount": 500}, {"shipping": 490}, {"tenders": (("card", 4000),)}])
def test_everything_that_is_on_the_whole_order_goes_with_the_last_line(more: dict[str, Any]) -> None:
    shop = Shop(campaigns(BASE))
    shop.buy(line(3000), line(1000), **more)
    shop.give_back(0, ReturnedLine(0))
    shop.give_back(0, ReturnedLine(1))
    assert shop.figures == {}


def test_a_cancelled_return_is_as_if_the_goods_had_stayed() -> None:
    shop = Shop(
        program(
            "tiers: [{id: t, metric: spend, window: lifetime, levels: [{id: green, from: 0}, {id: gold, from: 50}]}, "
            "{id: c, metric: spend, window: lifetime, validity: current, "
            "levels: [{id: green, from: 0}, {id: gold, from: 50}]}]\n"
            f"campaigns: {{{BASE}, once: {{on: purchase, earn: {{stars: 5}}, limits: [{{every: day, uses: 1}}, "
            "{per: all, earn: 900 stars}, {per: all, uses: 9}]}}"
        )
    )
    shop.buy(line(4000), line(2000))
    before = shop.figures
    shop.give_back(0)
    assert (shop.figures, shop.level) == ({}, "green")
    again = shop.cancel(0, 0)
    assert granted(again) == {"base": 60, "once": 5}
    assert again.outcome.uses == ["base", "once"]
    figures = shop.figures
    # The level is held from now on, and not from when it was first reached.
    assert figures.pop("periods") == {
        name: {"since": "2026-03-04T12:00:00Z", "risen": (("green", None),)} for name in ("t", "c")
    }
    before.pop("periods")
    assert figures == before
    assert plain(shop.recounted()) == plain(shop.state.counters)


def test_a_cancelled_return_gives_again_no_more_than_it_could_take() -> None:
    shop = Shop(campaigns(BASE + "\nother: {on: purchase, when: event.total < 20.0, earn: {stars: 4}}"))
    shop.buy(line(4000), line(1000))
    decision = shop.give_back(0, ReturnedLine(0))
    # 30 of the 40 had been spent: only 10 could be taken.
    could = [
        msgspec.structs.replace(effect, amount=-10, wanted=-40) if effect.campaign == "base" else effect
        for effect in decision.outcome.points
    ]
    shop.replace_last(0, could)
    again = shop.cancel(0, 0)
    assert [(one.campaign, one.amount, one.wanted) for one in again.outcome.points] == [
        ("base", 10, 40),
        ("other", -4, None),
    ]
    assert shop.state.counters.earned == {"stars": 50}


def test_a_limit_that_was_never_counted_has_nothing_to_give_back() -> None:
    compiled = campaigns("a: {on: purchase, earn: {stars: 1}, limits: [{every: day, uses: 1}]}")
    undone = Undone("evt_1", NOON, ["a"])
    after = count_return(compiled, Counters(), Outcome(undoes=undone), undone, NOON)
    assert after.limits == {}
