"""Velocity and reviews at once: counted exactly over members, threads and programs, and decided once."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from api_world import World
from events.shop import booked, enrolled, go_live, program, purchase, rows, send
from faults.test_reward_races import assert_sound, at_once, statuses
from reviews.test_deciding import decide, publish, reviewed, wallet
from rewards.counter import REWARDS, ask, member
from setia.db.engine import driver_connection
from setia.db.ids import parse_id
from setia.events.arrivals import draft
from setia.events.booked import Booked
from setia.events.booking import Submission, book
from setia.rewards.codes import CodeBook
from setia.rewards.redeeming import Asked, Wanted, redeem

pytestmark = pytest.mark.slow


def test_an_operator_is_counted_over_members(world: World) -> None:
    rule = {"per": "operator", "every": "1d", "more_than": {"events": 7}, "on": "purchase", "then": "refuse"}
    go_live(world, program(velocity={"rule": rule}))
    for number in range(10):
        enrolled(world, str(number))
    sent = [purchase(f"o{number}", member={"card": str(number % 10)}) for number in range(60)]
    answers = at_once([lambda one=one: send(world, one) for one in sent])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {201: 7, 409: 53}
    assert world.count("velocity_use") == 7
    assert_sound(world)


def test_a_member_is_counted_by_points(world: World) -> None:
    rule = {"per": "member", "every": "1d", "more_than": {"points": "35 stars"}, "on": "purchase", "then": "review"}
    go_live(world, program(velocity={"rule": rule}))
    enrolled(world)
    answers = at_once([lambda n=n: send(world, purchase(f"o{n}")) for n in range(20)])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {201: 20}
    assert wallet(world) == (30, 170)
    assert world.count("velocity_review") == 17
    assert_sound(world)


def test_redemptions_by_one_operator(world: World) -> None:
    rule = {"per": "operator", "every": "1d", "more_than": {"events": 5}, "on": "redemption", "then": "refuse"}
    go_live(world, program(velocity={"rule": rule}, rewards={"coffee": REWARDS["coffee"]}))
    people = [member(world, 150, str(number)) for number in range(20)]
    answers = at_once([lambda who=who: ask(world, who, reference=who, confirm=True) for who in people])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {201: 5, 409: 15}
    assert rows(world, "SELECT sum(available) FROM wallet") == [(15 * 150,)]
    assert_sound(world)


def test_a_review_is_decided_once(world: World) -> None:
    publish(world)
    enrolled(world)
    booked(world, purchase("o1"))
    review = reviewed(world)
    answers = at_once([lambda what=what: decide(world, review, what) for what in ("approve", "void") * 15])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {200: 15, 409: 15}
    assert wallet(world) in ((10, 0), (0, 0))
    assert sum("idempotent-replayed" not in one.headers for one in answers if one.status_code == 200) == 1
    assert_sound(world)


@pytest.mark.parametrize("way", ["redeem", "events"])
def test_those_who_book_for_many_lock_subjects_in_one_order(world: World, way: str) -> None:
    """Two transactions with the same operators, the other way round: one waits for the other, and no deadlock."""
    rule = {"per": "operator", "every": "1d", "more_than": {"events": 500}, "on": ["purchase", "redemption"]}
    cheap = REWARDS["coffee"] | {"stock": None}
    go_live(world, program(velocity={"rule": rule | {"then": "refuse"}}, rewards={"coffee": cheap}))
    people = [member(world, 3000, str(number)) for number in range(8)]
    programs, rounds = world.app.state.programs, 10
    before = deadlocks(world)

    def redeeming(turn: int) -> None:
        own = people[:4] if turn else people[4:]
        actors = [f"till {number}" for number in range(4)][:: 1 if turn else -1]
        for number in range(rounds):
            asked = [
                Wanted(
                    asked=Asked(member=parse_id("mem", who), reward="coffee", reference=f"{turn} {number} {who}"),
                    actor=actor,
                    key=None,
                    now=dt.datetime.now(dt.UTC),
                )
                for who, actor in zip(own, actors, strict=True)
            ]
            world.database.run(lambda tx, asked=asked: work(tx, asked))  # type: ignore[misc]  # the default binds it

    def work(tx: Any, asked: Any) -> None:
        connection = driver_connection(tx)
        found = redeem(connection, programs.live(connection, world.program_id), CodeBook(b"s" * 32), asked)
        assert not [one for one in found if isinstance(one, Exception)], found

    def booking(turn: int) -> None:
        own = people[:4] if turn else people[4:]
        actors = [f"till {number}" for number in range(4)][:: 1 if turn else -1]
        for number in range(rounds):
            sent = [
                Submission(
                    draft(msgspec.json.encode(purchase(f"{turn} {number} {who}", member={"id": who})), now()), actor
                )
                for who, actor in zip(own, actors, strict=True)
            ]
            answers = world.database.run(
                lambda tx, sent=sent: book(driver_connection(tx), programs, world.program_id, sent, now())  # type: ignore[misc]  # the default binds it
            )
            assert all(isinstance(one, Booked) for one in answers), answers

    act = redeeming if way == "redeem" else booking
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(act, turn) for turn in range(2)]:
            done.result()
    assert deadlocks(world) == before
    assert world.count("velocity_use") == 2 * rounds * 4
    assert_sound(world)


def deadlocks(world: World) -> int:
    """How many deadlocks the server has broken in this database."""
    rows(world, "SELECT pg_stat_force_next_flush()")
    [(found,)] = rows(world, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return int(found)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
