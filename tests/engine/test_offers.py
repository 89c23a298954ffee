"""Offers: assigned, activated, counted, completed; their windows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from engine.offer_story import DAY, HOUR, Story, activation, assignment, changed, everybody, offer
from engine.shop_world import (
    NOON,
    at,
    campaigns,
    considered,
    decided,
    granted,
    happening,
    line,
    member,
    program,
    purchase,
    total,
    verdicts,
)
from setia.engine.occurrences import Occurrence
from setia.engine.offers import MOST_AT_ONCE
from setia.engine.state import Balance, Counters


def test_spending_adds_up_and_completes_once() -> None:
    story = Story(offer("valid_for: 7d, progress: {spend: 50}"))
    story(assignment())
    first = story(purchase(2300))
    assert (total(first), changed(first)) == (0, [("counted", "evt_a", 2300, 0)])
    assert (first.outcome.uses, verdicts(first)) == ([], {"o": "progress"})
    second = story(purchase(2700))
    assert (total(second), changed(second)) == (5, [("counted", "evt_a", 2700, 1)])
    assert second.outcome.uses == ["o"]
    third = story(purchase(9900))
    assert (total(third), changed(third), considered(third, "o").clause) == (0, [], "completed")
    assert verdicts(third) == {"o": "offer"}
    assert story.progress() == (0, 1)
    assert story.state.counters.offers["evt_a"].completed_at == NOON


def test_one_purchase_of_at_least_so_much() -> None:
    story = everybody("progress: {orders: 1}", "when: event.total >= 20, earn: {stars: 5}")
    assert verdicts(story(purchase(1999))) == {"o": "condition"}
    assert total(story(purchase(2000))) == 5


@pytest.mark.parametrize(
    ("progress", "on", "events", "completed"),
    [
        ("{orders: 2}", "[purchase, visit]", [happening("visit"), purchase(100), purchase(100)], [0, 0, 1]),
        ("{visits: 2}", "[purchase, visit]", [happening("visit"), purchase(100), happening("visit")], [0, 0, 1]),
        ("{events: 2}", "[purchase, visit]", [happening("visit"), purchase(100)], [0, 1]),
        ("{units: 2.5}", "purchase", [purchase(line(1, quantity="2.4")), purchase(line(1, quantity="0.1"))], [0, 1]),
        ("{spend: 10}", "purchase", [purchase(0), purchase(999), purchase(1)], [0, 0, 1]),
        (
            "{items: [A, B]}",
            "purchase",
            [purchase(line(1, "A")), purchase(line(1, "A"), line(1, "C")), purchase(line(1, "B"))],
            [0, 0, 1],
        ),
        ("{items: [A, B]}", "purchase", [purchase(line(1, "B"), line(1, "A"))], [1]),
    ],
)
def test_each_kind_of_progress(progress: str, on: str, events: list[Occurrence], completed: list[int]) -> None:
    story = everybody(f"progress: {progress}", on=on)
    assert [sum(one.completed for one in story(event).outcome.offers) for event in events] == completed


def test_what_adds_nothing_changes_nothing() -> None:
    story = everybody("progress: {visits: 2}", on="[purchase, visit]")
    decision = story(purchase(100))
    assert (verdicts(decision), changed(decision)) == ({"o": "nothing"}, [])


def test_only_chosen_lines_count() -> None:
    coffee, cake = line(300, "latte", "3", category="coffee"), line(400, "cake", "2", category="food")
    chosen = "lines: 'line.category == \"coffee\"', earn: {stars: 5}"
    story = everybody("progress: {units: 10}", chosen)
    assert changed(story(purchase(coffee, cake))) == [("counted", "o", 3_000_000, 0)]
    assert verdicts(story(purchase(cake))) == {"o": "lines"}
    story = everybody("progress: {spend: 10}", chosen)
    assert changed(story(purchase(coffee, cake))) == [("counted", "o", 300, 0)]
    story = everybody("progress: {items: [latte, cake]}", chosen)
    assert changed(story(purchase(coffee, cake))) == [("counted", "o", 1, 0)]
    assert story.state.counters.offers["o"].items == ("latte",)


def test_spending_is_on_the_basis_of_the_campaign() -> None:
    compiled = campaigns(
        """
        own: {on: purchase, basis: {of: order}, offer: {for: everybody, progress: {spend: 90}}, earn: {stars: 1}}
        same: {on: purchase, offer: {for: everybody, progress: {spend: 90}}, earn: {stars: 1}}
        too: {on: purchase, offer: {for: everybody, progress: {spend: 91}}, earn: {stars: 1}}
        """
    )
    decision = decided(compiled, purchase(1000, shipping=495))
    assert changed(decision) == [("counted", "own", 1495, 0), ("counted", "same", 1000, 0), ("counted", "too", 1000, 0)]


# ------------------------------------------------------------------------------------------------------- completions


def test_23_coffees_on_a_card_of_10_are_two_rewards_and_3_stamps() -> None:
    story = everybody("progress: {units: 10}, repeat: always", "earn: {stars: 5}, effect: {name: cup}")
    decision = story(purchase(line(6900, "latte", "23")))
    assert total(decision) == 10
    assert decision.outcome.uses == ["o", "o"]
    assert decision.outcome.custom == [("o", "cup", {})] * 2
    assert story.progress("o") == (3_000_000, 2)
    step = considered(decision, "o").offer
    assert step is not None
    assert (step.before, step.added, step.after, step.target, step.completed) == (
        0,
        23_000_000,
        3_000_000,
        10_000_000,
        2,
    )
    assert total(story(purchase(line(1, "latte", "7")))) == 5


def test_without_carrying_over_the_surplus_is_lost() -> None:
    story = everybody("progress: {units: 10}, repeat: always, carry_over: false")
    assert total(story(purchase(line(1, "latte", "23")))) == 5
    assert story.progress("o") == (0, 1)


def test_so_many_times_and_no_more() -> None:
    story = everybody("progress: {orders: 1}, repeat: {times: 2}")
    assert [total(story(purchase(100))) for _ in range(4)] == [5, 5, 0, 0]
    story = everybody("progress: {units: 2}, repeat: {times: 2}")
    assert total(story(purchase(line(1, quantity="9")))) == 10
    assert story.progress("o") == (0, 2)


def test_a_set_begins_again_with_nothing() -> None:
    story = everybody("progress: {items: [A, B]}, repeat: always")
    assert [total(story(purchase(*map(lines_of, skus)))) for skus in ("AB", "A", "AB", "B")] == [5, 0, 5, 0]
    assert story.state.counters.offers["o"].items == ("B",)


def lines_of(sku: str) -> Any:
    return line(100, sku)


def test_more_completions_than_one_event_may_have_stay_for_the_next() -> None:
    story = everybody("progress: {spend: 0.01}, repeat: always", "earn: {stars: 1}")
    assert total(story(purchase(2500))) == MOST_AT_ONCE
    assert [total(story(purchase(1))) for _ in range(3)] == [1000, 502, 1]


def test_every_effect_comes_once_for_each_completion() -> None:
    compiled = offer("for: everybody, progress: {units: 2}, repeat: always", "deduct: {stars: 3}, tag: [fan]")
    state = member()
    state.balances["stars"] = Balance(available=100)
    decision = decided(compiled, purchase(line(1, quantity="5")), state)
    assert [effect.amount for effect in decision.outcome.points] == [-6]
    assert decision.outcome.tags_added == ["fan"]


def test_points_by_line_are_given_for_each_completion() -> None:
    compiled = offer("for: everybody, progress: {units: 2}, repeat: always", "earn: {stars: 1 per 1.00}")
    decision = decided(compiled, purchase(line(350, quantity="2"), line(160, quantity="3")))
    # 2 x 5.10
    assert (total(decision), decision.outcome.points[0].by_line) == (10, {0: 7, 1: 3})


def test_a_multiplier_works_once_on_the_event_that_completes_it() -> None:
    compiled = campaigns(
        """
        base: {on: purchase, earn: {stars: 1 per 1.00}}
        o: {on: purchase, offer: {for: everybody, progress: {orders: 2}, repeat: always}, multiply: {of: base, by: 2}}
        """
    )
    story = Story(compiled)
    assert [total(story(purchase(1000))) for _ in range(3)] == [10, 20, 10]


def test_too_many_points_of_many_completions_are_an_error_and_count_for_nothing() -> None:
    story = everybody("progress: {units: 1}, repeat: always", "earn: {stars: {expression: 'event.total * 1000000.0'}}")
    decision = story(purchase(line(10**8, quantity="900")))
    assert (verdicts(decision), changed(decision)) == ({"o": "error"}, [])
    assert "900 times" in (considered(decision, "o").error or "")


# ----------------------------------------------------------------------------------------------------------- windows


@pytest.mark.parametrize(("end", "last"), [("inclusive", True), ("exclusive", False)])
def test_the_moment_of_the_end_belongs_to_it_or_not(end: str, *, last: bool) -> None:
    compiled = offer(f"valid_for: 168h, end: {end}, progress: {{orders: 1}}")
    for moment, counts in (
        (NOON, True),
        (NOON + 168 * HOUR, last),
        (NOON + 168 * HOUR + dt.timedelta(seconds=1), False),
    ):
        story = Story(compiled)
        story(assignment())
        decision = story(purchase(100, at=moment))
        assert bool(total(decision)) == counts
        assert considered(decision, "o").clause == (None if counts else "ended")


def test_hours_elapse_and_days_are_the_calendars() -> None:
    # Clocks go forward on 29 March.
    start = at("2026-03-28T12:00+01:00")
    for length, end in (("24h", "2026-03-29T13:00+02:00"), ("1d", "2026-03-29T12:00+02:00")):
        story = Story(offer(f"valid_for: {length}, progress: {{orders: 1}}"))
        story(assignment(moment=start))
        assert story.state.counters.offers["evt_a"].ends == at(end)


def test_an_assignment_may_say_when() -> None:
    compiled = offer("valid_for: 7d, progress: {orders: 1}")
    story = Story(compiled)
    story(assignment(starts="2026-03-05T00:00:00+01:00"))
    one = story.state.counters.offers["evt_a"]
    assert (one.starts, one.ends) == (at("2026-03-04T23:00+00:00"), at("2026-03-11T23:00+00:00"))
    assert considered(story(purchase(100)), "o").clause == "scheduled"
    assert total(story(purchase(100, at=NOON + DAY))) == 5
    story = Story(compiled)
    story(assignment(ends="2026-03-04T18:00:00Z"))
    assert story.state.counters.offers["evt_a"].ends == at("2026-03-04T18:00+00:00")


def test_without_a_length_it_ends_with_the_campaign_or_not_at_all() -> None:
    story = Story(offer("progress: {orders: 1}"))
    story(assignment())
    assert story.state.counters.offers["evt_a"].ends is None
    story = Story(offer("progress: {orders: 1}", "schedule: {ends: 2026-03-10}, earn: {stars: 5}"))
    story(assignment())
    assert story.state.counters.offers["evt_a"].ends == at("2026-03-11T00:00+01:00")
    assert verdicts(story(purchase(100, at=NOON + 9 * DAY))) == {"o": "offer"}


def test_the_schedule_of_the_campaign_holds_too() -> None:
    story = Story(offer("valid_for: 7d, progress: {orders: 1}", "schedule: {days: [thu]}, earn: {stars: 5}"))
    story(assignment())
    assert verdicts(story(purchase(100))) == {"o": "schedule"}
    assert total(story(purchase(100, at=NOON + DAY))) == 5


def test_a_late_event_counts_for_the_window_in_which_it_occurred() -> None:
    story = Story(offer("valid_for: 24h, progress: {orders: 2}"))
    story(assignment())
    story(purchase(100, at=NOON + 30 * DAY))
    assert changed(story(purchase(100, at=NOON + HOUR))) == [("counted", "evt_a", 1, 0)]
    assert total(story(purchase(100, at=NOON + 2 * HOUR))) == 5
    assert considered(story(purchase(100, at=NOON - HOUR)), "o").clause == "completed"


def test_an_assignment_does_not_look_back() -> None:
    story = Story(offer("valid_for: 24h, progress: {orders: 1}"))
    assert considered(story(purchase(100, at=NOON + HOUR)), "o").clause == "unassigned"
    story(assignment())
    assert story.progress() == (0, 0)


def test_everybodys_offer_runs_by_the_schedule() -> None:
    story = everybody("progress: {orders: 2}", "schedule: {starts: 2026-03-05, ends: 2026-03-06}, earn: {stars: 5}")
    reasons = [considered(story(purchase(100, at=NOON + days * DAY)), "o").clause for days in (0, 1, 3)]
    assert reasons == ["scheduled", None, "ended"]
    one = story.state.counters.offers["o"]
    assert (one.starts, one.ends) == (at("2026-03-05T00:00+01:00"), at("2026-03-07T00:00+01:00"))


# --------------------------------------------------------------------------------------------------- several instances


def test_each_assignment_runs_by_itself_and_counts_the_same_purchase() -> None:
    story = Story(offer("valid_for: 7d, progress: {spend: 20}"))
    story(assignment(event="evt_a"))
    story(purchase(1500))
    story(assignment(event="evt_b"))
    decision = story(purchase(1000))
    assert changed(decision) == [("counted", "evt_a", 1000, 1), ("counted", "evt_b", 1000, 0)]
    assert (total(decision), verdicts(decision)) == (5, {"o": "progress"})  # of the last one
    assert changed(story(purchase(1000))) == [("counted", "evt_b", 1000, 1)]
    story(assignment(event="evt_c"))
    story(assignment(event="evt_d"))
    both = story(purchase(2000))
    assert changed(both) == [("counted", "evt_c", 2000, 1), ("counted", "evt_d", 2000, 1)]
    assert (total(both), both.outcome.uses) == (10, ["o", "o"])
    assert [one.offer.instance for one in both.explanation.considered if one.offer] == ["evt_c", "evt_d"]


def test_overlapping_offers_all_count_the_purchase() -> None:
    compiled = campaigns(
        """
        a: {on: purchase, offer: {valid_for: 7d, progress: {spend: 10}}, earn: {stars: 1}}
        b: {on: purchase, offer: {valid_for: 7d, progress: {orders: 1}}, earn: {stars: 10}}
        c: {on: purchase, offer: {for: everybody, progress: {orders: 1}}, earn: {stars: 100}}
        """
    )
    story = Story(compiled)
    story(assignment("a", event="evt_a"))
    story(assignment("b", event="evt_b"))
    assert granted(story(purchase(1000))) == {"a": 1, "b": 10, "c": 100}


def test_an_assignment_of_what_is_no_offer_or_everybodys_does_nothing() -> None:
    compiled = campaigns(
        """
        a: {on: purchase, offer: {for: everybody, progress: {spend: 10}}, earn: {stars: 1}}
        b: {on: purchase, earn: {stars: 10}}
        c: {on: purchase, enabled: false, offer: {progress: {spend: 10}}, earn: {stars: 1}}
        """
    )
    for name in ("a", "b", "c", "gone"):
        decision = decided(compiled, assignment(name))
        assert decision.outcome.offers == []
        assert decision.counters == Counters(newest_at=NOON)


def test_to_be_given_an_offer_is_no_activity_of_the_member() -> None:
    compiled = program(
        """
points: {stars: {expiry: {inactivity: 30d}}, named: {expiry: {inactivity: 30d, extended_by: [offer_assigned]}}}
campaigns: {o: {on: purchase, offer: {activation: by_member, progress: {orders: 1}}, earn: {stars: 1}}}
"""
    )
    assert decided(compiled, assignment()).outcome.extends == ["named"]
    assert decided(compiled, activation(offer="o")).outcome.extends == ["stars"]


def test_campaigns_can_start_on_an_assignment() -> None:
    compiled = campaigns(
        """
        a: {on: purchase, offer: {progress: {spend: 10}}, earn: {stars: 1}}
        mail: {on: offer_assigned, when: event.data.offer == "a", effect: {name: mail, values: {it: event.data.offer}}}
        """
    )
    assert decided(compiled, assignment("a")).outcome.custom == [("mail", "mail", {"it": "a"})]


# --------------------------------------------------------------------------------------------------------- activation


def test_an_offer_waits_for_its_member() -> None:
    story = Story(offer("valid_for: 7d, activation: by_member, progress: {orders: 1}"))
    story(assignment())
    assert considered(story(purchase(100)), "o").clause == "waiting"
    assert changed(story(activation(NOON + HOUR, instance="evt_a"))) == [("activated", "evt_a", 0, 0)]
    assert considered(story(purchase(100, at=NOON)), "o").clause == "waiting"
    assert changed(story(activation(NOON + 2 * HOUR, instance="evt_a"))) == []
    assert story.state.counters.offers["evt_a"].activated_at == NOON + HOUR
    assert total(story(purchase(100, at=NOON + HOUR))) == 5


def test_all_instances_of_an_offer_are_activated_at_once_and_no_others() -> None:
    compiled = campaigns(
        """
        a: {on: purchase, offer: {activation: by_member, progress: {spend: 10}}, earn: {stars: 1}}
        b: {on: purchase, offer: {activation: by_member, for: everybody, progress: {spend: 10}}, earn: {stars: 1}}
        c: {on: purchase, offer: {progress: {spend: 10}}, earn: {stars: 1}}
        """
    )
    story = Story(compiled)
    story(assignment("a", event="evt_1"))
    story(assignment("a", event="evt_2", starts="2026-04-01T00:00:00Z"))
    story(assignment("a", event="evt_3", starts="2026-01-01T00:00:00Z", ends="2026-02-01T00:00:00Z"))
    story(assignment("c", event="evt_4"))
    assert changed(story(activation(offer="a"))) == [("activated", "evt_1", 0, 0), ("activated", "evt_2", 0, 0)]
    assert changed(story(activation(offer="c"))) == []
    assert changed(story(activation(instance="b"))) == [("activated", "b", 0, 0)]
    assert changed(story(activation(instance="nowhere"))) == []
