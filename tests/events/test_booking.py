"""What becomes of an event once it can be read: once and for all, in order, and nothing by halves."""

import datetime as dt

import pytest

from api_world import World, assert_problem
from events.shop import (
    BASE,
    EVENTS,
    STATUS,
    WELCOME,
    ago,
    batch,
    booked,
    counts,
    enrolled,
    findings,
    go_live,
    program,
    purchase,
    rows,
    send,
)


class TestOnceAndForAll:
    def test_the_same_event_again_is_the_same_answer_byte_for_byte(self, world: World) -> None:
        go_live(world, program(campaigns=BASE | WELCOME, tiers=[STATUS]))
        enrolled(world)
        first = send(world, purchase("1"))
        for number in range(3):
            booked(world, purchase(f"later-{number}", "70.00"))
        go_live(world, program(campaigns={"base": {"on": "purchase", "earn": {"stars": 7}}}, tiers=[STATUS]))
        again = send(world, purchase("1"))
        assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
        assert again.content == first.content
        assert (first.json()["tiers"], first.json()["program_version"]) == ({"status": "green"}, 2)
        assert world.call("GET", f"/v1/events/{first.json()['id']}").content == first.content

    def test_another_body_is_refused_and_keeps_nothing(self, world: World) -> None:
        enrolled(world)
        first = booked(world, purchase("1"))
        before = counts(world)
        for other in (
            purchase("1", "10.01"),
            purchase("1", labels=["a"]),
            purchase("1", member={"card": "2"}),
            purchase("1", occurred_at=ago(hours=1)),
        ):
            problem = assert_problem(send(world, other), 422, "external_id_reused")
            assert problem["event"] == first["id"]
        assert counts(world) == before

    def test_the_same_id_of_another_source_is_another_event(self, world: World) -> None:
        enrolled(world)
        booked(world, purchase("1", source="shop-1"))
        assert booked(world, purchase("1", source="shop-2"))["balances"]["stars"]["available"] == 20

    def test_an_event_that_was_refused_may_come_again(self, world: World) -> None:
        assert_problem(send(world, purchase("1")), 422, "unknown_member")
        enrolled(world)
        answer = send(world, purchase("1"))
        assert (answer.status_code, "idempotent-replayed" in answer.headers) == (201, False)

    def test_it_is_known_even_when_it_would_be_refused_by_now(self, world: World) -> None:
        member = enrolled(world)
        first = send(world, purchase("1"))
        world.call("POST", f"/v1/members/{member}/suspend", json={"reason": "x"})
        assert send(world, purchase("1")).content == first.content

    def test_it_is_known_even_when_the_program_has_no_such_event_by_now(self, world: World) -> None:
        go_live(world, program(events=EVENTS))
        enrolled(world)
        survey = {"type": "survey", "external_id": "1", "member": {"card": "1"}, "data": {"score": 1}}
        first = send(world, survey)
        go_live(world, program())
        again = send(world, survey)
        assert (again.status_code, again.content) == (201, first.content)


class TestStrangers:
    def test_refuse(self, world: World) -> None:
        before = counts(world)
        for who in ({"card": "404"}, {"id": "mem_" + "0" * 32}):
            assert_problem(send(world, purchase("1", member=who)), 422, "unknown_member")
        assert counts(world) == before

    def test_enrol(self, world: World) -> None:
        go_live(world, program("enrol", campaigns=BASE | WELCOME))
        answer = booked(world, purchase("1", member={"card": "77 7", "email": "A@b.de"}, occurred_at=ago(days=2)))
        assert answer["granted"] == {"stars": 10}
        assert answer["balances"]["stars"]["available"] == 60
        member = world.call("GET", f"/v1/members/{answer['member']}").json()
        assert member["identifiers"] == {"card": ["777"], "email": ["a@b.de"]}
        assert member["enrolled_at"] == answer["occurred_at"]
        assert booked(world, purchase("2", member={"email": "a@B.de"}))["balances"]["stars"]["available"] == 70
        assert rows(world, "SELECT e.type, e.source FROM journal j JOIN event e USING (id) ORDER BY j.seq") == [
            ("member_enrolled", "setia"),
            ("purchase", "api"),
            ("purchase", "api"),
        ]
        assert findings(world) == []

    def test_enrol_does_not_invent_a_member_for_an_id(self, world: World) -> None:
        go_live(world, program("enrol"))
        answer = send(world, purchase("1", member={"id": "mem_" + "0" * 32, "card": "1"}))
        assert_problem(answer, 422, "unknown_member")
        assert (world.count("member"), world.count("event")) == (0, 0)

    def test_enrol_makes_no_member_for_an_event_from_the_future(self, world: World) -> None:
        go_live(world, program("enrol"))
        assert_problem(send(world, purchase("1", occurred_at=ago(hours=-1))), 422, "event_in_future")
        assert counts(world)["member"] == 0

    def test_enrol_many_in_one_batch(self, world: World) -> None:
        go_live(world, program("enrol", campaigns=BASE | WELCOME))
        events = [purchase(str(n), member={"card": str(n % 3)}) for n in range(6)]
        events.append(purchase("two names", member={"card": "0", "email": "a@b.de"}))
        answer = batch(world, *events)
        assert [result["event"]["balances"]["stars"]["available"] for result in answer["results"]] == [
            60, 60, 60, 70, 70, 70, 80,
        ]  # fmt: skip
        assert (world.count("member"), world.count("event")) == (3, 10)
        assert findings(world) == []

    def test_keep_until_somebody_enrols(self, world: World) -> None:
        go_live(world, program("keep", campaigns=BASE | WELCOME | FIRST))
        before = ago(days=3)
        first = booked(world, purchase("1", "10.00", occurred_at=ago(days=2)))
        second = booked(world, purchase("2", "20.00", occurred_at=before))
        assert (first["status"], first["member"], first["granted"], first["balances"]) == ("kept", None, {}, {})
        assert (world.count("journal"), world.count("kept_event")) == (0, 2)
        again = send(world, purchase("1", "10.00", occurred_at=first["occurred_at"]))
        assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
        assert again.json() == first
        assert_problem(send(world, purchase("1", "11.00")), 422, "external_id_reused")
        member = enrolled(world)
        # In the order in which they came: the welcome, then the first purchase with its bonus, then the second.
        assert rows(
            world, "SELECT j.seq, e.external_id FROM journal j JOIN event e USING (id) WHERE j.seq > 1 ORDER BY seq"
        ) == [(2, "1"), (3, "2")]
        found = world.call("GET", f"/v1/events/{first['id']}").json()
        assert (found["status"], found["member"], found["granted"]) == ("decided", member, {"stars": 110})
        wallet = world.call("GET", f"/v1/events/{second['id']}").json()["balances"]["stars"]
        assert wallet["available"] == 50 + 110 + 20
        assert world.count("kept_event") == 0
        assert findings(world) == []

    def test_an_event_kept_for_two_identifiers_is_applied_once(self, world: World) -> None:
        go_live(world, program("keep"))
        booked(world, purchase("1", member={"card": "1", "email": "a@b.de"}))
        assert world.count("kept_event") == 2
        enrolled(world)
        other = world.call("POST", "/v1/members", json={"identifiers": {"email": "a@b.de"}}).json()["id"]
        assert world.count("kept_event") == 0
        assert rows(world, "SELECT count(*), sum(available) FROM wallet") == [(1, 10)]
        assert world.call("GET", f"/v1/members/{other}/wallets").status_code == 200
        assert findings(world) == []

    def test_a_kept_event_is_decided_on_the_same_data(self, world: World) -> None:
        campaigns = {"exact": {"on": "odd", "earn": {"stars": {"expression": "event.data.share * 3.0"}}}}
        data = {"type": "object", "properties": {"share": {"type": "number"}}, "required": ["share"]}
        whole = program("keep", campaigns=campaigns, events={"odd": {"data": data}})
        whole["points"]["stars"]["decimals"] = 2
        go_live(world, whole)
        event = {"type": "odd", "external_id": "1", "member": {"card": "1"}, "data": {"share": 0.1}}
        kept = booked(world, event)
        enrolled(world)
        directly = booked(world, event | {"external_id": "2"})
        applied = world.call("GET", f"/v1/events/{kept['id']}").json()
        assert (applied["status"], applied["granted"], directly["granted"]) == (
            "decided",
            {"stars": 30},
            {"stars": 30},
        )

    def test_a_batch_keeps_and_knows(self, world: World) -> None:
        go_live(world, program("keep"))
        enrolled(world, "2")
        answer = batch(world, purchase("1"), purchase("2", member={"card": "2"}), purchase("1"))
        assert [(result["event"]["status"], result["replayed"]) for result in answer["results"]] == [
            ("kept", False),
            ("decided", False),
            ("kept", True),
        ]
        assert findings(world) == []

    def test_an_id_nobody_has_is_not_kept(self, world: World) -> None:
        go_live(world, program("keep"))
        assert_problem(send(world, purchase("1", member={"id": "mem_" + "0" * 32})), 422, "unknown_member")
        assert world.count("event") == 0


FIRST = {"first": {"on": "purchase", "when": "member.first_purchase", "earn": {"stars": 100}}}


class TestWho:
    def test_identifiers_of_two_members_are_ambiguous(self, world: World) -> None:
        one, _ = enrolled(world, "1"), enrolled(world, "2")
        world.call("POST", "/v1/members", json={"identifiers": {"email": "a@b.de"}})
        before = counts(world)
        for who in ({"card": "1", "email": "a@b.de"}, {"id": one, "card": "2"}):
            assert_problem(send(world, purchase("1", member=who)), 409, "member_ambiguous")
        assert counts(world) == before

    def test_an_unknown_identifier_beside_a_known_one_does_not_matter(self, world: World) -> None:
        member = enrolled(world)
        assert booked(world, purchase("1", member={"card": "1", "email": "new@b.de"}))["member"] == member
        assert booked(world, purchase("2", member={"id": member}))["member"] == member

    def test_an_ambiguous_one_spoils_no_batch(self, world: World) -> None:
        enrolled(world, "1")
        world.call("POST", "/v1/members", json={"identifiers": {"email": "a@b.de"}})
        answer = batch(world, purchase("1"), purchase("2", member={"card": "1", "email": "a@b.de"}), purchase("3"))
        assert [result["status"] for result in answer["results"]] == [201, 409, 201]

    @pytest.mark.parametrize(("act", "status"), [("suspend", "suspended"), ("close", "closed")])
    def test_only_active_members_earn(self, world: World, act: str, status: str) -> None:
        member = enrolled(world)
        world.call("POST", f"/v1/members/{member}/{act}", json={"reason": "x"})
        before = counts(world)
        problem = assert_problem(send(world, purchase("1")), 422, "member_not_active")
        assert (problem["member"], problem["member_status"]) == (member, status)
        assert_problem(world.call("POST", "/v1/calculate", json=purchase("1")), 422, "member_not_active")
        assert counts(world) == before


class TestTime:
    def test_an_event_may_lie_a_little_ahead(self, world: World) -> None:
        enrolled(world)
        assert booked(world, purchase("1", occurred_at=ago(minutes=-4)))["status"] == "decided"
        assert_problem(send(world, purchase("2", occurred_at=ago(minutes=-6))), 422, "event_in_future")
        assert_problem(send(world, purchase("3", occurred_at="9999-12-31T23:59:59-01:00")), 422, "event_in_future")
        assert world.count("event") == 2

    def test_late_is_measured_from_the_newest_event(self, world: World) -> None:
        go_live(world, program(late={"accept_within": "48h", "future": "5min"}))
        enrolled(world, days_ago=400)
        newest = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
        booked(world, purchase("new", occurred_at=newest.isoformat()))
        edge = newest - dt.timedelta(hours=48)
        late = edge - dt.timedelta(microseconds=1)
        assert_problem(send(world, purchase("late", occurred_at=late.isoformat())), 422, "event_too_late")
        assert booked(world, purchase("edge", occurred_at=edge.isoformat()))["status"] == "decided"
        # The event out of order has not moved the edge.
        assert booked(world, purchase("edge 2", occurred_at=edge.isoformat()))["status"] == "decided"
        assert world.count("event") == 4

    def test_limits_go_by_when_it_occurred_and_not_by_when_it_came(self, world: World) -> None:
        daily = {"per": "member", "every": "day", "uses": 1}
        go_live(world, program(campaigns={"daily": {"on": "visit", "earn": {"stars": 5}, "limits": [daily]}}))
        enrolled(world, days_ago=30)

        def visit(name: str, moment: str) -> dict[str, int]:
            sent = {"type": "visit", "external_id": name, "member": {"card": "1"}, "occurred_at": moment}
            granted: dict[str, int] = booked(world, sent)["granted"]
            return granted

        today = dt.datetime.now(dt.UTC).replace(hour=12, minute=0) - dt.timedelta(days=5)
        before = today - dt.timedelta(days=1)
        assert visit("a", today.isoformat()) == {"stars": 5}
        assert visit("b", before.isoformat()) == {"stars": 5}
        assert visit("c", before.isoformat()) == {}
        assert visit("d", today.isoformat()) == {}

    def test_the_order_of_events_of_different_days_does_not_matter_for_windows(self, world: World) -> None:
        tier = STATUS | {"metric": "spend", "levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 30}]}
        go_live(world, program(tiers=[tier]))
        moments = [ago(days=days) for days in (9, 2, 5, 7)]
        states = []
        for card, order in (("1", moments), ("2", moments[::-1]), ("3", sorted(moments))):
            enrolled(world, card, days_ago=30)
            for number, moment in enumerate(order):
                booked(world, purchase(f"{card}/{number}", occurred_at=moment, member={"card": card}))
            [(counters,)] = rows(
                world,
                "SELECT counters::jsonb FROM member_state JOIN member_identifier USING (member_id) WHERE value = %s",
                card,
            )
            counters["windows"] = {key: dict(sorted(window.items())) for key, window in counters["windows"].items()}
            del counters["newest_at"], counters["periods"]  # since when: that is the moment of arrival
            states.append(counters)
        assert states[0] == states[1] == states[2]
        assert states[0]["tiers"] == {"status": "gold"}
