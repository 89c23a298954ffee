"""Broken transfers and exchanges, each with the exact findings: code, line, column."""

import pytest

from setia.program.lint import lint
from setia.program.yaml_text import load

# Lines 1 to 6; what a case adds begins in line 7.
GOOD = """\
program: {id: x, name: X, currency: EUR}
points: {stars: {}, cash: {decimals: 2}, status: {spendable: false}}
tiers:
  - {id: level, metric: points.status.earned, levels: [{id: green, from: 0}, {id: gold, from: 500}]}
campaigns:
  base: {on: purchase, earn: {stars: 1 per 1.00, status: 1 per 1.00}}
"""
ADDED = [
    ("transfers: {stars: {least: 1, most: 9, gives: {points: 3}}, cash: {least: 0.01}}", []),
    ("exchanges: {a: {give: {stars: 10}, get: {cash: 0.05}}}", []),
    ("transfers: {strs: {least: 1.5}}", [("unknown_point_type", 7, 13)]),
    ("transfers: {status: {}}", [("not_spendable", 7, 13)]),
    ("transfers: {stars: {least: 1.5}}", [("amount_too_fine", 7, 28)]),
    ("transfers: {stars: {least: 9, most: 1}}", [("bad_value", 7, 20)]),
    ("transfers: {stars: {gives: {every: day, points: 1.5}}}", [("amount_too_fine", 7, 28)]),
    ("transfers: {stars: {receives: [{times: 1, points: 1}]}}", [("bad_value", 7, 32)]),
    ("transfers: {stars: {receives: [{every: day}]}}", [("bad_value", 7, 32)]),
    ("transfers: {stars: {when: member.nothing}}", [("expression", 7, 33)]),
    ("transfers: {stars: {receiver_when: 'false'}}", [("never_matches", 7, 36)]),
    ("transfers: {stars: {from_level: {levl: gold}}}", [("unknown_tier_set", 7, 34)]),
    ("transfers: {stars: {from_level: {level: golden}}}", [("unknown_level", 7, 41)]),
    ("transfers: {stars: {from_level: {level: gold}}}", []),
    ("exchanges: {a: {give: {strs: 1}, get: {stars: 1}}}", [("unknown_point_type", 7, 24)]),
    ("exchanges: {a: {give: {stars: 1}, get: {strs: 1}}}", [("unknown_point_type", 7, 41)]),
    ("exchanges: {a: {give: {status: 1}, get: {stars: 1}}}", [("not_spendable", 7, 24)]),
    ("exchanges: {a: {give: {stars: 1}, get: {status: 1}}}", []),
    ("exchanges: {a: {give: {stars: 1}, get: {stars: 2}}}", [("bad_value", 7, 16)]),
    ("exchanges: {a: {give: {stars: 1, cash: 1}, get: {status: 2}}}", [("bad_value", 7, 23)]),
    (
        "exchanges: {a: {give: {stars: 1.5}, get: {cash: 0.001}}}",
        [("amount_too_fine", 7, 31), ("amount_too_fine", 7, 49)],
    ),
    ("exchanges: {a: {give: {stars: 1}, get: {cash: 1}, per_member: {points: 0.5}}}", [("amount_too_fine", 7, 63)]),
    ("exchanges: {b: {give: {stars: 3}, get: {cash: 1}}, a: {give: {cash: 1}, get: {stars: 3}}}", []),
    (
        "exchanges: {b: {give: {stars: 3}, get: {cash: 1}}, a: {give: {cash: 1}, get: {stars: 4}}}",
        [("exchange_gains", 7, 40)],
    ),
]


@pytest.mark.parametrize(("added", "wanted"), ADDED)
def test_findings(added: str, wanted: list[tuple[str, int, int]]) -> None:
    found = lint(load(GOOD + added + "\n"))
    assert [(one.code, one.line, one.column) for one in found] == wanted
    assert all(one.hint for one in found)


RING = """\
program: {id: x, name: X, currency: EUR}
points: {one: {}, two: {}, three: {}}
campaigns: {base: {on: purchase, earn: {one: 1 per 1.00}}}
exchanges:
  a: {give: {one: 1}, get: {two: 2}}
  b: {give: {two: 2}, get: {three: 2}}
  c: {give: {three: 1}, get: {one: LAST}}
"""


@pytest.mark.parametrize(("last", "wanted"), [("0.5", []), ("1", ["exchange_gains"])])
def test_a_ring_of_three_is_found_once(last: str, wanted: list[str]) -> None:
    text = RING.replace("points: {one: {}", "points: {one: {decimals: 1}").replace("LAST", last)
    found = lint(load(text))
    assert [one.code for one in found] == wanted
    assert all(one.path == "/exchanges/c/get" and "20000 one of 10000" in one.message for one in found)
