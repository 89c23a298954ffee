"""Members are made in batches, and an identifier belongs to one of them, also under a race."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from api_world import World
from setia.db.engine import driver_connection
from setia.db.ids import new_id
from setia.members.enrolment import IdentifierTaken, InvalidEnrolment, checked_member, create_members
from setia.members.identifiers import MemberReference
from setia.members.member import Facts, FactsChange, Member, NewMember
from setia.members.resolve import MemberAmbiguous, resolve
from setia.members.service import load_facts, save_facts
from setia.program.events import Members

NOW = dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)


def new(*identifiers: tuple[str, str]) -> NewMember:
    return NewMember(identifiers, NOW)


def create(world: World, *members: NewMember) -> list[Member | IdentifierTaken]:
    with world.database.transaction() as tx:
        return create_members(driver_connection(tx), world.program_id, members, NOW)


def test_a_batch_is_created_in_order(world: World) -> None:
    first = NewMember((("card", "1"), ("card", "2"), ("email", "a@b.de")), NOW, {"size": "s"}, ("vip",), "de")
    one, two = create(world, first, new(("card", "3")))
    assert isinstance(one, Member)
    assert isinstance(two, Member)
    assert (one.identifiers, one.attributes, one.tags, one.locale, one.status, one.enrolled_at) == (
        {"card": ["1", "2"], "email": ["a@b.de"]},
        {"size": "s"},
        ("vip",),
        "de",
        "active",
        NOW,
    )
    assert two.identifiers == {"card": ["3"]}
    assert one.id < two.id
    assert (world.count("member"), world.count("member_identifier")) == (2, 4)


def test_one_that_collides_fails_alone(world: World) -> None:
    create(world, new(("card", "1")))
    taken, fine = create(world, new(("card", "1"), ("email", "a@b.de")), new(("card", "2")))
    assert isinstance(taken, IdentifierTaken)
    assert taken.kinds == ("card",)
    assert taken.errors[0].pointer == "#/identifiers/card"
    assert isinstance(fine, Member)
    assert (world.count("member"), world.count("member_identifier")) == (2, 2)


def test_of_two_in_a_batch_the_first_wins(world: World) -> None:
    first, second = create(world, new(("card", "1")), new(("card", "1"), ("card", "0")))
    assert isinstance(first, Member)
    assert isinstance(second, IdentifierTaken)
    assert world.count("member_identifier") == 1


def test_who_loses_to_a_loser_does_not_lose(world: World) -> None:
    create(world, new(("email", "a@b.de")))
    loser, winner = create(world, new(("card", "1"), ("email", "a@b.de")), new(("card", "1"), ("phone", "+1")))
    assert isinstance(loser, IdentifierTaken)
    assert loser.kinds == ("email",)
    assert isinstance(winner, Member)
    assert winner.identifiers == {"card": ["1"], "phone": ["+1"]}


def test_the_same_card_in_another_program_is_another_member(world: World) -> None:
    create(world, new(("card", "1")))
    with world.database.transaction() as tx:
        [other] = create_members(driver_connection(tx), world.other_program_id, [new(("card", "1"))], NOW)
    assert isinstance(other, Member)


def test_nothing_to_create_is_nothing(world: World) -> None:
    assert create(world) == []


def test_twenty_at_once_with_the_same_card_are_one_member(world: World) -> None:
    barrier = threading.Barrier(20)

    def enrol(number: int) -> tuple[int, str]:
        barrier.wait()
        sent = {"identifiers": {"card": "4711", "external_id": f"customer-{number}"}}
        answer = world.call("POST", "/v1/members", json=sent)
        return answer.status_code, answer.json().get("code", "")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(enrol, range(20)))
    assert sorted(answers) == [(201, "")] + [(409, "identifier_taken")] * 19
    assert (world.count("member"), world.count("member_identifier"), world.count("member_state")) == (1, 2, 1)


def test_twenty_equal_requests_are_one_member_and_one_answer(world: World) -> None:
    barrier = threading.Barrier(20)

    def enrol(_: int) -> tuple[int, str]:
        barrier.wait()
        answer = world.call("POST", "/v1/members", json={"identifiers": {"card": "4711"}})
        return answer.status_code, answer.json()["id"]

    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(enrol, range(20)))
    assert len(answers) == 1
    assert answers.pop()[0] == 201
    assert world.count("member") == 1


def test_references_are_resolved_in_one_query(world: World) -> None:
    one, two = create(world, new(("card", "1"), ("email", "a@b.de")), new(("card", "2")))
    assert isinstance(one, Member)
    assert isinstance(two, Member)
    by_card = MemberReference(None, (("card", "1"),))
    half_known = MemberReference(None, (("external_id", "?"), ("email", "a@b.de")))
    unknown = MemberReference(None, (("card", "3"),))
    by_id = MemberReference(two.id, ())
    both = MemberReference(one.id, (("card", "1"),))
    torn = MemberReference(None, (("card", "2"), ("email", "a@b.de")))
    wrong_id = MemberReference(new_id(), (("card", "1"),))
    wanted = [by_card, half_known, unknown, by_id, both, torn, wrong_id]
    with world.database.transaction() as tx:
        found = resolve(driver_connection(tx), world.program_id, wanted)
        elsewhere = resolve(driver_connection(tx), world.other_program_id, [by_card, by_id])
    ambiguous = found.pop(torn)
    assert found == {by_card: one.id, half_known: one.id, unknown: None, by_id: two.id, both: one.id, wrong_id: None}
    assert isinstance(ambiguous, MemberAmbiguous)
    assert ambiguous.detail == "card, email do not belong to the same member. Send those of one member."
    assert elsewhere == {by_card: None, by_id: None}


def test_facts_are_loaded_and_saved(world: World) -> None:
    one, two = create(world, new(("card", "1")), new(("card", "2")))
    assert isinstance(one, Member)
    assert isinstance(two, Member)
    with world.database.transaction() as tx:
        save_facts(driver_connection(tx), world.program_id, [FactsChange(one.id, {"size": "l"}, ("vip",), NOW)])
        # Another program's hand does not reach them.
        save_facts(driver_connection(tx), world.other_program_id, [FactsChange(two.id, {"size": "l"}, (), NOW)])
        save_facts(driver_connection(tx), world.program_id, [])
    with world.database.transaction() as tx:
        found = load_facts(driver_connection(tx), world.program_id, [one.id, two.id])
        assert load_facts(driver_connection(tx), world.other_program_id, [one.id]) == {}
    assert found == {
        one.id: Facts(one.id, "active", NOW, {"size": "l"}, ("vip",), None),
        two.id: Facts(two.id, "active", NOW, {}, (), None),
    }


def test_nobody_enrols_in_the_future() -> None:
    given = {"card": "1"}
    ahead = NOW + dt.timedelta(minutes=5)
    assert checked_member(Members(), now=NOW, identifiers=given, enrolled_at=ahead).enrolled_at == NOW
    with pytest.raises(InvalidEnrolment) as raised:
        checked_member(Members(), now=NOW, identifiers=given, enrolled_at=ahead + dt.timedelta(seconds=1))
    assert raised.value.errors[0].pointer == "#/enrolled_at"
