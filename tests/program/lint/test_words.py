"""What findings say: message and hint, where a general one would not help."""

import pytest

from program.lint.test_broken import GOOD
from setia.program.lint import lint
from setia.program.yaml_text import load


def told(text: str) -> list[tuple[str, str]]:
    return [(f.message, f.hint) for f in lint(load(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            GOOD + "  c: {on: visit, earn: {stars: 1}, schedule: {starts: 2026-02-30}}\n",
            [("there is no day 2026-02-30", "correct the month or the day")],
        ),
        (
            GOOD.replace("from: 500", "from: 0"),
            [
                (
                    "levels rise: 'gold' (from 0) does not lie above 'green' (from 0)",
                    "order them from the lowest to the highest",
                )
            ],
        ),
        (
            GOOD + "  c: {on: purchase, when: event.total < 0, earn: {stars: 1}}\n",
            [("this never holds: event.total is never below 0", "correct the condition")],
        ),
        (
            GOOD + '  c: {on: purchase, when: event.type == "visit", earn: {stars: 1}}\n',
            [("this never holds: event.type is always 'purchase' here", "correct the condition")],
        ),
        (
            GOOD + "  c: {on: visit, when: time.hour > 23, earn: {stars: 1}}\n",
            [("this never holds: time.hour lies between 0 and 23", "correct the condition")],
        ),
        (
            GOOD + "  c: {on: visit, when: 'event.channel in []', earn: {stars: 1}}\n",
            [
                (
                    "this never holds: event.channel cannot have a value that fits all parts of the condition",
                    "correct the condition",
                )
            ],
        ),
        (
            GOOD.replace("status: 1 per 1.00}}", "status: 10.5}, limits: [{per: member, uses: 3}]}"),
            [
                (
                    "10.5 has more decimals than 'status', which has 0; rounding changes it",
                    "write a number the points can have, or raise `decimals`",
                ),
                (
                    (
                        "nobody can reach the level 'gold': "
                        "the limits of the campaigns that earn 'status' let one member have 33 at most"
                    ),
                    "lower `from`, or raise the limits",
                ),
            ],
        ),
    ],
)
def test_what_is_told(text: str, expected: list[tuple[str, str]]) -> None:
    assert sorted(told(text)) == sorted(expected)
