"""The run: every row has one fate, orders are booked whole or not, and importing again changes nothing."""

import csv
from pathlib import Path
from typing import Any

import pytest

from import_world import HEADER, MAP, PROGRAM, Shop
from setia.db.engine import Database
from setia.imports import lanes
from setia.imports.importing import Watch
from setia.imports.problems import FileUnreadable
from setia.versions.service import NoSuchProgram, NothingPublished, ensure_program

ROWS = HEADER + "1,ann,2026-01-01 10:00,10.50\n2,bob,2026-01-02 10:00,3\n3,ann,2026-01-03 10:00,0\n"
GROUPED = MAP.replace("source: till", "source: till\ngroup: {by: row.id}")
TOGETHER = MAP.replace("source: till", "source: till\ngroup: {by: row.id, rows: together}")


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MOST_ORDERS", 3)


def test_rows_are_booked_and_the_totals_say_so(shop: Shop) -> None:
    report = shop.bring(ROWS)
    told = report.as_dict()
    assert told["rows"] == {
        "read": 3, "imported": 3, "known": 0, "kept": 0, "guest": 0, "checked": 0,
        "skipped": {}, "set_aside": {}, "refused": {}, "not_reached": 0,
    }  # fmt: skip
    assert told["orders"]["imported"] == 3
    assert told["members_new"] == 2
    assert told["money"]["imported"] == "13.50"
    assert told["points"] == {"points": {"imported": "13"}}
    assert (told["balanced"], told["complete"], told["stopped_by"], report.is_fine) == (True, True, None, True)
    assert shop.purchases() == [("1", "decided", "1050"), ("2", "decided", "300"), ("3", "decided", "0")]
    assert shop.query("SELECT DISTINCT actor FROM journal") == [("import:till",)]
    shop.assert_clean()


def test_importing_again_changes_nothing(shop: Shop) -> None:
    shop.bring(ROWS)
    before = shop.query("SELECT * FROM journal ORDER BY member_id, seq")
    told = shop.bring(ROWS).as_dict()
    assert (told["rows"]["known"], told["rows"]["imported"], told["members_new"]) == (3, 0, 0)
    assert (told["money"]["known"], told["points"]["points"]) == ("13.50", {"known": "13"})
    assert shop.query("SELECT * FROM journal ORDER BY member_id, seq") == before


def test_what_is_missing_is_booked_and_what_has_changed_is_refused(shop: Shop) -> None:
    shop.bring(ROWS)
    refused = shop.refused(ROWS.replace("bob,2026-01-02 10:00,3", "bob,2026-01-02 10:00,4") + "4,cy,2026-01-04,1\n")
    assert [(row["row"], row["code"]) for row in refused] == [(2, "external_id_reused")]
    assert [row[0] for row in shop.purchases()] == ["1", "2", "3", "4"]
    assert shop.purchases()[1] == ("2", "decided", "300")


def test_a_bad_row_is_refused_alone_with_its_place_and_its_original(shop: Shop) -> None:
    refused = shop.refused(
        ROWS.replace("bob,2026-01-02 10:00,3", "bob,2026-01-02 10:00,3 euros")
        + "5,dan,yesterday,1\n6,dan,2026-01-01,1.005\n7,,2026-01-01,1\n8\n9,dan,2999-01-01,1\n,dan,2026-01-01,1\n"
    )
    refused.sort(key=lambda row: int(row["row"]))
    assert [(row["row"], row["line"], row["code"], row.get("pointer")) for row in refused] == [
        (2, 3, "not_a_number", "#/lines/0/amount"),
        (4, 5, "not_a_moment", "#/occurred_at"),
        (5, 6, "invalid_event", "#/lines/0/amount"),
        (6, 7, "no_member", "#/member"),
        (7, 8, "row_unreadable", None),
        (8, 9, "event_in_future", None),
        (9, 10, "invalid_event", "#/external_id"),
    ]
    assert refused[0]["original"] == {"id": "2", "who": "bob", "at": "2026-01-02 10:00", "amount": "3 euros"}
    assert refused[0]["message"] == "A number is needed, not '3 euros'."
    assert refused[4]["text"] == "8"
    assert [row[0] for row in shop.purchases()] == ["1", "3"]
    assert shop.query("SELECT value FROM member_identifier") == [("ann",)]


def test_a_repaired_file_of_refused_rows_can_be_imported(shop: Shop) -> None:
    path = shop.folder / "refused.csv"
    shop.bring(ROWS.replace(",3\n", ",three\n") + "8\n", refused=path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["amount"], row["setia_row"], row["setia_code"], row["setia_text"]) for row in rows] == [
        ("2", "three", "2", "not_a_number", ""),
        ("", "", "4", "row_unreadable", "8"),
    ]
    repaired = path.read_text(encoding="utf-8").replace(",three,", ",3,")
    assert shop.rows(repaired) == {"read": 2, "imported": 1, "refused": {"not_a_moment": 1}}
    assert shop.purchases()[1] == ("2", "decided", "300")


def test_money_has_all_decimals_of_its_currency(shop: Shop) -> None:
    told = shop.bring(HEADER + "1,ann,2026-01-01,1.5\n2,ann,2026-01-01,2\n").as_dict()
    assert (told["money"]["imported"], told["money"]["known"]) == ("3.50", "0.00")


def test_orders_in_an_hour_that_the_clocks_skip_are_told(shop: Shop) -> None:
    told = shop.bring(HEADER + "1,ann,2026-03-29 02:30,1\n2,ann,2026-03-29 03:30,1\n3,bob,2025-10-26 02:30,1\n")
    assert (told.tally.skipped_hour, told.as_dict()["orders_in_skipped_hour"]) == (1, 1)


def test_rows_of_json_lines_are_written_down_as_json(shop: Shop) -> None:
    path = shop.folder / "refused.csv"
    form = MAP.replace("csv", "jsonl")
    row = '{"id": "1", "who": "ann", "at": "2026-01-01", "amount": "x"}\n'
    shop.bring(row + "7\n", form, refused=path)
    with path.open(encoding="utf-8", newline="") as file:
        assert [line["row_as_json"] for line in csv.DictReader(file)] == [row.strip(), ""]


def test_rows_are_skipped_and_set_aside_by_name(shop: Shop) -> None:
    form = MAP.replace(
        "source: till",
        'source: till\nskip: {total: row.id == "sum"}\n'
        'set_aside: {gone: row.id.startsWith("C"), nobody: row.who == ""}',
    )
    content = ROWS + "sum,,,\nC1,ann,x,x\nC2,,x,x\n9,,x,x\n"
    aside = shop.folder / "aside.jsonl"
    assert shop.rows(content, form, set_aside=aside) == {
        "read": 7,
        "imported": 3,
        "skipped": {"total": 1},
        # C2 is counted where the first condition holds, and seen by both.
        "set_aside": {"gone": {"rows": 2, "matched": 2}, "nobody": {"rows": 1, "matched": 2}},
    }
    assert len(aside.read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.parametrize("form", [GROUPED, TOGETHER])
def test_rows_of_one_order_are_its_lines(shop: Shop, form: str) -> None:
    content = HEADER + "1,ann,2026-01-01 10:00,0.60\n1,ann,2026-01-01 10:01,0.60\n2,bob,2026-01-01,1\n"
    told = shop.bring(content, form).as_dict()
    assert (told["rows"]["imported"], told["orders"]["imported"]) == (3, 2)
    assert told["points"]["points"]["imported"] == "2"
    [first, _] = shop.query(
        "SELECT json_array_length(body->'lines'), occurred_at::text FROM event "
        "WHERE type = 'purchase' ORDER BY external_id"
    )
    assert first == (2, "2026-01-01 09:00:00+00")


def test_rows_of_an_order_are_found_anywhere(shop: Shop) -> None:
    content = HEADER + "1,ann,2026-01-01,1\n2,bob,2026-01-01,1\n1,ann,2026-01-01,2\n"
    assert shop.rows(content, GROUPED) == {"read": 3, "imported": 3}
    assert len(shop.purchases()) == 2


def test_an_order_that_was_said_to_stand_together_and_does_not_is_refused_where_it_comes_back(shop: Shop) -> None:
    content = HEADER + "1,ann,2026-01-01,1\n2,bob,2026-01-01,1\n1,ann,2026-01-01,2\n"
    assert shop.rows(content, TOGETHER) == {"read": 3, "imported": 2, "refused": {"external_id_reused": 1}}


def test_one_bad_row_refuses_its_order(shop: Shop) -> None:
    content = HEADER + "1,ann,2026-01-01,1\n1,ann,2026-01-01,-2\n1,ann,2026-01-01,3\n2,bob,2026-01-01,1\n"
    refused = shop.refused(content, GROUPED)
    assert [(row["row"], row["code"], row.get("pointer")) for row in refused] == [
        (1, "order_refused", None),
        (2, "invalid_event", "#/lines/1/amount"),
        (3, "order_refused", None),
    ]
    assert refused[0]["message"] == "The order is booked whole or not at all, and row 2 of it is refused."
    assert [row[0] for row in shop.purchases()] == ["2"]


def test_an_order_of_two_members_is_refused(shop: Shop) -> None:
    content = HEADER + "1,ann,2026-01-01,1\n1,bob,2026-01-01,2\n"
    assert shop.rows(content, GROUPED) == {"read": 2, "refused": {"order_contradicts_itself": 2}}
    assert shop.purchases() == []


def test_rows_that_do_not_say_their_order_are_refused(shop: Shop) -> None:
    content = HEADER + ",ann,2026-01-01,1\n1,ann,2026-01-01,1\n"
    for form in (GROUPED, TOGETHER):
        told = shop.rows(content, form)
        assert told["refused"] == {"no_value": 1}


def test_equal_rows_of_an_order_are_kept_or_set_aside_by_policy(shop: Shop) -> None:
    content = (
        HEADER + "1,ann,2026-01-01,1\n1,ann,2026-01-01,1\n1,ann,2026-01-01,x\n2,ann,2026-01-01,1\n2,ann,2026-01-01,1\n"
    )
    once = GROUPED.replace("row.id}\n", "row.id, duplicates: set_aside}\n", 1).replace("source: till", "source: once")
    assert shop.rows(content, GROUPED)["refused"] == {"not_a_number": 1, "order_refused": 2}
    assert shop.rows(content, once) == {
        "read": 5,
        "imported": 1,
        "set_aside": {"duplicate": {"rows": 2, "matched": 2}},
        "refused": {"not_a_number": 1, "order_refused": 1},
    }


def test_rows_without_an_id_are_told_apart_by_content_and_count(shop: Shop) -> None:
    form = MAP.replace("row.id", 'row_digest + "-" + string(occurrence)')
    content = HEADER + "x,ann,2026-01-01,1\nx,bob,2026-01-01,1\nx,ann,2026-01-01,1\n"
    assert shop.rows(content, form) == {"read": 3, "imported": 3}
    # Neither where a row stands nor what the file is called matters: one more of the same is one more purchase.
    moved = HEADER + "x,bob,2026-01-01,1\n" + "x,ann,2026-01-01,1\n" * 3
    assert shop.rows(moved, form, name="other.csv") == {"read": 4, "imported": 1, "known": 3}


def test_rows_can_be_told_apart_by_their_number(shop: Shop) -> None:
    form = MAP.replace("row.id", "row_number")
    assert shop.rows(ROWS, form) == {"read": 3, "imported": 3}
    assert [row[0] for row in shop.purchases()] == ["1", "2", "3"]


LATE = HEADER + "1,ann,2026-06-01,1\n2,ann,2026-01-01,1\n3,ann,2026-06-02,1\n"


def test_rows_out_of_order_are_late_unless_they_are_sorted(shop: Shop) -> None:
    assert shop.rows(LATE) == {"read": 3, "imported": 2, "refused": {"event_too_late": 1}}
    by_time = MAP.replace("source: till", "source: sorted\nsort: occurred_at").replace(
        "row.who", "row.who.upperAscii()"
    )
    assert shop.rows(LATE, by_time) == {"read": 3, "imported": 3}
    booked = shop.query(
        "SELECT external_id FROM journal j JOIN event e ON e.id = j.id WHERE source = 'sorted' ORDER BY seq"
    )
    assert [row[0] for row in booked] == ["2", "1", "3"]


def test_orders_of_several_rows_are_sorted_by_their_first_moment(shop: Shop) -> None:
    form = GROUPED.replace("source: till", "source: till\nsort: occurred_at")
    content = HEADER + "1,ann,2026-03-01,1\n2,ann,2026-02-01,1\n1,ann,2026-01-01,1\n3,ann,never,1\n"
    assert shop.rows(content, form) == {"read": 4, "imported": 3, "refused": {"not_a_moment": 1}}


def test_strangers_are_enrolled_kept_or_refused(database: Database, tmp_path: Path) -> None:
    refusing = Shop.open(database, tmp_path, PROGRAM | {"members": {"unknown": "refuse"}})
    assert refusing.rows(ROWS) == {"read": 3, "refused": {"unknown_member": 3}}
    assert refusing.rows(ROWS, unknown="keep") == {"read": 3, "kept": 3}
    assert refusing.rows(ROWS, unknown="keep") == {"read": 3, "known": 3}
    other = MAP.replace("till", "other")
    assert refusing.rows(ROWS, other, unknown="enrol") == {"read": 3, "imported": 3}


def test_orders_without_a_member_are_guests_by_policy(shop: Shop) -> None:
    content = HEADER + "1,,2026-01-01,1\n"
    assert shop.rows(content) == {"read": 1, "refused": {"no_member": 1}}
    assert shop.purchases() == []
    assert shop.rows(content, MAP + "guests: book\n") == {"read": 1, "guest": 1}


def test_a_dry_run_checks_and_books_nothing(shop: Shop) -> None:
    content = ROWS + "4,ann,2026-01-01,-1\n5,ann,2999-01-01,1\n6,ann,soon,1\n"
    assert shop.rows(content, dry_run=True) == {
        "read": 6,
        "checked": 3,
        "refused": {"event_in_future": 1, "invalid_event": 1, "not_a_moment": 1},
    }
    assert shop.query("SELECT count(*) FROM event") == [(0,)]
    assert shop.query("SELECT count(*) FROM member") == [(0,)]


@pytest.mark.parametrize(("form", "read", "left"), [(MAP, 3, 1), (GROUPED, 3, 1)])
def test_a_limit_counts_whole_orders(shop: Shop, form: str, read: int, left: int) -> None:
    report = shop.bring(ROWS, form, limit=2)
    assert (report.tally.rows_read, report.tally.not_reached) == (read, left)
    assert report.tally.is_balanced
    assert (report.stopped and report.stopped.by, report.is_fine) == ("limit", True)
    assert shop.rows(ROWS, form) == {"read": 3, "imported": 1, "known": 2}


def test_a_limit_that_is_never_reached_changes_nothing(shop: Shop) -> None:
    assert shop.bring(ROWS, limit=3).stopped is None


class StopsAfter(Watch):
    """Interrupts when so many rows have their fate."""

    def __init__(self, settled: int) -> None:
        self._settled = settled

    def progress(self, done: int, size: int, rows: int, settled: int) -> None:
        assert 0 <= done <= size
        self.stop = settled >= self._settled


MANY = HEADER + "".join(f"{number},m{number % 7},2026-01-01,{number % 5}\n" for number in range(40))


@pytest.mark.parametrize(("form", "jobs"), [(MAP, 1), (GROUPED, 1), (MAP, 2)])
def test_an_interrupted_import_is_continued(shop: Shop, form: str, jobs: int) -> None:
    report = shop.bring(MANY, form, watch=StopsAfter(6), jobs=jobs)
    assert (report.stopped and report.stopped.by, report.is_fine) == ("interrupted", False)
    assert report.tally.is_balanced
    booked = report.tally.rows["imported"]
    assert 6 <= booked < 40
    assert len(shop.purchases()) == booked
    assert shop.rows(MANY, form) == {"read": 40, "imported": 40 - booked, "known": booked}
    shop.assert_clean()


def test_several_jobs_give_what_one_gives(shop: Shop, database: Database) -> None:
    report = shop.bring(MANY, jobs=2)
    assert (report.tally.rows["imported"], report.tally.members_new) == (40, 7)
    booked = shop.query(
        "SELECT i.value, array_agg(e.external_id::int ORDER BY j.seq) FROM journal j JOIN event e ON e.id = j.id "
        "JOIN member_identifier i ON i.member_id = j.member_id WHERE e.type = 'purchase' GROUP BY 1 ORDER BY 1"
    )
    assert booked == [(f"m{member}", list(range(member, 40, 7))) for member in range(7)]
    shop.assert_clean()


def test_a_damaged_file_is_booked_up_to_the_damage(shop: Shop) -> None:
    import gzip  # noqa: PLC0415 - only here

    packed = gzip.compress((HEADER + "".join(f"{n},ann,2026-01-01,{n * 7919 % 1000}\n" for n in range(5000))).encode())
    report = shop.bring(packed[: len(packed) // 2], name="rows.csv.gz")
    assert (report.stopped and report.stopped.by, report.is_fine) == ("file_damaged", False)
    assert report.tally.is_balanced
    assert 0 < len(shop.purchases()) == report.tally.rows["imported"] < 5000


def test_a_database_that_stays_away_ends_the_run_and_loses_no_row(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from setia.events.clerk import Clerk  # noqa: PLC0415 - to break it
    from setia.imports import booking  # noqa: PLC0415 - beside its one use
    from setia.problems import Unavailable  # noqa: PLC0415 - beside its one use

    real, calls = Clerk.book, iter(range(100))

    def away(self: Clerk, program_id: int, submissions: Any) -> Any:
        return real(self, program_id, submissions) if next(calls) < 2 else [Unavailable("gone")] * len(submissions)

    monkeypatch.setattr(Clerk, "book", away)
    monkeypatch.setattr(booking, "_PAUSES", (0.0, 0.0))
    report = shop.bring(MANY)
    assert report.stopped
    assert (report.stopped.by, report.stopped.detail, report.is_fine) == ("database_away", "gone", False)
    assert (report.tally.rows["imported"], report.tally.is_balanced) == (6, True)
    monkeypatch.setattr(Clerk, "book", real)
    assert shop.rows(MANY) == {"read": 40, "imported": 34, "known": 6}


def test_a_database_that_comes_back_is_waited_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from setia.events.clerk import Clerk  # noqa: PLC0415 - to break it
    from setia.imports import booking  # noqa: PLC0415 - beside its one use
    from setia.problems import Unavailable  # noqa: PLC0415 - beside its one use

    real, answers = Clerk.book, iter([True, True] + [False] * 100)

    def away(self: Clerk, program_id: int, submissions: Any) -> Any:
        return [Unavailable("gone")] * len(submissions) if next(answers) else real(self, program_id, submissions)

    monkeypatch.setattr(Clerk, "book", away)
    monkeypatch.setattr(booking, "_PAUSES", (0.0, 0.0))
    assert shop.rows(ROWS) == {"read": 3, "imported": 3}


def test_a_failing_commit_refuses_and_keeps_nothing(shop: Shop) -> None:
    with shop.database.transaction() as tx:
        tx.exec_driver_sql(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN RAISE EXCEPTION 'refused at commit' USING ERRCODE = 'check_violation'; END $$;
            CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON event
              DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
            """
        )
    assert shop.rows(ROWS) == {"read": 3, "refused": {"internal_error": 3}}
    assert shop.query("SELECT count(*) FROM member") == [(0,)]


def test_without_a_program_or_a_version_or_a_place_to_write_nothing_begins(shop: Shop) -> None:
    with shop.database.transaction() as tx:
        ensure_program(tx, "empty")
    with pytest.raises(NoSuchProgram):
        shop.bring(ROWS, program="nowhere")
    with pytest.raises(NothingPublished):
        shop.bring(ROWS, program="empty")
    with pytest.raises(FileUnreadable, match="cannot be written"):
        shop.bring(ROWS, refused=shop.folder / "no" / "folder.csv")
    assert shop.purchases() == []
