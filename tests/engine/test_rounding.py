"""Rounding in every mode and scope, against fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.shop_world import campaigns, decided, granted, purchase, total
from engine.test_exact import MODES, oracle
from setia.program.points import RoundingMode

BASE = "base: {on: purchase, earn: {stars: 1 per 1.00}}\n"
SCOPES = ("line", "campaign", "event")


def rounding_oracle(mode: RoundingMode, scope: str, amounts: list[int], factor: Fraction) -> int:
    """1 per 1.00 and 0.5 per 1.00, the first multiplied by `factor`, on lines of so many cents."""
    lines = [Fraction(amount, 100) for amount in amounts]
    first, second = [part * factor for part in lines], [part / 2 for part in lines]
    match scope:
        case "line":
            return sum(oracle(part, mode) for part in (*first, *second))
        case "campaign":
            return oracle(sum(first, Fraction(0)), mode) + oracle(sum(second, Fraction(0)), mode)
        case _:
            return oracle(sum((*first, *second), Fraction(0)), mode)


@given(
    st.lists(st.integers(0, 5000), min_size=1, max_size=5),
    st.sampled_from(MODES),
    st.sampled_from(SCOPES),
    st.sampled_from(("1.25", "1.333", "2", "0.75", "0.1")),
)
def test_rounding_agrees_with_fractions(amounts: list[int], mode: RoundingMode, scope: str, factor: str) -> None:
    compiled = _ROUNDING[mode, scope, factor]
    decision = decided(compiled, purchase(*amounts))
    assert total(decision) == rounding_oracle(mode, scope, amounts, Fraction(factor))
    for effect in decision.outcome.points:
        assert sum(effect.by_line.values()) == effect.amount


_ROUNDING = {
    (mode, scope, factor): campaigns(
        BASE + f"half: {{on: purchase, earn: {{stars: 0.5 per 1.00}}}}\n"
        f"m: {{on: purchase, multiply: {{of: base, by: {factor}}}}}",
        points=f"{{stars: {{rounding: {{mode: {mode}, scope: {scope}}}}}}}",
    )
    for mode in MODES
    for scope in SCOPES
    for factor in ("1.25", "1.333", "2", "0.75", "0.1")
}


@pytest.mark.parametrize(
    ("scope", "points"),
    # 0.60, 0.60 and 0.90 at 1 and at 0.5 per euro: 0.6 0.6 0.9 and 0.3 0.3 0.45
    [("line", 0), ("campaign", 2 + 1), ("event", 3)],
)
def test_scopes_of_rounding(scope: str, points: int) -> None:
    compiled = campaigns(
        BASE + "half: {on: purchase, earn: {stars: 0.5 per 1.00}}",
        points=f"{{stars: {{rounding: {{scope: {scope}}}}}}}",
    )
    assert total(decided(compiled, purchase(60, 60, 90))) == points


def test_over_the_event_shares_do_not_depend_on_where_a_multiplier_stands() -> None:
    rows = [
        BASE.strip(),
        "half: {on: purchase, earn: {stars: 0.5 per 1.00}}",
        "m: {on: purchase, multiply: {of: base, by: 1.5}}",
    ]
    found = []
    for order in ((0, 1, 2), (0, 2, 1), (2, 0, 1)):
        compiled = campaigns("\n".join(rows[place] for place in order), points="{stars: {rounding: {scope: event}}}")
        found.append(granted(decided(compiled, purchase(333, 777))))
    assert found[0] == found[1] == found[2]
    assert sum(found[0].values()) == 22  # 11.1 + 5.55 + 5.55 = 22.2
