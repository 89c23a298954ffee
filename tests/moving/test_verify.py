"""`setia verify` names what does not agree about points that were moved."""

import pytest

from api_world import World
from moving.movers import exchange, findings, give, member, moved, open_club, rows
from moving.pairs import merged


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ("UPDATE transfer SET amount = amount + 1", {"transfer_points"}),
        ("UPDATE transfer SET reversed = 1", {"transfer_points"}),
        ("UPDATE exchange SET got = got + 1", {"exchange_points"}),
        ("UPDATE member SET merged_into = NULL", {"merge_unknown"}),
        ("UPDATE member_merge SET undone_at = now(), undone_by = 'x'", {"merge_unknown"}),
        (
            "UPDATE member m SET merged_into = t.receiver_id FROM transfer t WHERE m.id = t.giver_id",
            {"merge_unknown", "merged_points"},
        ),
    ],
)
def test_what_does_not_agree_is_named(world: World, change: str, kinds: set[str]) -> None:
    open_club(world)
    giver, receiver = member(world, "1", 50), member(world, "2")
    moved(world, giver, receiver, 10)
    give(world, giver, 100, "miles")
    assert exchange(world, giver, 100).status_code == 201
    merged(world, receiver, member(world, "3", 5))
    assert findings(world) == []
    with world.database.raw_connection() as connection:
        connection.execute(change.encode())
    assert {finding.kind for finding in findings(world)} - {"due_late"} == kinds


def test_one_side_alone_is_found(world: World) -> None:
    open_club(world)
    giver, receiver = member(world, "1", 50), member(world, "2")
    moved(world, giver, receiver, 10)
    with world.database.raw_connection() as connection:
        connection.execute("ALTER TABLE posting DISABLE TRIGGER append_only")
        connection.execute("UPDATE posting SET amount = 11 WHERE source = 'transferred'")
    assert "moved_unequal" in {finding.kind for finding in findings(world)}
    assert rows(world, "SELECT count(*) FROM transfer") == [(1,)]
