"""Reviews that nobody decides in time: each by itself, so that one which cannot be decided holds up no other."""

import datetime as dt
from typing import Any

import pytest
from psycopg import OperationalError
from structlog.testing import capture_logs

from api_world import World
from events.shop import booked, enrolled, purchase, rows
from reviews.test_deciding import publish, sound
from setia.reviews import service
from setia.reviews.service import decide_overdue

LATER = dt.timedelta(days=3)


def waiting(world: World, number: int) -> None:
    publish(world, rule={"decide_within": "2d"})
    enrolled(world)
    for place in range(number):
        booked(world, purchase(f"o{place}"))


def decide(world: World) -> int:
    with capture_logs():
        return decide_overdue(world.database, world.app.state.programs, dt.datetime.now(dt.UTC) + LATER, None)


def test_one_that_cannot_be_decided_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "CHUNK", 2)
    waiting(world, 7)
    first = rows(world, "SELECT id FROM velocity_review ORDER BY decide_by, id LIMIT 3")
    with world.database.raw_connection() as connection:
        stuck = ", ".join(f"'{one}'" for (one,) in first)
        connection.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN IF NEW.id IN ({stuck}) THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$;"
            " CREATE TRIGGER refuse BEFORE UPDATE ON velocity_review FOR EACH ROW EXECUTE FUNCTION refuse();"
        )
    assert decide(world) == 4
    assert decide(world) == 0
    with world.database.raw_connection() as connection:
        connection.execute("DROP TRIGGER refuse ON velocity_review")
    assert decide(world) == 3
    assert rows(world, "SELECT state, count(*) FROM velocity_review GROUP BY 1") == [("voided", 7)]
    sound(world)


def test_the_database_that_goes_away_is_no_fault_of_a_review(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(world, 1)

    def fail(*_: Any) -> Any:
        raise OperationalError("the database is away")

    monkeypatch.setattr(service, "decide_review", fail)
    with pytest.raises(OperationalError):
        decide(world)


def test_open_reviews_are_found_by_an_index_of_their_own(world: World) -> None:
    waiting(world, 3)
    with world.database.raw_connection() as connection:
        connection.execute("SET enable_seqscan = off; SET enable_sort = off")
        plan = connection.execute(
            "EXPLAIN SELECT id FROM velocity_review WHERE program_id = 1 AND id < gen_random_uuid() AND state = 'open'"
            " ORDER BY id DESC LIMIT 5"
        ).fetchall()
    assert "ix_velocity_review_open" in str(plan)
    assert len(world.call("GET", "/v1/reviews?state=open").json()["items"]) == 3
    assert world.call("GET", "/v1/reviews?state=closed").status_code == 422
