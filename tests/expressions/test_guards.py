"""Guards: what the form of a condition shows that must be equal to a text."""

import pytest

from expressions.shop import expression

CASES = {
    'event.channel == "pos"': {"event.channel": ('event.channel == "pos"', frozenset({"pos"}))},
    '"pos" == event.channel': {"event.channel": ('"pos" == event.channel', frozenset({"pos"}))},
    'event.channel in ["a", "b"] && event.total > 1.0': {
        "event.channel": ('event.channel in ["a", "b"]', frozenset({"a", "b"}))
    },
    'event.total > 1.0 && event.channel == "a" && event.channel == "b"': {
        "event.channel": ('event.channel == "a"', frozenset({"a"}))
    },
    'event.channel == "a" || event.total > 1.0': {},
    "event.channel in [event.channel]": {},
    "event.total > 1.0": {},
}


@pytest.mark.parametrize("text", CASES)
def test_guards(text: str) -> None:
    assert expression(text).guards == CASES[text]


def test_a_condition_that_is_known_to_fail_is_explained_by_its_clause() -> None:
    condition = expression('event.channel == "pos"')
    assert condition.references == {"event.channel"}
