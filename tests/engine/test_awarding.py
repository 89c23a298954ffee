"""Multipliers, how bonuses stack, and what limits cut."""

from __future__ import annotations

import pytest

from engine.shop_world import (
    campaigns,
    considered,
    decided,
    effect_of,
    granted,
    line,
    member,
    program,
    purchase,
    total,
    verdicts,
)
from setia.engine.compiled import CompiledProgram
from setia.engine.state import Counters

SCOPES = ("line", "campaign", "event")
BASE = "base: {on: purchase, earn: {stars: 1 per 1.00}}\n"


def stacked(kind: str, text: str, points: str = "{stars: {}}") -> CompiledProgram:
    body = "\n".join(f"  {row.strip()}" for row in (BASE + text).strip().splitlines())
    return program(f"stacking: {{multipliers: {kind}}}\ncampaigns:\n{body}", points=points)


# ------------------------------------------------------------------------------------------------------- multipliers


def test_a_multiplier_adds_the_bonus_as_its_own_effect() -> None:
    decision = decided(campaigns(BASE + "gold: {on: purchase, multiply: {of: base, by: 1.25}}"), purchase(10000))
    assert granted(decision) == {"base": 100, "gold": 25}
    [step] = considered(decision, "gold").arithmetic
    assert (step.rate, step.of, step.basis, step.wanted, step.granted) == ("x 1.25", "base", "100", 25, 25)


def test_base_and_bonus_are_rounded_together() -> None:
    # 1.99 x 1.5 = 2.985: two points, where each by itself would give 1 and 0
    decision = decided(campaigns(BASE + "gold: {on: purchase, multiply: {of: base, by: 1.5}}"), purchase(199))
    assert granted(decision) == {"base": 1, "gold": 1}


def test_a_multiplier_works_on_what_it_names() -> None:
    compiled = campaigns(
        BASE
        + """extra: {on: purchase, earn: {stars: 10, cash: 5}}
        m: {on: purchase, multiply: {of: [extra], by: 2}}
        c: {on: purchase, multiply: {of: all, by: 3, points: [cash]}}""",
        points="{stars: {}, cash: {}}",
    )
    decision = decided(compiled, purchase(10000))
    assert granted(decision) == {"base": 100, "extra": 15, "m": 10 + 5, "c": 10}
    assert total(decision, "cash") == 5 + 5 + 10


def test_a_multiplier_without_a_base_says_so_and_is_not_used_up() -> None:
    compiled = campaigns(
        "base: {on: purchase, when: event.total > 1000, earn: {stars: 1}}\n"
        "m: {on: purchase, multiply: {of: base, by: 2}, limits: [{uses: 1}]}"
    )
    decision = decided(compiled, purchase(100))
    assert verdicts(decision) == {"base": "condition", "m": "base"}
    assert decision.outcome.uses == []
    assert decision.counters.limits == {}


def test_a_multiplier_does_not_multiply_multipliers_nor_itself() -> None:
    compiled = campaigns(
        BASE
        + """m: {on: purchase, multiply: {of: base, by: 2}}
        mm: {on: purchase, multiply: {of: m, by: 2}}
        both: {on: purchase, earn: {stars: 10}, multiply: {of: all, by: 3}}"""
    )
    decision = decided(compiled, purchase(10000))
    assert granted(decision) == {"base": 100, "m": 100, "both": 200 + 10}
    assert verdicts(decision)["mm"] == "base"


def test_a_multiplier_declared_before_its_base() -> None:
    decision = decided(campaigns("m: {on: purchase, multiply: {of: base, by: 2}}\n" + BASE), purchase(1000))
    assert granted(decision) == {"base": 10, "m": 10}


def test_a_multiplier_for_some_lines() -> None:
    compiled = campaigns(BASE + """m: {on: purchase, lines: 'line.category == "tea"', multiply: {of: base, by: 3}}""")
    decision = decided(compiled, purchase(line(1000, category="tea"), 500))
    assert granted(decision) == {"base": 15, "m": 20}
    assert effect_of(decision, "m").by_line == {0: 20}


def test_a_multiplier_for_some_lines_leaves_alone_what_belongs_to_none() -> None:
    compiled = campaigns(
        "base: {on: purchase, earn: {stars: 10}}\nm: {on: purchase, lines: 'true', multiply: {of: base, by: 3}}"
    )
    assert granted(decided(compiled, purchase(1000))) == {"base": 10}
    # without a choice of lines it multiplies everything
    compiled = campaigns("base: {on: purchase, earn: {stars: 10}}\nm: {on: purchase, multiply: {of: base, by: 3}}")
    assert granted(decided(compiled, purchase(1000))) == {"base": 10, "m": 20}


@pytest.mark.parametrize(("spent", "bonus"), [(10000, 50), (5000, 0)])
def test_a_factor_by_expression(spent: int, bonus: int) -> None:
    compiled = campaigns(BASE + "m: {on: purchase, multiply: {of: base, by: 'event.total >= 100 ? 1.5 : 1.0'}}")
    decision = decided(compiled, purchase(spent))
    assert total(decision) == spent // 100 + bonus
    assert verdicts(decision)["m"] == ("matched" if bonus else "nothing")


@pytest.mark.parametrize(
    "by", ["event.total / (event.total - event.total)", "event.total * 100", "event.total - 1000", '"2"', "event.lines"]
)
def test_a_factor_that_fails_leaves_the_base_alone(by: str) -> None:
    compiled = campaigns(BASE + f"m: {{on: purchase, multiply: {{of: base, by: '{by}'}}}}")
    decision = decided(compiled, purchase(10000))
    found = considered(decision, "m")
    if by == '"2"':
        # a text that is a number is one
        assert found.verdict in {"error", "matched"}
    else:
        assert (found.verdict, granted(decision), decision.outcome.uses) == ("error", {"base": 100}, ["base"])
        assert found.error


# ------------------------------------------------------------------------------------------------------ below one


@pytest.mark.parametrize(("by", "left"), [("0.5", 50), ("0.333", 33), ("0", 0), ("0.999", 99)])
def test_a_factor_below_one_lowers_its_base(by: str, left: int) -> None:
    compiled = campaigns(BASE + f"less: {{on: purchase, multiply: {{of: base, by: {by}}}, limits: [{{uses: 1}}]}}")
    decision = decided(compiled, purchase(10000))
    assert total(decision) == left
    assert all(effect.amount > 0 for effect in decision.outcome.points)
    if left:
        assert effect_of(decision, "base").by_line == {0: left}


def test_a_factor_below_one_for_some_lines() -> None:
    compiled = campaigns(
        BASE + """less: {on: purchase, lines: 'line.category == "tea"', multiply: {of: base, by: 0.5}}"""
    )
    decision = decided(compiled, purchase(1000, line(1000, category="tea")))
    assert effect_of(decision, "base").by_line == {0: 10, 1: 5}
    assert total(decision) == 15


def test_a_factor_below_one_is_no_limit() -> None:
    compiled = campaigns(BASE + "less: {on: purchase, multiply: {of: base, by: 0.5}}")
    decision = decided(compiled, purchase(10000))
    assert [(effect.campaign, effect.amount, effect.wanted) for effect in decision.outcome.points] == [
        ("base", 50, None)
    ]


def test_a_factor_below_one_counts_as_used() -> None:
    # given a campaign that halves the first purchase only
    compiled = campaigns(BASE + "less: {on: purchase, multiply: {of: base, by: 0.5}, limits: [{uses: 1}]}")
    first = decided(compiled, purchase(10000))
    assert verdicts(first) == {"base": "matched", "less": "matched"}
    assert first.outcome.uses == ["base", "less"]
    # then the second is whole
    second = decided(compiled, purchase(10000), member(counters=first.counters))
    assert (verdicts(second)["less"], total(second)) == ("limit", 100)


def test_parts_by_line_stay_whole_and_positive_when_a_base_is_lowered() -> None:
    compiled = campaigns(BASE + "less: {on: purchase, multiply: {of: base, by: 0}}")
    decision = decided(compiled, purchase(60, 60))
    assert total(decision) == 0
    assert all(amount >= 0 for effect in decision.outcome.points for amount in effect.by_line.values())


@pytest.mark.parametrize("kind", ["sum_of_bonuses", "product", "best"])
@pytest.mark.parametrize("factors", [("0.2", "0.2"), ("0", "0"), ("0", "0.5", "0.1"), ("0.1", "0.1", "3")])
def test_nobody_loses_points_by_buying(kind: str, factors: tuple[str, ...]) -> None:
    rows = "\n".join(f"m{n}: {{on: purchase, multiply: {{of: base, by: {by}}}}}" for n, by in enumerate(factors))
    decision = decided(stacked(kind, rows), purchase(10000))
    assert total(decision) >= 0
    assert all(effect.amount >= 0 for effect in decision.outcome.points)


# ---------------------------------------------------------------------------------------------------------- stacking


@pytest.mark.parametrize(
    ("kind", "points", "bonuses"),
    [
        ("sum_of_bonuses", 375, (25, 50, 200)),
        ("product", 562, (25, 62, 375)),  # 100 x 1.25 x 1.5 x 3 = 562.5; running sums 125, 187.5, 562.5
        ("best", 300, (0, 0, 200)),
    ],
)
def test_how_multipliers_combine(kind: str, points: int, bonuses: tuple[int, ...]) -> None:
    rows = "\n".join(
        f"m{n}: {{on: purchase, multiply: {{of: base, by: {by}}}}}" for n, by in enumerate(("1.25", "1.5", "3"))
    )
    decision = decided(stacked(kind, rows), purchase(10000))
    assert total(decision) == points
    assert tuple(granted(decision).get(f"m{n}", 0) for n in range(3)) == bonuses


def test_the_best_multiplier_keeps_the_others_out_and_is_named() -> None:
    rows = (
        "a: {on: purchase, multiply: {of: base, by: 2}}\n"
        "b: {on: purchase, multiply: {of: base, by: 3}}\n"
        "c: {on: purchase, multiply: {of: base, by: 3}}"
    )
    decision = decided(stacked("best", rows), purchase(10000))
    # ties go to the one declared first
    assert verdicts(decision) == {"base": "matched", "a": "group", "b": "matched", "c": "group"}
    assert considered(decision, "a").by == "b"
    assert decision.outcome.uses == ["base", "b"]


def test_the_best_of_two_that_lower_is_the_one_that_lowers_less() -> None:
    rows = "a: {on: purchase, multiply: {of: base, by: 0.5}}\nb: {on: purchase, multiply: {of: base, by: 0.8}}"
    assert total(decided(stacked("best", rows), purchase(10000))) == 80


def test_a_multiplier_that_loses_on_one_base_and_wins_on_another_is_used() -> None:
    rows = """second: {on: purchase, earn: {stars: 2 per 1.00}}
        m1: {on: purchase, multiply: {of: base, by: 3}}
        m2: {on: purchase, multiply: {of: all, by: 2}, limits: [{uses: 1}]}"""
    decision = decided(stacked("best", rows), purchase(10000))
    assert granted(decision) == {"base": 100, "m1": 200, "second": 200, "m2": 200}
    assert verdicts(decision)["m2"] == "matched"
    assert decision.outcome.uses == ["base", "second", "m1", "m2"]
    assert decision.counters.limits == {"m2#0": {"ever": 1}}


@pytest.mark.parametrize("kind", ["sum_of_bonuses", "product"])
def test_a_product_counts_only_the_factors_that_touch_a_line(kind: str) -> None:
    rows = """m1: {on: purchase, lines: 'line.sku == "A"', multiply: {of: base, by: 2}}
        m2: {on: purchase, multiply: {of: base, by: 3}}"""
    decision = decided(stacked(kind, rows), purchase(line(10000, "A"), line(10000, "B")))
    # A: 100 x 2 x 3 (or 100 x (1 + 1 + 2)), B: 100 x 3
    assert total(decision) == {"product": 600 + 300, "sum_of_bonuses": 400 + 300}[kind]


@pytest.mark.parametrize("factors", [("0.5", "2"), ("2", "0.5")])
def test_a_product_does_not_depend_on_the_order_of_its_factors(factors: tuple[str, str]) -> None:
    rows = "\n".join(f"m{n}: {{on: purchase, multiply: {{of: base, by: {by}}}}}" for n, by in enumerate(factors))
    assert total(decided(stacked("product", rows), purchase(10000))) == 100


def test_a_product_on_a_base_that_was_lowered_and_cut() -> None:
    # 100 x 0.5 = 50, of which a limit lets 40 through; what was really given is doubled
    compiled = program(
        """
stacking: {multipliers: product}
campaigns:
  base: {on: purchase, earn: {stars: 1 per 1.00}, limits: [{earn: 40 stars}]}
  less: {on: purchase, multiply: {of: base, by: 0.5}}
  more: {on: purchase, multiply: {of: base, by: 2}}
"""
    )
    assert granted(decided(compiled, purchase(10000))) == {"base": 40, "more": 40}


@pytest.mark.parametrize("factors", [("0.1", "0.1", "3"), ("3", "0.1", "0.1"), ("0.1", "3", "0.1")])
def test_bonuses_are_summed_before_anything_is_cut_off_at_zero(factors: tuple[str, ...]) -> None:
    # -0.9 - 0.9 + 2 = +0.2
    rows = "\n".join(f"m{n}: {{on: purchase, multiply: {{of: base, by: {by}}}}}" for n, by in enumerate(factors))
    assert total(decided(stacked("sum_of_bonuses", rows), purchase(10000))) == 120


def test_the_best_multiplier_is_best_for_the_lines_it_touches() -> None:
    rows = """m1: {on: purchase, lines: 'line.sku == "X"', multiply: {of: base, by: 3}}
        m2: {on: purchase, multiply: {of: base, by: 2}}"""
    assert total(decided(stacked("best", rows), purchase(line(100, "X"), line(10000, "B")))) == 202


def test_a_multiplier_whose_base_did_not_match_was_not_beaten_by_another() -> None:
    rows = """other: {on: purchase, when: 'false', earn: {stars: 1}}
        m1: {on: purchase, multiply: {of: base, by: 2}}
        m2: {on: purchase, multiply: {of: other, by: 3}}"""
    assert verdicts(decided(stacked("best", rows), purchase(10000)))["m2"] == "base"


# ------------------------------------------------------------------------------------------------- limits on points


def test_a_limit_cuts_from_the_last_line_backwards() -> None:
    compiled = campaigns("a: {on: purchase, earn: {stars: 1 per 1.00}, limits: [{every: day, earn: 15 stars}]}")
    effect = effect_of(decided(compiled, purchase(1000, 1000, 500)), "a")
    assert (effect.amount, effect.wanted, effect.by_line) == (15, 25, {0: 10, 1: 5})


def test_a_multiplier_multiplies_what_was_really_given() -> None:
    compiled = campaigns(
        "base: {on: purchase, earn: {stars: 1 per 1.00}, limits: [{earn: 40 stars}]}\n"
        "m: {on: purchase, multiply: {of: base, by: 2}}"
    )
    decision = decided(compiled, purchase(10050))
    assert granted(decision) == {"base": 40, "m": 40}
    [step] = considered(decision, "base").arithmetic
    assert (step.wanted, step.granted, step.cut_by) == (100, 40, "base#0")


@pytest.mark.parametrize("limit", ["{earn: 100 stars}", "{in_all: 100 stars}"])
def test_a_limit_holds_over_all_bases_of_a_multiplier_in_one_event(limit: str) -> None:
    compiled = campaigns(
        BASE + f"second: {{on: purchase, earn: {{stars: 1 per 1.00}}}}\n"
        f"m: {{on: purchase, multiply: {{of: all, by: 2}}, limits: [{limit}]}}"
    )
    decision = decided(compiled, purchase(8000))
    assert granted(decision) == {"base": 80, "second": 80, "m": 100}
    steps = considered(decision, "m").arithmetic
    assert [(step.of, step.wanted, step.granted, step.cut_by) for step in steps] == [
        ("base", 80, 80, None),
        ("second", 80, 20, "m#0"),
    ]


@pytest.mark.parametrize("scope", SCOPES)
def test_a_cut_in_every_scope(scope: str) -> None:
    compiled = campaigns(
        "a: {on: purchase, earn: {stars: 1 per 1.00}, limits: [{earn: 7 stars}]}\n"
        "m: {on: purchase, multiply: {of: a, by: 1.5}, limits: [{earn: 2 stars}]}",
        points=f"{{stars: {{rounding: {{scope: {scope}}}}}}}",
    )
    decision = decided(compiled, purchase(590, 590))
    assert granted(decision) == {"a": 7, "m": 2}
    for effect in decision.outcome.points:
        assert sum(effect.by_line.values()) == effect.amount


def test_a_cut_to_nothing_says_which_limit_and_is_not_used() -> None:
    compiled = campaigns(
        "a: {on: purchase, earn: {stars: 1 per 1.00}, limits: [{every: day, earn: 15 stars}, {uses: 3}]}"
    )
    state = member(counters=Counters(limits={"a#0": {"2026-03-04": 15}}))
    decision = decided(compiled, purchase(1000), state)
    [effect] = decision.outcome.points
    assert (effect.amount, effect.wanted, effect.by_line) == (0, 10, {})
    found = considered(decision, "a")
    assert (found.verdict, found.limit) == ("limit", "a#0")
    assert decision.outcome.uses == []
    assert decision.counters.limits == state.counters.limits


def test_a_multiplier_beyond_all_bounds_is_an_error_and_gives_nothing() -> None:
    compiled = campaigns(
        """base: {on: purchase, earn: {stars: 1000000 per 1.00}}
        fixed: {on: purchase, earn: {stars: 5}}
        m: {on: purchase, multiply: {of: all, by: 1000}}"""
    )
    decision = decided(compiled, purchase(99_999_999_99))
    assert verdicts(decision)["m"] == "error"
    assert granted(decision) == {"base": 99_999_999_990_000, "fixed": 5}
    assert decision.outcome.uses == ["base", "fixed"]
