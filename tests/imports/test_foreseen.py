"""Columns of a file whose rows bring their own: a misspelt one is found before anything is booked."""

import json

import pytest

from import_world import MAP, Shop
from setia.imports import foreseen
from setia.program.findings import DefinitionError


def _json_rows(count: int, **more: str) -> str:
    rows = [{"id": str(n), "who": "ann", "at": "2026-01-01", "amount": "1"} for n in range(1, count + 1)]
    rows[-1] |= more
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_a_column_that_no_row_of_json_lines_has_is_a_fault_of_the_map(shop: Shop) -> None:
    form = MAP.replace("csv", "jsonl").replace("row.amount", "row.amuont")
    with pytest.raises(DefinitionError) as caught:
        shop.bring(_json_rows(3), form)
    [finding] = caught.value.findings
    assert (finding.line, finding.message) == (7, "none of the first 3 rows has a column 'amuont'")
    assert finding.hint.startswith("did you mean 'amount'?")
    assert shop.purchases() == []


def test_a_column_that_only_later_rows_have_is_named_in_the_map(shop: Shop) -> None:
    form = MAP.replace("csv", "jsonl") + "channel: {column: till}\n"
    content = _json_rows(foreseen.ROWS + 1, till="7")
    with pytest.raises(DefinitionError, match="none of the first 1,000 rows has a column 'till'"):
        shop.bring(content, form)
    assert shop.purchases() == []
    told = shop.rows(content, form.replace("jsonl", "jsonl, columns: [till]"))
    assert told == {"read": 1001, "imported": 1001}
    assert shop.query("SELECT count(*) FROM event WHERE body->>'channel' = '7'") == [(1,)]


def test_a_row_without_a_column_is_refused_unless_its_expression_asks_first(shop: Shop) -> None:
    form = MAP.replace("csv", "jsonl") + "channel: row.till\n"
    content = _json_rows(2, till="7")
    assert shop.rows(content, form, dry_run=True) == {"read": 2, "checked": 1, "refused": {"no_value": 1}}
    asking = form.replace("row.till", "'has(row.till) ? row.till : \"\"'")
    assert shop.rows(content, asking, dry_run=True) == {"read": 2, "checked": 2}
    assert shop.rows(content, form.replace("row.till", "{column: till}"), dry_run=True) == {"read": 2, "checked": 2}
    assert shop.purchases() == []


def test_of_rows_that_cannot_be_read_nothing_is_foreseen(shop: Shop) -> None:
    assert shop.rows("7\n", MAP.replace("csv", "jsonl")) == {"read": 1, "refused": {"row_unreadable": 1}}
    assert shop.rows("", MAP.replace("csv", "jsonl")) == {}
