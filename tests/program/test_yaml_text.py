"""Reading YAML: exact numbers, one file or many, and a clear finding for what cannot be read."""

from decimal import Decimal
from pathlib import Path

import pytest

from setia.program.findings import DefinitionError
from setia.program.source_text import MAX_BYTES, checked
from setia.program.yaml_nodes import parse
from setia.program.yaml_text import load
from setia.program.yaml_values import construct, plain_value

PROGRAM = "program: {id: x, name: X, currency: EUR}\n"
POINTS = "points: {stars: {}}\n"


def value(text: str) -> object:
    root = parse(checked("p.yaml", text))
    assert root is not None
    return construct(root)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.25", Decimal("1.25")),
        ("1.10", Decimal("1.10")),
        ("0.1", Decimal("0.1")),
        ("1e3", Decimal("1E+3")),
        ("-7", -7),
        ("0o17", 15),
        ("0x1F", 31),
        ("007", 7),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("2026-03-01", "2026-03-01"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_scalars_mean_what_yaml_1_2_says_and_numbers_stay_exact(text: str, expected: object) -> None:
    found = plain_value(text)
    assert (type(found), str(found)) == (type(expected), str(expected))


def test_anchors_and_aliases_share_a_value() -> None:
    assert value("a: &x {b: 1.5}\nc: *x") == {"a": {"b": Decimal("1.5")}, "c": {"b": Decimal("1.5")}}


def test_keys_are_texts() -> None:
    assert value("815: a\ntrue: b\n1.50: c") == {"815": "a", "true": "b", "1.50": "c"}


def test_an_alias_bomb_is_refused() -> None:
    bomb = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n" for before, name in zip("abcdef", "bcdefg", strict=True)
    )
    with pytest.raises(DefinitionError) as refused:
        value(bomb)
    assert [finding.code for finding in refused.value.findings] == ["yaml_alias"]


def test_a_folder_is_merged_by_section_and_by_entry(tmp_path: Path) -> None:
    (tmp_path / "program.yaml").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "points.yml").write_text(POINTS, encoding="utf-8")
    (tmp_path / "campaigns").mkdir()
    for name in ("one", "two"):
        text = f"campaigns:\n  {name}: {{on: visit, earn: {{stars: 1}}}}\n"
        (tmp_path / "campaigns" / f"{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / ".draft.yaml").write_text("broken: [", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("broken: [", encoding="utf-8")
    loaded = load(tmp_path)
    assert list(loaded.require().campaigns) == ["one", "two"]
    assert loaded.sources is not None
    place = loaded.sources.value(("campaigns", "two", "earn", "stars"))
    assert (place.file, place.line, place.column) == (str(tmp_path / "campaigns" / "two.yaml"), 2, 34)


def test_lists_of_several_files_follow_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(PROGRAM + POINTS, encoding="utf-8")
    for name in ("b", "c"):
        text = f"tiers:\n  - {{id: {name}, metric: spend, levels: [{{id: x, from: 0}}]}}\n"
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert [tier_set.id for tier_set in load(tmp_path).require().tiers] == ["b", "c"]


def test_the_same_entry_in_two_files_names_both_places(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(PROGRAM + POINTS, encoding="utf-8")
    (tmp_path / "b.yaml").write_text("\npoints:\n  stars: {decimals: 2}\n", encoding="utf-8")
    (finding,) = load(tmp_path).findings
    assert (finding.code, finding.file, finding.line, finding.column) == (
        "yaml_duplicate_key",
        str(tmp_path / "b.yaml"),
        3,
        3,
    )
    assert finding.message == f"'points.stars' stands in two files; the other place is {tmp_path / 'a.yaml'}:2:10"


@pytest.mark.parametrize(
    ("content", "code", "line", "column"),
    [
        (b"program:\n  id: caf\xe9\n", "yaml_encoding", 2, 10),
        ("ä: 1\nb: ".encode() + b"\xff", "yaml_encoding", 2, 4),
        (b"a: 1\n\x00", "yaml_encoding", 2, 1),
        (b"a: " + b"x" * MAX_BYTES, "yaml_too_large", 1, 1),
        (b"", "yaml_not_a_mapping", 1, 1),
    ],
)
def test_files_that_are_no_text_are_refused(tmp_path: Path, content: bytes, code: str, line: int, column: int) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(content)
    loaded = load(path)
    assert loaded.program is None
    assert [(f.code, f.line, f.column) for f in loaded.findings] == [(code, line, column)]


def test_a_byte_order_mark_is_no_character(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert {(f.line, f.column) for f in load(path).findings} == {(1, 1)}


def test_all_files_together_have_one_limit(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.yaml").write_text("# " + "x" * (MAX_BYTES // 2), encoding="utf-8")
    (finding,) = load(tmp_path).findings
    assert (finding.code, finding.file) == ("yaml_too_large", str(tmp_path / "b.yaml"))


@pytest.mark.parametrize("name", ["missing.yaml", "empty"])
def test_a_path_without_a_definition_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (finding,) = load(tmp_path / name).findings
    assert (finding.code, finding.file) == ("file_missing", str(tmp_path / name))


def test_require_raises_what_was_found() -> None:
    with pytest.raises(DefinitionError, match=r"program.yaml:1:1: error\[missing_key\]: 'points' is missing"):
        load("a: 1").require()
