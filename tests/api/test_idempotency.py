"""A key belongs to one request, and its first answer is kept with the effect."""

import pytest

from api_world import World
from setia.api.idempotency import Answer, Keyed, KeyInFlight, KeyRequired, KeyReused, claim, keep, require
from setia.db.engine import Database, Limits


def write(world: World, body: object = None, key: str = "k") -> Keyed:
    return Keyed.of(world.program_id, "POST /v1/things", key, body or {"a": 1, "b": 2})


def test_the_first_answer_is_kept(world: World) -> None:
    with world.database.transaction() as tx:
        assert claim(tx, write(world)) is None
        keep(tx, write(world), 201, '{"id":1}')
    with world.database.transaction() as tx:
        assert claim(tx, write(world, {"b": 2, "a": 1})) == Answer(201, '{"id":1}')
        with pytest.raises(KeyReused):
            claim(tx, write(world, {"a": 2}))


def test_a_failed_effect_frees_its_key(world: World) -> None:
    with pytest.raises(ZeroDivisionError), world.database.transaction() as tx:
        claim(tx, write(world))
        raise ZeroDivisionError
    with world.database.transaction() as tx:
        assert claim(tx, write(world)) is None
        keep(tx, write(world), 201, "{}")


def test_a_key_in_flight_is_waited_for_and_then_said_to_be(world: World) -> None:
    with (
        Database(world.database.url, limits=Limits(lock_timeout_ms=50)) as hasty,
        world.database.transaction() as first,
    ):
        claim(first, write(world))
        with pytest.raises(KeyInFlight) as raised, hasty.transaction() as second:
            claim(second, write(world))
        keep(first, write(world), 201, "{}")
    assert raised.value.headers == {"Retry-After": "1"}


def test_a_key_may_be_required() -> None:
    assert require("k") == "k"
    with pytest.raises(KeyRequired):
        require(None)
