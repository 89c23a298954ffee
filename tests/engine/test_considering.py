"""Whether a campaign matches, and the first reason why not."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from engine.shop_world import (
    NOON,
    campaigns,
    considered,
    decided,
    happening,
    line,
    member,
    program,
    purchase,
    total,
    verdicts,
)
from setia.engine.considering import readable
from setia.engine.state import Counters


def test_the_first_clause_that_failed_with_its_values() -> None:
    compiled = campaigns(
        'a: {on: purchase, when: event.channel == "app" && event.total >= 20 && event.total < 50, earn: {stars: 1}}'
    )
    found = considered(decided(compiled, purchase(1250, channel="app")), "a")
    assert (found.verdict, found.clause, found.values) == ("condition", "event.total >= 20", {"event.total": "12.50"})
    found = considered(decided(compiled, purchase(5000, channel="app")), "a")
    assert (found.verdict, found.clause, found.values) == ("condition", "event.total < 50", {"event.total": "50.00"})
    found = considered(decided(compiled, purchase(1250, channel="web")), "a")
    assert (found.clause, found.values) == ('event.channel == "app"', {"event.channel": "web"})


def test_a_condition_that_holds_says_nothing_more() -> None:
    found = considered(
        decided(campaigns("a: {on: purchase, when: event.total >= 20, earn: {stars: 1}}"), purchase(2000)), "a"
    )
    assert (found.verdict, found.clause, found.values, found.error) == ("matched", None, {}, None)


def test_an_error_in_a_condition_is_a_verdict_and_gives_nothing() -> None:
    compiled = program(
        """
members: {attributes: {age: {type: integer}}}
campaigns:
  old: {on: visit, when: member.attributes.age >= 60, earn: {stars: 10}}
  all: {on: visit, earn: {stars: 1}}
"""
    )
    # given a member whose age nobody knows
    decision = decided(compiled, happening("visit"))
    # then the campaign says so, and its neighbour is not harmed
    assert verdicts(decision) == {"old": "error", "all": "matched"}
    assert "age" in (considered(decision, "old").error or "")
    assert total(decision) == 1
    assert decision.outcome.uses == ["all"]
    # and with the age it is judged
    assert verdicts(decided(compiled, happening("visit"), member(attributes={"age": 60})))["old"] == "matched"
    assert verdicts(decided(compiled, happening("visit"), member(attributes={"age": 59})))["old"] == "condition"


def test_has_guards_an_attribute_that_may_be_missing() -> None:
    compiled = program(
        """
members: {attributes: {age: {type: integer}}}
campaigns: {old: {on: visit, when: has(member.attributes.age) && member.attributes.age >= 60, earn: {stars: 10}}}
"""
    )
    assert verdicts(decided(compiled, happening("visit"))) == {"old": "condition"}


@pytest.mark.parametrize(("flag", "verdict"), [(True, "matched"), (False, "condition"), ("yes", None), (1, None)])
def test_a_condition_of_a_value_without_a_type(flag: object, verdict: str | None) -> None:
    # whatever is not true does not match, and the explanation says what it was
    compiled = program(
        """
events: {game: {data: {type: object, properties: {flag: {}}}}}
campaigns: {a: {on: game, when: event.data.flag, earn: {stars: 1}}}
"""
    )
    decision = decided(compiled, happening("game", data={"flag": flag}))
    found = considered(decision, "a")
    assert found.verdict == (verdict or found.verdict)
    assert total(decision) == (1 if flag is True else 0)
    if flag is not True:
        assert found.clause == "event.data.flag" or found.error


def test_lines_that_do_not_fit() -> None:
    compiled = campaigns("""a: {on: purchase, lines: 'line.category == "tea"', earn: {stars: 1 per 1.00}}""")
    found = considered(decided(compiled, purchase(1000)), "a")
    assert (found.verdict, found.clause) == ("lines", 'line.category == "tea"')
    assert considered(decided(compiled, purchase()), "a").verdict == "lines"
    assert total(decided(compiled, purchase(1000, line(500, category="tea"), line(300, category="tea")))) == 8


def test_an_error_in_a_choice_of_lines() -> None:
    compiled = campaigns("a: {on: purchase, lines: line.amount / line.tax > 5, earn: {stars: 1 per 1.00}}")
    decision = decided(compiled, purchase(line(1190, tax=190), 1000))
    assert verdicts(decision) == {"a": "error"}
    assert "division by zero" in (considered(decision, "a").error or "")
    assert total(decision) == 0
    assert total(decided(compiled, purchase(line(1190, tax=190)))) == 11


def test_the_order_of_reasons_is_schedule_condition_lines_limit() -> None:
    used_up = member(counters=Counters(limits={"a#0": {"ever": 1}}))
    schedule, when = "schedule: {days: []}, ", "when: event.total > 100, "
    lines = "lines: line.amount > 100, "
    rest = "earn: {stars: 1}, limits: [{uses: 1}]"

    def verdict(parts: str) -> str:
        return verdicts(decided(campaigns(f"a: {{on: purchase, {parts}{rest}}}"), purchase(100), used_up))["a"]

    assert verdict(schedule + when + lines) == "schedule"
    assert verdict(when + lines) == "condition"
    assert verdict(lines) == "lines"
    assert verdict("") == "limit"


def test_every_campaign_is_explained_in_the_order_declared() -> None:
    compiled = campaigns(
        """
        c: {on: purchase, earn: {stars: 1}}
        a: {on: purchase, when: 'false', earn: {stars: 1}}
        b: {on: purchase, earn: {stars: 1}}
        """
    )
    assert list(verdicts(decided(compiled, purchase(100))).items()) == [
        ("c", "matched"),
        ("a", "condition"),
        ("b", "matched"),
    ]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Decimal("12.50"), "12.50"),
        (Decimal("1E+3"), "1000"),
        (None, None),
        (True, True),
        (7, 7),
        ("x", "x"),
        (NOON, "2026-03-04T12:00:00+00:00"),
        ({"a": Decimal("1.0"), "b": [1, (NOON,)]}, {"a": "1.0", "b": [1, ["2026-03-04T12:00:00+00:00"]]}),
        (line(100, "tea"), "tea"),
        (dt.timedelta(days=1), "1 day, 0:00:00"),
    ],
)
def test_values_in_an_explanation_are_json(value: object, plain: object) -> None:
    assert readable(value) == plain
