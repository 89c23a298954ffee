"""Races on the real database, from two processes with several clerks each: exact figures, whoever is first."""

import datetime as dt
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest

from api_world import World
from events.shop import BASE, WELCOME, batch, findings, go_live, program, purchase, rows
from faults.racing import Told, race
from setia.events.rebuild import rebuild_states

pytestmark = pytest.mark.slow
PROCESSES = 2
LANES = 5
YEAR = str(dt.datetime.now(dt.UTC).year)


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(len, [""] * PROCESSES))
        yield pool


def run(
    processes: ProcessPoolExecutor, world: World, url: str, lanes: Sequence[Sequence[Sequence[Mapping[str, Any]]]]
) -> list[list[Told]]:
    """Let every lane book its batches at the same time; the lanes are dealt to the processes in turn."""
    raw = [[[json.dumps(event).encode() for event in one] for one in lane] for lane in lanes]
    start_at = time.time() + 0.4
    asked = [
        processes.submit(race, url, world.program_id, raw[number::PROCESSES], start_at) for number in range(PROCESSES)
    ]
    return [told for process in asked for told in process.result(60)]


def alone(events: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Each event by itself."""
    return [[event] for event in events]


def enrolled(world: World, *cards: str) -> None:
    for card in cards:
        world.enrol(card=card)


def assert_sound(world: World) -> None:
    """No finding, no gap in any member's journal, counters as their history says."""
    assert findings(world) == []
    gaps = rows(world, "SELECT member_id FROM journal GROUP BY member_id HAVING max(seq) <> count(*)")
    assert gaps == []
    assert rebuild_states(world.database, world.program_id, check=True).different == 0


def test_the_same_event_100_times_at_once(world: World, database_url: str, processes: ProcessPoolExecutor) -> None:
    enrolled(world, "1")
    told = run(processes, world, database_url, [alone([purchase("1")] * 10)] * (PROCESSES * LANES))
    flat = [one for lane in told for one in lane]
    assert Counter(kind for kind, _ in flat) == {"new": 1, "again": 99}
    assert len({answer for _, answer in flat}) == 1
    assert rows(world, "SELECT available FROM wallet") == [(10,)]
    assert world.count("event") == 2
    assert_sound(world)


@pytest.mark.parametrize("unknown", ["enrol", "keep"])
def test_a_strangers_event_many_times_at_once(
    world: World, database_url: str, processes: ProcessPoolExecutor, unknown: str
) -> None:
    go_live(world, program(unknown, campaigns=BASE | WELCOME))
    events = [purchase(f"{n}", member={"card": str(n)}) for n in range(8)]
    lanes = [alone(events if lane % 2 else events[::-1]) for lane in range(PROCESSES * LANES)]
    flat = [one for lane in run(processes, world, database_url, lanes) for one in lane]
    assert Counter(kind for kind, _ in flat) == {"new": 8, "again": 72}
    assert len({answer for _, answer in flat}) == 8
    members = 8 if unknown == "enrol" else 0
    assert (world.count("member"), world.count("event")) == (members, 8 + members)
    assert rows(world, "SELECT available FROM wallet") == [(60,)] * members
    assert_sound(world)


def test_a_guests_event_many_times_at_once(world: World, database_url: str, processes: ProcessPoolExecutor) -> None:
    guest = {"type": "visit", "external_id": "g"}
    told = run(processes, world, database_url, [alone([guest] * 3)] * (PROCESSES * LANES))
    flat = [one for lane in told for one in lane]
    assert Counter(kind for kind, _ in flat) == {"new": 1, "again": 29}
    assert len({answer for _, answer in flat}) == 1


def test_one_member_from_all_sides(world: World, database_url: str, processes: ProcessPoolExecutor) -> None:
    enrolled(world, "1")
    lanes = [alone([purchase(f"{lane}/{n}") for n in range(12)]) for lane in range(PROCESSES * LANES)]
    flat = [one for lane in run(processes, world, database_url, lanes) for one in lane]
    assert Counter(kind for kind, _ in flat) == {"new": 120}
    # No update was lost and none was seen twice: each answer shows another balance.
    balances = sorted(json.loads(answer)["balances"]["stars"]["available"] for _, answer in flat)
    assert balances == [10 * n for n in range(1, 121)]
    assert rows(world, "SELECT max(seq), count(*) FROM journal") == [(121, 121)]
    assert_sound(world)


def test_batches_that_share_members_in_different_orders(
    world: World, database_url: str, processes: ProcessPoolExecutor
) -> None:
    cards = [str(number) for number in range(6)]
    go_live(world, program(campaigns={**BASE, "fee": {"on": "visit", "deduct": {"stars": 3}}}))
    enrolled(world, *cards)
    lanes = []
    for lane in range(PROCESSES * LANES):
        order = cards[lane % 6 :] + cards[: lane % 6]
        order = order if lane % 2 else order[::-1]
        lanes.append(
            [
                [purchase(f"{lane}/{n}/{card}", member={"card": card}) for card in order]
                + [{"type": "visit", "external_id": f"v{lane}/{n}", "member": {"card": order[0]}}]
                for n in range(3)
            ]
        )
    flat = [one for lane in run(processes, world, database_url, lanes) for one in lane]
    assert Counter(kind for kind, _ in flat) == {"new": 10 * 3 * 7}
    assert rows(world, "SELECT sum(available) FROM wallet") == [(10 * 3 * (60 - 3),)]
    assert_sound(world)


@pytest.mark.parametrize(("budget", "granted"), [("37 uses", 370), ("375 stars", 375)])
def test_a_budget_is_never_overspent_and_never_left(
    world: World, database_url: str, processes: ProcessPoolExecutor, budget: str, granted: int
) -> None:
    campaigns = {"promo": {"on": "purchase", "earn": {"stars": 10}, "limits": [{"in_all": budget}]}}
    go_live(world, program(campaigns=campaigns))
    cards = [str(number) for number in range(10)]
    enrolled(world, *cards)
    lanes = [
        alone([purchase(f"{lane}/{n}", member={"card": card}) for n, card in enumerate(cards)])
        for lane in range(PROCESSES * LANES)
    ]
    flat = [one for lane in run(processes, world, database_url, lanes) for one in lane]
    assert Counter(kind for kind, _ in flat) == {"new": 100}
    got = [json.loads(answer)["granted"].get("stars", 0) for _, answer in flat]
    assert (sum(got), sum(one > 0 for one in got)) == (granted, -(-granted // 10))
    assert rows(world, "SELECT sum(available) FROM wallet") == [(granted,)]
    assert rows(world, "SELECT used FROM budget") == [(int(budget.split(maxsplit=1)[0]),)]
    assert_sound(world)


def test_one_stranger_from_all_sides_is_one_member(
    world: World, database_url: str, processes: ProcessPoolExecutor
) -> None:
    go_live(world, program("enrol", campaigns=BASE | WELCOME))
    lanes = [
        alone([purchase(f"{lane}/{card}", member={"card": str(card)}) for card in range(5)])
        for lane in range(PROCESSES * LANES)
    ]
    flat = [one for lane in run(processes, world, database_url, lanes) for one in lane]
    assert Counter(kind for kind, _ in flat) == {"new": 50}
    assert (world.count("member"), world.count("event")) == (5, 55)
    assert rows(world, "SELECT available FROM wallet") == [(150,)] * 5
    assert_sound(world)


def test_keeping_and_enrolling_meet(world: World, database_url: str, processes: ProcessPoolExecutor) -> None:
    """An event is kept and then applied, or finds the member: never is one kept for somebody who is there."""
    go_live(world, program("keep", campaigns=BASE | WELCOME))
    cards = [str(number) for number in range(12)]
    lanes = [
        alone([purchase(f"{lane}/{card}", member={"card": card}) for card in cards])
        for lane in range(PROCESSES * LANES)
    ]

    def enrol(card: str) -> None:
        time.sleep(0.42 + int(card) * 0.008)
        assert world.call("POST", "/v1/members", json={"identifiers": {"card": card}}).status_code == 201

    with ThreadPoolExecutor(len(cards)) as counter:
        enrolling = [counter.submit(enrol, card) for card in cards]
        flat = [one for lane in run(processes, world, database_url, lanes) for one in lane]
        for one in enrolling:
            one.result(30)
    assert Counter(kind for kind, _ in flat) == {"new": 120}
    assert (world.count("kept_event"), world.count("journal")) == (0, 120 + 12)
    assert rows(world, "SELECT available FROM wallet") == [(150,)] * 12
    assert_sound(world)


def test_enrolling_somebody_twice_at_once(world: World) -> None:
    go_live(world, program(campaigns=WELCOME))
    sent = {"identifiers": {"card": "1", "email": "ada@example.com"}}
    with ThreadPoolExecutor(12) as pool:
        keyed = [{"Idempotency-Key": "once"} if n % 2 else {"Idempotency-Key": f"k{n}"} for n in range(12)]
        answers = list(pool.map(lambda headers: world.call("POST", "/v1/members", json=sent, headers=headers), keyed))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert (world.count("member"), world.count("event")) == (1, 1)
    assert rows(world, "SELECT available FROM wallet") == [(50,)]
    assert_sound(world)


def test_a_version_is_published_while_events_flow(
    world: World, database_url: str, processes: ProcessPoolExecutor
) -> None:
    """Every event is decided by one version, whole, and says by which."""
    enrolled(world, "1", "2")
    lanes = [
        alone([purchase(f"{lane}/{n}", member={"card": str(1 + n % 2)}) for n in range(12)])
        for lane in range(PROCESSES * LANES)
    ]
    with ThreadPoolExecutor(1) as other:

        def publish() -> int:
            time.sleep(0.5)
            limits = [{"per": "member", "every": "year", "uses": 1000}]
            doubled = {"base": {"on": "purchase", "earn": {"stars": "2 per 1.00"}, "limits": limits}}
            return go_live(world, program(campaigns=doubled))

        asked = other.submit(publish)
        flat = [one for lane in run(processes, world, database_url, lanes) for one in lane]
        assert asked.result(30) == 2
    answers = [json.loads(answer) for _, answer in flat]
    assert len(answers) == 120
    assert {(one["program_version"], one["granted"]["stars"]) for one in answers} <= {(1, 10), (2, 20)}
    total = sum(one["granted"]["stars"] for one in answers)
    assert rows(world, "SELECT sum(available) FROM wallet") == [(total,)]
    batch(world, purchase("1", member={"card": "1"}), purchase("2", member={"card": "2"}))
    assert rows(world, "SELECT counters::jsonb -> 'limits' -> 'base#0' FROM member_state") == [({YEAR: 61},)] * 2
    assert_sound(world)
