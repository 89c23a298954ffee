"""Members are woken in chunks after a version that moves time; until then nobody is decided as if nothing were due."""

import datetime as dt
import threading
from typing import Any

import pytest

from api_world import World
from events.shop import booked, enrolled, findings, go_live, program, purchase, rows
from setia.db.engine import driver_connection
from setia.events.rebuild import rebuild_states
from setia.events.settling import programs_due, settle_chunk, settle_due
from setia.versions import waking

MEMBERS = 7


def tiers(name: str = "gold") -> list[dict[str, Any]]:
    """A tier set that is new, and judged at once: everybody has spent enough for its upper level."""
    levels = [{"id": "green", "from": 0}, {"id": name, "from": 500}]
    return [{"id": "status", "metric": "spend", "window": "lifetime", "on_change": "at_once", "levels": levels}]


@pytest.fixture
def shop(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Seven members of a year and a day ago, whose levels and lots a new version is about; woken two at a time."""
    monkeypatch.setattr(waking, "CHUNK", 2)
    go_live(world, program())
    for number in range(MEMBERS):
        enrolled(world, str(number), days_ago=3)
        booked(world, purchase(f"o{number}", "600.00", member={"card": str(number)}))
    return world


def state(world: World) -> tuple[Any, ...]:
    [found] = rows(world, "SELECT wakes_at IS NOT NULL, wakes_after FROM program WHERE id = %s", world.program_id)
    return found


def due(world: World) -> int:
    [(found,)] = rows(world, "SELECT count(*) FROM member_state WHERE due_at <= clock_timestamp()")
    return int(found)


def settle(world: World) -> None:
    settle_due(world.database, world.app.state.programs, world.program_id, dt.datetime.now(dt.UTC))


def sound(world: World) -> None:
    assert findings(world) == []
    assert rebuild_states(world.database, world.program_id, check=True).different == 0


def test_publishing_wakes_a_few_and_jobs_the_others(shop: World) -> None:
    settle(shop)
    assert due(shop) == 0
    go_live(shop, program(tiers=tiers()))
    assert (state(shop)[0], due(shop)) == (True, 2)
    with shop.database.raw_connection() as connection:
        assert programs_due(connection, dt.datetime.now(dt.UTC)) == [shop.program_id]
    seen = [settle_chunk(shop.database, shop.app.state.programs, shop.program_id, dt.datetime.now(dt.UTC))]
    while not seen[-1].is_last:
        seen.append(settle_chunk(shop.database, shop.app.state.programs, shop.program_id, dt.datetime.now(dt.UTC)))
    assert sum(chunk.settled for chunk in seen) == MEMBERS
    assert len(seen) == 3
    assert state(shop) == (False, None)
    assert (due(shop), rows(shop, "SELECT DISTINCT tracking FROM member_state")[1:]) == (0, [])
    with shop.database.raw_connection() as connection:
        assert programs_due(connection, dt.datetime.now(dt.UTC)) == []
    sound(shop)


def test_who_is_not_woken_yet_is_settled_before_anything_else(shop: World) -> None:
    settle(shop)
    last = max(str(found) for (found,) in rows(shop, "SELECT member_id FROM member_state"))
    [(card,)] = rows(shop, "SELECT value FROM member_identifier WHERE kind = 'card' AND member_id = %s", last)
    go_live(shop, program(tiers=tiers()))
    assert rows(shop, "SELECT due_at IS NULL OR due_at > now() FROM member_state WHERE member_id = %s", last) == [
        (True,)
    ]
    # Read, and then decided: gold by the new settings, though no job has come by.
    [standing] = shop.call("GET", f"/v1/members/mem_{last.replace('-', '')}/tiers").json()["tiers"]
    assert standing["level"] == "gold"
    assert booked(shop, purchase("after", "1.00", member={"card": card}))["tiers"] == {"status": "gold"}
    settle(shop)
    sound(shop)


def test_a_version_while_others_are_woken_begins_anew(shop: World) -> None:
    settle(shop)
    for name in ("silver", "gold", "black"):
        go_live(shop, program(tiers=tiers(name)))
        if name != "black":
            settle_chunk(shop.database, shop.app.state.programs, shop.program_id, dt.datetime.now(dt.UTC))
    settle(shop)
    assert rows(shop, "SELECT DISTINCT counters -> 'tiers' ->> 'status' FROM member_state") == [("black",)]
    sound(shop)


def test_two_workers_wake_each_member_and_nobody_waits_for_the_program(shop: World) -> None:
    settle(shop)
    go_live(shop, program(tiers=tiers()))
    with shop.database.transaction() as tx:
        assert waking.go_on(driver_connection(tx), shop.program_id)
        with shop.database.transaction() as other:
            assert not waking.go_on(driver_connection(other), shop.program_id)
        # Members name their program: who enrols meanwhile does not wait.
        enrolled(shop, "new")
    threads = [threading.Thread(target=settle, args=(shop,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settle(shop)
    held = rows(shop, "SELECT counters -> 'tiers' ->> 'status', count(*) FROM member_state GROUP BY 1 ORDER BY 1")
    assert held[0] == ("gold", MEMBERS)
    assert state(shop) == (False, None)
    sound(shop)


def test_a_killed_publication_wakes_nobody(shop: World) -> None:
    settle(shop)
    shop.refuse_commits_to("program_version")
    with pytest.raises(Exception, match="refuse"):
        go_live(shop, program(tiers=tiers()))
    assert (state(shop), due(shop)) == ((False, None), 0)
