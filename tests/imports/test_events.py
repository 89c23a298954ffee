"""Rows of many kinds become events: which case takes a row, what an event holds, and what is refused and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from import_world import PROGRAM, Shop
from setia.cli.main import app
from setia.db.engine import Database
from setia.imports import lanes
from setia.imports.event_mapping import EventsMap
from setia.imports.mapping import load_map
from setia.program.findings import DefinitionError

DEFINITION: dict[str, Any] = {
    **PROGRAM,
    "events": {
        "survey": {
            "data": {
                "type": "object",
                "properties": {"score": {"type": "integer"}, "share": {"type": "number"}, "note": {"type": "string"}},
                "required": ["score"],
                "additionalProperties": False,
            }
        }
    },
    "campaigns": {
        "base": {"on": "purchase", "earn": {"points": "1 per whole 1.00"}},
        "thanks": {"on": "survey", "earn": {"points": {"expression": "event.data.score * 10"}}},
        "hello": {"on": "visit", "earn": {"points": 1}},
    },
}
MAP = """
file: {format: jsonl, columns: [note, score, value.amount]}
source: diary
external_id: row_number
member: {external_id: row.who}
occurred_at: timestamp("2026-01-01T00:00:00Z") + duration(row.hour + "h")
skip: {seen: row.kind == "seen"}
rounding: half_up
events:
  - when: row.kind == "bought"
    type: purchase
    currency: {const: EUR}
    lines: {sku: {const: thing}, amount: '{column}'}
  - when: row.kind == "asked"
    type: survey
    channel: {const: web}
    data:
      score: int(row.score)
      share: double(row.score) / 4
      note: {column: note, optional: true}
  - type: row.kind
""".replace("'{column}'", "{column: value.amount}")


@pytest.fixture
def diary(database: Database, tmp_path: Path) -> Shop:
    """A program with an event of its own."""
    return Shop.open(database, tmp_path, DEFINITION)


def rows(*values: dict[str, Any]) -> str:
    return "".join(json.dumps({"who": "ann", "hour": place, **row}) + "\n" for place, row in enumerate(values))


def booked(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.query(
        "SELECT e.external_id, e.type, e.occurred_at::text, e.body::jsonb->'data', "
        "(SELECT coalesce(sum((p->>'amount')::int), 0) FROM jsonb_array_elements(coalesce("
        "j.outcome::jsonb->'points', '[]')) p)::int FROM event e JOIN journal j ON j.id = e.id "
        "WHERE e.type <> 'member_enrolled' ORDER BY e.external_id::int"
    )


BOUGHT = {"kind": "bought", "value": {"amount": 12.504}}
ASKED = {"kind": "asked", "score": 3, "note": "fine"}


def test_each_row_becomes_the_event_of_the_first_case_that_takes_it(diary: Shop) -> None:
    content = rows(BOUGHT, {"kind": "seen"}, ASKED, {"kind": "visit"}, {"kind": "asked", "score": 4})
    report = diary.bring(content, MAP, events=True)
    told = report.as_dict()
    assert {name: count for name, count in told["rows"].items() if count} == {
        "read": 5,
        "imported": 4,
        "skipped": {"seen": 1},
    }
    assert told["by_type"] == {"purchase": 1, "survey": 2, "visit": 1}
    assert (told["events"]["imported"], told["money"]["imported"]) == (4, "12.50")
    assert booked(diary) == [
        ("1", "purchase", "2026-01-01 00:00:00+00", None, 12),
        ("3", "survey", "2026-01-01 02:00:00+00", {"note": "fine", "score": 3, "share": 0.75}, 30),
        ("4", "visit", "2026-01-01 03:00:00+00", None, 1),
        ("5", "survey", "2026-01-01 04:00:00+00", {"score": 4, "share": 1}, 40),
    ]
    diary.assert_clean()


def test_the_same_import_again_books_nothing_twice_and_a_longer_file_what_is_new(diary: Shop) -> None:
    first = rows(BOUGHT, ASKED)
    diary.bring(first, MAP, events=True)
    again = diary.bring(first + rows({"kind": "visit", "hour": 9}), MAP, events=True).as_dict()
    assert (again["rows"]["known"], again["rows"]["imported"], again["by_type"]) == (2, 1, {"visit": 1})
    assert [row[1] for row in booked(diary)] == ["purchase", "survey", "visit"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_members_events_keep_their_order_with_any_number_of_jobs(diary: Shop, jobs: int) -> None:
    content = rows(*({"kind": "visit", "who": f"m{place % 7}"} for place in range(60)))
    assert diary.rows(content, MAP, events=True, jobs=jobs) == {"read": 60, "imported": 60}
    numbers = diary.query(
        "SELECT j.member_id, array_agg(e.external_id::int ORDER BY j.seq) FROM journal j JOIN event e ON e.id = j.id "
        "WHERE e.type = 'visit' GROUP BY 1"
    )
    assert len(numbers) == 7
    assert all(found == sorted(found) for _, found in numbers)


@pytest.mark.parametrize(
    ("row", "code", "words"),
    [
        ({"kind": "dance"}, "invalid_event", "'dance' is not an event of this program."),
        ({"kind": "member_enrolled"}, "invalid_event", "Setia makes this event itself"),
        ({"kind": "asked", "score": "many"}, "no_value", "many"),
        ({"kind": "asked"}, "no_value", "score"),
        ({"kind": "asked", "score": 3, "who": ""}, "no_member", "names no member"),
        ({"kind": "asked", "score": 3, "hour": "late"}, "no_value", "late"),
        ({"kind": "bought", "value": {"amount": "much"}}, "not_a_number", "'much'"),
    ],
)
def test_a_row_that_is_no_event_is_refused_with_its_reason(
    diary: Shop, row: dict[str, Any], code: str, words: str
) -> None:
    [refused] = diary.refused(rows(row), MAP, events=True)
    assert refused["code"] == code
    assert words in refused["message"]
    assert booked(diary) == []


def test_a_row_that_no_case_takes_is_refused(diary: Shop) -> None:
    [refused] = diary.refused(rows({"kind": "dance"}), MAP.replace("  - type: row.kind\n", ""), events=True)
    assert (refused["code"], refused["pointer"]) == ("no_case", "#/events")


def test_the_rows_of_one_purchase_are_its_lines_and_no_other_event_has_several(diary: Shop) -> None:
    form = MAP.replace("external_id: row_number", "external_id: row.hour\ngroup: {by: row.hour}")
    one, two = {**BOUGHT, "hour": 1}, {**ASKED, "hour": 2}
    refused = diary.refused(rows(one, one, two, two, {**BOUGHT, "hour": 3}, {**ASKED, "hour": 3}), form, events=True)
    assert [row["code"] for row in refused] == ["order_contradicts_itself"] * 4
    assert "another kind of event" in refused[2]["message"]
    assert [row[4] for row in booked(diary)] == [25]


def test_a_dry_run_checks_every_row_against_the_program(diary: Shop) -> None:
    found = diary.rows(rows(BOUGHT, ASKED, {"kind": "dance"}), MAP, events=True, dry_run=True)
    assert found == {"read": 3, "checked": 2, "refused": {"invalid_event": 1}}
    assert booked(diary) == []


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("type: survey", "typ: survey", "there is no key 'typ' here"),
        ("  - type: row.kind", "  - type: row.kin", "has a column 'kin'"),
        ('  - when: row.kind == "bought"\n    type: purchase', "  - type: purchase", "put it last"),
        ("score: int(row.score)", "score: int(row.scores)", "did you mean 'score'?"),
        ("events:", "event:", "there is no key 'event' here"),
        ('when: row.kind == "asked"', "when: row.kind", "true or false is needed here"),
    ],
)
def test_what_is_wrong_with_the_map_is_said_with_its_place(diary: Shop, before: str, after: str, words: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        diary.bring(rows(BOUGHT, ASKED), MAP.replace(before, after), events=True)
    findings = [str(finding) for finding in raised.value.findings]
    assert any(words in finding for finding in findings), findings
    assert all("map.yaml:" in finding for finding in findings)


def test_values_of_data_keep_their_types(diary: Shop, tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(MAP, encoding="utf-8")
    form, _ = load_map(path, EventsMap)
    assert [case.type if isinstance(case.type, str) else case.type.cel for case in form.events] == [
        "purchase",
        "survey",
        "row.kind",
    ]
    free = {**DEFINITION, "events": {"survey": {"data": {"type": "object"}}}, "campaigns": {}}
    open_shop = Shop.open(diary.database, tmp_path, {**free, "program": {**PROGRAM["program"], "id": "open"}})
    data = """
  - type: survey
    data:
      tags: '["a", row.kind]'
      at: timestamp("2026-01-01T00:00:00Z")
      ok: row.kind == "asked"
      n: "2.50"
"""
    text = MAP[: MAP.index("events:")] + "events:" + data
    open_shop.bring(rows(ASKED), text, events=True, program="open")
    [(found,)] = open_shop.query("SELECT body::jsonb->'data' FROM event WHERE type = 'survey'")
    assert found == {"tags": ["a", "asked"], "at": "2026-01-01T00:00:00+00:00", "ok": True, "n": 2.5}


def test_the_command(diary: Shop, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETIA_DATABASE_URL", database_url)
    monkeypatch.setattr(lanes, "collect_rarely", lambda: None)
    file, form = diary.file(rows(BOUGHT, ASKED, {"kind": "visit"}), "diary.jsonl"), diary.file(MAP, "map.yaml")
    arguments = ["import", "events", str(file), "--map", str(form), "--program", "shop"]
    shown = CliRunner().invoke(app, arguments)
    assert (shown.exit_code, "survey: 1" in shown.stderr, "events/s" in shown.stderr) == (0, True, True)
    again = CliRunner().invoke(app, [*arguments, "--json"])
    assert json.loads(again.stdout)["events"]["known"] == 3
    limited = CliRunner().invoke(app, [*arguments, "--limit", "1"])
    assert "The limit of 1 events was reached." in limited.stderr
