"""What the job looks at: what is due, and after a publication what the new terms are about; nothing else."""

import datetime as dt
from typing import Any

import pytest

from api_world import World
from referrals.friends import assert_sound, buy, code_of, member, open_shop, rows, stars, states
from setia.referrals.due import go_on, go_on_due


def look(world: World) -> int:
    return go_on_due(world.database, world.app.state.programs, dt.datetime.now(dt.UTC))


def publish(world: World, **terms: Any) -> None:
    """Change the terms of the referrals."""
    definition = world.call("GET", "/v1/program").json()["definition"]
    definition["referrals"]["friends"] |= terms
    assert world.call("POST", "/v1/program/versions", json={"definition": definition}).status_code in {200, 201}


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The referrals that the job looks at."""
    found: list[Any] = []

    def noting(*given: Any) -> bool:
        found.append(given[3])
        return go_on(*given)

    monkeypatch.setattr("setia.referrals.due.go_on", noting)
    return found


def test_the_job_looks_at_what_is_due_only(world: World, looked_at: list[Any]) -> None:
    open_shop(world, live=True)
    ada = member(world, "ada")
    friends = [member(world, f"f{number}", referral_code=code_of(world, ada)) for number in range(4)]
    look(world)  # the terms are heard of for the first time
    looked_at.clear()
    assert (look(world), looked_at) == (0, [])
    visit = {"type": "visit", "external_id": "v1", "member": {"id": friends[0]}}
    world.call("POST", "/v1/events", json=visit)
    buy(world, ada)
    assert (look(world), looked_at) == (0, [])
    # Open for ever, and found by no index.
    assert rows(world, "SELECT count(*), count(due_at) FROM referral WHERE ended_at IS NULL") == [(4, 0)]


def test_what_is_due_is_found_by_index(world: World) -> None:
    open_shop(world, live=True)
    with world.database.raw_connection() as connection:
        connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        plan = connection.execute(
            "EXPLAIN SELECT due_at, id FROM referral WHERE program_id = 1 AND due_at <= now()"
            " AND referral = ANY ('{friends}') AND (due_at, id) > ('-infinity', gen_random_uuid())"
            " ORDER BY due_at, id LIMIT 500"
        ).fetchall()
    text = "\n".join(row[0] for row in plan)
    assert "ix_referral_program_id_due_at_id" in text
    assert "Sort" not in text


def test_many_that_cannot_go_on_hide_nobody_behind_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shop(world, live=True)
    monkeypatch.setattr("setia.referrals.due.CHUNK", 2)
    monkeypatch.setattr("setia.referrals.service.go_on", lambda *_: False)
    code = code_of(world, member(world, "ada"))
    friends = [member(world, f"f{number}", referral_code=code) for number in range(5)]
    with world.database.raw_connection() as connection:
        connection.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN IF NEW.member_id <> '{friends[4].removeprefix('mem_')}' AND NEW.type = 'referral_accepted'"
            " THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$;"
            " CREATE TRIGGER refuse BEFORE INSERT ON referral_step FOR EACH ROW EXECUTE FUNCTION refuse();"
        )
    assert look(world) == 1
    assert stars(world, *friends) == [0, 0, 0, 0, 5]


def test_new_terms_hold_for_referrals_under_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shop(world, live=True, after="60d")
    monkeypatch.setattr("setia.referrals.new_terms.CHUNK", 2)
    ada = member(world, "ada")
    friends = [member(world, f"f{number}", referral_code=code_of(world, ada)) for number in range(5)]
    for friend in friends:
        buy(world, friend, order=friend)
    look(world)
    assert {state for state, _ in states(world)} == {"qualified"}
    publish(world, name="Bring somebody")
    assert {state for state, _ in states(world)} == {"qualified"}
    publish(world, after="0d")
    assert look(world) == 5
    assert {state for state, _ in states(world)} == {"won"}
    assert look(world) == 0
    assert_sound(world)


def test_a_version_that_says_nothing_new_of_referrals_wakes_none(world: World, looked_at: list[Any]) -> None:
    open_shop(world, live=True)
    member(world, "bob", referral_code=code_of(world, member(world, "ada")))
    look(world)
    looked_at.clear()
    definition = world.call("GET", "/v1/program").json()["definition"]
    definition["campaigns"]["won"]["earn"] = {"stars": 7}
    world.call("POST", "/v1/program/versions", json={"definition": definition})
    assert (look(world), looked_at) == (0, [])
    query = f"SELECT version FROM referral_terms WHERE program_id = {world.program_id}"
    assert rows(world, query) == [(2,)]


def test_what_is_bought_while_a_kind_is_out_of_the_program_counts_when_it_is_back(world: World) -> None:
    open_shop(world, live=True)
    ada = member(world, "ada")
    bob = member(world, "bob", referral_code=code_of(world, ada))
    definition = world.call("GET", "/v1/program").json()["definition"]
    kinds = definition.pop("referrals")
    world.call("POST", "/v1/program/versions", json={"definition": definition})
    assert look(world) == 0
    buy(world, bob)
    assert look(world) == 0
    world.call("POST", "/v1/program/versions", json={"definition": definition | {"referrals": kinds}})
    assert look(world) == 1
    assert stars(world, ada, bob) == [110, 55]
