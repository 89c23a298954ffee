"""Reading a file row by row, whatever it looks like inside, without ever holding it whole."""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import msgspec

from setia.imports.mapping import FileForm
from setia.imports.problems import FileDamaged, FileUnreadable
from setia.imports.values import Row

LONGEST_LINE = 1024 * 1024
"""Characters. A longer line is no row of purchases, and a file without line breaks must not fill the memory."""
REASON_COLUMNS = tuple(f"setia_{name}" for name in ("row", "line", "code", "pointer", "message", "hint", "text"))
"""What a file of refused rows has after the columns of the original, and what is not read when it is imported."""
_CUT = "\ufffc"
_PARQUET_ROWS = 4096


class Unreadable(msgspec.Struct, gc=False):
    """A row that could not be read as what the file is said to hold."""

    number: int
    line: int
    message: str
    text: str


Read = Row | Unreadable


class Source(Protocol):
    """An open file."""

    columns: tuple[str, ...] | None
    """None where each row may have others."""

    def __iter__(self) -> Iterator[Read]:
        """The rows."""


class Meter:
    """How much of the file, as it lies on the disk, has been read."""

    def __init__(self, raw: BinaryIO, size: int) -> None:
        self._raw = raw
        self.size = size

    @property
    def done(self) -> int:
        """Bytes."""
        return self._raw.tell()


@contextmanager
def open_source(path: Path, form: FileForm) -> Iterator[tuple[Source, Meter]]:
    """Open a file.

    Raises:
        FileUnreadable: it is not there, is of another kind, or has no usable header. Nothing was read.
        FileDamaged: it ends too early or is broken in the middle; the rows before it were given.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be opened: {error.strerror}.") from None
    with raw:
        meter = Meter(raw, path.stat().st_size)
        try:
            with _unpacked(raw, path) as stream:
                yield _Guarded(_source(stream, form), path, meter), meter
        except _DAMAGES as error:
            raise FileUnreadable(f"{path} cannot be unpacked: {error}.") from None


_DAMAGES = (EOFError, lzma.LZMAError, gzip.BadGzipFile, zlib.error)


class _Guarded:
    """A source that says of a broken file that it is broken."""

    def __init__(self, source: Source, path: Path, meter: Meter) -> None:
        self.columns = source.columns
        self._source = source
        self._path = path
        self._meter = meter

    def __iter__(self) -> Iterator[Read]:
        try:
            yield from self._source
        except (*_DAMAGES, OSError) as error:
            message = f"{self._path} is damaged after {self._meter.done:,} bytes: {error}."
            raise FileDamaged(message) from None


def _unpacked(raw: BinaryIO, path: Path) -> BinaryIO:
    match path.suffix.lower():
        case ".xz":
            return cast("BinaryIO", lzma.open(raw))
        case ".gz":
            return cast("BinaryIO", gzip.open(raw))
        case _:
            return raw


def _source(stream: BinaryIO, form: FileForm) -> Source:
    if form.format == "parquet":
        return _ParquetRows(stream)
    # What is not in the encoding stays visible as a surrogate, so that one bad byte costs a row and not the file.
    encoding = "utf-8-sig" if form.encoding.lower() in {"utf-8", "utf8"} else form.encoding
    # newline="": a line break inside quotes belongs to the value. Other formats end lines by \n alone.
    text = io.TextIOWrapper(stream, encoding, errors="surrogateescape", newline="" if form.format == "csv" else "\n")
    match form.format:
        case "csv":
            return _CsvRows(text, form)
        case "blanks":
            return _BlankRows(text, form)
        case _:
            return _JsonRows(text)


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Lines with their ends; one that is too long is cut, and the rest of it thrown away."""
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            while (rest := text.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
            # One character more than fits tells the readers below that something is missing.
            line += _CUT
        yield line


def _is_whole(line: str) -> bool:
    return len(line) <= LONGEST_LINE


class _Table:
    """What csv and blanks share: every row has the columns of the header."""

    columns: tuple[str, ...] | None

    def __init__(self, text: io.TextIOWrapper, form: FileForm) -> None:
        self._text = text  # it closes the file when nobody has it any more
        self._form = form
        self._names: tuple[str, ...] = form.columns
        self.columns = self._names

    def _take_header(self, header: list[str] | None) -> None:
        if header is None:
            raise FileUnreadable("The file is empty; it should begin with a line of column names.")
        names = tuple(name.strip() for name in header)
        for name in names:
            if not name:
                raise FileUnreadable("A column has no name in the first line. Name the columns under file.columns.")
            if names.count(name) > 1:
                raise FileUnreadable(f"Two columns are called {name!r}. Name the columns under file.columns.")
        self._names = self.columns = names

    def _row(self, number: int, line: int, fields: list[str]) -> Read:
        if len(fields) != len(self._names):
            message = f"The row has {len(fields)} fields, and the file has {len(self._names)} columns."
            return Unreadable(number, line, message, _shown(self._form.delimiter.join(fields)))
        if fields[-1].endswith(_CUT):
            return _too_long(number, line, self._form.delimiter.join(fields))
        if any(_foreign(field) for field in fields):
            return Unreadable(number, line, _NOT_IN_ENCODING, _shown(self._form.delimiter.join(fields)))
        return Row(number, line, dict(zip(self._names, fields, strict=True)))


class _CsvRows(_Table):
    def __init__(self, text: io.TextIOWrapper, form: FileForm) -> None:
        super().__init__(text, form)
        self._reader = csv.reader(_lines(text), delimiter=form.delimiter, quotechar=form.quote, strict=True)
        self._has_reasons = False
        if not form.columns:
            try:
                header = next(self._reader, None)
            except csv.Error as error:
                raise FileUnreadable(f"The first line is not CSV: {error}.") from None
            if header is not None:
                self._has_reasons = _without_reasons(header)
            self._take_header(header)

    def __iter__(self) -> Iterator[Read]:
        number = 0
        while True:
            line = self._reader.line_num + 1
            try:
                fields = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                number += 1
                yield Unreadable(number, line, f"It is not CSV: {error}.", "")
                continue
            if not number and not self._has_reasons and fields == [*self._names, *REASON_COLUMNS]:
                # The map names the columns, and a file of refused rows has a first line all the same.
                self._has_reasons = True
            elif fields:
                number += 1
                if self._has_reasons and len(fields) == len(self._names) + len(REASON_COLUMNS):
                    del fields[len(self._names) :]
                yield self._row(number, line, fields)


def _without_reasons(header: list[str]) -> bool:
    """Take away the columns that tell why a row was refused; whether there were any."""
    found = tuple(header[-len(REASON_COLUMNS) :]) == REASON_COLUMNS
    if found:
        del header[-len(REASON_COLUMNS) :]
    return found


class _BlankRows(_Table):
    def __init__(self, text: io.TextIOWrapper, form: FileForm) -> None:
        super().__init__(text, form)
        self._lines = _lines(text)
        self._before = 0
        if not form.columns:
            self._before = 1
            first = next(self._lines, None)
            self._take_header(None if first is None else first.split())

    def __iter__(self) -> Iterator[Read]:
        number = 0
        for line, text in enumerate(self._lines, self._before + 1):
            fields = text.split()
            if fields:
                number += 1
                yield self._row(number, line, fields) if _is_whole(text) else _too_long(number, line, text)


class _JsonRows:
    columns: tuple[str, ...] | None = None

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._lines = _lines(text)

    def __iter__(self) -> Iterator[Read]:
        number = 0
        for line, text in enumerate(self._lines, 1):
            if not text.strip():
                continue
            number += 1
            if not _is_whole(text):
                yield _too_long(number, line, text)
            elif _foreign(text):
                yield Unreadable(number, line, _NOT_IN_ENCODING, _shown(text))
            else:
                yield _json_row(number, line, text)


def _json_row(number: int, line: int, text: str) -> Read:
    try:
        # Numbers stay as they are written: 0.10 is not 0.1 to everybody, and never a binary fraction.
        value = json.loads(text, parse_float=str, parse_int=str, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return Unreadable(number, line, f"It is not JSON: {error}.", _shown(text))
    if not isinstance(value, dict):
        return Unreadable(number, line, "It is JSON, and no object.", _shown(text))
    values = dict(_flat("", value))
    if "\\u" in text and any(_foreign(item) for pair in values.items() for item in pair):
        return Unreadable(number, line, "It has half a character in it.", _shown(text))
    return Row(number, line, values)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _flat(prefix: str, value: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """Texts by path: {"value": {"amount": 1.50}} is {"value.amount": "1.50"}. What is null is empty."""
    for name, item in value.items():
        match item:
            case None:
                yield f"{prefix}{name}", ""
            case dict():
                yield from _flat(f"{prefix}{name}.", item)
            case _:
                yield f"{prefix}{name}", _text(item)


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case list():
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return value.isoformat() if hasattr(value, "isoformat") else str(value)


class _ParquetRows:
    def __init__(self, stream: BinaryIO) -> None:
        # Here, because it takes a tenth of a second to load and few files are Parquet.
        import pyarrow as pa  # noqa: PLC0415 - a heavy package, for Parquet only
        import pyarrow.parquet as pq  # noqa: PLC0415 - a heavy package, for Parquet only

        try:
            self._file = pq.ParquetFile(stream)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise FileUnreadable(f"The file is not Parquet: {str(error).splitlines()[0]}.") from None
        self.columns: tuple[str, ...] | None = None
        schema = self._file.schema_arrow
        if not any(pa.types.is_nested(field.type) for field in schema):
            self.columns = tuple(schema.names)

    def __iter__(self) -> Iterator[Read]:
        number = 0
        for batch in self._file.iter_batches(_PARQUET_ROWS):
            for value in batch.to_pylist():
                number += 1
                yield Row(number, number, dict(_flat("", value)))


_NOT_IN_ENCODING = "It has bytes that are not in the file's encoding. Name it under file.encoding, for example cp1252."


def _foreign(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def _too_long(number: int, line: int, text: str) -> Unreadable:
    return Unreadable(number, line, f"The line has more than {LONGEST_LINE:,} characters.", _shown(text))


def _shown(text: str) -> str:
    return text[:1000].rstrip("\r\n").encode("utf-8", "replace").decode("utf-8")
