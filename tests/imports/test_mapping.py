"""The map: what is wrong with it is said with a place, before anything is read."""

from pathlib import Path

import pytest

from import_world import HEADER, MAP, Shop
from setia.imports.mapping import ImportMap, load_map
from setia.program.findings import DefinitionError


def _findings(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        load_map(path, ImportMap)
    return [str(finding).removeprefix(str(path)) for finding in caught.value.findings]


def test_a_bare_text_is_an_expression_and_the_rest_has_defaults(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(MAP, encoding="utf-8")
    form, _ = load_map(path, ImportMap)
    assert form.external_id.cel == "row.id"
    assert (form.lines.sku.const, form.lines.quantity) == ("thing", None)
    assert (form.sort, form.guests, form.rounding, form.group) == ("file", "refuse", None, None)


@pytest.mark.parametrize(
    ("before", "after", "finding"),
    [
        (
            "format: csv",
            "format: xls",
            (
                ":2:16: error[map_invalid]: Input should be 'csv', 'blanks', 'jsonl' or 'parquet'"
                "\n    hint: possible values: csv, blanks, jsonl, parquet"
            ),
        ),
        ("format: csv", "format: cvs", "'parquet'\n    hint: did you mean 'csv'?"),
        ("source: till", "sauce: till", ":3:1: error[map_invalid]: there is no key 'sauce' here{}'source'?"),
        ("source: till", "source: till\ncurency: x", "there is no key 'curency' here{}'currency'?"),
        ("amount: row.amount", "amount: row.amount, quantitty: '1'", "no key 'quantitty' here{}'quantity'?"),
        ("{column: at,", "{colum: at,", "there is no key 'colum' here{}'column'?"),
        ("row.id", "{}", ":4:14: error[map_invalid]: write an expression, or one of {column: NAME} and {const: TEXT}"),
        (
            "Europe/Berlin",
            "Berlin",
            (
                ":6:37: error[map_invalid]: 'Berlin' is not a time zone of the IANA database\n    hint: "
                "write for example Europe/London"
            ),
        ),
        (", amount: row.amount", "", ":7:8: error[map_invalid]: `amount` is missing here\n    hint: add `amount: ...`"),
        (
            "{external_id: row.who}",
            "{}",
            ":5:9: error[map_invalid]: name at least one of id, external_id, card, phone and email",
        ),
        (
            "{format: csv}",
            "{format: csv, encoding: utf-16}",
            ":2:31: error[map_invalid]: files in UTF-16 and UTF-32 are not read\n    hint: convert the file to UTF-8",
        ),
        (
            "{format: csv}",
            "{format: csv, encoding: klingon}",
            ":2:31: error[map_invalid]: 'klingon' is no encoding\n    hint: write for example utf-8 or cp1252",
        ),
        ("{format: csv}", "{format: csv, columns: [a, b, a]}", ":2:30: error[map_invalid]: column 'a' stands twice"),
        (
            "source: till",
            "source: till\nskip: {a: 'true'}\nset_aside: {a: 'true'}",
            ":2:1: error[map_invalid]: 'a' stands under skip and under set_aside",
        ),
        (
            "source: till",
            "source: till\ngroup: {by: row.id, duplicates: set_aside}\nset_aside: {duplicate: 'true'}",
            (
                ":2:1: error[map_invalid]: 'duplicate' is what group.duplicates counts under\n    hint: "
                "give the condition another name"
            ),
        ),
    ],
)
def test_a_wrong_map_is_refused_at_its_place(tmp_path: Path, before: str, after: str, finding: str) -> None:
    expected = finding.replace("{}", "\n    hint: did you mean ")
    found = _findings(tmp_path / "map.yaml", MAP.replace(before, after))
    assert any(expected in one for one in found), found
    assert all("\n    hint: " in one for one in found)


def test_a_map_that_is_missing_or_empty_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="the map cannot be read: No such file or directory"):
        load_map(tmp_path / "nowhere.yaml", ImportMap)
    assert _findings(tmp_path / "map.yaml", "") == [":1:1: error[yaml_not_a_mapping]: the map is empty"]


@pytest.mark.parametrize(
    ("before", "after", "place", "message"),
    [
        ("row.id", "row.nr", (4, 14), "the file has no column 'nr'"),
        ("row.who", "row.whoo", (5, 23), "the file has no column 'whoo'"),
        ("{column: at,", "{column: att,", (6, 23), "the file has no column 'att'"),
        ("row.id", "1 + row.id", (4, 16), "`+`"),
        ("row.id", "{cel: row.idd}", (4, 20), "the file has no column 'idd'"),
        ("source: till", "source: till\nskip: {a: row.amount}", (4, 11), "true or false is needed here"),
    ],
)
def test_expressions_and_columns_are_checked_against_the_file_before_a_row_is_booked(
    shop: Shop, before: str, after: str, place: tuple[int, int], message: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        shop.bring(HEADER + "1,ann,2026-01-01,1\n", MAP.replace(before, after))
    [finding] = caught.value.findings
    assert (finding.line, finding.column) == place
    assert message in finding.message
    assert shop.purchases() == []


def test_a_misspelt_column_gets_a_hint(shop: Shop) -> None:
    with pytest.raises(DefinitionError) as caught:
        shop.bring(HEADER, MAP.replace("row.amount", "row.amont"))
    assert caught.value.findings[0].hint == "did you mean 'amount'?"
    with pytest.raises(DefinitionError) as caught:
        shop.bring(HEADER, MAP.replace("row.amount", "row.xyz"))
    assert caught.value.findings[0].hint == "there are: id, who, at, amount"
