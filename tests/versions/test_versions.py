"""Versions are stored whole, never change, and one is live."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import DBAPIError

from api_world import World, assert_problem, definition
from setia.db.engine import Database
from setia.program.definition import Program
from setia.program.templates import load_template, names
from setia.versions.cache import VersionCache
from setia.versions.service import (
    NoSuchProgram,
    NoSuchVersion,
    NothingPublished,
    canonical,
    ensure_program,
    find_program,
    get,
    get_text,
    get_version,
    list_programs,
    list_versions,
    live,
    publish,
)

NEW = definition(campaigns={"base": {"on": "purchase", "earn": {"stars": "2 per 1.00"}}})


@pytest.mark.parametrize("name", names())
def test_what_is_stored_is_what_was_published(name: str, database: Database) -> None:
    program = load_template(name)
    with database.transaction() as tx:
        version = publish(tx, program, "ada", "first").version
        assert live(tx, version.program_id) == (1, program)
        text = get_text(tx, version.program_id, 1)
    assert canonical(Program.model_validate_json(text)) == text
    assert version.digest == hashlib.sha256(text.encode()).digest()
    assert (version.author, version.note, version.is_live) == ("ada", "first", True)


def test_the_live_definition_makes_no_new_version(world: World) -> None:
    program = Program.model_validate(definition())
    with world.database.transaction() as tx:
        again = publish(tx, program, "bob")
        changed = publish(tx, Program.model_validate(NEW), "bob")
        back = publish(tx, program, "bob")
        assert (again.is_new, again.version.number, again.version.author) == (False, 1, "test")
        assert (changed.is_new, changed.version.number) == (True, 2)
        assert (back.is_new, back.version.number) == (True, 3)
        assert [(v.number, v.is_live) for v in list_versions(tx, world.program_id)] == [
            (3, True),
            (2, False),
            (1, False),
        ]
        assert get_version(tx, world.program_id, 2).is_live is False


def test_the_order_of_campaigns_is_part_of_a_version(world: World) -> None:
    campaigns = {
        "zeta": {"on": "purchase", "earn": {"stars": 1}},
        "alpha": {"on": "purchase", "earn": {"stars": 1}},
    }
    one = Program.model_validate(definition(campaigns=campaigns))
    two = Program.model_validate(definition(campaigns=dict(reversed(campaigns.items()))))
    with world.database.transaction() as tx:
        assert publish(tx, one, "ada").is_new
        assert list(get(tx, world.program_id, 2).campaigns) == ["zeta", "alpha"]
        assert publish(tx, two, "ada").is_new


@pytest.mark.parametrize("change", ["UPDATE program_version SET note = 'x'", "DELETE FROM program_version"])
def test_versions_are_append_only(world: World, change: str) -> None:
    with pytest.raises(DBAPIError, match="program_version is append-only"), world.database.transaction() as tx:
        tx.exec_driver_sql(change)


def test_what_is_not_there_is_said(world: World) -> None:
    with world.database.transaction() as tx:
        row, is_made = ensure_program(tx, "empty", "test")
        assert (row.mode, row.live_version, is_made) == ("test", None, True)
        with pytest.raises(NothingPublished):
            live(tx, row.id)
        with pytest.raises(NoSuchVersion):
            get(tx, world.program_id, 9)
        with pytest.raises(NoSuchVersion):
            get_version(tx, world.program_id, 9)
        with pytest.raises(NoSuchProgram):
            find_program(tx, "nothing")
        assert [program.key for program in list_programs(tx)] == ["coffee-stars", "empty", "other-shop"]


def test_two_that_publish_at_once_make_one_version(world: World) -> None:
    program = Program.model_validate(NEW)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: world.database.run(lambda tx: publish(tx, program, "ada")), range(8)))
    assert sorted(published.is_new for published in made) == [False] * 7 + [True]
    assert {published.version.number for published in made} == {2}


def test_a_version_is_loaded_once_and_forgotten_when_unused() -> None:
    loads: list[tuple[int, int]] = []

    def load(program_id: int, number: int) -> str:
        loads.append((program_id, number))
        return f"{program_id}/{number}"

    cache = VersionCache(load, most=2)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: cache.get(1, 1), range(8))) == {"1/1"}
    assert loads == [(1, 1)]
    cache.get(1, 2)
    cache.get(1, 3)
    cache.get(1, 1)
    assert loads == [(1, 1), (1, 2), (1, 3), (1, 1)]


def test_publishing_over_the_api(world: World) -> None:
    answer = world.call("POST", "/v1/program/versions", json={"definition": NEW, "note": "double"})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["number"], body["is_live"], body["is_new"], body["note"]) == (2, True, True, "double")
    assert body["author"].startswith("key:")
    shown = world.call("GET", "/v1/program").json()
    assert shown["definition"]["campaigns"]["base"]["earn"] == {"stars": "2 per 1.00"}
    assert shown == world.call("GET", "/v1/program/versions/2").json()
    again = world.call("POST", "/v1/program/versions", json={"definition": NEW}).json()
    assert (again["number"], again["is_new"]) == (2, False)
    first = world.call("GET", "/v1/program/versions?limit=1").json()
    second = world.call("GET", f"/v1/program/versions?limit=1&cursor={first['next_cursor']}").json()
    assert [page["items"][0]["number"] for page in (first, second)] == [2, 1]
    assert second["next_cursor"] is None
    assert_problem(world.call("GET", "/v1/program/versions/3"), 404, "program_version_not_found")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"points": {}}, "#/definition/points"),
        ({"campagnes": {}}, "#/definition/campagnes"),
        (
            {"campaigns": {"base": {"on": "purchase", "when": "event.totl > 1", "earn": {"stars": 1}}}},
            "#/definition/campaigns/base/when",
        ),
        ({"campaigns": {"base": {"on": "purchase", "earn": {"moons": 1}}}}, "#/definition/campaigns/base/earn/moons"),
        ({"program": {"id": "other-shop", "name": "x", "currency": "EUR"}}, "#/definition/program/id"),
    ],
)
def test_a_definition_with_errors_is_refused_where_they_are(
    world: World, change: dict[str, object], pointer: str
) -> None:
    sent = {**definition(), **change}
    body = assert_problem(
        world.call("POST", "/v1/program/versions", json={"definition": sent}), 422, "invalid_definition"
    )
    assert body["errors"][0]["pointer"] == pointer
    assert world.call("GET", "/v1/program").json()["number"] == 1


def test_a_failing_commit_publishes_nothing(world: World) -> None:
    world.refuse_commits_to("program_version")
    answer = world.call("POST", "/v1/program/versions", json={"definition": NEW})
    assert_problem(answer, 500, "internal_error")
    assert world.call("GET", "/v1/program").json()["number"] == 1
    assert world.count("program_version") == 2
