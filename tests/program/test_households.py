"""Households as their owner writes them, and what the lint says."""

import pytest

from setia.program.lint import lint
from setia.program.yaml_text import load
from setia.program.yaml_writer import dump

HEAD = """\
program: {id: x, name: X, currency: EUR}
points: {stars: {}, status: {spendable: false}}
campaigns: {base: {on: purchase, earn: {stars: 1 per 1.00, status: 1 per 1.00}}}
"""


def test_they_are_written_as_they_were() -> None:
    loaded = load(f"{HEAD}households: {{points: [stars], share: 50, may_spend: [owner], leaving: leave}}\n")
    assert lint(loaded) == []
    assert load(dump(loaded.require())).require() == loaded.require()


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ("{}", []),
        ("{points: [star]}", ["unknown_point_type"]),
        ("{points: [stars, status]}", ["not_spendable"]),
        ("{share: 101}", ["bad_value"]),
    ],
)
def test_the_lint_names_what_cannot_be_pooled(settings: str, found: list[str]) -> None:
    assert [one.code for one in lint(load(f"{HEAD}households: {settings}\n"))] == found
