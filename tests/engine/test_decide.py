"""A whole decision: points taken, attributes, tags, effects, pending and expiry, inputs; and that it is pure."""

from __future__ import annotations

import copy
import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.shop_world import (
    NOON,
    at,
    campaigns,
    considered,
    decided,
    effect_of,
    granted,
    happening,
    line,
    member,
    program,
    purchase,
    total,
    verdicts,
)
from setia.engine.decision import Outcome, PointsEffect, as_json, explanation_of, outcome_of
from setia.engine.state import Budgets, Counters, MemberState

# ------------------------------------------------------------------------------------------------------------- deduct


def fee(policy: str, rest: str = "") -> Any:
    return campaigns(f"fee: {{on: visit, deduct: {{stars: 30}}{rest}}}", points=f"{{stars: {{negative: {policy}}}}}")


@pytest.mark.parametrize(
    ("policy", "balance", "amount", "wanted"),
    [
        ("block", 50, -30, None),
        ("block", 30, -30, None),
        ("block", 10, -10, -30),
        ("allow", 10, -30, None),
        ("allow", -5, -30, None),
        ("recover", 0, -30, None),
    ],
)
def test_points_are_taken_as_far_as_the_policy_allows(
    policy: str, balance: int, amount: int, wanted: int | None
) -> None:
    decision = decided(fee(policy), happening("visit"), member(balances={"stars": balance}))
    effect = effect_of(decision, "fee")
    assert (effect.amount, effect.wanted, effect.by_line) == (amount, wanted, {})
    assert (effect.available_at, effect.expires_at) == (None, None)
    assert decision.outcome.uses == ["fee"]


@pytest.mark.parametrize("balance", [0, -5])
def test_where_there_is_nothing_nothing_is_taken_and_nothing_used_up(balance: int) -> None:
    decision = decided(fee("block", ", limits: [{uses: 1}]"), happening("visit"), member(balances={"stars": balance}))
    assert total(decision) == 0
    assert verdicts(decision) == {"fee": "nothing"}
    assert decision.outcome.uses == []


def test_points_of_the_same_event_can_be_taken_unless_they_are_pending() -> None:
    text = "a: {on: visit, earn: {stars: 20}}\nfee: {on: visit, deduct: {stars: 30}}"
    assert granted(decided(campaigns(text), happening("visit"), member(balances={"stars": 5}))) == {"a": 20, "fee": -25}
    pending = campaigns(text, points="{stars: {available_after: 1d}}")
    assert granted(decided(pending, happening("visit"), member(balances={"stars": 5}))) == {"a": 20, "fee": -5}


def test_two_campaigns_do_not_take_the_same_points() -> None:
    text = "a: {on: visit, deduct: {stars: 30}}\nb: {on: visit, deduct: {stars: 30}}"
    assert granted(decided(campaigns(text), happening("visit"), member(balances={"stars": 50}))) == {"a": -30, "b": -20}


def test_what_is_taken_is_rounded_down() -> None:
    compiled = campaigns("a: {on: purchase, deduct: {stars: 1 per 1.00}}")
    assert granted(decided(compiled, purchase(99), member(balances={"stars": 50}))) == {}
    assert granted(decided(compiled, purchase(199, 190), member(balances={"stars": 50}))) == {"a": -3}


@pytest.mark.parametrize(
    "rate", ["{expression: event.total - 100}", "{expression: event.total / (event.total - event.total)}"]
)
def test_a_deduction_that_fails_takes_nothing(rate: str) -> None:
    compiled = campaigns(f"a: {{on: purchase, deduct: {{stars: {rate}}}, tag: [poor]}}")
    decision = decided(compiled, purchase(199), member(balances={"stars": 50}))
    assert verdicts(decision) == {"a": "error"}
    assert (decision.outcome.points, decision.outcome.tags_added, decision.outcome.uses) == ([], [], [])


# ----------------------------------------------------------------------------------------- attributes, tags, effects

PROFILE = """
members: {attributes: {level: {type: integer}, drink: {type: string}, spent: {type: number}, keen: {type: boolean}}}
campaigns:
"""


def test_attributes_are_set_by_expressions() -> None:
    compiled = program(
        PROFILE
        + "  a: {on: purchase, set: {level: '3', drink: 'event.lines[0].sku', "
        + "spent: event.total, keen: event.total > 10}}"
    )
    decision = decided(compiled, purchase(line(1250, "latte")))
    assert decision.outcome.attributes == {"level": 3, "drink": "latte", "spent": Decimal("12.50"), "keen": True}
    assert decision.outcome.uses == ["a"]


def test_a_whole_decimal_may_be_a_whole_number() -> None:
    compiled = program(PROFILE + "  a: {on: purchase, set: {level: event.total}}")
    assert decided(compiled, purchase(1200)).outcome.attributes == {"level": 12}
    assert verdicts(decided(compiled, purchase(1250))) == {"a": "error"}


def test_of_two_campaigns_that_set_the_same_the_last_wins() -> None:
    compiled = program(PROFILE + "  a: {on: visit, set: {level: '1'}}\n  b: {on: visit, set: {level: '2'}}")
    assert decided(compiled, happening("visit")).outcome.attributes == {"level": 2}


@pytest.mark.parametrize("value", [5, [1], True])
def test_an_attribute_is_only_set_to_what_its_type_allows(value: object) -> None:
    compiled = program(
        """
members: {attributes: {drink: {type: string}}}
events: {game: {data: {type: object, properties: {x: {}}}}}
campaigns: {a: {on: game, set: {drink: event.data.x}}}
"""
    )
    decision = decided(compiled, happening("game", data={"x": value}))
    assert verdicts(decision) == {"a": "error"}
    assert decision.outcome.attributes == {}


def test_tags() -> None:
    compiled = campaigns("a: {on: visit, tag: [vip, regular], untag: [new]}\nb: {on: visit, tag: [vip], untag: [gone]}")
    decision = decided(compiled, happening("visit"), member(tags=("regular", "new")))
    assert decision.outcome.tags_added == ["vip"]
    assert decision.outcome.tags_removed == ["new"]


@pytest.mark.parametrize(
    ("tags", "first", "second"),
    [((), "tag: [vip]", "untag: [vip]"), (("vip",), "untag: [vip]", "tag: [vip]")],
)
def test_tags_are_net(tags: tuple[str, ...], first: str, second: str) -> None:
    # what one campaign gives another takes again: whoever applies the outcome must not have to know in which order
    compiled = campaigns(f"a: {{on: visit, {first}}}\nb: {{on: visit, {second}}}")
    outcome = decided(compiled, happening("visit"), member(tags=tags)).outcome
    assert (outcome.tags_added, outcome.tags_removed) == ([], [])


def test_an_effect_for_the_caller() -> None:
    compiled = campaigns(
        "a: {on: purchase, effect: {name: gate, values: {open: 'true', who: member.id, sum: event.total}}}"
    )
    decision = decided(compiled, purchase(1250))
    assert decision.outcome.custom == [("a", "gate", {"open": True, "who": "mem_1", "sum": "12.50"})]
    assert decision.outcome.uses == ["a"]


@pytest.mark.parametrize(
    "part",
    [
        "earn: {stars: 10, cash: {expression: BAD}}",
        "earn: {stars: 10}, deduct: {cash: {expression: BAD}}",
        "earn: {stars: 10}, set: {level: BAD}",
        "earn: {stars: 10}, effect: {name: gate, values: {x: BAD}}",
        "earn: {stars: 10}, multiply: {of: base, by: BAD}",
    ],
)
def test_a_campaign_of_which_one_part_fails_gives_nothing_at_all(part: str) -> None:
    text = (
        PROFILE + "  base: {on: purchase, earn: {stars: 1}}\n"
        "  a: {on: purchase, tag: [vip], tier: {t: b}, limits: [{uses: 1}], "
        + part.replace("BAD", "event.total / (event.total - event.total)")
    )
    tiers = "tiers: [{id: t, metric: spend, levels: [{id: a, from: 0}, {id: b, from: 100}]}]\n"
    compiled = program(tiers + text + "}", points="{stars: {}, cash: {}}")
    decision = decided(compiled, purchase(100))
    assert verdicts(decision) == {"base": "matched", "a": "error"}
    assert "division by zero" in (considered(decision, "a").error or "")
    assert granted(decision) == {"base": 1}
    outcome = decision.outcome
    assert (outcome.tags_added, outcome.attributes, outcome.custom, outcome.tiers) == ([], {}, [], [])
    assert outcome.uses == ["base"]
    assert decision.counters.limits == {}


# --------------------------------------------------------------------------------------------------- pending, expiry


def lot(settings: str, occurred: str, arrived: str | None = None) -> PointsEffect:
    compiled = campaigns("a: {on: visit, earn: {stars: 1}}", points=f"{{stars: {settings}}}")
    return effect_of(decided(compiled, happening("visit", at=at(occurred)), now=at(arrived or occurred)), "a")


def test_points_can_be_used_at_once_and_never_end() -> None:
    effect = lot("{}", "2026-03-04T12:00+01:00")
    assert (effect.available_at, effect.expires_at) == (None, None)


@pytest.mark.parametrize(
    ("settings", "available", "expires"),
    [
        ("{available_after: 14d}", "2026-04-04T12:00+02:00", None),  # the clocks changed between
        ("{available_after: 36h}", "2026-03-23T00:00+01:00", None),
        ("{expiry: {after: 6mo, align: month_end}}", None, "2026-10-01T00:00+02:00"),
        ("{expiry: {after: 12h}}", None, "2026-03-22T00:00+01:00"),
        # what is pending begins to age when it becomes available
        ("{available_after: 14d, expiry: {after: 10d}}", "2026-04-04T12:00+02:00", "2026-04-15T00:00+02:00"),
        ("{available_after: 14d, expiry: {after: 12h}}", "2026-04-04T12:00+02:00", "2026-04-05T00:00+02:00"),
        (
            "{available_after: 14d, expiry: {after: 1d, align: month_end}}",
            "2026-04-04T12:00+02:00",
            "2026-05-01T00:00+02:00",
        ),
        ("{expiry: {on: ['03-31', '09-30']}}", None, "2026-04-01T00:00+02:00"),
        ("{expiry: {inactivity: 6mo}}", None, None),
    ],
)
def test_pending_and_the_end_of_points(settings: str, available: str | None, expires: str | None) -> None:
    effect = lot(settings, "2026-03-21T12:00+01:00")
    assert effect.available_at == (at(available) if available else None)
    assert effect.expires_at == (at(expires) if expires else None)


def test_points_age_from_their_arrival_and_schedules_go_by_when_it_happened() -> None:
    compiled = campaigns(
        "a: {on: visit, schedule: {ends: 2026-02-28}, earn: {stars: 1}}",
        points="{stars: {available_after: 1d, expiry: {after: 1mo}}}",
    )
    decision = decided(compiled, happening("visit", at=at("2026-02-28T12:00+01:00")), now=at("2026-03-04T18:00+01:00"))
    effect = effect_of(decision, "a")
    assert effect.available_at == at("2026-03-05T18:00+01:00")
    assert effect.expires_at == at("2026-04-06T00:00+02:00")


def test_lots_of_one_day_end_together_and_of_two_days_apart() -> None:
    compiled = campaigns("a: {on: visit, earn: {stars: 1}}", points="{stars: {expiry: {after: 1d}}}")
    ends = [
        effect_of(decided(compiled, happening("visit", at=at(moment))), "a").expires_at
        for moment in ("2026-03-04T00:00+01:00", "2026-03-04T23:59+01:00", "2026-03-05T00:00+01:00")
    ]
    assert ends == [at("2026-03-06T00:00+01:00"), at("2026-03-06T00:00+01:00"), at("2026-03-07T00:00+01:00")]


# -------------------------------------------------------------------------------------------------------- explanation


def test_the_inputs_that_conditions_read_are_kept() -> None:
    compiled = program(
        """
members: {attributes: {age: {type: integer}, mail: {type: string, personal: true}}}
tiers: [{id: t, metric: spend, levels: [{id: green, from: 0}]}]
events: {game: {data: {type: object, properties: {score: {type: integer}, deep: {type: object,
    properties: {x: {type: string}}}}}}}
campaigns:
  a: {on: game, when: 'event.data.score > 3 && event.data.deep.x == "y"', earn: {stars: 1}}
  b: {on: game, when: 'has(member.attributes.age) && member.attributes.age > 5 && member.tiers.t == "green"',
      earn: {stars: 1}}
  c: {on: game, when: 'time.hour < 20 && member.lifetime.spend >= 0 && "x" in member.tags', earn: {stars: 1}}
  e: {on: game, when: 'event.occurred_at > member.enrolled_at', earn: {stars: 1}}
  d: {on: visit, when: 'event.channel == "app"', earn: {stars: 1}}
"""
    )
    event = happening("game", data={"score": 5, "deep": {"x": "y"}})
    inputs = decided(compiled, event, member(attributes={"mail": "a@b.c"})).explanation.inputs
    assert inputs == {
        "event.data.score": 5,
        "event.data.deep.x": "y",
        "member.tiers.t": "green",
        "time.hour": 13,
        "member.lifetime.spend": "0.00",
    }


def test_an_input_that_is_missing_in_the_event_is_left_out() -> None:
    compiled = program(
        """
events: {game: {data: {type: object, properties: {deep: {type: object, properties: {x: {type: string}}}}}}}
campaigns: {a: {on: game, when: 'has(event.data.deep) && event.data.deep.x == "y"', earn: {stars: 1}}}
"""
    )
    decision = decided(compiled, happening("game", data={}))
    assert decision.explanation.inputs == {}
    assert verdicts(decision) == {"a": "condition"}


def test_the_version_stands_with_the_decision() -> None:
    assert decided(campaigns("a: {on: visit, earn: {stars: 1}}"), happening("visit")).program_version == 1


def test_an_outcome_and_an_explanation_survive_json() -> None:
    compiled = program(
        PROFILE
        + "  a: {on: purchase, earn: {stars: 1 per 1.00}, tag: [x], set: {spent: event.total}, effect: {name: gate}}\n"
        "  b: {on: purchase, when: 'event.total > 100', earn: {stars: 1}}"
    )
    decision = decided(compiled, purchase(1999))
    assert outcome_of(as_json(decision.outcome)) == decision.outcome
    assert explanation_of(as_json(decision.explanation)) == decision.explanation
    assert msgspec.json.decode(as_json(decision.counters), type=Counters) == decision.counters


# -------------------------------------------------------------------------------------------------------------- pure


def test_deciding_changes_nothing_that_was_given() -> None:
    compiled = program(
        PROFILE
        + """  a: {on: purchase, earn: {stars: 1 per 1.00}, tag: [x], untag: [old], set: {spent: event.total},
      limits: [{every: day, earn: 15 stars}, {in_all: 100 stars}]}
  m: {on: purchase, multiply: {of: a, by: 2}, limits: [{uses: 3}]}
  f: {on: purchase, deduct: {stars: 2}}
tiers: [{id: t, metric: spend, window: rolling 30d, levels: [{id: l0, from: 0}, {id: l1, from: 10}]}]
"""
    )
    counters = decided(compiled, purchase(500)).counters
    state = member(counters=counters, balances={"stars": 3}, attributes={"spent": "1.00"}, tags=("old",))
    event, budgets = purchase(1999), Budgets(used={"a#1": {"ever": 80}})
    before = copy.deepcopy((state, event, budgets))
    first = decided(compiled, event, state, budgets=budgets)
    assert (state, event, budgets) == before
    assert decided(compiled, event, state, budgets=budgets) == first
    assert (state, event, budgets) == before


def test_a_state_that_went_through_json_decides_the_same() -> None:
    compiled = program(
        PROFILE
        + "  a: {on: purchase, when: has(member.attributes.spent) && member.attributes.spent >= 1.5, "
        + "earn: {stars: {expression: member.attributes.spent * 10}}}"
    )
    first = decided(program(PROFILE + "  a: {on: purchase, set: {spent: event.total / 2}}"), purchase(301))
    state = member(counters=first.counters, attributes=first.outcome.attributes)
    again = msgspec.json.decode(msgspec.json.encode(state), type=MemberState)
    assert total(decided(compiled, purchase(100), state)) == 15
    assert decided(compiled, purchase(100), again) == decided(compiled, purchase(100), state)


def test_what_decisions_share_does_not_leak_between_members() -> None:
    compiled = campaigns(
        "a: {on: purchase, earn: {stars: 1 per 1.00}, tag: [x]}\nb: {on: purchase, multiply: {of: a, by: 2}}"
    )
    first = decided(compiled, purchase(1000))
    kept = copy.deepcopy(first)
    first.outcome.points.clear()
    first.outcome.tags_added.append("y")
    first.counters.lifetime["orders"] = 99
    first.explanation.considered[0].arithmetic.clear()
    assert decided(compiled, purchase(1000)) == kept


def test_the_ends_of_many_days_are_remembered_and_forgotten() -> None:
    # given more days than are remembered
    compiled = campaigns("a: {on: visit, earn: {stars: 1}}", points="{stars: {expiry: {after: 1d}}}")
    for number in range(4200):
        moment = NOON + dt.timedelta(days=number)
        # then each still has an end of its own
        available_at, ends, _ = compiled.validity("stars", moment)
        assert available_at is None
        assert ends is not None
        assert dt.timedelta(days=1) < ends - moment < dt.timedelta(days=2)


def test_an_empty_outcome() -> None:
    decision = decided(campaigns("a: {on: purchase, earn: {stars: 1}}"), happening("visit"))
    assert decision.outcome == Outcome(counted={"visits": 1})
    assert decision.counters == Counters(lifetime={"visits": 1}, newest_at=NOON)
    assert decision.budget_uses == {}
    assert isinstance(decision.counters.newest_at, dt.datetime)
