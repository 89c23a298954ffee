"""Enrolling through the API: the member, its welcome and its kept events, in one transaction."""

from typing import Any

import pytest

from api_world import World, assert_problem
from events.shop import BASE, WELCOME, booked, counts, findings, go_live, program, purchase, rows, send
from setia.events import newcomers
from setia.events.booking import Booking
from setia.events.budgets import BudgetsMoved

KEY = {"Idempotency-Key": "once"}
SENT: dict[str, Any] = {"identifiers": {"card": "1"}}


def test_enrolling_earns_the_welcome(world: World) -> None:
    go_live(world, program(campaigns=WELCOME | {"tag": {"on": "member_enrolled", "tag": ["new"]}}))
    member = world.enrol(card="1")
    assert member["tags"] == ["new"]
    wallets = world.call("GET", f"/v1/members/{member['id']}/wallets").json()
    assert [wallet["available"] for wallet in wallets["wallets"] if wallet["available"]] == [50]
    assert rows(world, "SELECT kind, seq, program_version FROM journal") == [("event", 1, 2)]
    assert findings(world) == []


def test_the_same_key_again_welcomes_nobody_twice(world: World) -> None:
    go_live(world, program(campaigns=WELCOME))
    first = world.call("POST", "/v1/members", json=SENT, headers=KEY)
    again = world.call("POST", "/v1/members", json=SENT, headers=KEY)
    assert (first.status_code, again.status_code, again.headers["idempotent-replayed"]) == (201, 201, "true")
    assert (world.count("member"), world.count("journal"), world.count("event")) == (1, 1, 1)
    assert rows(world, "SELECT available FROM wallet") == [(50,)]


def test_a_budget_of_welcomes_is_kept(world: World) -> None:
    limits = [{"in_all": "2 uses"}]
    go_live(world, program(campaigns={"welcome": WELCOME["welcome"] | {"limits": limits}}))
    for card in ("1", "2", "3"):
        world.enrol(card=card)
    assert rows(world, "SELECT count(*), sum(available) FROM wallet") == [(2, 100)]
    assert rows(world, "SELECT used FROM budget") == [(2,)]


def test_budgets_that_move_are_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    go_live(world, program(campaigns=WELCOME))
    finish = Booking.finish
    calls: list[int] = []

    def moved(self: Booking) -> None:
        calls.append(1)
        if len(calls) < 3:
            raise BudgetsMoved
        finish(self)

    monkeypatch.setattr(Booking, "finish", moved)
    world.enrol(card="1")
    assert (len(calls), world.count("member"), world.count("journal")) == (3, 1, 1)


def test_after_eight_times_it_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def moved(_self: Booking) -> None:
        raise BudgetsMoved

    before = counts(world)
    monkeypatch.setattr(Booking, "finish", moved)
    assert_problem(world.call("POST", "/v1/members", json=SENT), 503, "unavailable")
    assert counts(world) == before


FAILING = ("event", "journal", "posting", "wallet", "member_state", "member")


@pytest.mark.parametrize("table", FAILING)
def test_a_failing_commit_enrols_nobody(world: World, table: str) -> None:
    go_live(world, program("keep", campaigns=BASE | WELCOME))
    booked(world, purchase("kept"))
    before = counts(world)
    world.refuse_commits_to(table)
    answer = world.call("POST", "/v1/members", json=SENT, headers=KEY)
    assert_problem(answer, 500, "internal_error")
    assert counts(world) == before
    assert findings(world) == []
    with world.database.transaction() as tx:
        tx.exec_driver_sql(f"DROP TRIGGER refuse ON {table}")
    # A 5xx is not frozen: the same key does it now.
    again = world.call("POST", "/v1/members", json=SENT, headers=KEY)
    assert (again.status_code, "idempotent-replayed" in again.headers) == (201, False)
    assert rows(world, "SELECT available FROM wallet") == [(60,)]
    assert findings(world) == []


@pytest.mark.parametrize("table", ["event", "journal", "posting", "wallet", "lot", "member_state"])
def test_a_failing_commit_books_nothing(world: World, table: str) -> None:
    world.enrol(card="1")
    before = counts(world)
    state = rows(world, "SELECT seq, counters::text FROM member_state")
    world.refuse_commits_to(table)
    assert_problem(send(world, purchase("1")), 500, "internal_error")
    answer = world.call("POST", "/v1/events/batch", json={"events": [purchase("1"), purchase("2")]})
    assert [result["status"] for result in answer.json()["results"]] == [500, 500]
    assert (counts(world), rows(world, "SELECT seq, counters::text FROM member_state")) == (before, state)
    with world.database.transaction() as tx:
        tx.exec_driver_sql(f"DROP TRIGGER refuse ON {table}")
    assert "idempotent-replayed" not in send(world, purchase("1")).headers
    assert findings(world) == []


@pytest.mark.parametrize("table", ["member", "event", "kept_event", "budget"])
def test_a_failing_commit_keeps_no_stranger_and_spends_no_budget(world: World, table: str) -> None:
    limits = [{"in_all": "100 stars"}]
    unknown = "keep" if table == "kept_event" else "enrol"
    go_live(world, program(unknown, campaigns={"base": BASE["base"] | {"limits": limits}}))
    before = counts(world)
    world.refuse_commits_to(table)
    assert_problem(send(world, purchase("1")), 500, "internal_error")
    assert counts(world) == before


def test_one_event_that_cannot_be_committed_fails_alone(world: World) -> None:
    world.enrol(card="1")
    with world.database.transaction() as tx:
        tx.exec_driver_sql(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'check_violation'; END $$;
            CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED
              FOR EACH ROW WHEN (NEW.external_id = 'bad') EXECUTE FUNCTION refuse();
            """
        )
    events = [purchase("1"), purchase("bad"), purchase("2")]
    answer = world.call("POST", "/v1/events/batch", json={"events": events}).json()
    assert [result["status"] for result in answer["results"]] == [201, 500, 201]
    assert answer["results"][1]["problem"]["code"] == "internal_error"
    assert rows(world, "SELECT available FROM wallet") == [(20,)]
    assert findings(world) == []


def test_nobodys_kept_events_are_not_looked_for(world: World) -> None:
    with world.database.raw_connection() as connection:
        assert newcomers._take_kept(connection, world.program_id, {}) == {}
        newcomers.lock_identifiers(connection, world.program_id, [])
        assert newcomers.welcome(connection, world.program_id, [], None) == []  # type: ignore[arg-type]  # never looked at where nobody is new
