"""Exclusive campaigns, and groups of which one applies."""

from __future__ import annotations

import pytest

from engine.shop_world import campaigns, considered, decided, granted, member, program, purchase, verdicts
from setia.engine.compiled import CompiledProgram


def grouped(choose: str, rows: str, points: str = "{stars: {}}") -> CompiledProgram:
    body = "\n".join(f"  {row.strip()}" for row in rows.strip().splitlines())
    return program(f"stacking: {{groups: {{g: {{choose: {choose}}}}}}}\ncampaigns:\n{body}", points=points)


def test_campaigns_add_up() -> None:
    compiled = campaigns("a: {on: purchase, earn: {stars: 1 per 1.00}}\nb: {on: purchase, earn: {stars: 5}}")
    assert granted(decided(compiled, purchase(1999))) == {"a": 19, "b": 5}


def test_an_exclusive_campaign_keeps_all_others_out() -> None:
    compiled = campaigns(
        """
        a: {on: purchase, earn: {stars: 1 per 1.00}, priority: 99}
        x: {on: purchase, exclusive: true, earn: {stars: 100}}
        m: {on: purchase, multiply: {of: all, by: 2}}
        """
    )
    decision = decided(compiled, purchase(1999))
    assert granted(decision) == {"x": 100}
    assert verdicts(decision) == {"a": "exclusive", "x": "matched", "m": "exclusive"}
    assert considered(decision, "a").by == "x"
    assert decision.outcome.uses == ["x"]


def test_an_exclusive_campaign_that_does_not_match_keeps_nobody_out() -> None:
    compiled = campaigns(
        "a: {on: purchase, earn: {stars: 1}}\n"
        "x: {on: purchase, when: event.total > 100, exclusive: true, earn: {stars: 100}}"
    )
    assert granted(decided(compiled, purchase(1999))) == {"a": 1}


@pytest.mark.parametrize(("first", "second", "winner"), [(5, 20, "y"), (20, 5, "x"), (7, 7, "x")])
def test_among_exclusive_ones_the_priority_decides_then_the_order(first: int, second: int, winner: str) -> None:
    compiled = campaigns(
        f"x: {{on: purchase, exclusive: true, priority: {first}, earn: {{stars: 1}}}}\n"
        f"y: {{on: purchase, exclusive: true, priority: {second}, earn: {{stars: 1}}}}"
    )
    assert granted(decided(compiled, purchase(100))) == {winner: 1}


def test_an_exclusive_campaign_that_fails_keeps_nobody_out() -> None:
    compiled = campaigns(
        """
        a: {on: purchase, earn: {stars: 1}}
        x: {on: purchase, exclusive: true, earn: {stars: {expression: event.total / (event.total - event.total)}}}
        """
    )
    decision = decided(compiled, purchase(100))
    assert verdicts(decision) == {"a": "matched", "x": "error"}
    assert granted(decision) == {"a": 1}


def test_no_exclusive_campaign_keeps_out_what_always_applies() -> None:
    compiled = campaigns(
        """
        a: {on: purchase, earn: {stars: 1}}
        x: {on: purchase, exclusive: true, earn: {stars: 100}}
        y: {on: purchase, exclusive: true, priority: -1, earn: {stars: 1000}}
        gift: {on: purchase, always: true, earn: {stars: 7}}
        late: {on: purchase, always: true, when: 'false', earn: {stars: 9}}
        """
    )
    decision = decided(compiled, purchase(100))
    assert granted(decision) == {"x": 100, "gift": 7}
    outcome = {"a": "exclusive", "x": "matched", "y": "exclusive", "gift": "matched", "late": "condition"}
    assert verdicts(decision) == outcome
    assert considered(decision, "y").by == "x"


def test_what_always_applies_still_competes_in_its_group() -> None:
    rows = """
        x: {on: purchase, exclusive: true, earn: {stars: 100}}
        a: {on: purchase, group: g, always: true, priority: 1, earn: {stars: 7}}
        b: {on: purchase, group: g, always: true, earn: {stars: 8}}
        c: {on: purchase, group: g, priority: 9, earn: {stars: 9}}
    """
    decision = decided(grouped("priority", rows), purchase(100))
    assert granted(decision) == {"x": 100, "a": 7}
    assert (considered(decision, "b").by, considered(decision, "c").by) == ("a", "x")


@pytest.mark.parametrize(("most", "left"), [(1, ["c"]), (2, ["b", "c"]), (3, ["a", "b", "c"]), (9, ["a", "b", "c"])])
def test_as_many_of_a_group_apply_as_it_says(most: int, left: list[str]) -> None:
    compiled = program(
        f"""
stacking: {{groups: {{g: {{choose: best_value, most: {most}}}}}}}
campaigns:
  a: {{on: purchase, group: g, earn: {{stars: 1}}}}
  b: {{on: purchase, group: g, earn: {{stars: 2}}}}
  c: {{on: purchase, group: g, earn: {{stars: 3}}}}
""",
        points="{stars: {}}",
    )
    decision = decided(compiled, purchase(100))
    assert list(granted(decision)) == left
    losers = [name for name, verdict in verdicts(decision).items() if verdict == "group"]
    assert {considered(decision, name).by for name in losers} <= {"c"}


def test_of_equals_in_a_group_those_declared_first_apply() -> None:
    body = "\n".join(f"  {name}: {{on: purchase, group: g, earn: {{stars: 1}}}}" for name in "dacb")
    compiled = program(f"stacking: {{groups: {{g: {{most: 2}}}}}}\ncampaigns:\n{body}", points="{stars: {}}")
    assert list(granted(decided(compiled, purchase(100)))) == ["d", "a"]


def test_a_group_by_priority() -> None:
    rows = """
        a: {on: purchase, group: g, priority: 1, earn: {stars: 100}}
        b: {on: purchase, group: g, priority: 2, earn: {stars: 10}}
        c: {on: purchase, group: g, priority: 2, earn: {stars: 50}}
        other: {on: purchase, earn: {stars: 1}}
    """
    decision = decided(grouped("priority", rows), purchase(100))
    assert granted(decision) == {"b": 10, "other": 1}
    assert verdicts(decision) == {"a": "group", "b": "matched", "c": "group", "other": "matched"}
    assert (considered(decision, "a").by, considered(decision, "c").by) == ("b", "b")


def test_a_group_that_is_not_described_chooses_by_priority() -> None:
    compiled = campaigns(
        "a: {on: purchase, group: g, earn: {stars: 1}}\nb: {on: purchase, group: g, priority: 3, earn: {stars: 2}}"
    )
    assert granted(decided(compiled, purchase(100))) == {"b": 2}


def test_only_matching_campaigns_compete() -> None:
    rows = """
        a: {on: purchase, group: g, priority: 9, when: 'false', earn: {stars: 100}}
        b: {on: purchase, group: g, earn: {stars: 10}}
    """
    assert granted(decided(grouped("priority", rows), purchase(100))) == {"b": 10}


@pytest.mark.parametrize(("spent", "winner"), [(500, "flat"), (1000, "flat"), (1100, "rate")])
def test_a_group_by_best_value(spent: int, winner: str) -> None:
    rows = """
        flat: {on: purchase, group: g, earn: {stars: 10}}
        rate: {on: purchase, group: g, earn: {stars: 1 per 1.00}}
    """
    assert list(granted(decided(grouped("best_value", rows), purchase(spent)))) == [winner]


@pytest.mark.parametrize(
    ("points", "winner"),
    [
        ("{stars: {}, cash: {}}", "stars"),  # 100 points against 1
        ('{stars: {value: "0.03"}, cash: {value: 4}}', "cash"),  # 3.00 against 4.00
        ('{stars: {value: "0.03"}, cash: {value: 1, decimals: 2}}', "stars"),  # 3.00 against 1.00, not 100 cents
        ('{stars: {value: "0.03", decimals: 3}, cash: {value: 4}}', "cash"),
    ],
)
def test_best_value_is_money_where_points_have_a_value(points: str, winner: str) -> None:
    rows = """
        stars: {on: purchase, group: g, earn: {stars: 100}}
        cash: {on: purchase, group: g, earn: {cash: 1}}
    """
    assert list(granted(decided(grouped("best_value", rows, points), purchase(100)))) == [winner]


def test_the_best_of_a_group_of_multipliers_has_the_greatest_factor() -> None:
    rows = """
        base: {on: purchase, earn: {stars: 1 per 1.00}}
        a: {on: purchase, group: g, multiply: {of: base, by: 1.5}}
        b: {on: purchase, group: g, multiply: {of: base, by: '2.0 + 1.0'}}
    """
    assert granted(decided(grouped("best_value", rows), purchase(1000))) == {"base": 10, "b": 20}


def test_best_value_counts_what_limits_leave() -> None:
    rows = """
        a: {on: purchase, group: g, earn: {stars: 100}, limits: [{earn: 100 stars}]}
        b: {on: purchase, group: g, earn: {stars: 10}}
    """
    compiled = grouped("best_value", rows)
    first = decided(compiled, purchase(100))
    assert granted(first) == {"a": 100}
    assert granted(decided(compiled, purchase(100), member(counters=first.counters))) == {"b": 10}


def test_the_loser_of_a_group_is_not_used_up() -> None:
    rows = """
        a: {on: purchase, group: g, earn: {stars: 1}, limits: [{uses: 1}]}
        b: {on: purchase, group: g, priority: 1, earn: {stars: 2}, limits: [{uses: 1}]}
    """
    decision = decided(grouped("priority", rows), purchase(100))
    assert decision.counters.limits == {"b#0": {"ever": 1}}
    # so that the next time it is its turn
    after = decided(grouped("priority", rows), purchase(100), member(counters=decision.counters))
    assert granted(after) == {"a": 1}


def test_an_exclusive_loser_is_not_in_a_group_twice() -> None:
    rows = """
        a: {on: purchase, group: g, exclusive: true, earn: {stars: 1}}
        b: {on: purchase, group: g, priority: 9, earn: {stars: 2}}
    """
    decision = decided(grouped("priority", rows), purchase(100))
    assert verdicts(decision) == {"a": "matched", "b": "exclusive"}
