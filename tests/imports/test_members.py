"""`setia import members`: each row one fate, nobody twice, and refused rows with their reason."""

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from import_world import PROGRAM as BASE
from import_world import Shop
from setia.cli.main import app
from setia.imports import members as importing
from setia.imports.importing import Watch
from setia.imports.mapping import load_map
from setia.imports.member_mapping import MembersMap
from setia.program.definition import Program
from setia.versions.service import publish

runner = CliRunner()
HEADER = "id,mail,phone,joined,birthday,size,groups,language\n"
ADA = "17,Ada@Example.com,030 901820,2019-05-02,1990-12-10,38,vip;press,de\n"
BEN = "18,,,2020-01-31,,,,\n"
MAP = """
file: {format: csv}
identifiers: {external_id: row.id, email: row.mail, phone: row.phone}
enrolled_at: {column: joined, format: "%Y-%m-%d", timezone: Europe/Berlin}
locale: row.language
attributes:
  birthday: row.birthday
  size: 'row.size == "" ? dyn("") : dyn(int(row.size))'
tags: row.groups.split(";")
skip: {nobody: row.id == "nobody"}
set_aside: {odd: row.id == "odd"}
"""
PROGRAM = {
    "members": {
        "phone_region": "DE",
        "unknown": "enrol",
        "attributes": {"birthday": {"type": "date"}, "size": {"type": "integer"}},
    },
    "campaigns": {"welcome": {"on": "member_enrolled", "earn": {"points": 5}}},
}


@pytest.fixture
def club(shop: Shop, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop, with attributes of members and a welcome."""
    monkeypatch.setenv("SETIA_DATABASE_URL", database_url)
    with shop.database.transaction() as tx:
        publish(tx, Program.model_validate(BASE | PROGRAM), "test")
    return shop


def rows(club: Shop, query: str) -> list[tuple[Any, ...]]:
    with club.database.raw_connection() as connection:
        return connection.execute(query).fetchall()


def run(club: Shop, content: str, *options: str, form: str = MAP) -> tuple[int, dict[str, Any], str]:
    file, map_file = club.file(content), club.file(form, "map.yaml")
    arguments = ["import", "members", str(file), "--map", str(map_file), "--program", "shop", "--json", *options]
    result = runner.invoke(app, arguments)
    return result.exit_code, json.loads(result.stdout) if result.stdout.startswith("{") else {}, result.stderr


def test_rows_become_members_with_what_enrolling_earns(club: Shop) -> None:
    code, told, stderr = run(club, HEADER + ADA + BEN)
    assert code == 0, stderr
    assert told["rows"] == {
        "read": 2,
        "enrolled": 2,
        "known": 0,
        "skipped": {},
        "set_aside": {},
        "refused": {},
        "not_reached": 0,
    }
    query = "SELECT attributes, tags, locale, enrolled_at FROM member ORDER BY enrolled_at"
    [ada, ben] = rows(club, query)
    assert ada[:3] == ({"birthday": "1990-12-10", "size": 38}, ["press", "vip"], "de")
    assert ada[3].isoformat() == "2019-05-01T22:00:00+00:00"
    assert ben[:3] == ({}, [], None)
    assert sorted(rows(club, "SELECT kind, value FROM member_identifier")) == [
        ("email", "ada@example.com"),
        ("external_id", "17"),
        ("external_id", "18"),
        ("phone", "+4930901820"),
    ]
    assert rows(club, "SELECT available FROM wallet") == [(5,), (5,)]


def test_the_same_import_again_enrols_who_is_missing_and_nobody_twice(club: Shop) -> None:
    run(club, HEADER + ADA)
    code, told, _ = run(club, HEADER + ADA + BEN + "19,ada@example.com,,,,,,\n")
    assert (code, told["rows"]["enrolled"], told["rows"]["known"]) == (0, 1, 2)
    assert len(rows(club, "SELECT id FROM member")) == 2


def test_rows_of_one_file_that_are_one_person(club: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "TOGETHER", 3)
    again = "20,ada@example.com,,,,,,\n"
    both = "18,ada@example.com,,,,,,\n"
    code, told, _ = run(club, HEADER + ADA + again + BEN + both)
    assert (code, told["rows"]["enrolled"], told["rows"]["known"]) == (1, 2, 1)
    assert told["rows"]["refused"] == {"member_ambiguous": 1}


def test_every_row_has_a_fate_and_refused_ones_a_place(club: Shop, tmp_path: Path) -> None:
    content = [
        ADA,
        "nobody,,,,,,,\n",
        "odd,,,,,,,\n",
        ",,,,,,,\n",
        "1,not an address,,,,,,\n",
        "2,,,31.01.2020,,,,\n",
        "3,,,2999-01-01,,,,\n",
        "4,,,,1990-13-01,,,\n",
        "5,,,,,large,,\n",
        "6,,,,,,Very Good,\n",
        "7,,,,,,,deutsch\n",
        '8,"broken\n',
    ]
    refused = tmp_path / "refused.jsonl"
    code, told, _ = run(club, HEADER + "".join(content), "--refused", str(refused))
    assert (code, told["rows"]["enrolled"], told["rows"]["read"]) == (1, 1, 12)
    assert (told["rows"]["skipped"], told["rows"]["set_aside"]) == ({"nobody": 1}, {"odd": 1})
    lines = [json.loads(line) for line in refused.read_text().splitlines()]
    assert [(one["code"], one.get("pointer")) for one in lines[:8]] == [
        ("no_member", "#/identifiers"),
        ("invalid_identifier", "#/identifiers/email"),
        ("not_a_moment", "#/enrolled_at"),
        ("invalid_enrolment", "#/enrolled_at"),
        ("invalid_attributes", "#/attributes/birthday"),
        ("no_value", "#/attributes/size"),
        ("not_a_tag", "#/tags"),
        ("not_a_locale", "#/locale"),
    ]
    assert sum(told["rows"]["refused"].values()) == 9
    assert rows(club, "SELECT count(*) FROM member") == [(1,)]


def test_a_dry_run_and_a_limit(club: Shop) -> None:
    code, told, _ = run(club, HEADER + ADA + BEN, "--dry-run")
    assert (code, told["rows"]["enrolled"], rows(club, "SELECT count(*) FROM member")) == (0, 2, [(0,)])
    code, told, _ = run(club, HEADER + ADA + BEN, "--limit", "1")
    assert (code, told["rows"]["enrolled"], told["stopped_by"]) == (0, 1, "limit")
    assert rows(club, "SELECT count(*) FROM member") == [(1,)]
    file, map_file = club.file(HEADER + ADA), club.file(MAP, "map.yaml")
    shown = runner.invoke(
        app, ["import", "members", str(file), "--map", str(map_file), "--program", "shop", "--dry-run"]
    )
    assert (shown.exit_code, "known" in shown.stdout, "nobody was enrolled" in shown.stderr) == (0, True, True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("row.mail", "row.male", "did you mean 'mail'"),
        ("identifiers: {external_id: row.id, email: row.mail, phone: row.phone}", "identifiers: {}", "at least one"),
        ("locale:", "lokale:", "there is no key 'lokale'"),
        ("set_aside: {odd:", "set_aside: {nobody:", "under skip and under set_aside"),
        ("{format: csv}", "{format: xls}", "map.yaml:2"),
    ],
)
def test_a_map_that_does_not_fit_says_where(club: Shop, old: str, new: str, said: str) -> None:
    code, told, stderr = run(club, HEADER + ADA, form=MAP.replace(old, new, 1))
    assert (code, told) == (2, {})
    assert said in stderr.replace("\n", " ")
    assert rows(club, "SELECT count(*) FROM member") == [(0,)]


def test_a_missing_program_and_a_missing_file(club: Shop) -> None:
    map_file = club.file(MAP, "map.yaml")
    for file, program in (("nothing.csv", "shop"), (str(club.file(HEADER)), "nothing")):
        result = runner.invoke(app, ["import", "members", file, "--map", str(map_file), "--program", program])
        assert result.exit_code == 2, result.stderr


def test_two_imports_at_once_enrol_each_once(club: Shop) -> None:
    file = club.file(HEADER + "".join(f"{number},,,2020-01-31,,,,\n" for number in range(120)))
    form, sources = load_map(club.file(MAP, "map.yaml"), MembersMap)
    found = []

    def work() -> None:
        wanted = importing.WantedMembers(file, form, sources, "shop")
        found.append(importing.import_members(club.database, wanted))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.enrolled for one in found) == 120
    assert all(one.enrolled + one.known == 120 and one.is_fine for one in found)
    assert rows(club, "SELECT count(*), sum(available) FROM wallet") == [(120, 600)]


def test_it_can_be_stopped_and_a_damaged_file_keeps_what_stood_before(club: Shop) -> None:
    content = HEADER + "".join(f"{number},,,2020-01-31,,,,\n" for number in range(1000))
    form, sources = load_map(club.file(MAP, "map.yaml"), MembersMap)

    class Stopping(Watch):
        def progress(self, done: int, size: int, rows: int, settled: int) -> None:
            self.stop = True

    wanted = importing.WantedMembers(club.file(content), form, sources, "shop")
    report = importing.import_members(club.database, wanted, Stopping())
    assert (report.enrolled, report.stopped is not None and report.stopped.by) == (200, "interrupted")
    packed = Path(club.file("x", "m.csv.gz"))
    packed.write_bytes(gzip.compress(content.encode())[:-200])
    report = importing.import_members(club.database, importing.WantedMembers(packed, form, sources, "shop"))
    assert report.stopped is not None
    assert report.stopped.by == "file_damaged"
    assert report.read == report.known + report.enrolled + sum(report.refused.values()) + report.not_reached
    assert report.known == 200
