"""`setia verify` as a whole finds counters and budgets that the journal does not bear out, and spares what is right."""

import datetime as dt
from typing import Any

import pytest

from api_world import World
from events.shop import BASE, WELCOME, batch, booked, go_live, program, purchase, rows
from setia.events.live import LivePrograms
from setia.events.settling import settle_due
from setia.events.verify import verify
from setia.ledger.verify import verify as verify_ledger

BUDGETS: dict[str, dict[str, Any]] = {
    **WELCOME,
    "base": BASE["base"] | {"limits": [{"in_all": "100 stars", "every": "month"}, {"in_all": "1000 uses"}]},
    "visit": {"on": "visit", "earn": {"status": 1}, "limits": [{"per": "member", "every": "day", "uses": 1}]},
}
FAR = dt.datetime(2050, 1, 1, tzinfo=dt.UTC)


def busy(world: World) -> None:
    go_live(world, program("enrol", campaigns=BUDGETS))
    events = [
        purchase(f"{n}", "20.00", member={"card": f"{n % 2}"}, occurred_at=moment)
        for n, moment in enumerate(
            # In Berlin the second is in November, and so is the third.
            ("2025-10-20T12:00:00Z", "2025-10-31T23:00:00Z", "2025-11-01T00:00:00Z", "2025-10-31T22:59:59Z")
        )
    ]
    assert batch(world, *events, {"type": "visit", "external_id": "v", "member": {"card": "0"}})["refused"] == 0
    go_live(world, program("enrol", campaigns=BUDGETS | {"base": BUDGETS["base"] | {"earn": {"stars": "2 per 1.00"}}}))
    booked(world, purchase("more", "10.00", occurred_at="2025-11-03T12:00:00Z"))


def tamper(world: World, *statements: str) -> None:
    with world.database.raw_connection() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)


def found(world: World) -> list[tuple[str, str, str, str]]:
    return [(f.kind, f.detail, f.expected, f.found) for f in verify(world.database).findings]


def test_what_was_booked_agrees(world: World) -> None:
    busy(world)

    report = verify(world.database)

    assert (report.findings, report.truncated) == ([], [])
    assert (report.entries, report.members) == (8, 2)
    assert rows(world, "SELECT key, period, used FROM budget ORDER BY key, period") == [
        ("base#0", "2025-10", 40),
        ("base#0", "2025-11", 60),
        ("base#1", "ever", 5),
    ]


def test_budgets_are_counted_again(world: World) -> None:
    busy(world)
    tamper(
        world,
        "UPDATE budget SET used = used + 5 WHERE period = '2025-11'",
        "DELETE FROM budget WHERE period = 'ever'",
        f"INSERT INTO budget SELECT {world.program_id}, 'base#7', 'ever', 1",
    )

    of = f"of program {world.program_id} in"
    assert found(world) == [
        ("budget_used", f"budget base#0 {of} 2025-11", "60", "65"),
        ("budget_used", f"budget base#1 {of} ever", "5", "no row"),
        ("budget_used", f"budget base#7 {of} ever", "0", "1"),
    ]


def test_emptied_counters_are_named_with_their_member(world: World) -> None:
    busy(world)
    tamper(
        world,
        "UPDATE member_state SET counters = '{}' "
        "WHERE member_id = (SELECT member_id FROM member_state ORDER BY 1 LIMIT 1)",
    )
    [(first,)] = rows(world, "SELECT member_id FROM member_state ORDER BY 1 LIMIT 1")

    findings = verify(world.database).findings

    assert {(f.kind, f.invariant, f.member_id, f.seq) for f in findings} == {("state_counters", "I4", first, None)}
    assert {f.detail for f in findings} >= {"counted lifetime", "counted earned"}
    assert verify_ledger(world.database).is_clean


@pytest.mark.parametrize("counters", ["5", '"many"', '{"lifetime": 7}'])
def test_counters_that_cannot_be_read_are_named(world: World, counters: str) -> None:
    busy(world)
    tamper(world, f"UPDATE member_state SET counters = '{counters}'")

    assert [kind for kind, *_ in found(world)] == ["state_counters", "state_counters"]


def test_an_outcome_that_cannot_be_read_stops_nothing(world: World) -> None:
    busy(world)
    tamper(world, "UPDATE journal SET outcome = '{\"points\": 5}' WHERE seq = 2")

    kinds = [kind for kind, *_ in found(world)]

    assert kinds.count("state_counters") == 2
    assert set(kinds) == {"outcome_mismatch", "budget_used", "state_counters"}


def test_a_member_that_is_gone_stops_nothing(world: World) -> None:
    busy(world)
    tamper(world, "DELETE FROM member WHERE id = (SELECT member_id FROM member_state ORDER BY 1 LIMIT 1)")

    assert [kind for kind, *_ in found(world)] == ["member_missing"]


def test_versions_that_cannot_be_read_are_named(world: World) -> None:
    busy(world)
    tamper(
        world,
        "ALTER TABLE program_version DROP CONSTRAINT ck_program_version_digest",
        f"UPDATE program_version SET definition = '\"in_all\"' WHERE program_id = {world.program_id} AND number = "
        f"(SELECT live_version FROM program WHERE id = {world.program_id})",
    )

    kinds = [kind for kind, *_ in found(world)]

    assert kinds.count("version_unreadable") == 2
    assert set(kinds) == {"guard_missing", "version_content", "version_unreadable", "budget_used"}


def test_of_very_many_findings_some_are_named(world: World) -> None:
    busy(world)
    tamper(world, "UPDATE member_state SET counters = '{}'", "UPDATE budget SET used = used + 1")

    report = verify(world.database, most_findings=2)

    assert [f.kind for f in report.findings] == ["budget_used"] * 2 + ["state_counters"] * 2
    assert report.truncated == ["budget_used", "state_counters"]


def test_kept_events_are_booked_with_the_enrolment_or_wait(world: World) -> None:
    go_live(world, program("keep", campaigns={**WELCOME, **BASE}))
    for number in ("1", "2"):
        booked(world, purchase(f"kept-{number}", member={"card": number}))
    world.enrol(card="1")
    booked(world, purchase("later"))
    assert found(world) == []

    tamper(world, "DELETE FROM kept_event")
    [(kind, _, expected, there)] = found(world)
    assert (kind, expected, there) == ("event_waiting", "waits for its member, or has an entry", "neither")

    tamper(
        world,
        "INSERT INTO kept_event SELECT program_id, 'card', '2', id FROM event WHERE external_id = 'kept-2'",
        "UPDATE event SET status = 'kept', member_id = NULL WHERE external_id = 'later'",
    )
    assert [kind for kind, *_ in found(world)] == ["event_missing"]


def test_points_that_become_available_and_end_agree_by_their_lots(world: World) -> None:
    points = {"stars": {"expiry": {"after": "1mo"}, "available_after": "14d"}, "status": {"spendable": False}}
    go_live(world, program("enrol", points=points, campaigns={**WELCOME, **BASE}))
    booked(world, purchase("1"))
    assert settle_due(world.database, LivePrograms(world.database), world.program_id, FAR) == 1
    assert rows(world, "SELECT DISTINCT kind FROM journal ORDER BY 1") == [("event",), ("expiry",), ("release",)]
    assert found(world) == []

    tamper(
        world,
        "UPDATE posting SET campaign = 'other' WHERE destination = 'expired' AND campaign = 'base'",
    )

    assert found(world) == [("lot_campaign", "campaign of what a lot of stars gives", "base", "other")]


def test_what_ends_must_be_said(world: World) -> None:
    points = {"stars": {"expiry": {"after": "1mo"}}, "status": {"spendable": False}}
    go_live(world, program("enrol", points=points, campaigns=BASE))
    booked(world, purchase("1"))
    settle_due(world.database, LivePrograms(world.database), world.program_id, FAR)
    tamper(world, "UPDATE journal SET outcome = '{}' WHERE kind = 'expiry'")

    assert [(kind, expected, there) for kind, _, expected, there in found(world)] == [
        ("outcome_mismatch", "-0 expired by expiry", "-10 expired by expiry")
    ]
