"""What a rate is worth: every kind, on lines and on the event."""

from __future__ import annotations

import pytest

from engine.shop_world import (
    campaigns,
    considered,
    decided,
    effect_of,
    happening,
    line,
    program,
    purchase,
    total,
    verdicts,
)

COFFEE = (line(1250, "latte", "2", category="coffee"), line(799, "cake", "1", category="food"), line(60, "lid", "0.5"))


def earned(rate: str, *lines: object, points: str = "{stars: {}}", rest: str = "", **more: object) -> int:
    compiled = campaigns(f"a: {{on: purchase, {rest}earn: {{stars: {rate}}}}}", points=points)
    return total(decided(compiled, purchase(*lines, **more)))  # type: ignore[arg-type]  # plain values, passed on


@pytest.mark.parametrize(
    ("rate", "points"),
    [
        ("50", 50),
        ("0", 0),
        ("1 per 1.00", 21),  # 21.09
        ("3 per 2.00", 31),  # 31.635
        ("1 per 0.01", 2109),
        ("0.5 per 1.00", 10),  # 10.545
        ("1 per whole 5.00", 4),
        ("2 per whole 10.00", 4),
        ("7 per whole 21.10", 0),
        ("1 per whole 21.09", 1),
        ("3 per unit", 10),  # 3.5 units
        ("10 per line", 30),
        ("{expression: event.total * 0.05}", 1),  # 1.0545
        ("{expression: event.total * 2}", 42),  # 42.18
        ("{expression: line.quantity * 4}", 14),
        ("{expression: 'line.category == \"coffee\" ? line.amount : 0.0'}", 12),
        ("{expression: member.lifetime.orders + 3}", 3),
        ("{expression: 'member.first_purchase ? 100 : 1'}", 100),
    ],
)
def test_each_kind_of_rate(rate: str, points: int) -> None:
    assert earned(rate, *COFFEE) == points


@pytest.mark.parametrize(
    ("rate", "points"),
    [
        ("50", 50),  # fixed: once, if any line fits
        ("1 per 1.00", 13),  # 13.10
        ("1 per whole 5.00", 2),
        ("2 per unit", 5),  # 2.5 units
        ("10 per line", 20),
        ("{expression: line.amount}", 13),
        ("{expression: event.total}", 21),  # the event is the whole event
    ],
)
def test_only_chosen_lines_count(rate: str, points: int) -> None:
    assert earned(rate, *COFFEE, rest="lines: 'line.category != \"food\"', ") == points


def test_whole_steps_are_counted_over_all_lines_together() -> None:
    # three lines of 2.00 make one whole 5.00, reached on the last
    decision = decided(campaigns("a: {on: purchase, earn: {stars: 4 per whole 5.00}}"), purchase(200, 200, 200))
    assert total(decision) == 4
    assert effect_of(decision, "a").by_line == {2: 4}


def test_points_are_attributed_to_lines() -> None:
    decision = decided(campaigns("a: {on: purchase, earn: {stars: 1 per 1.00}}"), purchase(*COFFEE))
    # running sums: 12.50, 20.49, 21.09
    assert effect_of(decision, "a").by_line == {0: 12, 1: 8, 2: 1}
    decision = decided(campaigns("a: {on: purchase, earn: {stars: 5}}"), purchase(*COFFEE))
    assert effect_of(decision, "a").by_line == {}


def test_shipping_earns_where_the_whole_order_counts_and_no_lines_are_chosen() -> None:
    compiled = campaigns("a: {on: purchase, basis: {of: order}, earn: {stars: 1 per 1.00}}")
    decision = decided(compiled, purchase(1050, shipping=495))
    assert total(decision) == 15
    assert effect_of(decision, "a").by_line == {0: 10, -1: 5}
    assert earned("1 per whole 5.00", 1050, rest="basis: {of: order}, ", shipping=495) == 3
    chosen = "basis: {of: order}, lines: 'true', "
    assert earned("1 per 1.00", 1050, rest=chosen, shipping=495) == 10


def test_a_campaign_may_have_a_basis_of_its_own() -> None:
    compiled = program(
        """
money: {tax: excluded}
campaigns:
  net: {on: purchase, earn: {stars: 1 per 1.00}}
  gross: {on: purchase, basis: {tax: included}, earn: {stars: 1 per 1.00}}
  same: {on: purchase, basis: {tax: included}, when: event.total == 100, earn: {stars: 1 per 1.00}}
"""
    )
    decision = decided(compiled, purchase(line(11900, tax=1900)))
    assert [(effect.campaign, effect.amount) for effect in decision.outcome.points] == [
        ("net", 100),
        ("gross", 119),
        ("same", 119),  # its condition saw the program's basis
    ]


@pytest.mark.parametrize(
    ("rate", "points"),
    [("1.25", 125), ("1 per 1.00", 2109), ("0.01 per line", 3), ("{expression: event.total}", 2109), ("0.005", 0)],
)
def test_points_with_decimals(rate: str, points: int) -> None:
    assert earned(rate, *COFFEE, points="{stars: {decimals: 2}}") == points


@pytest.mark.parametrize(
    ("currency", "rate", "units", "points"),
    [
        ("JPY", "1 per 100", 1299, 12),
        ("JPY", "1 per whole 100", 1299, 12),
        ("KWD", "1 per 0.100", 1299, 12),
        ("KWD", "1 per 0.001", 1299, 1299),
        ("KWD", "1 per whole 1.250", 1299, 1),
    ],
)
def test_currencies_with_no_and_three_decimals(currency: str, rate: str, units: int, points: int) -> None:
    compiled = campaigns(f"a: {{on: purchase, earn: {{stars: {rate}}}}}", currency=currency)
    assert total(decided(compiled, purchase(units, currency=currency))) == points


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        ("{expression: event.total / (event.total - event.total)}", "division by zero"),
        ("{expression: event.total - 100}", "never negative"),
        ("{expression: event.total * 100000000000000}", "more than 100000000000000"),
        ("{expression: 'line.sku == \"lid\" ? line.amount - 1 : line.amount'}", "never negative"),
    ],
)
def test_an_expression_that_fails_is_a_verdict_and_gives_nothing(rate: str, message: str) -> None:
    compiled = campaigns(f"a: {{on: purchase, earn: {{stars: {rate}}}}}\nb: {{on: purchase, earn: {{stars: 1}}}}")
    decision = decided(compiled, purchase(*COFFEE))
    assert verdicts(decision) == {"a": "error", "b": "matched"}
    assert message in (considered(decision, "a").error or "")
    assert [effect.campaign for effect in decision.outcome.points] == ["b"]
    assert decision.outcome.uses == ["b"]


def test_an_expression_that_gives_no_number() -> None:
    compiled = program(
        """
events: {game: {data: {type: object, properties: {score: {}}}}}
campaigns: {a: {on: game, earn: {stars: {expression: event.data.score}}}}
"""
    )
    assert total(decided(compiled, happening("game", data={"score": 12}))) == 12
    for score in ("12", True):
        decision = decided(compiled, happening("game", data={"score": score}))
        assert (verdicts(decision), total(decision)) == ({"a": "error"}, 0)


def test_a_rate_by_line_on_an_event_without_lines_earns_nothing() -> None:
    assert earned("{expression: line.amount}") == 0
    assert earned("10 per line") == 0
    assert earned("10 per unit") == 0


def test_the_arithmetic_of_a_rate() -> None:
    decision = decided(campaigns("a: {on: purchase, earn: {stars: 3 per 2.00}}"), purchase(*COFFEE))
    [step] = considered(decision, "a").arithmetic
    assert (step.points, step.rate, step.basis, step.wanted, step.granted) == ("stars", "3 per 2.00", "21.09", 31, 31)
    assert (step.of, step.cut_by) == (None, None)


@pytest.mark.parametrize(
    ("rate", "text", "basis"),
    [
        ("50", "50", "1"),
        ("2 per whole 5.00", "2 per whole 5.00", "21.09"),
        ("3 per unit", "3 per unit", "3.5"),
        ("10 per line", "10 per line", "3"),
        ("{expression: event.total * 2}", "event.total * 2", "1"),
    ],
)
def test_the_rate_is_shown_as_written_with_what_it_counted(rate: str, text: str, basis: str) -> None:
    decision = decided(campaigns(f"a: {{on: purchase, earn: {{stars: {rate}}}}}"), purchase(*COFFEE))
    [step] = considered(decision, "a").arithmetic
    assert (step.rate, step.basis) == (text, basis)


def test_points_of_two_types_count_the_same_lines_once_each() -> None:
    compiled = campaigns(
        'a: {on: purchase, lines: line.category == "coffee", earn: {stars: 1 per 1.00, status: 3 per 1.00}}',
        points="{stars: {}, status: {}}",
    )
    decision = decided(compiled, purchase(*COFFEE))
    assert [(effect.points, effect.amount) for effect in decision.outcome.points] == [("stars", 12), ("status", 37)]
    [one] = decision.explanation.considered
    assert [(step.basis, step.exact) for step in one.arithmetic] == [("12.50", (1250, 100)), ("12.50", (3750, 100))]
