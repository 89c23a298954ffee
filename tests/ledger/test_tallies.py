"""Sums over a journal: entries by kind, and how often members changed their levels."""

import datetime as dt

from api_world import World, world
from events.shop import BASE, STATUS, go_live, program
from setia.ledger.states import earliest_due
from setia.ledger.tallies import LevelMoves, entries_by_kind, level_moves, points_of_campaigns

__all__ = ["world"]


def test_what_was_booked_is_counted_by_program(world: World) -> None:
    # given two members who rise, and one of another program

    go_live(world, program("enrol", campaigns=BASE, tiers=[STATUS]))
    for card in ("1", "2"):
        lines = [{"sku": "latte", "amount": "100.00"}]
        event = {"type": "purchase", "external_id": f"p{card}", "member": {"card": card}, "lines": lines}
        assert world.call("POST", "/v1/events", json=event).status_code == 201
    world.call("POST", "/v1/members", key=world.stranger, json={"identifiers": {"card": "1"}})

    with world.database.raw_connection() as connection:
        assert entries_by_kind(connection, world.program_id) == {"event": 4}
        assert entries_by_kind(connection, world.other_program_id) == {"event": 1}
        assert level_moves(connection, world.program_id) == [LevelMoves("status", "green", "gold", 2)]
        assert level_moves(connection, world.other_program_id) == []
        given = points_of_campaigns(connection, world.program_id, list(BASE))
        assert given == {"base": {"stars": 200}}
        assert points_of_campaigns(connection, world.program_id, ["another"]) == {}
        assert points_of_campaigns(connection, world.other_program_id, list(BASE)) == {}


def test_the_earliest_due_is_that_of_one_program(world: World) -> None:
    whole = program("enrol")
    whole["points"]["stars"] |= {"expiry": {"after": "1d"}}
    go_live(world, whole)
    with world.database.raw_connection() as connection:
        assert earliest_due(connection, world.program_id) is None
    lines = [{"sku": "latte", "amount": "1.00"}]
    event = {"type": "purchase", "external_id": "p", "member": {"card": "1"}, "lines": lines}
    assert world.call("POST", "/v1/events", json=event).status_code == 201
    with world.database.raw_connection() as connection:
        found = earliest_due(connection, world.program_id)
        assert earliest_due(connection, world.other_program_id) is None
    assert found is not None
    assert dt.timedelta() < found - dt.datetime.now(dt.UTC) < dt.timedelta(days=3)
