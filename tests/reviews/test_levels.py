"""Voided points and levels: what was never earned carries nobody up, and takes nothing that others have earned."""

from typing import Any

import pytest

from api_world import World
from events.shop import booked, enrolled, go_live, program, purchase
from reviews.test_deciding import ALL, decide, sound

LEVELS = [{"id": "green", "from": 0}, {"id": "gold", "from": 100}, {"id": "black", "from": 300}]
MANY = {"all": ALL | {"more_than": {"points": "150 stars"}, "on": "purchase"}}


def publish(world: World, window: str = "lifetime", **tiers: Any) -> None:
    own = {"id": "status", "metric": "points.stars.earned", "window": window, "levels": LEVELS} | tiers
    go_live(world, program(points={"stars": {"value": "0.03"}}, velocity=MANY, tiers=[own]))


def level(world: World, who: str) -> str:
    [standing] = world.call("GET", f"/v1/members/{who}/tiers").json()["tiers"]
    return str(standing["level"])


def newest(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.call("GET", "/v1/reviews?state=open").json()["items"][0]
    return found


@pytest.mark.parametrize("window", ["lifetime", "calendar_year", "rolling 12mo", "anniversary"])
def test_a_level_that_hung_on_voided_points_falls_at_once(world: World, window: str) -> None:
    publish(world, window)
    who = enrolled(world)
    booked(world, purchase("o1", "120.00"))
    booked(world, purchase("o2", "400.00"))
    assert level(world, who) == "black"
    assert decide(world, newest(world), "void").status_code == 200
    assert level(world, who) == "gold"
    entry = world.call("GET", f"/v1/members/{who}/statement").json()["items"][0]
    assert entry["kind"] == "adjustment"
    assert any("gold" in sentence.lower() for sentence in entry["sentences"]), entry["sentences"]
    sound(world)


def test_what_others_have_earned_keeps_a_level_up(world: World) -> None:
    publish(world)
    who = enrolled(world)
    booked(world, purchase("o1", "200.00"))
    first = newest(world)
    booked(world, purchase("o2", "120.00"))
    assert level(world, who) == "black"
    decide(world, first, "void")
    assert level(world, who) == "gold"
    # The level hangs on the second order now.
    booked(world, {"type": "return", "external_id": "r", "member": {"card": "1"}, "data": {"order": "o2"}})
    assert level(world, who) == "green"
    sound(world)


def test_the_period_before_goes_on(world: World) -> None:
    publish(world, "rolling 12mo")
    who = enrolled(world)
    booked(world, purchase("o1", "120.00"))
    [before] = world.call("GET", f"/v1/members/{who}/tiers").json()["tiers"]
    booked(world, purchase("o2", "400.00"))
    decide(world, newest(world), "void")
    [after] = world.call("GET", f"/v1/members/{who}/tiers").json()["tiers"]
    assert after == before
    sound(world)


def test_a_program_that_takes_levels_back_at_the_review_only_does_so_here_too(world: World) -> None:
    publish(world, "calendar_year", on_return="at_review")
    who = enrolled(world)
    booked(world, purchase("o1", "400.00"))
    decide(world, newest(world), "void")
    assert level(world, who) == "black"
    sound(world)


def test_approving_changes_no_level(world: World) -> None:
    publish(world)
    who = enrolled(world)
    booked(world, purchase("o1", "400.00"))
    decide(world, newest(world), "approve")
    assert level(world, who) == "black"
    sound(world)


def test_points_that_came_back_before_they_were_voided(world: World) -> None:
    publish(world)
    who = enrolled(world)
    booked(world, purchase("o1", "400.00"))
    booked(world, {"type": "return", "external_id": "r", "member": {"card": "1"}, "data": {"order": "o1"}})
    assert level(world, who) == "green"
    decide(world, newest(world), "void")
    assert level(world, who) == "green"
    sound(world)


def test_levels_by_a_period_of_their_own_stay_until_their_review(world: World) -> None:
    publish(world, "period", validity="12mo")
    who = enrolled(world)
    booked(world, purchase("o1", "400.00"))
    decide(world, newest(world), "void")
    assert level(world, who) == "black"
    sound(world)
