"""Files: the same rows out of every format, and what is no row costs only itself."""

import datetime as dt
import gzip
import json
import lzma
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from setia.imports.mapping import FileForm
from setia.imports.problems import FileDamaged, FileUnreadable
from setia.imports.sources import LONGEST_LINE, Unreadable, open_source
from setia.imports.values import Row


def _read(path: Path, **form: object) -> list[Row | Unreadable]:
    with open_source(path, FileForm.model_validate(form)) as (source, meter):
        rows = list(source)
        assert meter.done <= meter.size
        return rows


def _values(path: Path, **form: object) -> list[dict[str, str] | str]:
    return [row.values if isinstance(row, Row) else row.message for row in _read(path, **form)]


def _file(folder: Path, content: str | bytes, name: str = "rows") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


EXPECTED = [{"a": "1", "b": "x"}, {"a": "2.50", "b": "y"}]


def _parquet() -> bytes:
    into = BytesIO()
    pq.write_table(pa.table({"a": pa.array([Decimal("1.00"), Decimal("2.50")]), "b": ["x", "y"]}), into)
    return into.getvalue()


@pytest.mark.parametrize(
    ("content", "form"),
    [
        ("a,b\n1,x\n2.50,y\n", {"format": "csv"}),
        ("a,b\r\n1,x\r\n\r\n2.50,y", {"format": "csv"}),
        ("\ufeffa,b\n1,x\n2.50,y\n", {"format": "csv"}),
        ("a;b\n1;'x'\n'2.50';y\n", {"format": "csv", "delimiter": ";", "quote": "'"}),
        ("1,x\n2.50,y\n", {"format": "csv", "columns": ["a", "b"]}),
        (" a   b \n\n 1 \t x\n2.50 y", {"format": "blanks"}),
        ("  1   x\n2.50 y\n", {"format": "blanks", "columns": ["a", "b"]}),
        ('{"a": 1, "b": "x"}\n\n{"a": 2.50, "b": "y"}\n', {"format": "jsonl"}),
    ],
)
@pytest.mark.parametrize("around", ["", ".gz", ".xz"])
def test_each_format_gives_the_same_rows(tmp_path: Path, content: str, form: dict[str, object], around: str) -> None:
    packed = {"": content.encode(), ".gz": gzip.compress(content.encode()), ".xz": lzma.compress(content.encode())}
    assert _values(_file(tmp_path, packed[around], f"rows{around}"), **form) == EXPECTED


@pytest.mark.parametrize("around", ["", ".gz", ".xz"])
def test_parquet_gives_text_too(tmp_path: Path, around: str) -> None:
    content = _parquet()
    packed = {"": content, ".gz": gzip.compress(content), ".xz": lzma.compress(content)}
    path = _file(tmp_path, packed[around], f"rows{around}")
    assert _values(path, format="parquet") == [{"a": "1.00", "b": "x"}, {"a": "2.50", "b": "y"}]


def test_rows_know_their_number_and_their_line(tmp_path: Path) -> None:
    path = _file(tmp_path, 'a,b\n1,"x\nx"\n2,y\n')
    assert [(row.number, row.line) for row in _read(path, format="csv")] == [(1, 2), (2, 4)]
    path = _file(tmp_path, "a b\n\n1 x\n2 y\n")
    assert [(row.number, row.line) for row in _read(path, format="blanks")] == [(1, 3), (2, 4)]


def test_values_of_json_become_text_by_path(tmp_path: Path) -> None:
    row = {"n": 1.10, "big": 10**30, "yes": True, "no": None, "in": {"side": {"x": 0}}, "list": [1, "a"]}
    content = json.dumps(row).replace("1.1,", "1.10,")
    assert _values(_file(tmp_path, content), format="jsonl") == [
        {"n": "1.10", "big": "1" + "0" * 30, "yes": "true", "no": "", "in.side.x": "0", "list": '["1", "a"]'}
    ]


def test_values_of_parquet_become_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "whole": [7],
            "float": [2.55],
            "at": [dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)],
            "day": [dt.date(2026, 1, 2)],
            "yes": [True],
            "nothing": pa.array([None], pa.string()),
            "inner": [{"x": Decimal("1.5")}],
        }
    )
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path)
    assert _values(path, format="parquet") == [
        {
            "whole": "7",
            "float": "2.55",
            "at": "2026-01-02T03:04:05+00:00",
            "day": "2026-01-02",
            "yes": "true",
            "nothing": "",
            "inner.x": "1.5",
        }
    ]


def test_what_is_no_row_costs_only_itself(tmp_path: Path) -> None:
    content = b'a,b\n1\n2,"x"y\n3,\xff\n4,z\n5,6,7\n'
    assert _values(_file(tmp_path, content), format="csv") == [
        "The row has 1 fields, and the file has 2 columns.",
        "It is not CSV: ',' expected after '\"'.",
        "It has bytes that are not in the file's encoding. Name it under file.encoding, for example cp1252.",
        {"a": "4", "b": "z"},
        "The row has 3 fields, and the file has 2 columns.",
    ]


def test_a_quote_that_is_never_closed_is_one_row(tmp_path: Path) -> None:
    found = _values(_file(tmp_path, 'a,b\n1,x\n2,"y\n3,z\n'), format="csv")
    assert found == [{"a": "1", "b": "x"}, "It is not CSV: unexpected end of data."]


def test_what_is_no_json_object_costs_only_itself(tmp_path: Path) -> None:
    content = b'{"a": 1\n[1]\n{"a": NaN}\n{"a": "\xff"}\n{"a": "\\ud800"}\n{"a": 1}\n'
    assert _values(_file(tmp_path, content), format="jsonl") == [
        "It is not JSON: Expecting ',' delimiter: line 2 column 1 (char 8).",
        "It is JSON, and no object.",
        "It is not JSON: NaN is no number.",
        "It has bytes that are not in the file's encoding. Name it under file.encoding, for example cp1252.",
        "It has half a character in it.",
        {"a": "1"},
    ]


@pytest.mark.parametrize("form", ["csv", "blanks", "jsonl"])
def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path, form: str) -> None:
    long = "1 " * LONGEST_LINE if form == "blanks" else "1," * LONGEST_LINE
    end = '\n{"a": "2"}\n' if form == "jsonl" else "\n2\n"
    path = _file(tmp_path, ("" if form == "jsonl" else "a\n") + long + end)
    first, second = _values(path, format=form)
    assert isinstance(first, str)
    assert second == {"a": "2"}


def test_another_encoding_is_read_when_it_is_named(tmp_path: Path) -> None:
    assert _values(_file(tmp_path, "a\nJosé €\n".encode("cp1252")), format="csv", encoding="cp1252") == [
        {"a": "José €"}
    ]


@pytest.mark.parametrize(
    ("content", "form", "message"),
    [
        ("", "csv", "The file is empty"),
        ("", "blanks", "The file is empty"),
        ("a,a\n", "csv", "Two columns are called 'a'"),
        ("a,\n", "csv", "A column has no name"),
        ('"a', "csv", "The first line is not CSV"),
        ("a,b\n", "parquet", "The file is not Parquet"),
    ],
)
def test_a_file_without_a_usable_beginning_is_refused(tmp_path: Path, content: str, form: str, message: str) -> None:
    with pytest.raises(FileUnreadable, match=message):
        _read(_file(tmp_path, content), format=form)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="cannot be opened: No such file"):
        _read(tmp_path / "nowhere", format="csv")


@pytest.mark.parametrize("around", [".gz", ".xz"])
def test_a_file_that_is_not_packed_as_its_name_says_is_refused(tmp_path: Path, around: str) -> None:
    with pytest.raises(FileUnreadable, match="cannot be unpacked"):
        _read(_file(tmp_path, "a,b\n1,2\n", f"rows{around}"), format="csv")


@pytest.mark.parametrize("around", [".gz", ".xz"])
def test_a_file_that_breaks_off_gives_its_rows_and_then_says_so(tmp_path: Path, around: str) -> None:
    content = "a\n" + "".join(f"{number * 7919}\n" for number in range(100_000))
    packed = gzip.compress(content.encode()) if around == ".gz" else lzma.compress(content.encode())
    path = _file(tmp_path, packed[: len(packed) // 2], f"rows{around}")
    rows = 0
    with (
        open_source(path, FileForm.model_validate({"format": "csv"})) as (source, _),
        pytest.raises(FileDamaged, match="is damaged after"),
    ):
        for _ in source:
            rows += 1
    assert rows > 1000
