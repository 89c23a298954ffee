"""A program to import into, for tests: files are texts, and what became of them is read back from the database."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from setia.db.engine import Database
from setia.imports.event_mapping import EventsMap
from setia.imports.fates import Report
from setia.imports.importing import Wanted, Watch, import_rows
from setia.imports.mapping import ImportMap, load_map
from setia.ledger.verify import verify
from setia.program.definition import Program
from setia.program.yaml_text import load
from setia.versions.service import publish

PROGRAM: dict[str, Any] = {
    "program": {"id": "shop", "name": "Shop", "currency": "EUR", "timezone": "Europe/Berlin"},
    "points": {"points": {}},
    "members": {"unknown": "enrol"},
    "late": {"accept_within": "90d"},
    "campaigns": {"base": {"on": "purchase", "earn": {"points": "1 per whole 1.00"}}},
}
MAP = """
file: {format: csv}
source: till
external_id: row.id
member: {external_id: row.who}
occurred_at: {column: at, timezone: Europe/Berlin}
lines: {sku: {const: thing}, amount: row.amount}
"""
HEADER = "id,who,at,amount\n"


@dataclass
class Shop:
    """An empty program, and a folder for files."""

    database: Database
    folder: Path
    program_id: int = 0
    columns: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, database: Database, folder: Path, definition: dict[str, Any] | Path = PROGRAM) -> Shop:
        program = load(definition).require() if isinstance(definition, Path) else Program.model_validate(definition)
        with database.transaction() as tx:
            return cls(database, folder, publish(tx, program, "test").version.program_id)

    def file(self, content: str | bytes, name: str = "rows.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def wanted(self, file: Path, form: str | Path = MAP, **options: Any) -> Wanted:
        path = form if isinstance(form, Path) else self.file(form, "map.yaml")
        kind: type[EventsMap | ImportMap] = EventsMap if options.pop("events", False) else ImportMap
        read, sources = load_map(path, kind)
        return Wanted(file, read, sources, options.pop("program", "shop"), **options)

    def bring(
        self,
        content: str | bytes | Path,
        form: str | Path = MAP,
        *,
        name: str = "rows.csv",
        watch: Any = None,
        **options: Any,
    ) -> Report:
        """Import a file."""
        file = content if isinstance(content, Path) else self.file(content, name)
        return import_rows(self.database, self.wanted(file, form, **options), watch or Watch())

    def rows(self, content: str | bytes | Path, form: str | Path = MAP, **options: Any) -> dict[str, Any]:
        """Import a file, and give the fates of its rows that are not zero."""
        report = self.bring(content, form, **options)
        assert report.tally.is_balanced
        told: dict[str, Any] = report.as_dict()["rows"]
        return {name: rows for name, rows in told.items() if rows}

    def refused(self, content: str | bytes, form: str = MAP, **options: Any) -> list[dict[str, Any]]:
        """Import a file, and give its refused rows as they are written down."""
        path = self.folder / "refused.jsonl"
        self.bring(content, form, refused=path, **options)
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with self.database.transaction() as tx:
            return [tuple(row) for row in tx.exec_driver_sql(text)]

    def purchases(self) -> list[tuple[Any, ...]]:
        """What is booked: external id, status and amounts, in the order of the ids."""
        return self.query(
            "SELECT external_id, status, body->'lines'->0->>'amount' FROM event "
            "WHERE type = 'purchase' ORDER BY external_id"
        )

    def state(self) -> list[tuple[Any, ...]]:
        """Everything that an import leaves behind and that must not depend on how it came there."""
        return self.query(
            "SELECT i.value, e.external_id, e.occurred_at::text, j.outcome::text, j.seq FROM event e "
            "JOIN journal j ON j.id = e.id "
            "JOIN member_identifier i ON i.member_id = e.member_id WHERE e.type = 'purchase' ORDER BY 1, 2, 3, 4, 5"
        )

    def assert_clean(self) -> None:
        assert verify(self.database).is_clean
