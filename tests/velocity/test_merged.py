"""What a member's duplicate did counts for the rules, as long as the two are one."""

from typing import Any

import pytest

from api_world import World, assert_problem
from events.shop import ago, booked, calculated, enrolled, findings, go_live, program, purchase, send
from moving.pairs import merged, parted
from rewards.counter import REWARDS, ask, give
from setia.events.rebuild import rebuild_states

FAST = {"per": "member", "every": "1h", "more_than": {"events": 2}, "on": "purchase", "then": "refuse"}
SPENT = {"per": "member", "every": "1d", "more_than": {"points": "200 stars"}, "on": "redemption", "then": "refuse"}


def bought(number: int, card: str, **more: Any) -> dict[str, Any]:
    return purchase(f"o{number}", member={"card": card}, **more)


@pytest.mark.parametrize("rule", [FAST, FAST | {"then": "review"}], ids=["refuse", "review"])
def test_events_of_a_duplicate_count(world: World, rule: dict[str, Any]) -> None:
    go_live(world, program(velocity={"fast": rule}))
    main, duplicate = enrolled(world, "1"), enrolled(world, "2")
    for number in range(2):
        booked(world, bought(number, "2"))
    identity = merged(world, main, duplicate)
    if rule["then"] == "refuse":
        assert assert_problem(send(world, bought(7, "1")), 409, "velocity_exceeded")["counted"] == 3
    else:
        assert calculated(world, bought(6, "1"))["effects"][0]["review"] == "fast"
        assert booked(world, bought(7, "1"))["effects"][0]["review"] == "fast"
    # Longer ago nobody had done anything.
    booked(world, bought(8, "1", occurred_at=ago(hours=5)))
    parted(world, identity)
    assert booked(world, bought(9, "1"))["effects"][0].get("review") is None
    answer = send(world, bought(10, "2"))
    assert answer.status_code == (409 if rule["then"] == "refuse" else 201)
    assert findings(world) == []
    assert rebuild_states(world.database, world.program_id, check=True).different == 0


def test_what_a_duplicate_has_spent_counts(world: World) -> None:
    go_live(world, program(velocity={"spent": SPENT}, rewards={"coffee": REWARDS["coffee"]}))
    main, duplicate = enrolled(world, "1"), enrolled(world, "2")
    for one in (main, duplicate):
        give(world, one, 200)
    assert ask(world, duplicate, reference="1").status_code == 201
    merged(world, main, duplicate)
    assert_problem(ask(world, main, reference="2"), 409, "velocity_exceeded")
    assert findings(world) == []
