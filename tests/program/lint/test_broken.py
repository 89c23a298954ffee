"""Broken definitions, each with the exact findings: severity and code, line, column."""

import pytest

from setia.program.lint import lint
from setia.program.yaml_text import load

# Lines 1 to 12; what a case adds begins in line 13.
GOOD = """\
program: {id: x, name: X, currency: EUR}
points: {stars: {}, cash: {decimals: 2}, status: {spendable: false}}
members: {attributes: {city: {values: [Berlin, Bonn]}, age: {type: integer}, born: {type: date, personal: true}}}
events: {review: {data: {type: object, properties: {rating: {type: integer}}}}}
locations: {mitte: {region: north}}
tiers:
  - {id: level, metric: points.status.earned, levels: [{id: green, from: 0}, {id: gold, from: 500}]}
stacking: {groups: {one: {choose: priority}}}
campaigns:
  base: {on: purchase, earn: {stars: 1 per 1.00, status: 1 per 1.00}}
  thanks: {on: review, earn: {stars: 25}, limits: [{per: member, uses: 1}]}
  first: {on: purchase, when: member.first_purchase, earn: {cash: 1.50}, group: one}
"""

# What is wrong with YAML itself.
YAML = [
    ("", [("error:yaml_not_a_mapping", 1, 1)]),
    ("- a\n", [("error:yaml_not_a_mapping", 1, 1)]),
    ("a: [1, 2\n", [("error:yaml_syntax", 2, 1)]),
    ("a: 1\nb:\n\t- c\n", [("error:yaml_syntax", 3, 1)]),
    ("a: b: c\n", [("error:yaml_syntax", 1, 5)]),
    ('a: "open\n', [("error:yaml_syntax", 2, 1)]),
    ("a: 1\nb: 2\na: 3\n", [("error:yaml_duplicate_key", 3, 1)]),
    ("a: {b: 1, b: 2}\n", [("error:yaml_duplicate_key", 1, 11)]),
    ("a: *nowhere\n", [("error:yaml_syntax", 1, 4)]),
    ("a: &x [1, *x]\n", [("error:yaml_alias", 1, 11)]),
    ("a: .inf\n", [("error:yaml_number", 1, 4)]),
    ("a: [.nan]\n", [("error:yaml_number", 1, 5)]),
    ("a: 1e999\n", [("error:yaml_number", 1, 4)]),
    (f"a: {'9' * 41}\n", [("error:yaml_number", 1, 4)]),
    ("a: !!python/object:os.system x\n", [("error:yaml_tag", 1, 4)]),
    ("a: 1\n---\nb: 2\n", [("error:yaml_syntax", 2, 1)]),
    ("a: &x {b: 1}\nc: {<<: *x}\n", [("error:yaml_syntax", 2, 5)]),
    ("? [a]\n: b\n", [("error:yaml_syntax", 1, 3)]),
    ('a: "\\0"\n', [("error:yaml_encoding", 1, 4)]),
    ('a: "\\ud800"\n', [("error:yaml_encoding", 1, 4)]),
    ('a: "\\UFFFFFFFF"\n', [("error:yaml_syntax", 1, 1)]),
    ("a: \x07\n", [("error:yaml_encoding", 1, 4)]),
    ("a: " + "[" * 40, [("error:yaml_too_deep", 1, 35)]),
]

# What is wrong with settings: the whole text.
MODEL = [
    ("program: {id: x, name: X, currency: EUR}\n", [("error:missing_key", 1, 1)]),
    ("program: {id: x, name: X}\npoints: {a: {}}\n", [("error:missing_key", 1, 1)]),
    ("program: {id: x, name: X, currency: EUX}\npoints: {a: {}}\n", [("error:bad_value", 1, 37)]),
    ("program: {id: X, name: X, currency: EUR}\npoints: {a: {}}\n", [("error:bad_name", 1, 15)]),
    ("program: {id: x, name: X, currency: EUR}\npoints: {A: {}}\n", [("error:bad_name", 2, 10)]),
    ("program: {id: x, name: X, currency: EUR}\npoints: {a: {roundng: ceil}}\n", [("error:unknown_key", 2, 14)]),
    ("program: {id: x, name: X, currency: EUR}\npoints: {a: {rounding: up}}\n", [("error:bad_value", 2, 24)]),
    (
        "program: {id: x, name: X, currency: EUR}\npoints: {a: {available_after: 2 days}}\n",
        [("error:bad_value", 2, 31)],
    ),
    (GOOD + "  c: {on: purchase}\n", [("error:bad_value", 13, 6)]),
    (GOOD + "  c: {on: [], earn: {stars: 1}}\n", [("error:bad_value", 13, 11)]),
    (GOOD + "  c: {on: visit, earn: {stars: 1 each 2}}\n", [("error:bad_value", 13, 32)]),
    (GOOD + "  c: {on: visit, multiply: {of: base, by: [2]}}\n", [("error:bad_value", 13, 43)]),
    (GOOD + "  c: {on: visit, multiply: {of: base, by: 2000}}\n", [("error:bad_value", 13, 43)]),
    (
        GOOD + '  c: {on: visit, earn: {stars: 1}, schedule: {from: "9:00", to: "10:00"}}\n',
        [("error:bad_value", 13, 53)],
    ),
    (GOOD + "  c: {on: visit, earn: {stars: 1}, schedule: {starts: 20260301}}\n", [("error:bad_value", 13, 55)]),
    (GOOD + "  c: {on: visit, earn: {stars: 1}, schedule: {starts: 2026-02-30}}\n", [("error:bad_value", 13, 55)]),
    (GOOD + "  c: {on: null, earn: {stars: 1}}\n", [("error:bad_value", 13, 11)]),
    (GOOD.replace("from: 500", "from: 0"), [("error:bad_value", 7, 5)]),
    (GOOD + "late: {future: soon}\ntier: []\n", [("error:bad_value", 13, 16), ("error:unknown_key", 14, 1)]),
]

# What is wrong with names, expressions and meaning: a campaign added to GOOD.
CAMPAIGN = [
    ("c: {on: purchse, earn: {stars: 1}}", [("error:unknown_event", 13, 11)]),
    ("c: {on: [visit, purchse], earn: {stars: 1}}", [("error:unknown_event", 13, 19)]),
    ("c: {on: visit, earn: {strs: 1}}", [("error:unknown_point_type", 13, 25)]),
    ("c: {on: visit, earn: {stars: 1 per 1.00}}", [("error:no_lines", 13, 32)]),
    ("c: {on: review, earn: {stars: 1 per unit}}", [("error:no_lines", 13, 33)]),
    ("c: {on: purchase, earn: {stars: 1 per 0.001}}", [("error:amount_too_fine", 13, 35)]),
    ("c: {on: visit, earn: {stars: 1.5}}", [("warning:points_too_fine", 13, 32)]),
    ("c: {on: visit, deduct: {status: 1}}", [("error:not_spendable", 13, 27)]),
    ("c: {on: visit, lines: 'true', earn: {stars: 1}}", [("error:no_lines", 13, 18)]),
    ("c: {on: visit, earn: {stars: 1}, group: two}", [("error:unknown_group", 13, 43)]),
    ("c: {on: visit, tier: {lvl: gold}}", [("error:unknown_tier_set", 13, 25)]),
    ("c: {on: visit, tier: {level: golden}}", [("error:unknown_level", 13, 32)]),
    ("c: {on: visit, set: {cty: '\"Bonn\"'}}", [("error:unknown_attribute", 13, 24)]),
    ("c: {on: visit, set: {born: '\"Bonn\"'}}", [("error:personal_attribute", 13, 24)]),
    ("c: {on: visit, set: {city: '\"Köln\"'}}", [("error:unknown_value", 13, 30)]),
    ("c: {on: visit, set: {age: '\"old\"'}}", [("error:expression", 13, 30)]),
    ("c: {on: purchase, multiply: {of: bse, by: 2}}", [("error:unknown_campaign", 13, 36)]),
    ("c: {on: purchase, multiply: {of: [base, c], by: 2}}", [("error:multiply_needs_earn", 13, 43)]),
    ("c: {on: purchase, multiply: {of: base, by: event.id}}", [("error:expression", 13, 46)]),
    ("c: {on: purchase, multiply: {of: base, by: 2, points: [cash]}}", [("warning:without_effect", 13, 58)]),
    ("c: {on: visit, multiply: {of: base, by: 2}}", [("warning:never_matches", 13, 28)]),
    ("c: {on: visit, earn: {stars: {expression: 1 + true}}}", [("error:expression", 13, 47)]),
    ("c: {on: visit, earn: {stars: 1}, limits: [{in_all: 5 strs}]}", [("error:unknown_point_type", 13, 45)]),
    ("c: {on: visit, earn: {stars: 1}, limits: [{in_all: 5 cash}]}", [("warning:without_effect", 13, 45)]),
    ("c: {on: visit, earn: {stars: 1}, limits: [{in_all: 0 uses}]}", [("warning:never_matches", 13, 45)]),
    ("c: {on: visit, earn: {stars: 1}, limits: [{units: 3}]}", [("error:limit_without_units", 13, 53)]),
    ("c: {on: visit, earn: {stars: 1}, limits: [{in_all: 3 units}]}", [("error:limit_without_units", 13, 45)]),
    (
        "c: {on: purchase, discount: {percent: 10}, limits: [{per: member, every: day, units: 3}]}",
        [("error:limit_without_units", 13, 88)],
    ),
    (
        "c: {on: purchase, discount: {percent: 10, on: lines}, limits: [{units: 0}]}",
        [("warning:never_matches", 13, 66)],
    ),
    ("c: {on: purchase, when: event.totl > 5, earn: {stars: 1}}", [("error:expression", 13, 32)]),
    (
        "c:\n    on: visit\n    when: >-\n      event.total\n      > 5\n    earn: {stars: 1}",
        [("error:expression", 16, 12)],
    ),
    ("c: {on: visit, when: '\"a\" && true', earn: {stars: 1}}", [("error:expression", 13, 29)]),
    ("c: {on: visit, when: event.id, earn: {stars: 1}}", [("error:expression", 13, 24)]),
    ("c: {on: visit, when: a &&, earn: {stars: 1}}", [("error:expression", 13, 28)]),
    ("c: {on: review, when: event.data.ratng > 3, earn: {stars: 1}}", [("error:expression", 13, 35)]),
    (
        "c: {on: visit, when: 'member.attributes.born == \"\"', earn: {stars: 1}}",
        [("error:personal_attribute", 13, 42)],
    ),
    ('c: {on: visit, when: member.tiers.level == "glod", earn: {stars: 1}}', [("error:unknown_level", 13, 46)]),
    (
        'c: {on: visit, when: \'member.attributes.city in ["Berlin", "Bon"]\', earn: {stars: 1}}',
        [("warning:unknown_value", 13, 62)],
    ),
    ('c: {on: visit, when: location.id == "mite", earn: {stars: 1}}', [("warning:unknown_location", 13, 39)]),
    ('c: {on: visit, when: location.region == "nord", earn: {stars: 1}}', [("warning:unknown_location", 13, 43)]),
    ("c: {on: visit, when: 1 > 2, earn: {stars: 1}}", [("warning:never_matches", 13, 24)]),
    ("c: {on: visit, when: time.weekday == 0, earn: {stars: 1}}", [("warning:never_matches", 13, 24)]),
    (
        "c: {on: purchase, lines: line.amount > 5 && line.amount < 3, earn: {stars: 1}}",
        [("warning:never_matches", 13, 28)],
    ),
    (
        "c: {on: visit, schedule: {starts: 2026-02-01, ends: 2026-01-01}, earn: {stars: 1}}",
        [("warning:never_matches", 13, 28)],
    ),
    ("c: {on: visit, schedule: {days: []}, earn: {stars: 1}}", [("warning:never_matches", 13, 28)]),
    (
        "c: {on: visit, schedule: {days: [mon], starts: 2026-11-24, ends: 2026-11-25}, earn: {stars: 1}}",
        [("warning:never_matches", 13, 28)],
    ),
    ("c: {on: purchase, earn: {stars: 1}, group: one}", [("warning:same_priority", 13, 46)]),
    ("c: {on: purchase, earn: {stars: 1}, group: one, priority: 1}", []),
    ("c: {on: purchase, when: '!member.first_purchase', earn: {stars: 1}, group: one}", []),
    ("c: {on: visit, earn: {stars: 1}, group: one}", []),
    ("c: {on: [purchase, visit], lines: 'true', earn: {stars: 1}}", [("error:no_lines", 13, 30)]),
    ("c: {on: [visit, purchase], when: event.total > 1, earn: {stars: 1}}", [("error:expression", 13, 41)]),
    ("c: {on: purchase, multiply: {of: base, by: 2, points: [strs]}}", [("error:unknown_point_type", 13, 58)]),
    ("c: {on: visit, when: 'false || (true && 2 < 1)', earn: {stars: 1}}", [("warning:never_matches", 13, 24)]),
    ("c: {on: visit, when: '!true', earn: {stars: 1}}", [("warning:never_matches", 13, 24)]),
    (
        "c: {on: visit, when: 'member.first_purchase && !member.first_purchase', earn: {stars: 1}}",
        [("warning:never_matches", 13, 24)],
    ),
    (
        "c: {on: visit, when: '3 < time.hour && time.hour in [1, 2]', earn: {stars: 1}}",
        [("warning:never_matches", 13, 24)],
    ),
    ("c: {on: visit, when: 'time.hour >= 3 && time.hour <= 3', earn: {stars: 1}}", []),
    ("c: {on: visit, when: 'time.hour > 3 && time.hour <= 3', earn: {stars: 1}}", [("warning:never_matches", 13, 24)]),
    (
        "c: {on: visit, schedule: {starts: 2026-02-01T10:00:00Z, ends: 2026-02-01T10:00:00Z}, earn: {stars: 1}}",
        [("warning:never_matches", 13, 28)],
    ),
    (
        "c: {on: purchase, when: event.totl, earn: {stars: 1}, group: one}",
        [("error:expression", 13, 32), ("warning:same_priority", 13, 64)],
    ),
    (
        "c: {on: purchase, schedule: {starts: 2026-01-01T00:00:00Z}, earn: {stars: 1}, group: one}",
        [("warning:same_priority", 13, 88)],
    ),
    ("all: {on: visit, earn: {stars: 1}}", [("error:reserved_name", 13, 3)]),
    ("debt: {on: visit, earn: {stars: 1}}", [("error:reserved_name", 13, 3)]),
    ("c: {on: purchase, when: event.total < 0, earn: {stars: 1}}", [("warning:never_matches", 13, 27)]),
    ("c: {on: purchase, when: event.total <= 0, earn: {stars: 1}}", []),
    ("c: {on: purchase, when: '0 > event.total', earn: {stars: 1}}", [("warning:never_matches", 13, 27)]),
    ("c: {on: purchase, when: event.shipping == -1, earn: {stars: 1}}", [("warning:never_matches", 13, 27)]),
    ("c: {on: purchase, when: event.shipping != -1, earn: {stars: 1}}", []),
    ("c: {on: purchase, lines: line.quantity < 0, earn: {stars: 1}}", [("warning:never_matches", 13, 28)]),
    ("c: {on: visit, when: member.lifetime.orders < 0, earn: {stars: 1}}", [("warning:never_matches", 13, 24)]),
    ("c: {on: visit, when: member.points.stars < 0, earn: {stars: 1}}", []),
    ("c: {on: visit, when: time.hour > 23, earn: {stars: 1}}", [("warning:never_matches", 13, 24)]),
    ("c: {on: visit, when: time.hour > 22, earn: {stars: 1}}", []),
    ("c: {on: purchase, when: '!(event.total >= 0)', earn: {stars: 1}}", [("warning:never_matches", 13, 27)]),
    ("c: {on: purchase, when: '!(event.total >= 1)', earn: {stars: 1}}", []),
    ("c: {on: purchase, when: '!!(event.total < 0)', earn: {stars: 1}}", [("warning:never_matches", 13, 27)]),
    (
        "c: {on: purchase, when: '!(event.total >= 0 || event.channel == \"app\")', earn: {stars: 1}}",
        [("warning:never_matches", 13, 27)],
    ),
    ("c: {on: purchase, when: '!(event.total >= 0 && event.channel == \"app\")', earn: {stars: 1}}", []),
    (
        "c: {on: purchase, when: '!(event.total >= 0 && event.tax >= 0)', earn: {stars: 1}}",
        [("warning:never_matches", 13, 27)],
    ),
    ("c: {on: purchase, when: '!(event.channel in [])', earn: {stars: 1}}", []),
    ("c: {on: purchase, when: 'event.channel in []', earn: {stars: 1}}", [("warning:never_matches", 13, 27)]),
    ("c: {on: purchase, when: event.lines.size() == 0, earn: {stars: 1}}", [("warning:never_matches", 13, 27)]),
    ("c: {on: purchase, when: size(event.lines) < 1, earn: {stars: 1}}", [("warning:never_matches", 13, 27)]),
    ("c: {on: purchase, when: event.lines.size() == 1, earn: {stars: 1}}", []),
    ("c: {on: purchase, when: event.labels.size() == 0, earn: {stars: 1}}", []),
    ('c: {on: purchase, when: event.type == "visit", earn: {stars: 1}}', [("warning:never_matches", 13, 27)]),
    ('c: {on: purchase, when: event.type != "purchase", earn: {stars: 1}}', [("warning:never_matches", 13, 27)]),
    ('c: {on: purchase, when: event.type == "purchase", earn: {stars: 1}}', []),
    ('c: {on: [purchase, visit], when: event.type == "visit", earn: {stars: 1}}', []),
    ('c: {on: [purchase, visit], when: event.type == "review", earn: {stars: 1}}', [("warning:never_matches", 13, 36)]),
    (
        "c: {on: purchase, when: 'event.type == \"visit\" || event.total < 0', earn: {stars: 1}}",
        [("warning:never_matches", 13, 27)],
    ),
    (
        "c: {on: purchase, multiply: {of: off, by: 2}}\n  off: {on: purchase, enabled: false, earn: {stars: 1}}",
        [("warning:never_matches", 13, 31)],
    ),
    (
        "c: {on: purchase, multiply: {of: [off, base], by: 2}}\n  off: {on: visit, enabled: false, earn: {stars: 1}}",
        [],
    ),
    (
        "c: {on: visit, enabled: false, multiply: {of: o, by: 2}}\n  o: {on: visit, enabled: false, earn: {stars: 1}}",
        [],
    ),
    (
        "c: {on: purchase, exclusive: true, earn: {stars: 1}, group: one}",
        [("warning:without_effect", 13, 56)],
    ),
    ("c: {on: purchase, exclusive: true, earn: {stars: 1}}", []),
    ("c: {on: purchase, always: true, earn: {stars: 1}}", [("warning:without_effect", 13, 21)]),
    ("c: {on: purchase, always: true, earn: {stars: 1}}\n  x: {on: visit, exclusive: true, earn: {stars: 1}}", []),
    ("c: {on: visit, when: 'size(event.labels, 2) == 1', earn: {stars: 1}}", [("error:expression", 13, 25)]),
    ("c: {on: visit, earn: {stars: {expression: '\"a\"'}}}", [("error:expression", 13, 46)]),
]

# Other sections of GOOD, replaced.
SECTION = [
    ("{choose: priority}", "{choose: best_value, most: 2}", [("warning:without_effect", 8, 47)]),
    ("{stars: {}, cash", "{uses: {}, stars: {}, cash", [("error:reserved_name", 2, 10)]),
    ("{stars: {}, cash", "{stars: {expiry: {on: [31-12]}}, cash", [("error:bad_date", 2, 32)]),
    ("{stars: {}, cash", '{stars: {expiry: {on: ["2026-02-30"]}}, cash', [("error:bad_date", 2, 32)]),
    ("{stars: {}, cash", '{stars: {expiry: {on: ["0000-01-01"]}}, cash', [("error:bad_date", 2, 32)]),
    ("{stars: {}, cash", '{stars: {expiry: {on: ["2026-12-31", "02-29"]}}, cash', []),
    ("{stars: {}, cash", "{stars: {expiry: {by_tier: {level: {gold: 1y}}}}, cash", []),
    (
        "{stars: {}, cash",
        "{stars: {expiry: {by_tier: {statsu: {gold: 1y}}}}, cash",
        [("error:unknown_tier_set", 2, 37)],
    ),
    ("{stars: {}, cash", "{stars: {expiry: {by_tier: {level: {god: 1y}}}}, cash", [("error:unknown_level", 2, 45)]),
    ("{stars: {}, cash", "{stars: {available_on: visit, cancel_on: visti}, cash", [("error:unknown_event", 2, 50)]),
    ("{stars: {}, cash", "{stars: {available_on: visti}, cash", [("error:unknown_event", 2, 32)]),
    (
        "{stars: {}, cash",
        "{dust: {spendable: false, available_on: visit}, stars: {}, cash",
        [("error:not_spendable", 2, 49)],
    ),
    (
        "{stars: {}, cash",
        "{stars: {expiry: {inactivity: 1y, extended_by: [vist]}}, cash",
        [("error:unknown_event", 2, 57)],
    ),
    ("{type: integer}}}}}", "{type: int}}}}}", [("error:bad_json_schema", 4, 68)]),
    ("{data: {type: object", "{data: {type: array", [("error:bad_json_schema", 4, 32)]),
    ("{type: integer}}}}}", "{$ref: 'other.json'}}}}}", [("error:bad_json_schema", 4, 68)]),
    ("events: {", "events: {other: {}, ", [("warning:unused_event", 4, 10)]),
    ("points.status.earned", "points.sttus.earned", [("error:unknown_point_type", 7, 25)]),
    ("points.status.earned", "spend", []),
    ("from: 500", "from: 500.001", []),
    (
        "points.status.earned, levels: [{id: green, from: 0}, {id: gold, from: 500}",
        "spend, levels: [{id: green, from: 0}, {id: gold, from: 500.001}",
        [("error:amount_too_fine", 7, 80)],
    ),
    (", status: 1 per 1.00", "", [("warning:unreachable_level", 7, 78)]),
    ("levels: [{id: green", "window: {starts: 2026-01-01, ends: 2026-12-31}, levels: [{id: green", []),
    (
        (
            "levels: [{id: green, from: 0}, {id: gold, from: 500}]}\nstacking: {groups: {one: {choose: priority}}}\n"
            "campaigns:\n  base: {on: purchase, "
        ),
        (
            "window: {starts: 2026-01-01, ends: 2026-12-31}, levels: [{id: green, from: 0}, {id: gold, from: 500}]}\n"
            "stacking: {groups: {one: {choose: priority}}}\n"
            "campaigns:\n  base: {on: purchase, schedule: {starts: 2027-01-01}, "
        ),
        [("warning:unreachable_level", 7, 126)],
    ),
    ("{stars: {}, cash", "{in: {}, stars: {}, cash", [("error:reserved_name", 2, 10)]),
    ("{id: level,", "{id: in,", [("error:reserved_name", 7, 10)]),
    ("{stars: {}, cash", "{stars: {expiry: {on: [02-30]}}, cash", [("error:bad_date", 2, 32)]),
    ("{data: {type: object", "{data: {$schema: 'http://x', type: object", [("error:bad_json_schema", 4, 35)]),
    ("{type: integer}}}}}", "{type: string, pattern: '('}}}}}", [("error:bad_json_schema", 4, 85)]),
    (
        "earn: {stars: 1 per 1.00, status: 1 per 1.00}}",
        "earn: {stars: 1 per 1.00, status: 100}, limits: [{per: member, uses: 4}]}",
        [("warning:unreachable_level", 7, 78)],
    ),
    (
        "earn: {stars: 1 per 1.00, status: 1 per 1.00}}",
        "earn: {stars: 1 per 1.00, status: 100}, limits: [{per: member, uses: 5}]}",
        [],
    ),
    (
        "earn: {stars: 1 per 1.00, status: 1 per 1.00}}",
        "earn: {stars: 1 per 1.00, status: 100}, limits: [{per: member, every: day, uses: 4}]}",
        [],
    ),
    (
        "earn: {stars: 1 per 1.00, status: 1 per 1.00}}",
        "earn: {stars: 1 per 1.00, status: 1 per 1.00}, limits: [{per: member, uses: 4}]}",
        [],
    ),
    (
        "earn: {stars: 1 per 1.00, status: 1 per 1.00}}",
        "earn: {stars: 1 per 1.00, status: 1 per 1.00}, limits: [{per: member, earn: 499 status}]}",
        [("warning:unreachable_level", 7, 78)],
    ),
    (
        "earn: {stars: 1 per 1.00, status: 1 per 1.00}}",
        (
            "earn: {stars: 1 per 1.00, status: 1 per 1.00}, limits: [{per: member, earn: 499 status}]}\n"
            "  more: {on: visit, earn: {status: 1}, limits: [{in_all: 1 uses}]}"
        ),
        [],
    ),
    (
        "earn: {stars: 1 per 1.00, status: 1 per 1.00}}",
        (
            "earn: {stars: 1 per 1.00, status: 1 per 1.00}, limits: [{per: member, earn: 499 status}]}\n"
            "  double: {on: purchase, multiply: {of: base, by: 2}}"
        ),
        [],
    ),
    ("{one: {choose", "{two: {}, one: {choose", [("warning:unused_group", 8, 21)]),
]


def found(text: str) -> list[tuple[str, int, int]]:
    findings = lint(load(text))
    assert [f for f in findings if not f.hint] == []
    return [(f"{f.severity}:{f.code}", f.line, f.column) for f in findings]


def test_the_good_one_is_good() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize(("text", "expected"), YAML + MODEL)
def test_texts(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(("campaign", "expected"), CAMPAIGN)
def test_campaigns(campaign: str, expected: list[tuple[str, int, int]]) -> None:
    assert found(f"{GOOD}  {campaign}\n") == expected


@pytest.mark.parametrize(("old", "new", "expected"), SECTION)
def test_sections(old: str, new: str, expected: list[tuple[str, int, int]]) -> None:
    assert old in GOOD
    assert found(GOOD.replace(old, new)) == expected


def test_a_multiplier_of_all_needs_something_to_multiply() -> None:
    text = """\
program: {id: x, name: X, currency: EUR}
points: {stars: {}}
campaigns: {twice: {on: purchase, multiply: {by: 2}}}
"""
    assert found(text) == [("warning:never_matches", 3, 45)]


def test_a_hostile_text_gets_a_bounded_answer() -> None:
    text = "".join(f"key_{number}: 1\n" for number in range(1000)) + f"program: {{timezone: {'x' * 5000}}}\n"
    findings = lint(load(text))
    assert len(findings) == 201
    assert "too_many" in {finding.code for finding in findings}
    assert max(len(finding.message) for finding in findings) <= 300


def test_a_multiplier_of_all_needs_something_switched_on() -> None:
    text = """\
program: {id: x, name: X, currency: EUR}
points: {stars: {}}
campaigns:
  base: {on: purchase, enabled: false, earn: {stars: 1}}
  twice: {on: purchase, multiply: {by: 2}}
"""
    assert found(text) == [("warning:never_matches", 5, 35)]
