"""Findings about triggers of time, with their places."""

import pytest

from setia.program.lint import lint
from setia.program.yaml_text import load

# What a case adds begins in line 7.
HEAD = """\
program: {id: x, name: X, currency: EUR}
points: {stars: {expiry: {after: 1y}}, status: {spendable: false}}
members: {attributes: {born: {type: date}, secret: {type: date, personal: true}, size: {}}}
tiers: [{id: level, metric: spend, window: calendar_year, levels: [{id: green, from: 0}, {id: gold, from: 500}]}]
campaigns: {gift: {on: t, earn: {stars: 5}}, told: {on: tier_ending, when: event.data.missing > 5, tag: [told]}}
triggers:
"""


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ("t: {birthday: {attribute: born}}", []),
        ("t: {birthday: {attribute: secret}}", []),  # the day is used, and in no condition
        ("t: {birthday: {}}", [("unknown_attribute", 7, 7)]),
        ("t: {birthday: {attribute: bron}}", [("unknown_attribute", 7, 29)]),
        ("t: {date: {attribute: size}}", [("no_date", 7, 25)]),
        ("t: {expiring: {points: stars}}", []),
        ("t: {expiring: {points: star}}", [("unknown_point_type", 7, 26)]),
        ("t: {expiring: {points: status}}", [("never_matches", 7, 26)]),
        ("t: {offer_ending: {}}", []),
        ("t: {offer_ending: {offers: [gift]}}", [("unknown_offer", 7, 31)]),
        ("t: {inactive: {after: 60d, counting: [visit]}}", []),
        ("t: {inactive: {after: 60d, counting: [visits]}}", [("unknown_event", 7, 41)]),
        ("t: {anniversary: {}, for: member.points.stars > 5}", []),
        ("t: {anniversary: {}, for: member.dates.born.month == time.month}", []),
        ("t: {anniversary: {}, for: member.dates.secret.month == 5}", [("personal_attribute", 7, 41)]),
        ("t: {anniversary: {}, for: member.dates.size.month == 5}", [("expression", 7, 41)]),
        ("t: {anniversary: {}, for: event.total > 5}", [("expression", 7, 29)]),
        ("t: {anniversary: {}, for: member.points.stars}", [("expression", 7, 29)]),
        ("t: {anniversary: {}, for: time.month > 12}", [("never_matches", 7, 29)]),
        ("t: {anniversary: {}}\n  u: {anniversary: {}}", [("unused_trigger", 8, 3)]),
        ("t: {anniversary: {every: 1h}}", [("bad_value", 7, 20)]),
    ],
)
def test_findings(trigger: str, expected: list[tuple[str, int, int]]) -> None:
    found = lint(load(f"{HEAD}  {trigger}\n"))
    assert [(finding.code, finding.line, finding.column) for finding in found] == expected
    assert all(finding.hint for finding in found)


def test_without_any_date_the_hint_shows_how_to_declare_one() -> None:
    text = HEAD.replace("born: {type: date}, secret: {type: date, personal: true}, ", "") + "  t: {birthday: {}}\n"
    [finding] = lint(load(text))
    assert finding.hint == "declare it: `members: {attributes: {birthday: {type: date}}}`"
