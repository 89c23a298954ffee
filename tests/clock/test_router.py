"""`/v1/clock`, and what a test program's time means for everything else that is asked of it."""

import datetime as dt
from typing import Any

import pytest

from api_world import World, assert_problem
from clock.try_out import TryOut, at, program
from setia.events.live import LivePrograms
from setia.events.settling import programs_due
from setia.identity.scopes import Scope

BEGINS = "2031-03-30T01:30:00+01:00"


@pytest.fixture
def here(world: World) -> TryOut:
    return TryOut.begin(world, BEGINS, program(expiry={"after": "1d"}))


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def test_the_clock_is_shown_and_moved(here: TryOut) -> None:
    shown = here.call("GET", "/v1/clock").json()
    assert shown == {"mode": "test", "now": "2031-03-30T00:30:00Z", "timezone": "Europe/Berlin"}

    # A day on the calendar has 23 hours here; two days later the clocks have gone forward.
    moved = here.made("POST", "/v1/clock", by="1d")
    assert moved == {"before": "2031-03-30T00:30:00Z", "now": "2031-03-30T23:30:00Z", "days": 0, "settled": 0}
    moved = here.made("POST", "/v1/clock", to="2031-04-01T00:00:00+02:00")
    assert moved["now"] == here.call("GET", "/v1/clock").json()["now"] == "2031-03-31T22:00:00Z"


def test_a_live_program_lives_by_the_real_time(world: World) -> None:
    shown = world.call("GET", "/v1/clock").json()
    assert shown["mode"] == "live"
    assert abs(moment(shown["now"]) - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    body = assert_problem(world.call("POST", "/v1/clock", json={"by": "1d"}), 409, "program_not_in_test")
    assert "coffee-stars is live" in body["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"by": "1d", "to": "2031-05-01T00:00:00Z"},
        {"by": "a while"},
        {"by": "-1d"},
        {"by": "1.5d"},
        {"by": 30},
        {"to": "2031-05-01"},
        {"to": "2031-05-01T00:00:00"},
        {"to": "tomorrow"},
        {"by": "1d", "quietly": True},
    ],
)
def test_what_is_not_clear_is_refused(here: TryOut, body: dict[str, Any]) -> None:
    assert_problem(here.call("POST", "/v1/clock", json=body), 422, "validation_failed")
    assert here.now == at(BEGINS)


@pytest.mark.parametrize(
    "body",
    [
        {"to": "2031-03-30T00:29:59Z"},
        {"to": "9999-12-31T23:59:59-14:00"},
        {"to": "0001-01-01T00:00:00+14:00"},
        {"by": "11y"},
        {"by": "99999y"},
    ],
)
def test_it_goes_neither_back_nor_too_far(here: TryOut, body: dict[str, Any]) -> None:
    found = assert_problem(here.call("POST", "/v1/clock", json=body), 422, "invalid_advance")
    assert found["errors"][0]["pointer"] == f"#/{next(iter(body))}"
    assert here.now == at(BEGINS)


def test_a_repeated_request_goes_to_the_same_moment(here: TryOut) -> None:
    headers = {"Idempotency-Key": "thirty-days"}
    first = here.call("POST", "/v1/clock", json={"by": "30d"}, headers=headers)
    again = here.call("POST", "/v1/clock", json={"by": "30d"}, headers=headers)
    assert [first.status_code, again.status_code] == [200, 200]
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert first.json()["now"] == again.json()["now"] == again.json()["before"]

    # Without a key it is another thirty days; and a key stands for one request.
    assert here.made("POST", "/v1/clock", by="30d")["now"] > first.json()["now"]
    other = here.call("POST", "/v1/clock", json={"by": "31d"}, headers=headers)
    assert_problem(other, 422, "idempotency_key_reused")
    # The first moment lies behind by now, and time never goes back.
    late = here.call("POST", "/v1/clock", json={"by": "30d"}, headers=headers).json()
    assert late["now"] == late["before"] == here.call("GET", "/v1/clock").json()["now"]


def test_a_repeated_request_goes_on_where_the_first_was_broken_off(
    here: TryOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.enrol()
    here.buy("p1")
    headers = {"Idempotency-Key": "a-month"}

    def fail(*_: object) -> int:
        raise RuntimeError

    monkeypatch.setattr("setia.clock.service.move_clock", fail)
    broken = here.call("POST", "/v1/clock", json={"by": "1mo"}, headers=headers)
    assert_problem(broken, 500, "internal_error")
    monkeypatch.undo()

    answer = here.call("POST", "/v1/clock", json={"by": "1mo"}, headers=headers)
    assert (answer.status_code, answer.json()["now"], answer.json()["settled"]) == (200, "2031-04-29T23:30:00Z", 1)


def test_a_failing_commit_leaves_the_clock_where_it_was(here: TryOut) -> None:
    here.world.refuse_commits_to("program")
    assert_problem(here.call("POST", "/v1/clock", json={"by": "1d"}), 500, "internal_error")
    assert here.now == at(BEGINS)


def test_only_who_may_publish_moves_the_time(here: TryOut, world: World) -> None:
    assert_problem(world.call("POST", "/v1/clock", key=world.colleague, json={"by": "1d"}), 403, "missing_scope")
    reader = world.key(*(scope for scope in Scope if scope != Scope.PROGRAM_WRITE))
    assert_problem(world.call("POST", "/v1/clock", key=reader, json={"by": "1d"}), 403, "missing_scope")


def test_events_live_by_the_clock(here: TryOut) -> None:
    member = here.enrol()
    bought = here.buy("p1")
    begins = at(BEGINS)

    # What is not said to be otherwise happens now, and now is what the clock says.
    assert (moment(bought["occurred_at"]), moment(bought["received_at"])) == (begins, begins)
    assert moment(bought["effects"][0]["expires_at"]) == at("2031-04-01T00:00+02:00")
    [entry] = here.call("GET", f"/v1/members/{member}/statement").json()["items"][:1]
    assert moment(entry["booked_at"]) == begins

    # Ahead of the clock is the future, however long ago it really is; and behind it lies the past.
    later = (begins + dt.timedelta(minutes=6)).isoformat()
    sent = {"type": "visit", "external_id": "v1", "member": {"card": "1"}, "occurred_at": later}
    refused = assert_problem(here.call("POST", "/v1/events", json=sent), 422, "event_in_future")
    assert "2031-03-30T00:30:00+00:00 here" in refused["detail"]
    assert_problem(here.call("POST", "/v1/calculate", json=sent), 422, "event_in_future")
    here.advance("10min")
    assert here.call("POST", "/v1/events", json=sent).status_code == 201

    # The same event again is known, though time has passed.
    assert here.call("POST", "/v1/events", json=sent).headers["idempotent-replayed"] == "true"
    more = [{"type": "visit", "external_id": "v2", "member": {"card": "1"}}]
    batch = here.made("POST", "/v1/events/batch", events=more)
    assert moment(batch["results"][0]["event"]["occurred_at"]) == begins + dt.timedelta(minutes=10)


def test_points_end_by_the_clock_wherever_one_looks(here: TryOut) -> None:
    member = here.enrol()
    here.buy("p1")
    asked = {"type": "purchase", "member": {"card": "1"}, "lines": [{"sku": "latte", "amount": "1.00"}]}
    assert here.made("POST", "/v1/calculate", **asked)["balances"]["stars"]["available"] == 11

    with here.world.database.transaction() as tx:  # without the work of the night
        tx.exec_driver_sql("UPDATE program SET clock = '2031-04-01T00:00+02:00' WHERE mode = 'test'")

    assert here.stars(member) == (0, 0)
    assert here.made("POST", "/v1/calculate", **asked)["balances"]["stars"]["available"] == 1
    ladders = here.call("GET", f"/v1/members/{member}/tiers")
    assert ladders.status_code == 200
    taken = here.call(
        "POST",
        f"/v1/members/{member}/adjustments",
        json={"points": "stars", "amount": -5, "reason": "x"},
        headers={"Idempotency-Key": "one"},
    )
    assert_problem(taken, 409, "insufficient_points")
    # Jobs look after live programs by the real time, and let this one be.
    with here.world.database.raw_connection() as connection:
        assert here.program_id not in programs_due(connection, at("2099-01-01T00:00Z"))


def test_members_and_adjustments_live_by_the_clock(here: TryOut) -> None:
    begins = at(BEGINS)
    member = here.enrol()
    place = f"/v1/members/{member}"
    shown = here.call("GET", place).json()
    assert [moment(shown[name]) for name in ("enrolled_at", "created_at", "updated_at")] == [begins] * 3
    late = (begins + dt.timedelta(minutes=6)).isoformat()
    body = {"identifiers": {"card": "2"}, "enrolled_at": late}
    assert_problem(here.call("POST", "/v1/members", json=body), 422, "invalid_enrolment")

    here.advance("2h")
    later = here.now
    given = here.made(
        "POST", f"{place}/adjustments", points="stars", amount=25, reason="Lost parcel", idempotency_key="one"
    )
    assert moment(given["booked_at"]) == later
    changed = here.made("PATCH", place, tags=["regular"])
    assert (moment(changed["created_at"]), moment(changed["updated_at"])) == (begins, later)
    here.advance("2h")
    closed = here.made("POST", f"{place}/suspend", reason="Asked for.")
    assert moment(closed["updated_at"]) == here.now
    with here.world.database.raw_connection() as connection:
        assert connection.execute("SELECT at FROM member_status_change").fetchall() == [(here.now,)]


def test_what_a_decision_changes_of_a_member_is_dated_by_the_clock(world: World) -> None:
    campaigns = {
        "base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}},
        "regular": {"on": "purchase", "tag": ["regular"]},
    }
    here = TryOut.begin(world, BEGINS, program(campaigns=campaigns))
    member = here.enrol()
    here.advance("1d")
    here.buy("p1")
    shown = here.call("GET", f"/v1/members/{member}").json()
    assert shown["tags"] == ["regular"]
    assert moment(shown["updated_at"]) == here.now


def test_a_test_stands_beside_the_live_program_and_touches_nothing_of_it(here: TryOut, world: World) -> None:
    real = world.enrol(card="1")["id"]
    tried = here.enrol("1")
    assert real != tried
    here.buy("p1")

    # Each key has its own members, also those of the same card.
    assert here.call("GET", "/v1/members?card=1").json()["items"][0]["id"] == tried
    assert world.call("GET", "/v1/members?card=1").json()["items"][0]["id"] == real
    assert_problem(here.call("GET", f"/v1/members/{real}"), 404, "member_not_found")
    assert_problem(here.call("POST", f"/v1/members/{real}/close", json={"reason": "x"}), 404, "member_not_found")
    sent = {"type": "visit", "external_id": "v1", "member": {"id": real}}
    assert_problem(here.call("POST", "/v1/events", json=sent), 422, "unknown_member")
    assert world.call("GET", f"/v1/members/{real}/statement").json()["items"][0]["kind"] == "event"

    # A key of the test publishes the test's versions, and time passes for the test alone.
    whole = program(campaigns={"base": {"on": "purchase", "earn": {"stars": "9 per 1.00"}}})
    published = here.made("POST", "/v1/program/versions", definition=whole)
    assert (published["number"], published["is_live"]) == (2, True)
    assert world.call("GET", "/v1/program").json()["number"] == 1
    here.advance("1y")
    assert here.stars(tried) == (0, 0)
    with world.database.raw_connection() as connection:
        live = LivePrograms(world.database).live(connection, world.program_id)
    assert live.clock is None
    assert live.now(at(BEGINS)) == at(BEGINS)
