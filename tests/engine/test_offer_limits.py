"""Offers: limits, groups and errors of completions, and how they stand."""

from __future__ import annotations

import datetime as dt

import msgspec

from engine.offer_story import DAY, Story, assignment, changed, everybody, offer
from engine.shop_world import (
    NOON,
    at,
    campaigns,
    considered,
    decided,
    granted,
    line,
    member,
    program,
    purchase,
    total,
    verdicts,
)
from setia.engine.decision import OfferChange
from setia.engine.offers import held, open_ends
from setia.engine.state import Counters, OfferState

# ------------------------------------------------------------------------------------------- limits, groups, errors


def test_limits_are_about_completions() -> None:
    story = everybody(
        "progress: {orders: 2}, repeat: always", "earn: {stars: 5}, limits: [{per: member, every: day, uses: 1}]"
    )
    decisions = [story(purchase(100)) for _ in range(5)]
    assert [total(decision) for decision in decisions] == [0, 5, 0, 0, 0]
    assert [verdicts(decision)["o"] for decision in decisions] == ["progress", "matched", "progress", "limit", "limit"]
    # What would complete it does not count for it, until the limit allows.
    assert [changed(decision) for decision in decisions[3:]] == [[], []]
    assert considered(decisions[3], "o").limit == "o#0"
    assert total(story(purchase(100, at=NOON + DAY))) == 5


def test_a_limit_allows_some_of_several_completions() -> None:
    story = everybody("progress: {units: 10}, repeat: always", "earn: {stars: 5}, limits: [{uses: 1}]")
    decision = story(purchase(line(1, quantity="23")))
    assert total(decision) == 5
    step = considered(decision, "o").offer
    assert step is not None
    assert (step.completed, step.wanted, considered(decision, "o").limit) == (1, 2, "o#0")
    assert story.progress("o") == (3_000_000, 1)
    assert story.state.counters.limits == {"o#0": {"ever": 1}}


def test_instances_share_the_limits_of_their_campaign() -> None:
    story = Story(offer("progress: {orders: 1}", "earn: {stars: 5}, limits: [{uses: 1}]"))
    story(assignment(event="evt_a"))
    story(assignment(event="evt_b"))
    decision = story(purchase(100))
    assert (total(decision), changed(decision)) == (5, [("counted", "evt_a", 1, 1)])
    assert [one.verdict for one in decision.explanation.considered] == ["matched", "limit"]


def test_budgets_over_all_members_count_every_completion() -> None:
    story = everybody("progress: {units: 1}, repeat: always", "earn: {stars: 5}, limits: [{in_all: 3 uses}]")
    assert total(story(purchase(line(1, quantity="2")))) == 10
    assert story.last is not None
    assert story.last.budget_uses == {"o#0": {"ever": 2}}
    assert total(story(purchase(line(1, quantity="2")))) == 5
    assert total(story(purchase(line(1, quantity="2")))) == 0


def test_a_completion_that_a_limit_of_points_leaves_nothing_has_not_happened() -> None:
    story = Story(offer("progress: {orders: 1}", "earn: {stars: 5}, limits: [{earn: 5 stars}]"))
    story(assignment(event="evt_a"))
    story(assignment(event="evt_b"))
    decision = story(purchase(100))
    assert (total(decision), decision.outcome.uses) == (5, ["o"])
    assert changed(decision) == [("counted", "evt_a", 1, 1)]
    assert story.progress("evt_b") == (0, 0)


def test_an_offer_that_loses_in_its_group_keeps_its_progress_as_it_was() -> None:
    compiled = program(
        """
stacking: {groups: {g: {choose: priority}}}
campaigns:
  o: {on: purchase, group: g, offer: {for: everybody, progress: {orders: 2}}, earn: {stars: 5}}
  p: {on: purchase, group: g, priority: 1, when: event.total > 50, earn: {stars: 7}}
"""
    )
    story = Story(compiled)
    assert granted(story(purchase(9900))) == {"p": 7}  # not complete yet, so there is nothing to choose
    lost = story(purchase(9900))
    assert (granted(lost), considered(lost, "o").verdict, changed(lost)) == ({"p": 7}, "group", [])
    assert story.progress("o") == (1, 0)
    assert granted(story(purchase(100))) == {"o": 5}


def test_an_exclusive_offer_keeps_others_out_only_when_it_is_completed() -> None:
    compiled = campaigns(
        """
        o: {on: purchase, exclusive: true, offer: {for: everybody, progress: {orders: 2}}, earn: {stars: 5}}
        p: {on: purchase, earn: {stars: 7}}
        """
    )
    story = Story(compiled)
    assert [granted(story(purchase(100))) for _ in range(3)] == [{"p": 7}, {"o": 5}, {"p": 7}]


def test_a_failing_expression_counts_for_nothing() -> None:
    story = everybody("progress: {orders: 1}", "earn: {stars: {expression: '1 / (event.lines.size() - 1)'}}")
    assert (verdicts(story(purchase(100))), story.state.counters.offers) == ({"o": "error"}, {})
    assert total(story(purchase(100, 100))) == 1


# -------------------------------------------------------------------------------------------------- state and reading


def test_what_nothing_can_count_for_any_more_is_dropped_with_the_next_assignment() -> None:
    compiled = program(
        """
late: {accept_within: 10d}
campaigns: {o: {on: purchase, offer: {valid_for: 24h, progress: {orders: 9}}, earn: {stars: 5}}}
"""
    )
    story = Story(compiled)
    story(assignment(event="evt_a"))
    story(assignment(event="evt_b", moment=NOON + 11 * DAY))
    assert set(story.state.counters.offers) == {"evt_a", "evt_b"}
    story(assignment(event="evt_c", moment=NOON + 13 * DAY))
    assert set(story.state.counters.offers) == {"evt_b", "evt_c"}


def test_all_offers_of_a_member_as_they_stand() -> None:
    compiled = campaigns(
        """
        a: {on: purchase, offer: {valid_for: 2d, progress: {spend: 10}}, earn: {stars: 1}}
        b: {on: purchase, offer: {for: everybody, progress: {spend: 10}}, earn: {stars: 1}}
        c: {on: purchase, schedule: {ends: 2026-02-01}, offer: {for: everybody, progress: {spend: 1}}, earn: {stars: 1}}
        """
    )
    story = Story(compiled)
    story(assignment("a", event="evt_a"))
    story(assignment("a", event="evt_b", starts="2026-04-01T00:00:00Z"))
    story(purchase(1200))
    story(assignment("a", event="evt_c"))

    def shown(moment: dt.datetime) -> list[tuple[str, str]]:
        return [(one.instance, one.status) for one in held(compiled, story.state, moment)]

    assert shown(NOON) == [("evt_a", "completed"), ("evt_b", "scheduled"), ("evt_c", "running"), ("b", "completed")]
    assert shown(NOON + 2 * DAY)[2] == ("evt_c", "ended")
    assert open_ends(compiled, story.state, NOON) == [
        (NOON + 2 * DAY, "evt_c", "a"),
        (at("2026-04-03T00:00+00:00"), "evt_b", "a"),
    ]
    # One that everybody had, and this member began, is shown when it has ended.
    story.state.counters.offers["c"] = OfferState("c", progress=50)
    assert shown(NOON)[-1] == ("c", "ended")


def test_the_window_of_everybodys_offer_follows_the_campaign() -> None:
    compiled = offer("for: everybody, progress: {orders: 3}", "schedule: {ends: 2026-03-31}, earn: {stars: 5}")
    held_before = OfferState("o", ends=NOON - DAY, progress=2)
    state = member(counters=Counters(offers={"o": held_before, "evt_a": OfferState("o", progress=1)}))
    decision = decided(compiled, purchase(100), state)
    assert (total(decision), changed(decision)) == (5, [("counted", "o", 1, 1)])


def test_a_smaller_goal_counts_at_the_next_event() -> None:
    state = member(counters=Counters(offers={"o": OfferState("o", progress=9)}))
    assert total(decided(offer("for: everybody, progress: {orders: 5}"), purchase(100), state)) == 5


def test_programs_without_offers_have_none_of_it() -> None:
    compiled = campaigns("a: {on: purchase, earn: {stars: 1}}")
    assert [name for name, plan in compiled.plans.items() if plan.offers] == ["offer_assigned", "offer_activated"]
    decision = decided(compiled, purchase(100))
    assert b"offer" not in msgspec.json.encode([decision.outcome, decision.explanation, decision.counters])


def test_a_change_goes_through_json() -> None:
    story = everybody("progress: {items: [A, B]}")
    [change] = story(purchase(line(1, "A"))).outcome.offers
    assert msgspec.json.decode(msgspec.json.encode(change), type=OfferChange) == change
