"""Files of the rows that were refused or set aside: JSON lines, or CSV that can be repaired and imported again."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Self

from setia.imports.fates import Reject
from setia.imports.mapping import FileForm
from setia.imports.problems import FileUnreadable
from setia.imports.sources import REASON_COLUMNS
from setia.imports.values import Row

_FIELDS = ("row", "line", "code", "pointer", "message", "hint")


class RejectFile:
    """A file that is written as rejects come. One that is there already is replaced."""

    def __init__(self, path: Path, columns: tuple[str, ...] | None, form: FileForm) -> None:
        """Begin the file. In CSV the columns of the original come first; where they vary, one: `row_as_json`.

        CSV from CSV is written with the delimiter, the quotes and the encoding of the original, and its reader knows
        the columns that are added here: the same map reads it.
        """
        is_csv = path.suffix.lower() == ".csv"
        alike = form if is_csv and form.format == "csv" else FileForm(format="csv")
        try:
            # A letter that the encoding lacks can only stand in a message.
            self._file = path.open("w", encoding=alike.encoding, errors="backslashreplace", newline="")
        except OSError as error:
            raise FileUnreadable(f"{path} cannot be written: {error.strerror}.") from None
        self._columns = columns
        self._csv = csv.writer(self._file, delimiter=alike.delimiter, quotechar=alike.quote) if is_csv else None
        if self._csv is not None:
            self._csv.writerow([*(columns or ("row_as_json",)), *REASON_COLUMNS])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def write(self, reject: Reject) -> None:
        """Write a row down, with why."""
        row = reject.row
        why = (row.number, row.line, reject.code, reject.pointer, reject.message, reject.hint)
        if self._csv is not None:
            self._csv.writerow([*self._original(reject), *why, "" if isinstance(row, Row) else row.text])
            return
        told: dict[str, object] = {name: value for name, value in zip(_FIELDS, why, strict=True) if value != ""}
        told |= {"original": row.values} if isinstance(row, Row) else {"text": row.text}
        self._file.write(json.dumps(told, ensure_ascii=False) + "\n")

    def _original(self, reject: Reject) -> list[str]:
        row = reject.row
        if self._columns is None:
            return [json.dumps(row.values, ensure_ascii=False) if isinstance(row, Row) else ""]
        return [row.values.get(name, "") if isinstance(row, Row) else "" for name in self._columns]
