"""What a member is told of levels: until when one on a balance lasts, which comes true, and names in a language."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api_world import World
from events.shop import program, purchase
from setia.identity.scopes import Scope
from setia.identity.service import create_key
from setia.program.definition import Program
from setia.versions.service import publish

START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
LEVELS = [
    {"id": "low", "name": {"en": "Low", "de": "Unten"}, "from": 0},
    {"id": "mid", "from": 50},
    {"id": "high", "name": {"en": "High", "de": "Oben", "pt-BR": "Alto"}, "from": 100, "keep_from": 80},
]


def open_shop(world: World, key: str = "shop", points: Any = None, **tiers: Any) -> str:
    """A program with a clock and levels on a balance; gives the one member."""
    whole = program(
        points={"stars": points or {"expiry": {"after": "30d"}}},
        tiers=[{"id": "status", "metric": "points.stars.balance", "levels": LEVELS} | tiers],
    )
    whole["program"] |= {"id": key, "locale": "en"}
    with world.database.transaction() as tx:
        made = publish(tx, Program.model_validate(whole), "test", mode="test", clock=START)
        world.program_id = made.version.program_id
        world.owner = str(create_key(tx, world.program_id, "test", list(Scope)))
    answer = world.call("POST", "/v1/members", json={"identifiers": {"card": "1"}})
    return str(answer.json()["id"])


def buy(world: World, amount: int, order: str) -> None:
    answer = world.call("POST", "/v1/events", json=purchase(order, f"{amount}.00"))
    assert answer.status_code == 201, answer.text


def wait(world: World, by: str) -> None:
    assert world.call("POST", "/v1/clock", json={"by": by}).status_code == 200


def to(world: World, moment: str) -> None:
    assert world.call("POST", "/v1/clock", json={"to": moment}).status_code == 200


def standing(world: World, who: str, **more: Any) -> dict[str, Any]:
    answer = world.call("GET", f"/v1/members/{who}/tiers", **more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["tiers"][0]
    return found


def test_points_that_end_take_the_level_along_on_their_day(world: World) -> None:
    who = open_shop(world)
    buy(world, 60, "o1")
    wait(world, "10d")
    buy(world, 50, "o2")
    told = standing(world, who)
    # 110 now; 60 of them end after 30 days, and 50 are mid.
    assert (told["level"], told["falls_to"], told["valid_until"]) == ("high", "mid", "2026-04-01T22:00:00Z")
    to(world, "2026-04-01T21:59:59Z")
    assert standing(world, who)["level"] == "high"
    to(world, "2026-04-01T22:00:00Z")
    told = standing(world, who)
    assert (told["level"], told["falls_to"], told["valid_until"]) == ("mid", "low", "2026-04-11T22:00:00Z")


def test_pending_points_hold_a_level_up_when_they_come(world: World) -> None:
    who = open_shop(world, points={"expiry": {"after": "30d"}, "available_after": "14d"})
    buy(world, 100, "o1")
    wait(world, "14d")
    buy(world, 90, "o2")
    told = standing(world, who)
    # The first hundred end 30 days after they came; by then the others are there, and 80 keep the level.
    first, second = told["valid_until"], told["falls_to"]
    assert (told["level"], second) == ("high", "low")
    assert first > "2026-04-20"


def test_inactivity_ends_everything(world: World) -> None:
    who = open_shop(world, points={"expiry": {"inactivity": "20d"}})
    buy(world, 120, "o1")
    told = standing(world, who)
    assert (told["level"], told["falls_to"]) == ("high", "low")
    to(world, told["valid_until"])
    assert standing(world, who)["level"] == "low"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 70), st.integers(0, 25)), min_size=1, max_size=6),
    st.sampled_from(["to_fit", "one_level", "never"]),
    st.sampled_from([None, "5d"]),
    st.sampled_from(["0d", "9d"]),
)
def test_what_is_told_is_what_comes(
    world: World, bought: list[tuple[int, int]], downgrade: str, grace: str | None, after: str
) -> None:
    more = {"downgrade": downgrade} | ({} if grace is None else {"grace": grace})
    points = {"expiry": {"after": "30d"}, "available_after": after}
    who = open_shop(world, f"shop-{world.count('program')}", points, **more)
    for place, (amount, days) in enumerate(bought):
        buy(world, amount, f"o{place}")
        wait(world, f"{days}d")
    told = standing(world, who)
    if told["falls_to"] is None:
        wait(world, "200d")
        assert LEVELS.index(next(one for one in LEVELS if one["id"] == standing(world, who)["level"])) >= LEVELS.index(
            next(one for one in LEVELS if one["id"] == told["level"])
        )
        return
    until = dt.datetime.fromisoformat(told["valid_until"])
    now = dt.datetime.fromisoformat(world.call("GET", "/v1/clock").json()["now"])
    if until - dt.timedelta(seconds=1) > now:
        to(world, (until - dt.timedelta(seconds=1)).isoformat())
        # It may have risen on the way, as pending points came; it has not fallen.
        between = [one["id"] for one in LEVELS]
        assert between.index(standing(world, who)["level"]) >= between.index(told["level"])
    to(world, until.isoformat())
    assert standing(world, who)["level"] == told["falls_to"]


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({}, ("Low", "mid")),
        ({"params": {"locale": "de"}}, ("Unten", "mid")),
        ({"params": {"locale": "de-AT"}}, ("Unten", "mid")),
        ({"params": {"locale": "xx"}}, ("Low", "mid")),
        ({"headers": {"Accept-Language": "fr, de;q=0.5"}}, ("Unten", "mid")),
        ({"headers": {"Accept-Language": "*;q=nonsense"}}, ("Low", "mid")),
    ],
)
def test_names_in_a_language(world: World, more: dict[str, Any], names: tuple[str, str]) -> None:
    who = open_shop(world)
    told = standing(world, who, **more)
    assert (told["level_name"], told["next_level_name"]) == names
    buy(world, 70, "o1")
    assert standing(world, who, params={"locale": "pt-BR"})["next_level_name"] == "Alto"
    buy(world, 70, "o2")
    assert standing(world, who)["next_level_name"] is None
    assert world.call("GET", f"/v1/members/{who}/tiers", params={"locale": "no such"}).status_code == 422
