"""Counters are a snapshot: counted again from the journal they are what they were (law 9)."""

import msgspec
import pytest

from api_world import World
from events.shop import BASE, WELCOME, batch, booked, findings, go_live, program, purchase, rows
from setia.events.rebuild import rebuild_states
from setia.events.verify import verify
from setia.versions.service import NothingPublished

TIERS = [
    {
        "id": "status",
        "metric": "spend",
        "window": "rolling 12mo",
        "levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 50}],
    }
]
LIMITED = {
    **WELCOME,
    "base": BASE["base"] | {"limits": [{"per": "member", "every": "month", "earn": "40 stars"}]},
    "visit": {"on": "visit", "earn": {"status": 1}, "limits": [{"per": "member", "every": "day", "uses": 1}]},
}


def busy(world: World) -> None:
    go_live(world, program("enrol", campaigns=LIMITED, tiers=TIERS))
    events = [purchase(f"{n}", f"{n}.50", member={"card": str(n % 3)}) for n in range(1, 12)]
    events += [{"type": "visit", "external_id": f"v{n}", "member": {"card": str(n % 3)}} for n in range(6)]
    assert batch(world, *events)["refused"] == 0


def states(world: World) -> list[tuple[object, ...]]:
    return rows(world, "SELECT member_id, seq, tracking, counters::text, updated_at FROM member_state ORDER BY 1")


def test_counting_again_changes_nothing(world: World) -> None:
    busy(world)
    before = states(world)
    assert rebuild_states(world.database, world.program_id, check=True).different == 0
    found = rebuild_states(world.database, world.program_id)
    assert (found.members, found.different, found.stale, found.differences) == (3, 0, 0, [])
    assert states(world) == before


def test_deleted_counters_come_back(world: World) -> None:
    busy(world)
    before = states(world)
    with world.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE member_state SET tracking = '', counters = '{}'")
    found = rebuild_states(world.database, world.program_id)
    assert (found.members, found.stale) == (3, 3)
    assert states(world) == before


def test_a_next_event_counts_deleted_counters_again_by_itself(world: World) -> None:
    busy(world)
    [(first, second)] = [rows(world, "SELECT counters::jsonb -> 'lifetime' FROM member_state ORDER BY member_id")[:2]]
    with world.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE member_state SET tracking = '', counters = '{}'")
    booked(world, purchase("more", "1.00", member={"card": "1"}))
    assert rebuild_states(world.database, world.program_id, check=True).different == 0
    assert (first[0]["orders"], second[0]["orders"]) == (4, 4)


def test_what_differs_is_named_and_repaired(world: World) -> None:
    busy(world)
    before = states(world)
    with world.database.transaction() as tx:
        tx.exec_driver_sql(
            "UPDATE member_state SET counters = jsonb_set(counters::jsonb, '{lifetime,orders}', '99')::json "
            "WHERE member_id = (SELECT min(member_id::text)::uuid FROM member_state)"
        )
    found = rebuild_states(world.database, world.program_id, check=True)
    assert found.different == 1
    [difference] = found.differences
    assert (difference.figure, difference.stored["orders"], difference.counted["orders"]) == ("lifetime", 99, 4)
    assert states(world) != before
    assert rebuild_states(world.database, world.program_id).different == 1
    assert states(world) == before
    assert findings(world) == []


def test_counters_of_another_version_are_stale_and_not_wrong(world: World) -> None:
    busy(world)
    go_live(world, program("enrol", campaigns=BASE))
    checked = rebuild_states(world.database, world.program_id, check=True)
    assert (checked.members, checked.stale, checked.different) == (3, 3, 0)
    assert rebuild_states(world.database, world.program_id).stale == 3
    assert rebuild_states(world.database, world.program_id, check=True).stale == 0
    assert booked(world, purchase("next", member={"card": "1"}))["granted"] == {"stars": 10}


def test_many_members_are_taken_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    busy(world)
    monkeypatch.setattr("setia.events.rebuild._TOGETHER", 2)
    assert rebuild_states(world.database, world.program_id).members == 3
    monkeypatch.setattr("setia.events.rebuild._TOGETHER", 3)
    assert rebuild_states(world.database, world.program_id).members == 3


def test_other_programs_are_left_alone(world: World) -> None:
    busy(world)
    assert rebuild_states(world.database, world.other_program_id).members == 0
    with pytest.raises(NothingPublished):
        rebuild_states(world.database, 999)


def test_a_history_that_cannot_be_read_is_no_ground_to_count_on(world: World) -> None:
    busy(world)
    with world.database.raw_connection() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("UPDATE journal SET outcome = '{\"points\": 5}' WHERE seq = 2")
    before = states(world)
    with pytest.raises(msgspec.ValidationError):
        rebuild_states(world.database, world.program_id)
    assert states(world) == before


@pytest.mark.parametrize("late", ["NULL", "now() + interval '20 years'"])
def test_what_is_due_too_late_is_named_and_mended(world: World, late: str) -> None:
    busy(world)
    booked(world, purchase("p12", "60.00", member={"card": "1"}))
    query = "SELECT due_at FROM member_state WHERE counters::jsonb #>> '{tiers,status}' = 'gold' AND due_at > now()"
    before = rows(world, query)
    assert before
    with world.database.transaction() as tx:
        tx.exec_driver_sql(f"UPDATE member_state SET due_at = {late}")
    found = rebuild_states(world.database, world.program_id, check=True)
    assert {difference.figure for difference in found.differences} == {"due_at"}
    assert {finding.kind for finding in verify(world.database).findings} == {"due_late"}
    rebuild_states(world.database, world.program_id)
    assert rows(world, query) == before
    assert verify(world.database).findings == []


def test_what_is_due_too_early_harms_nobody(world: World) -> None:
    busy(world)
    with world.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE member_state SET due_at = now() + interval '1 day'")
    assert rebuild_states(world.database, world.program_id, check=True).different == 0


def test_lots_that_end_before_anybody_looks_are_named_once(world: World) -> None:
    whole = program("enrol")
    whole["points"]["stars"] = {"expiry": {"after": "1y"}}
    go_live(world, whole)
    booked(world, purchase("p1", member={"card": "1"}))
    with world.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE member_state SET due_at = NULL")
    [finding] = verify(world.database).findings
    assert finding.kind == "due_late"
    rebuild_states(world.database, world.program_id)
    assert verify(world.database).findings == []
