"""The how-to about importing members: its file and its map do what the page says."""

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

from import_world import PROGRAM
from setia.db.engine import Database
from setia.imports.mapping import load_map
from setia.imports.member_mapping import IdentifiersForm, MembersMap
from setia.imports.members import WantedMembers, import_members
from setia.program.definition import Program
from setia.versions.service import publish

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "import-members.md").read_text(encoding="utf-8")


def test_the_example_imports_its_members(database: Database, tmp_path: Path) -> None:
    rows, form = tmp_path / "members.csv", tmp_path / "map.yaml"
    rows.write_text(dedent(re.findall(r"^((?:    [^\n]*\n)+)", PAGE, re.MULTILINE)[1]), encoding="utf-8")
    form.write_text(re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[0], encoding="utf-8")
    attributes = {"birthday": {"type": "date"}, "size": {"type": "integer"}}
    program: dict[str, Any] = PROGRAM | {"members": {"phone_region": "DE", "attributes": attributes}}
    with database.transaction() as tx:
        publish(tx, Program.model_validate(program), "test")
    found, sources = load_map(form, MembersMap)
    report = import_members(database, WantedMembers(rows, found, sources, "shop"))
    assert (report.read, report.enrolled, report.is_fine) == (2, 2, True), report
    with database.raw_connection() as connection:
        kept = connection.execute(
            "SELECT locale, tags, attributes ->> 'size' FROM member ORDER BY enrolled_at"
        ).fetchall()
    assert kept == [("de", ["press", "vip"], "38"), (None, [], None)]


def test_every_key_of_a_map_stands_on_the_page() -> None:
    table = PAGE.partition("| key | meaning |")[2]
    for name in (*MembersMap.model_fields, *IdentifiersForm.model_fields):
        assert f"`{name}`" in table, name
