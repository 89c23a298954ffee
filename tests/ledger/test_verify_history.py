"""Changes to events, versions, members and outcomes behind the ledger's back, in which all sums still agree."""

from uuid import UUID

import pytest

from ledger.world import Ledger, at, grant, redeem
from setia.ledger.entries import LotKey, Posting

SAME = "amount, lot_seq, program_id, lot_line, point_type"
CASES: dict[str, tuple[tuple[str, ...], list[tuple[str, int | None]]]] = {
    "a body": (("UPDATE event SET body = '{{}}' WHERE {first}",), [("event_content", None)]),
    "a body that is no object": (("UPDATE event SET body = '[1]' WHERE {first}",), [("event_content", None)]),
    "a moment in a body that is none": (
        (
            (
                "UPDATE event SET body = jsonb_set(body::jsonb, '{{occurred_at}}', '\"2026-13-01T00:00:00Z\"')::json "
                "WHERE {first}"
            ),
        ),
        [("event_content", None)],
    ),
    "a day in a body that is none": (
        (
            (
                "UPDATE event SET body = jsonb_set(body::jsonb, '{{occurred_at}}', '\"2026-02-31T00:00:00Z\"')::json "
                "WHERE {first}"
            ),
        ),
        [("event_content", None)],
    ),
    "the same moment with another offset": (
        (
            (
                "UPDATE event SET body = jsonb_set(body::jsonb, '{{occurred_at}}', '\"2026-03-01T14:01:00+02:00\"')"
                "::json WHERE {first}"
            ),
        ),
        [],
    ),
    "an external id": (("UPDATE event SET external_id = 'zzzz' WHERE {first}",), [("event_content", None)]),
    "a source": (("UPDATE event SET source = 'other' WHERE {first}",), [("event_content", None)]),
    "a type": (("UPDATE event SET type = 'visit' WHERE {first}",), [("event_content", None)]),
    "when an event occurred": (
        ("UPDATE event SET occurred_at = occurred_at - interval '1 year' WHERE {first}",),
        [("event_content", None), ("event_time", 1)],
    ),
    "when an entry occurred": (
        ("UPDATE journal SET occurred_at = occurred_at - interval '1 year' WHERE {mine} AND seq = 1",),
        [("event_time", 1)],
    ),
    "an event that says it was kept": (
        ("UPDATE event SET status = 'kept', member_id = NULL WHERE {first}",),
        [("event_missing", 1)],
    ),
    "a version that never was": (
        ("UPDATE journal SET program_version = 99 WHERE {mine} AND seq = 1",),
        [("version_missing", 1)],
    ),
    "no version": (
        ("UPDATE journal SET program_version = NULL WHERE {mine} AND seq = 1",),
        [("version_missing", 1)],
    ),
    "a live version that never was": (("UPDATE program SET live_version = 7",), [("version_missing", None)]),
    "a version's text": (
        (
            "ALTER TABLE program_version DROP CONSTRAINT ck_program_version_digest",
            "UPDATE program_version SET definition = '{{ }}'",
        ),
        [("guard_missing", None), ("version_content", None)],
    ),
    "a member": (("DELETE FROM member WHERE id = {me}",), [("member_missing", None)]),
    "two postings that cancel each other": (
        (
            (
                f"INSERT INTO posting (member_id, seq, line, source, destination, campaign, {SAME}) "
                f"SELECT member_id, seq, 2, 'available', 'issued', campaign, {SAME} FROM posting "
                "WHERE {mine} AND seq = 1 AND line = 1"
            ),
            (
                f"INSERT INTO posting (member_id, seq, line, source, destination, campaign, {SAME}) "
                f"SELECT member_id, seq, 3, 'issued', 'available', campaign, {SAME} FROM posting "
                "WHERE {mine} AND seq = 1 AND line = 1"
            ),
        ),
        [("outcome_mismatch", 1)],
    ),
    "a debt that never was": (
        (
            (
                f"INSERT INTO posting (member_id, seq, line, source, destination, campaign, {SAME}) "
                f"SELECT member_id, seq, 2, 'adjusted', 'available', campaign, {SAME} FROM posting "
                "WHERE {mine} AND seq = 1 AND line = 1"
            ),
            (
                f"INSERT INTO posting (member_id, seq, line, source, destination, campaign, {SAME}) "
                f"SELECT member_id, seq, 3, 'available', 'adjusted', campaign, {SAME} FROM posting "
                "WHERE {mine} AND seq = 1 AND line = 1"
            ),
        ),
        [("outcome_mismatch", 1)],
    ),
    "where points came from": (
        ("UPDATE posting SET source = 'adjusted' WHERE {mine} AND seq = 1",),
        [("outcome_mismatch", 1), ("outcome_mismatch", 1)],
    ),
    "a campaign of posting and lot": (
        (
            "UPDATE posting SET campaign = 'other' WHERE {mine} AND seq = 1 AND line = 0",
            "UPDATE lot SET campaign = 'other' WHERE {mine} AND seq = 1",
        ),
        [("outcome_mismatch", 1)],
    ),
    "a campaign without a lot": (
        ("UPDATE posting SET campaign = 'other' WHERE {mine} AND seq = 1 AND line = 1",),
        [("outcome_mismatch", 1)],
    ),
    "what is due later than it is": (
        ("UPDATE member_state SET due_at = (SELECT max(expires_at) FROM lot) + interval '1 s' WHERE {mine}",),
        [("due_late", None)],
    ),
    "what is never due": (("UPDATE member_state SET due_at = NULL WHERE {mine}",), [("due_late", None)]),
    "what is due earlier than it is": (
        ("UPDATE member_state SET due_at = due_at - interval '1 year' WHERE {mine}",),
        [],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_tampering_is_found_and_nothing_else(ledger: Ledger, name: str) -> None:
    me, other = ledger.enrol(), ledger.enrol()
    for member in (me, other):
        ledger.post(member, grant(30, expires_at=at(99)), grant(4, "status", lot=False), now=at(1))
        ledger.post(member, redeem(10, LotKey(1, 0)), now=at(2))
        ledger.adjust(member, 7, now=at(3))
    assert ledger.findings() == []
    statements, expected = CASES[name]
    mine = f"member_id = '{me}'"
    first = f"id = (SELECT j.id FROM journal j WHERE j.{mine} AND j.seq = 1)"

    ledger.tamper(*(statement.format(me=f"'{me}'", mine=mine, first=first) for statement in statements))

    found = ledger.findings()
    assert sorted((f.kind, f.seq) for f in found) == expected
    assert {f.member_id for f in found} <= {me, None}


def test_both_sides_of_a_shift_are_named(ledger: Ledger) -> None:
    member = ledger.enrol()
    ledger.post(member, grant(5), Posting(point_type="stars", source="issued", destination="pending", amount=2))
    ledger.tamper("UPDATE posting SET source = 'adjusted' WHERE line = 0")

    (finding,) = ledger.findings()

    assert (finding.expected, finding.found) == (
        "+0 adjusted by base, +5 issued by base",
        "+5 adjusted by base, +0 issued by base",
    )


def test_a_change_of_a_level_that_was_not_held_is_named(ledger: Ledger) -> None:
    me, other = ledger.enrol(), ledger.enrol()

    def tell(member: UUID, seq: int, before: str, after: str, tier_set: str = "status") -> None:
        change = f'{{"tiers": [{{"tier_set": "{tier_set}", "before": "{before}", "after": "{after}"}}]}}'
        ledger.post(member, now=at(seq))
        ledger.tamper(f"UPDATE journal SET outcome = '{change}' WHERE member_id = '{member}' AND seq = {seq}")

    tell(me, 1, "green", "gold")
    tell(other, 1, "green", "gold")
    tell(me, 2, "green", "gold", "other")
    tell(me, 3, "gold", "green")
    assert ledger.findings() == []
    tell(me, 4, "gold", "black")
    [finding] = ledger.findings()
    assert (finding.kind, finding.member_id, finding.seq) == ("level_chain", me, 4)
    assert (finding.expected, finding.found) == ("green", "gold")


@pytest.mark.parametrize("kind", ["review", "level"])
def test_judging_moves_no_points(ledger: Ledger, kind: str) -> None:
    me = ledger.enrol()
    ledger.post(me, grant(30), now=at(1))
    ledger.tamper(f"UPDATE journal SET kind = '{kind}', event_id = NULL WHERE member_id = '{me}'")
    assert "level_moves_points" in {finding.kind for finding in ledger.findings()}
