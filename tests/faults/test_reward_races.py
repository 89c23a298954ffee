"""Races for rewards on the real database: points, stock, codes and holds, each exactly as often as there is one."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from time import sleep
from typing import TypeVar

import pytest
from httpx import Response

from api_world import World
from events.shop import booked, findings, purchase, rows, send
from rewards.counter import REWARDS, ask, code, do, member, open_shop, overdue, redeemed, wallet
from setia.events.rebuild import rebuild_states

pytestmark = pytest.mark.slow
T = TypeVar("T")
THREADS = 20


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make the calls from many threads, which begin together."""
    barrier = Barrier(min(THREADS, len(calls)))

    def first(call: Callable[[], T]) -> T:
        barrier.wait(30)
        return call()

    with ThreadPoolExecutor(THREADS) as pool:
        begun = [pool.submit(first, call) for call in calls[: barrier.parties]]
        return [one.result(120) for one in [*begun, *(pool.submit(call) for call in calls[barrier.parties :])]]


def statuses(answers: Sequence[Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def assert_sound(world: World) -> None:
    assert findings(world) == []
    assert rebuild_states(world.database, world.program_id, check=True).different == 0


@pytest.mark.parametrize("confirm", [True, False])
def test_100_redemptions_with_points_for_7(world: World, confirm: bool) -> None:  # noqa: FBT001 - a parameter
    open_shop(world)
    who = member(world, 7 * 150 + 149)
    answers = at_once([lambda n=n: ask(world, who, reference=str(n), confirm=confirm) for n in range(100)])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {201: 7, 409: 93}
    assert wallet(world) == [(149, 0 if confirm else 1050)]
    assert_sound(world)


def test_100_redemptions_with_stock_for_7(world: World) -> None:
    open_shop(world, rewards={"mug": REWARDS["mug"] | {"stock": 7}})
    people = [member(world, 100, str(n)) for n in range(100)]
    answers = at_once([lambda who=who: ask(world, who, "mug", who, confirm=True) for who in people])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {201: 7, 409: 93}
    assert rows(world, "SELECT used FROM reward_stock") == [(7,)]
    assert sum(available for available, _ in wallet(world)) == 93 * 100
    assert_sound(world)


def test_codes_of_a_pool_go_to_one_each(world: World) -> None:
    open_shop(world)
    world.call("POST", "/v1/code-pools/cinema/codes", json={"codes": [f"KINO-{n:04d}" for n in range(7)]})
    people = [member(world, 50, str(n)) for n in range(30)]
    answers = at_once([lambda who=who: ask(world, who, "cinema", who, confirm=True) for who in people])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {201: 7, 409: 23}
    assert len({answer.json()["code"] for answer in answers if answer.status_code == 201}) == 7
    assert_sound(world)


def test_100_confirms_of_one_hold(world: World) -> None:
    open_shop(world)
    held = redeemed(world, member(world))["id"]
    answers = at_once([lambda: do(world, held, "confirm") for _ in range(100)])
    assert statuses(answers) == {200: 100}
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert rows(world, "SELECT sum(amount) FROM posting WHERE destination = 'redeemed'") == [(150,)]
    assert world.count("reward_code") == 1
    assert_sound(world)


def test_a_hold_ends_one_way(world: World) -> None:
    open_shop(world)
    who = member(world, 450)
    held = [redeemed(world, who, reference=str(n))["id"] for n in range(3)]
    pairs = [(one, way) for one in held for way in ("confirm", "cancel") * 5]
    ways: list[Callable[[], object]] = [partial(do, world, one, way) for one, way in pairs]
    at_once([*ways, lambda: overdue(world)])
    [(confirmed, ended)] = rows(
        world, "SELECT count(*) FILTER (WHERE confirmed = 1), count(*) FILTER (WHERE confirmed = 0) FROM redemption"
    )
    assert confirmed + ended == 3
    assert wallet(world) == [(450 - 150 * confirmed, 0)]
    assert_sound(world)


def test_the_same_request_100_times(world: World) -> None:
    open_shop(world)
    who = member(world, 1000)
    answers = at_once([lambda: ask(world, who, confirm=True) for _ in range(100)])
    assert statuses(answers) == {201: 100}
    assert len({answer.text for answer in answers}) == 1
    assert wallet(world) == [(850, 0)]


def test_two_members_with_one_reference(world: World) -> None:
    open_shop(world)
    people = [member(world, 400, str(n)) for n in range(10)]
    answers = at_once([lambda who=who: ask(world, who, reference="same", confirm=True) for who in people])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {201: 1, 409: 9}
    assert_sound(world)


def test_two_tills_with_one_code(world: World) -> None:
    open_shop(world)
    text = redeemed(world, member(world), confirm=True)["code"]
    answers = at_once([lambda n=n: code(world, "redeem", code=text, till=f"t{n}", reference="1") for n in range(50)])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {200: 1, 409: 49}


def test_a_code_is_never_used_more_often_than_it_is_good(world: World) -> None:
    open_shop(world)
    text = redeemed(world, member(world, 900), "coffee", quantity=5, confirm=True)["code"]
    answers = at_once([lambda n=n: code(world, "redeem", code=text, reference=str(n)) for n in range(40)])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {200: 5, 409: 35}
    assert rows(world, "SELECT used FROM reward_code") == [(5,)]


def test_a_code_is_used_or_its_redemption_refunded(world: World) -> None:
    open_shop(world)
    who = member(world, 1500)
    found = [redeemed(world, who, reference=str(n), confirm=True) for n in range(10)]
    uses = [partial(code, world, "redeem", code=one["code"], reference=one["id"]) for one in found]
    refunds = [partial(do, world, one["id"], "refund") for one in found]
    at_once([call for pair in zip(uses, refunds, strict=True) for call in pair])
    pairs = "SELECT count(*) FROM redemption r JOIN reward_code c ON c.redemption_id = r.id"
    both = f"{pairs} WHERE r.state = %s AND c.used = %s"
    assert rows(world, both, "refunded", 1) == [(0,)]
    assert rows(world, both, "confirmed", 0) == [(0,)]
    assert_sound(world)


def test_a_return_and_a_redemption_at_once(world: World) -> None:
    open_shop(world)
    who = member(world, 0)
    booked(world, purchase("o1", "150.00"))
    back = {"type": "return", "external_id": "r1", "member": {"card": "1"}, "data": {"order": "o1"}}
    answers = at_once([lambda: send(world, back), lambda: ask(world, who, confirm=True)])
    assert answers[0].status_code == 201, answers[0].text
    assert answers[1].status_code in {201, 409}
    [(available, held)] = wallet(world)
    assert (available >= 0, held) == (True, 0)
    assert_sound(world)


def test_a_hold_is_confirmed_while_its_merge_is_undone(world: World) -> None:
    open_shop(world)
    main, other = member(world, 500), member(world, 500, "2")
    held = redeemed(world, other)
    path, body = f"/v1/members/{main}/merge", {"duplicate": other, "reason": "x"}
    merge = world.call("POST", path, json=body, headers={"Idempotency-Key": "m"}).json()["id"]
    undo = partial(world.call, "POST", json={"reason": "x"}, headers={"Idempotency-Key": "u"})
    with ThreadPoolExecutor(2) as pool:
        with world.database.raw_connection() as connection, connection.transaction():
            connection.execute("SELECT FROM member_state FOR UPDATE")
            undone = pool.submit(undo, f"/v1/merges/{merge}/undo")
            sleep(0.3)  # it is the first that waits
            confirmed = pool.submit(do, world, held["id"], "confirm")
            sleep(0.3)
        assert (undone.result(60).status_code, confirmed.result(60).status_code) == (200, 200)
    assert wallet(world) == [(500, 0), (350, 0)]
    assert_sound(world)
