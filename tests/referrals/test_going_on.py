"""Referrals go on whoever tells them, and whoever dies: by the job, late, twice, beside each other."""

import datetime as dt
from typing import Any

import pytest
from psycopg import OperationalError

from api_world import World, assert_problem
from events.shop import findings
from referrals.friends import assert_sound, buy, code_of, enrol, member, open_shop, pair, rows, stars, states
from setia.db.ids import new_id
from setia.due.works import do_works, earliest_work
from setia.events.afterwards import Afterwards
from setia.events.arrivals import draft
from setia.events.booked import Booked
from setia.events.booking import Submission
from setia.events.clerk import Clerk
from setia.referrals.due import go_on_due, of_friends


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def deaf(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes on after a commit, as if the process had died there."""
    monkeypatch.setattr("setia.referrals.service.go_on", lambda *_: False)


def test_what_nobody_was_told_the_job_finds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shop(world, live=True)
    deaf(world, monkeypatch)
    ada, bob = pair(world)
    assert stars(world, ada, bob) == [0, 0]
    programs = world.app.state.programs
    assert go_on_due(world.database, programs, now()) == 1
    assert stars(world, ada, bob) == [10, 5]
    buy(world, bob)
    assert go_on_due(world.database, programs, now()) == 1
    assert go_on_due(world.database, programs, now()) == 0
    assert stars(world, ada, bob) == [110, 55]
    assert_sound(world)


def test_an_import_tells_nobody_and_the_job_finds_it(world: World) -> None:
    open_shop(world, live=True)
    ada, bob = pair(world)
    programs = world.app.state.programs
    raw = (
        b'{"type": "purchase", "external_id": "1", "lines": [{"sku": "a", "amount": "9.00"}], "member": {"id": "%s"}}'
        % bob.encode()
    )
    with Clerk(world.database, programs) as clerk:
        [answer] = clerk.book(world.program_id, [Submission(draft(raw, now()), "import")])
    assert isinstance(answer, Booked)
    assert states(world) == [("joined", None)]
    assert do_works(world.database, programs, now(), world.program_id) == 1
    assert stars(world, ada, bob) == [110, 55]


def test_one_that_cannot_go_on_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shop(world, live=True)
    deaf(world, monkeypatch)
    ada = member(world, "ada")
    code = code_of(world, ada)
    friends = [member(world, f"f{number}", referral_code=code) for number in range(3)]
    with world.database.raw_connection() as connection:
        connection.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN IF NEW.member_id = '{friends[1].removeprefix('mem_')}' THEN RAISE EXCEPTION 'no'; END IF;"
            " RETURN NEW; END $$;"
            " CREATE TRIGGER refuse BEFORE INSERT ON referral_step FOR EACH ROW EXECUTE FUNCTION refuse();"
        )
    assert go_on_due(world.database, world.app.state.programs, now()) == 2
    assert stars(world, ada, *friends) == [20, 5, 0, 5]
    with world.database.raw_connection() as connection:
        connection.execute("DROP TRIGGER refuse ON referral_step")
    assert go_on_due(world.database, world.app.state.programs, now()) == 1
    assert stars(world, ada, *friends) == [30, 5, 5, 5]
    assert_sound(world)


def test_a_kind_that_was_taken_out_of_the_program_waits_until_it_is_back(world: World) -> None:
    open_shop(world, live=True)
    ada, bob = pair(world)
    definition = world.call("GET", "/v1/program").json()["definition"]
    friends = definition.pop("referrals")
    assert world.call("POST", "/v1/program/versions", json={"definition": definition}).status_code in {200, 201}
    buy(world, bob)
    assert go_on_due(world.database, world.app.state.programs, now()) == 0
    assert states(world) == [("joined", None)]
    definition["referrals"] = friends
    assert world.call("POST", "/v1/program/versions", json={"definition": definition}).status_code in {200, 201}
    assert go_on_due(world.database, world.app.state.programs, now()) == 1
    assert stars(world, ada, bob) == [110, 55]


def test_when_something_is_due_is_known(world: World) -> None:
    open_shop(world, after="14d", live=True)
    _, bob = pair(world)
    with world.database.raw_connection() as connection:
        assert earliest_work(connection, world.program_id) is None
    bought = now().replace(microsecond=0)
    buy(world, bob, occurred_at=bought.isoformat())
    with world.database.raw_connection() as connection:
        due = earliest_work(connection, world.program_id)
    assert due is not None
    assert abs(due - bought - dt.timedelta(days=14)) <= dt.timedelta(hours=1)  # a change of the clocks may lie between


@pytest.mark.parametrize("table", ["referral", "member_fingerprint"])
def test_an_enrolment_whose_referral_cannot_be_kept_is_none(world: World, table: str) -> None:
    open_shop(world, live=True)
    code = code_of(world, member(world, "ada"))
    world.refuse_commits_to(table)
    answer = enrol(world, "bob", referral_code=code, fingerprints={"device": "d"})
    assert answer.status_code == 500
    assert (world.count("member"), world.count("referral")) == (1, 0)


def test_an_invitation_whose_commit_fails_is_none(world: World) -> None:
    open_shop(world, live=True)
    ada = member(world, "ada")
    world.refuse_commits_to("referral")
    body = {"referrer": ada, "friend": {"email": "x@example.com"}}
    assert world.call("POST", "/v1/referrals", json=body).status_code == 500
    assert (world.count("referral"), world.count("referral_step"), stars(world, ada)) == (0, 0, [0])


@pytest.mark.parametrize("table", ["referral_code", "member_fingerprint"])
def test_what_else_is_written_is_kept_or_refused(world: World, table: str) -> None:
    open_shop(world, live=True)
    ada = member(world, "ada")
    world.refuse_commits_to(table)
    answers = [
        world.call("POST", "/v1/referrals/codes", json={"members": [ada]}).status_code,
        world.call("PUT", f"/v1/members/{ada}/fingerprints", json={"fingerprints": {"device": "d"}}).status_code,
    ]
    assert sorted(answers) == [200, 500]
    assert world.count(table) == 0


def test_a_reward_whose_commit_fails_comes_later(world: World) -> None:
    open_shop(world, live=True)
    ada, bob = pair(world)
    world.refuse_commits_to("referral_step")
    assert buy(world, bob).status_code == 201
    assert (states(world), stars(world, ada, bob)) == ([("joined", None)], [10, 5])
    with world.database.raw_connection() as connection:
        connection.execute("DROP TRIGGER refuse ON referral_step")
    assert go_on_due(world.database, world.app.state.programs, now()) == 1
    assert stars(world, ada, bob) == [110, 55]
    assert_sound(world)


def test_nobody_can_send_the_events_of_referrals(world: World) -> None:
    open_shop(world, live=True)
    ada = member(world, "ada")
    for kind in ("referral_won", "referral_joined", "referral_invited", "referral_enrolled", "referral_accepted"):
        event: dict[str, Any] = {"type": kind, "external_id": kind, "member": {"id": ada}}
        for path in ("/v1/events", "/v1/calculate"):
            body = assert_problem(world.call("POST", path, json=event), 422, "invalid_event")
            assert body["errors"][0]["pointer"] == "#/type"
    unknown = world.call("POST", "/v1/events", json={"type": "nonsense", "external_id": "1", "member": {"id": ada}})
    assert "referral" not in unknown.json()["errors"][0]["hint"]


def test_verify_finds_what_was_changed_by_hand(world: World) -> None:
    open_shop(world, live=True)
    _, bob = pair(world)
    buy(world, bob)
    changes = [
        ("UPDATE referral_step SET points = '{\"stars\": 1}' WHERE type = 'referral_won'", ["referral_steps"]),
        ("DELETE FROM referral_step WHERE type = 'referral_joined'", ["referral_steps", "referral_steps"]),
        ("DELETE FROM referral_step WHERE type = 'referral_won'", ["referral_steps", "referral_steps", "referral_won"]),
        (
            "UPDATE referral_step SET event_id = gen_random_uuid() WHERE type = 'referral_accepted'",
            ["referral_steps"] * 4 + ["referral_won"],
        ),
    ]
    for query, expected in changes:
        with world.database.raw_connection() as connection:
            connection.execute(query)
        assert sorted(finding.kind for finding in findings(world)) == expected
    assert rows(world, "SELECT count(*) FROM referral_step") == [(2,)]


def test_a_listener_that_fails_harms_nobody() -> None:
    heard: list[int] = []
    afterwards = Afterwards()
    fresh = Booked(
        id=new_id(),
        program_id=1,
        member_id=new_id(),
        status="decided",
        type="visit",
        source="api",
        external_id="1",
        digest=b"",
        occurred_at=now(),
        received_at=now(),
    )
    afterwards.tell(1, [fresh])

    def fail(_program: int, _booked: object) -> None:
        raise ValueError("no")

    afterwards.add(fail)
    afterwards.add(lambda program, booked: heard.append(program * len(booked)))
    afterwards.tell(7, [fresh])
    fresh.replayed = True
    afterwards.tell(7, [fresh])
    assert heard == [7]


def test_who_was_never_referred_is_asked_for_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shop(world, live=True)
    asked: list[int] = []
    monkeypatch.setattr("setia.referrals.service._MOST_STRANGERS", 1)

    def counting(connection: Any, program_id: int, friends: Any) -> Any:
        asked.append(len(friends))
        return of_friends(connection, program_id, friends)

    monkeypatch.setattr("setia.referrals.service.of_friends", counting)
    ada, bob = pair(world)
    for number in range(3):
        buy(world, ada, order=f"a{number}")
        buy(world, bob, order=f"b{number}")
    # bob's referral is over with the first purchase, which the second look finds.
    assert asked == [1, 1, 1]
    assert states(world) == [("won", None)]
    kim = member(world, "kim")
    buy(world, kim, order="k1")
    assert asked == [1, 1, 1, 1]
    buy(world, member(world, "eve", referral_code=code_of(world, ada)), order="e1")
    assert states(world) == [("won", None), ("won", None)]


def test_what_fails_after_an_enrolment_is_no_fault_of_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shop(world, live=True)

    def fail(*_: object) -> bool:
        raise OperationalError("the database is away")

    monkeypatch.setattr("setia.referrals.service.go_on", fail)
    ada, bob = pair(world)
    monkeypatch.undo()
    assert go_on_due(world.database, world.app.state.programs, now(), world.program_id) == 1
    assert stars(world, ada, bob) == [10, 5]


def test_the_database_that_goes_away_is_no_fault_of_a_referral(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shop(world, live=True)
    deaf(world, monkeypatch)
    pair(world)

    def fail(*_: object) -> bool:
        raise OperationalError("the database is away")

    monkeypatch.setattr("setia.referrals.going_on.GoingOn.go_on", fail)
    with pytest.raises(OperationalError):
        go_on_due(world.database, world.app.state.programs, now())
