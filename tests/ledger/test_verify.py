"""Whatever is changed behind the ledger's back is found and named; what is right is not."""

from uuid import UUID

import pytest

from ledger.world import Ledger, at, grant, redeem
from setia.ledger.entries import LotKey
from setia.ledger.verify import Totals, verify


class Books:
    """Two members with a history: what is done to the first must not be said of the second."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.member, self.other = ledger.enrol(), ledger.enrol()
        for member in (self.member, self.other):
            ledger.post(member, grant(30, expires_at=at(99)), grant(4, "status", lot=False), now=at(1))
            ledger.post(member, redeem(10, LotKey(1, 0)), now=at(2))
            ledger.adjust(member, 7, now=at(3))

    def found(self, *statements: str) -> list[tuple[str, UUID | None, int | None, int | None]]:
        self.ledger.tamper(
            *(statement.format(me=f"'{self.member}'", other=f"'{self.other}'") for statement in statements)
        )
        return sorted(
            ((f.kind, f.member_id, f.seq, f.line) for f in self.ledger.findings()),
            key=lambda finding: (finding[0], finding[1] == self.other),
        )


@pytest.fixture
def books(ledger: Ledger) -> Books:
    return Books(ledger)


def test_an_honest_ledger_is_clean_and_sums_up(books: Books) -> None:
    report = verify(books.ledger.database)

    assert report.is_clean
    assert (report.entries, report.postings, report.members, report.truncated) == (6, 8, 2, [])
    program = books.ledger.program_id
    assert report.totals == [
        Totals(
            program,
            "stars",
            issued=60,
            redeemed=20,
            expired=0,
            adjusted=14,
            transferred=0,
            available=54,
            pending=0,
            held=0,
        ),
        Totals(
            program,
            "status",
            issued=8,
            redeemed=0,
            expired=0,
            adjusted=0,
            transferred=0,
            available=8,
            pending=0,
            held=0,
        ),
    ]


ME = "me"
CASES: dict[str, tuple[tuple[str, ...], list[tuple[str, str | None, int | None, int | None]]]] = {
    "an amount": (
        ("UPDATE posting SET amount = 31 WHERE member_id = {me} AND seq = 1 AND line = 0",),
        [("lot_figures", ME, 1, 0), ("outcome_mismatch", ME, 1, None), ("wallet_balance", ME, None, None)],
    ),
    "an amount, with wallet and lot": (
        (
            "UPDATE posting SET amount = 31 WHERE member_id = {me} AND seq = 1 AND line = 0",
            "UPDATE wallet SET available = available + 1 WHERE member_id = {me} AND point_type = 'stars'",
            "UPDATE lot SET granted = 31 WHERE member_id = {me} AND seq = 1",
        ),
        [("outcome_mismatch", ME, 1, None)],
    ),
    "a posting that is gone": (
        ("DELETE FROM posting WHERE member_id = {me} AND seq = 1 AND line = 1",),
        [("outcome_mismatch", ME, 1, None), ("wallet_balance", ME, None, None)],
    ),
    "the first posting that is gone": (
        ("DELETE FROM posting WHERE member_id = {me} AND seq = 1 AND line = 0",),
        [
            ("line_gap", ME, 1, None),
            ("lot_figures", ME, 1, 0),
            ("lot_unknown", ME, 2, 0),
            ("lots_over_balance", ME, None, None),
            ("outcome_mismatch", ME, 1, None),
            ("wallet_balance", ME, None, None),
        ],
    ),
    "a posting that was added": (
        (
            (
                "INSERT INTO posting (member_id, seq, line, program_id, point_type, source, destination, amount) "
                "SELECT member_id, 2, 1, program_id, 'stars', 'issued', 'available', 5 FROM posting "
                "WHERE member_id = {me} AND seq = 2"
            ),
        ),
        [("outcome_mismatch", ME, 2, None), ("wallet_balance", ME, None, None)],
    ),
    "a posting that was added without entry": (
        (
            (
                "INSERT INTO posting (member_id, seq, line, program_id, point_type, source, destination, amount) "
                "SELECT member_id, 9, 0, program_id, 'status', 'issued', 'available', 5 FROM posting "
                "WHERE member_id = {me} AND seq = 2"
            ),
        ),
        [("outcome_mismatch", ME, 9, None), ("posting_orphan", ME, 9, 0), ("wallet_balance", ME, None, None)],
    ),
    "a wallet": (
        ("UPDATE wallet SET available = 28 WHERE member_id = {me} AND point_type = 'stars'",),
        [("wallet_balance", ME, None, None)],
    ),
    "a wallet that is gone": (
        ("DELETE FROM wallet WHERE member_id = {me} AND point_type = 'stars'",),
        [("wallet_balance", ME, None, None), ("wallet_floor", ME, None, None)],
    ),
    "a wallet nobody opened": (
        ("INSERT INTO wallet (member_id, point_type, program_id) SELECT {me}, 'miles', id FROM program",),
        [("wallet_floor", ME, None, None)],
    ),
    "a floor": (
        ("UPDATE wallet SET floor = NULL WHERE member_id = {me} AND point_type = 'status'",),
        [("wallet_floor", ME, None, None)],
    ),
    "a lot": (("UPDATE lot SET burned = 9 WHERE member_id = {me} AND seq = 1",), [("lot_figures", ME, 1, 0)]),
    "a lot's end": (
        ("UPDATE lot SET expires_at = NULL WHERE member_id = {me} AND seq = 1",),
        [("lot_figures", ME, 1, 0)],
    ),
    "a lot that is gone": (("DELETE FROM lot WHERE member_id = {me} AND seq = 3",), [("lot_figures", ME, 3, 0)]),
    "a lot nobody granted": (
        (
            (
                "INSERT INTO lot (member_id, seq, line, program_id, point_type, granted, pending, earned_at) "
                "SELECT member_id, 2, 5, program_id, 'stars', 5, false, earned_at FROM lot "
                "WHERE member_id = {me} AND seq = 1"
            ),
        ),
        [("lot_figures", ME, 2, 5)],
    ),
    "an entry that is gone": (
        ("DELETE FROM journal WHERE member_id = {me} AND seq = 2",),
        [
            ("outcome_mismatch", ME, 2, None),
            ("posting_orphan", ME, 2, 0),
            ("sequence_gap", ME, 3, None),
        ],
    ),
    "an event's entry that is gone": (
        ("DELETE FROM journal WHERE member_id = {me} AND seq = 1",),
        [
            ("entry_missing", ME, None, None),
            ("outcome_mismatch", ME, 1, None),
            ("outcome_mismatch", ME, 1, None),
            ("posting_orphan", ME, 1, 0),
            ("posting_orphan", ME, 1, 1),
            ("sequence_gap", ME, 2, None),
            ("wallet_floor", ME, None, None),
            ("wallet_floor", ME, None, None),
        ],
    ),
    "the last entry with all that is its": (
        (
            "DELETE FROM journal WHERE member_id = {me} AND seq = 3",
            "DELETE FROM posting WHERE member_id = {me} AND seq = 3",
            "DELETE FROM lot WHERE member_id = {me} AND seq = 3",
            "UPDATE wallet SET available = 20 WHERE member_id = {me} AND point_type = 'stars'",
        ),
        [("state_head", ME, 2, None)],
    ),
    "a number in the sequence": (
        (
            "UPDATE journal SET seq = 4 WHERE member_id = {me} AND seq = 3",
            "UPDATE posting SET seq = 4, lot_seq = 4 WHERE member_id = {me} AND seq = 3",
            "UPDATE lot SET seq = 4 WHERE member_id = {me} AND seq = 3",
            "UPDATE member_state SET seq = 4 WHERE member_id = {me}",
        ),
        [("sequence_gap", ME, 4, None)],
    ),
    "a posting moved to another member": (
        ("UPDATE posting SET member_id = {other}, seq = 3, line = 1 WHERE member_id = {me} AND seq = 1 AND line = 1",),
        [
            ("outcome_mismatch", ME, 1, None),
            ("outcome_mismatch", "other", 3, None),
            ("wallet_balance", ME, None, None),
            ("wallet_balance", "other", None, None),
        ],
    ),
    "an outcome": (
        (
            (
                "UPDATE journal SET outcome = replace(outcome::text, '\"amount\":30', '\"amount\":300')::json "
                "WHERE member_id = {me} AND seq = 1"
            ),
        ),
        [("outcome_mismatch", ME, 1, None)],
    ),
    "an outcome that is none": (
        ("UPDATE journal SET outcome = '{{\"points\": 5}}' WHERE member_id = {me} AND seq = 2",),
        [("outcome_mismatch", ME, 2, None)],
    ),
    "an amount that is no number": (
        (
            (
                "UPDATE journal SET outcome = replace(outcome::text, ':-10', ':\"many\"')::json "
                "WHERE member_id = {me} AND seq = 2"
            ),
        ),
        [("outcome_mismatch", ME, 2, None)],
    ),
    "a booking time": (
        ("UPDATE journal SET booked_at = booked_at - interval '1 hour' WHERE member_id = {me} AND seq = 2",),
        [("time_reversed", ME, 2, None)],
    ),
    "a member's row": (("DELETE FROM member_state WHERE member_id = {me}",), [("state_head", ME, 3, None)]),
    "a member's row without entries": (
        ("UPDATE member_state SET seq = 7 WHERE member_id = {me}",),
        [("state_head", ME, 3, None)],
    ),
    "an event that is gone": (
        ("DELETE FROM event WHERE id = (SELECT id FROM journal WHERE member_id = {me} AND seq = 1)",),
        [("event_missing", ME, 1, None)],
    ),
    "an event of somebody else": (
        (
            (
                "UPDATE event e SET member_id = {other} FROM journal j "
                "WHERE e.id = j.id AND j.member_id = {me} AND j.seq = 1"
            ),
        ),
        [("event_missing", ME, 1, None)],
    ),
    "an event that was added": (
        (
            (
                "INSERT INTO event (id, member_id, occurred_at, received_at, program_id, type, status, source, "
                "external_id, digest, body) SELECT gen_random_uuid(), member_id, occurred_at, received_at, program_id, "
                "type, status, source, 'new', digest, body FROM event WHERE member_id = {me} LIMIT 1"
            ),
        ),
        [("entry_missing", ME, None, None), ("event_content", ME, None, None)],
    ),
    "more taken from a lot than was granted": (
        (
            "ALTER TABLE lot DROP CONSTRAINT ck_lot_remaining",
            "UPDATE posting SET amount = 31 WHERE member_id = {me} AND seq = 2",
            "UPDATE lot SET burned = 31 WHERE member_id = {me} AND seq = 1",
            "UPDATE wallet SET available = available - 21 WHERE member_id = {me} AND point_type = 'stars'",
        ),
        [("guard_missing", None, None, None), ("lot_overdrawn", ME, 1, 0), ("outcome_mismatch", ME, 2, None)],
    ),
    "an unknown account": (
        (
            "ALTER TABLE posting DROP CONSTRAINT ck_posting_accounts, DROP CONSTRAINT ck_posting_grant",
            "UPDATE posting SET source = 'thin_air' WHERE member_id = {me} AND seq = 1 AND line = 0",
        ),
        [
            ("guard_missing", None, None, None),
            ("guard_missing", None, None, None),
            ("outcome_mismatch", ME, 1, None),
            ("posting_invalid", ME, 1, 0),
        ],
    ),
    "a trigger that sleeps": (("ALTER TABLE posting DISABLE TRIGGER apply",), [("guard_missing", None, None, None)]),
    "a trigger that is gone": (("DROP TRIGGER guard ON lot",), [("guard_missing", None, None, None)]),
    "an id used twice": (
        (
            "ALTER TABLE journal DROP CONSTRAINT uq_journal_id",
            (
                "UPDATE journal SET id = (SELECT id FROM journal WHERE member_id = {me} AND seq = 3) "
                "WHERE member_id = {other} AND seq = 3"
            ),
        ),
        [("entry_twice", ME, None, None), ("guard_missing", None, None, None)],
    ),
    "a key used twice": (
        (
            "DROP INDEX uq_journal_program_id_idempotency_key",
            "UPDATE journal SET idempotency_key = 'twice' WHERE seq = 3",
        ),
        [("entry_twice", ME, None, None), ("guard_missing", None, None, None)],
    ),
    "an external id used twice": (
        (
            "ALTER TABLE event DROP CONSTRAINT uq_event_program_id_source_external_id",
            "UPDATE event SET external_id = 'twice' WHERE member_id IN ({me}, {other})",
        ),
        [
            ("event_content", ME, None, None),
            ("event_content", "other", None, None),
            ("event_twice", ME, None, None),
            ("guard_missing", None, None, None),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_tampering_is_found_and_nothing_else(books: Books, name: str) -> None:
    statements, expected = CASES[name]
    who = {ME: books.member, "other": books.other, None: None}

    assert books.found(*statements) == [(kind, who[member], seq, line) for kind, member, seq, line in expected]


def test_a_finding_says_what_was_expected_and_what_is_there(books: Books) -> None:
    books.found("UPDATE wallet SET available = 28 WHERE member_id = {me} AND point_type = 'stars'")

    (finding,) = books.ledger.findings()

    assert (finding.kind, finding.invariant, finding.detail) == ("wallet_balance", "I4", "wallet stars")
    assert (finding.expected, finding.found) == ("available 27, pending 0, held 0", "available 28, pending 0, held 0")


def test_of_very_many_findings_some_are_named(books: Books) -> None:
    books.found("UPDATE wallet SET available = available + 1")

    report = verify(books.ledger.database, most_findings=3)

    assert len(report.findings) == 3
    assert report.truncated == ["wallet_balance"]
