"""What the database refuses, whoever asks."""

import psycopg
import pytest
from psycopg import errors

from ledger.world import Ledger, grant, redeem
from setia.ledger.entries import LotKey


@pytest.mark.parametrize("table", ["journal", "posting"])
@pytest.mark.parametrize("change", ["UPDATE {} SET program_id = 7", "DELETE FROM {}", "TRUNCATE {}"])
def test_journal_and_postings_are_append_only(ledger: Ledger, table: str, change: str) -> None:
    ledger.post(ledger.enrol(), grant(5))

    with pytest.raises(errors.RestrictViolation, match=f"{table} is append-only"):
        ledger.rows(change.format(table))

    assert ledger.findings() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE wallet SET available = available + 1",
        "UPDATE wallet SET point_type = 'miles'",
        "DELETE FROM wallet",
        "TRUNCATE wallet",
        "INSERT INTO wallet (member_id, point_type, program_id, available) SELECT member_id, 'miles', 1, 5 FROM wallet",
        "UPDATE lot SET burned = 1",
        "DELETE FROM lot",
        "TRUNCATE lot",
        (
            "INSERT INTO lot (member_id, seq, line, program_id, point_type, granted, pending, earned_at) "
            "SELECT member_id, 9, 9, 1, 'miles', 5, false, now() FROM wallet"
        ),
    ],
)
def test_balances_and_lots_are_changed_by_postings_only(ledger: Ledger, change: str) -> None:
    ledger.post(ledger.enrol(), grant(5))

    with pytest.raises(errors.RestrictViolation, match="is kept by the postings"):
        ledger.rows(change)

    assert ledger.findings() == []


@pytest.mark.parametrize(
    "columns",
    [
        {"amount": "0"},
        {"amount": "-5"},
        {"amount": "1000000000000000"},
        {"source": "'nowhere'"},
        {"destination": "'issued'"},
        {"source": "'available'", "destination": "'available'"},
        {"source": "'issued'", "destination": "'redeemed'"},
        {"lot_seq": "1"},
        {"lot_seq": "2", "lot_line": "0"},
        {"lot_seq": "1", "lot_line": "0"},  # opens a lot without saying when it was earned
        {"expires_at": "now()"},
    ],
)
def test_a_posting_that_means_nothing_is_refused(ledger: Ledger, columns: dict[str, str]) -> None:
    member = ledger.enrol()
    ledger.post(member)
    given = {
        "member_id": f"'{member}'",
        "seq": "1",
        "line": "0",
        "program_id": "1",
        "point_type": "'stars'",
        "source": "'issued'",
        "destination": "'available'",
        "amount": "5",
        **columns,
    }

    with pytest.raises(errors.CheckViolation, match="ck_posting_"):
        ledger.rows(f"INSERT INTO posting ({', '.join(given)}) VALUES ({', '.join(given.values())})")


def test_a_posting_needs_its_journal_entry(ledger: Ledger) -> None:
    member = ledger.enrol()

    with pytest.raises(psycopg.Error, match="a posting without its journal entry") as raised:
        ledger.rows(
            "INSERT INTO posting (member_id, seq, line, program_id, point_type, source, destination, amount) "
            f"VALUES ('{member}', 1, 0, 1, 'stars', 'issued', 'available', 5)"
        )

    assert raised.value.sqlstate == "SL003"


@pytest.mark.parametrize(
    "columns",
    [
        "kind = 'event', event_id = NULL",
        "kind = 'event', event_id = gen_random_uuid()",
        "kind = 'adjustment'",
        "kind = 'gift'",
    ],
)
def test_an_entry_must_say_where_it_comes_from(ledger: Ledger, columns: str) -> None:
    ledger.post(ledger.enrol())
    changes = dict(part.split(" = ") for part in columns.split(", "))
    selected = {"seq": "2", "id": "gen_random_uuid()", "kind": "kind", "event_id": "id", **changes}

    with pytest.raises(errors.CheckViolation, match="ck_journal_"):
        ledger.rows(
            "INSERT INTO journal (member_id, program_id, occurred_at, booked_at, actor, outcome, explanation, "
            f"{', '.join(selected)}) SELECT member_id, program_id, occurred_at, booked_at, actor, outcome, "
            f"explanation, {', '.join(selected.values())} FROM journal"
        )


def test_an_operator_in_setia_app_books_and_can_do_nothing_else(ledger: Ledger) -> None:
    member = ledger.enrol()
    ledger.post(member, grant(5))
    forbidden = [
        "UPDATE journal SET actor = 'x'",
        "DELETE FROM posting",
        "TRUNCATE posting",
        "UPDATE wallet SET available = 9",
        "UPDATE lot SET burned = 1",
        "DELETE FROM lot",
        f"SELECT ledger_rebuild('{member}')",
    ]

    for statement in forbidden:
        with pytest.raises(errors.InsufficientPrivilege), ledger.database.raw_connection() as connection:
            connection.execute("SET LOCAL ROLE setia_app")
            connection.execute(statement)
    with ledger.database.raw_connection() as connection:
        connection.execute("SET LOCAL ROLE setia_app")
        connection.execute(
            "INSERT INTO journal (member_id, seq, id, program_id, kind, occurred_at, booked_at, actor, reason, "
            "idempotency_key, input_digest, outcome, explanation) SELECT member_id, 2, gen_random_uuid(), program_id, "
            "'adjustment', occurred_at, booked_at, actor, 'r', 'k', 'd', "
            '\'{"points": [{"points": "stars", "amount": -2}]}\', \'{}\' FROM journal'
        )
        connection.execute(
            "INSERT INTO posting (member_id, seq, line, program_id, point_type, source, destination, amount, lot_seq, "
            f"lot_line) VALUES ('{member}', 2, 0, 1, 'stars', 'available', 'adjusted', 2, 1, 0)"
        )
        connection.execute("UPDATE member_state SET seq = 2")

    assert ledger.rows("SELECT available FROM wallet") == [(3,)]
    assert ledger.findings() == []


def test_snapshots_deleted_and_rebuilt_are_equal(ledger: Ledger) -> None:
    member, other = ledger.enrol(), ledger.enrol()
    ledger.floors["debt"] = None
    ledger.post(member, grant(5), grant(7, pending=True), grant(9, "status", lot=False))
    ledger.post(member, redeem(2, LotKey(1, 0)), redeem(4, None, "debt"))
    ledger.post(other, grant(1))
    before = [ledger.rows(f"SELECT t::text FROM {table} t ORDER BY 1") for table in ("wallet", "lot")]

    ledger.tamper("DELETE FROM wallet", "DELETE FROM lot")
    ledger.rows("SELECT ledger_rebuild(member_id) FROM member_state")

    assert [ledger.rows(f"SELECT t::text FROM {table} t ORDER BY 1") for table in ("wallet", "lot")] == before
    assert ledger.findings() == []
    with pytest.raises(errors.RestrictViolation):
        ledger.rows("DELETE FROM wallet")
