"""`setia verify` and `setia ledger adjust`, as an operator calls them."""

import json
from decimal import Decimal

import pytest
from typer.testing import CliRunner, Result

from ledger.world import Ledger, grant
from setia.cli.main import app
from setia.db.engine import Database
from setia.db.ids import format_id
from setia.program.definition import Program
from setia.versions.service import publish

DEFINITION = {
    "program": {"id": "club", "name": "Club", "timezone": "Europe/Berlin", "currency": "EUR"},
    "points": {"stars": {"decimals": 2, "expiry": {"after": "1mo"}}, "miles": {"negative": "allow"}},
    "campaigns": {},
}


@pytest.fixture
def club(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setenv("SETIA_DATABASE_URL", database_url)
    ledger = Ledger(database)
    with database.transaction() as tx:
        publish(tx, Program.model_validate(DEFINITION), "anna")
    return ledger


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def adjust(member: str, *words: str) -> Result:
    return run("ledger", "adjust", member, *words, "--reason", "late", "--actor", "anna", "--json")


def test_a_clean_ledger_exits_with_0(club: Ledger) -> None:
    club.post(club.enrol(), grant(30))

    told, data = run("verify"), run("verify", "--json")

    assert (told.exit_code, data.exit_code) == (0, 0)
    assert "Everything agrees: 1 members, 1 entries, 1 postings" in told.stderr
    report = json.loads(data.stdout)
    assert (report["clean"], report["findings"], report["entries"]) == (True, [], 1)
    assert report["totals"][0]["issued"] == 30
    assert report["totals"][0]["program"] == "club"


def test_a_finding_is_named_and_exits_with_1(club: Ledger) -> None:
    member = club.enrol()
    club.post(member, grant(30))
    club.tamper(
        "UPDATE wallet SET available = 31", "UPDATE posting SET seq = 1", "ALTER TABLE lot DISABLE TRIGGER guard"
    )

    told, data = run("verify"), run("verify", "--json")

    assert (told.exit_code, data.exit_code) == (1, 1)
    assert (
        f"wallet_balance (I4) {format_id('mem', member)}: wallet stars: "
        "expected available 30, pending 0, held 0, found available 31, pending 0, held 0\n"
    ) in told.stdout
    assert "guard_missing (I3) : trigger guard on lot: expected enabled, found disabled\n" in told.stdout
    assert "2 findings" in told.stderr
    assert [(row["kind"], row["member"]) for row in json.loads(data.stdout)["findings"]] == [
        ("wallet_balance", format_id("mem", member)),
        ("guard_missing", None),
    ]


def test_more_findings_than_are_shown_are_owned_up_to(club: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setia.events.verify.verify.__kwdefaults__", {"most_findings": 1})
    for _ in range(2):
        club.post(club.enrol(), grant(30))
    club.tamper("UPDATE wallet SET available = 31")

    assert "There are more findings of the kind wallet_balance than are shown." in run("verify").stderr


def test_points_are_given_and_taken_in_whole_points(club: Ledger) -> None:
    member = format_id("mem", club.enrol())

    given = adjust(member, "stars", "--give", "1.50", "--key", "a")
    again = adjust(member, "stars", "--give", "1.50", "--key", "a")
    taken = adjust(member, "stars", "--take", "0.25", "--key", "b")

    assert [result.exit_code for result in (given, again, taken)] == [0, 0, 0]
    answers = [json.loads(result.stdout) for result in (given, again, taken)]
    assert [(a["seq"], a["amount"], a["available"], a["replayed"]) for a in answers] == [
        (1, "1.50", "1.50", False),
        (1, "1.50", "1.50", True),
        (2, "-0.25", "1.25", False),
    ]
    assert club.rows("SELECT granted, burned, expires_at IS NOT NULL FROM lot") == [(150, 25, True)]
    assert Decimal("1.50") == Decimal(150).scaleb(-2)


def test_it_says_what_was_done(club: Ledger) -> None:
    member = format_id("mem", club.enrol())
    words = ("ledger", "adjust", member, "miles", "--take", "5", "--reason", "late", "--actor", "anna", "--key", "a")

    first, again = run(*words), run(*words)

    assert "Entry 1: -5 miles; available: -5." in first.stderr
    assert "It had been booked before." in again.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("stars",),
        ("stars", "--give", "1", "--take", "1"),
        ("stars", "--give", "0"),
        ("stars", "--give", "-1"),
        ("stars", "--give", "1.005"),
        ("stars", "--give", "NaN"),
        ("stars", "--give", "many"),
        ("moons", "--give", "1"),
    ],
)
def test_a_wrong_call_is_refused_and_books_nothing(club: Ledger, words: tuple[str, ...]) -> None:
    result = adjust(format_id("mem", club.enrol()), *words, "--key", "a")

    assert result.exit_code == 2
    assert club.rows("SELECT count(*) FROM journal") == [(0,)]


def test_what_is_no_member_is_refused(club: Ledger) -> None:
    assert adjust("evt_1", "stars", "--give", "1", "--key", "a").exit_code == 2
