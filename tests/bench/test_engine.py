"""The programs on which decisions are timed."""

import pytest
from bench.engine import CAN_MATCH, decider, failing, mixed, rate, template

from setia.engine.decision import Decision
from setia.program.definition import Program


@pytest.mark.parametrize("make", [mixed, failing])
def test_five_campaigns_match_however_many_there_are(make: object) -> None:
    assert callable(make)
    program: Program = make(20)

    decision = decider(program)()

    assert isinstance(decision, Decision)
    matched = [considered.campaign for considered in decision.explanation.considered if considered.verdict == "matched"]
    assert len(program.campaigns) == 20
    assert len(matched) == CAN_MATCH == 5


def test_the_template_decides() -> None:
    decision = decider(template())()

    assert isinstance(decision, Decision)
    assert "base" in decision.outcome.uses


def test_a_rate_is_counted() -> None:
    assert rate(lambda: None, 0.01) > 0
