"""Velocity rules as their owner writes them: what fits, what does not, and what the lint says."""

from typing import Any

import pytest
from pydantic import ValidationError

from setia.program.lint import lint
from setia.program.velocity import Velocity
from setia.program.yaml_text import load
from setia.program.yaml_writer import dump

HEAD = """\
program: {id: x, name: X, currency: EUR}
points: {stars: {}}
campaigns: {base: {on: purchase, earn: {stars: 1 per 1.00}}}
velocity:
"""
RULE: dict[str, Any] = {"per": "member", "every": "1h", "more_than": {"events": 5}, "on": "purchase"}


def test_it_is_written_as_it_was() -> None:
    text = HEAD + "  fast: {per: member, every: 1h, more_than: {points: 500 stars}, on: [purchase, by_hand]}\n"
    loaded = load(text)
    assert lint(loaded) == []
    assert load(dump(loaded.require())).require() == loaded.require()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"more_than": {}}, "exactly one"),
        ({"more_than": {"events": 1, "points": "1 stars"}}, "exactly one"),
        ({"every": "0h"}, "within no time"),
        ({"on": "redemption"}, "cannot wait"),
        ({"per": "location", "on": "by_hand"}, "only events have a location"),
        ({"decide_within": "0d"}, "decide_within"),
        ({"then": "refuse", "decide_within": "1d"}, "decide_within"),
    ],
)
def test_what_does_not_fit(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Velocity.model_validate(RULE | settings)


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("{per: member, every: 1h, more_than: {events: 5}, on: purchases}", [("unknown_event", 5)]),
        ("{per: member, every: 1h, more_than: {events: 5}, on: [visit, member_enrolled]}", [("unknown_event", 5)]),
        ("{per: member, every: 1h, more_than: {points: 5 star}, on: visit}", [("unknown_point_type", 5)]),
    ],
)
def test_the_lint_names_what_is_not_there(rule: str, found: list[tuple[str, int]]) -> None:
    findings = lint(load(f"{HEAD}  fast: {rule}\n"))
    assert [(one.code, one.line) for one in findings] == found
    assert all(one.hint for one in findings)
