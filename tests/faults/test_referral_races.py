"""Races for friends on the real database: each is one member's, and nobody wins more often than the cap allows."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import TypeVar

import pytest

from api_world import World
from referrals.friends import assert_sound, buy, code_of, enrol, invite, listed, member, open_shop, rows, stars, states
from setia.referrals.due import go_on_due

pytestmark = pytest.mark.slow
T = TypeVar("T")
THREADS = 20


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make the calls from many threads, of which the first begin together."""
    barrier = Barrier(min(THREADS, len(calls)))

    def first(call: Callable[[], T]) -> T:
        barrier.wait(30)
        return call()

    with ThreadPoolExecutor(THREADS) as pool:
        begun = [pool.submit(first, call) for call in calls[: barrier.parties]]
        return [one.result(120) for one in [*begun, *(pool.submit(call) for call in calls[barrier.parties :])]]


@pytest.mark.parametrize("told", [True, False])
def test_100_friends_under_a_cap_of_7(world: World, monkeypatch: pytest.MonkeyPatch, told: bool) -> None:  # noqa: FBT001 - a parameter
    open_shop(world, live=True, caps={"referrer": "7 per year"})
    ada = member(world, "ada")
    code = code_of(world, ada)
    friends = [member(world, f"f{number}", referral_code=code) for number in range(100)]
    if not told:
        monkeypatch.setattr("setia.referrals.service.go_on", lambda *_: False)
    answers = at_once([partial(buy, world, who, order=who) for who in friends])
    assert {answer.status_code for answer in answers} == {201}
    programs = world.app.state.programs
    at_once([lambda: go_on_due(world.database, programs, dt.datetime.now(dt.UTC)) for _ in range(8)])
    assert Counter(rows(world, "SELECT state FROM referral")) == {("won",): 7, ("capped",): 93}
    assert stars(world, ada) == [100 * 10 + 7 * 100]
    assert set(stars(world, *friends)) == {55}
    assert_sound(world)


def test_one_friend_of_twenty_members_is_one_member_s(world: World) -> None:
    open_shop(world, live=True)
    codes = [code_of(world, member(world, f"m{number}")) for number in range(20)]
    answers = at_once([partial(enrol, world, "bob", referral_code=code) for code in codes])
    assert Counter(answer.status_code for answer in answers)[201] >= 1
    assert rows(world, "SELECT count(*) FROM referral") == [(1,)]
    [one] = listed(world)
    buy(world, one["friend"])
    assert rows(world, "SELECT count(*) FROM event WHERE type IN ('referral_won', 'referral_joined')") == [(2,)]
    assert_sound(world)


def test_invitations_and_the_enrolment_at_once(world: World) -> None:
    open_shop(world, live=True)
    members = [member(world, f"m{number}") for number in range(10)]
    for who in members[:3]:
        invite(world, who, email="bob@example.com")
    calls = [partial(invite, world, who, email="bob@example.com") for who in members]
    calls += [partial(enrol, world, "bob", identifiers={"email": "bob@example.com"})] * 3
    at_once(calls)
    found = Counter(states(world, limit="200"))
    assert found["joined", None] == 1
    assert sum(found.values()) == 10
    assert listed(world, state="joined")[0]["referrer"] == members[0]
    assert_sound(world)


def test_the_same_invitation_at_once_is_one(world: World) -> None:
    open_shop(world, live=True)
    ada = member(world, "ada")
    answers = at_once([lambda: invite(world, ada, email="bob@example.com") for _ in range(50)])
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert stars(world, ada) == [1]
    assert_sound(world)


def test_codes_of_the_same_members_at_once_are_the_same(world: World) -> None:
    open_shop(world, live=True)
    people = [member(world, f"m{number}") for number in range(30)]
    found = at_once([lambda: world.call("POST", "/v1/referrals/codes", json={"members": people}) for _ in range(20)])
    assert len({answer.text for answer in found}) == 1


def test_jobs_beside_each_other_reward_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shop(world, live=True, levels=2)
    ada = member(world, "ada")
    monkeypatch.setattr("setia.referrals.service.go_on", lambda *_: False)
    code = code_of(world, ada)
    friends = [member(world, f"f{number}", referral_code=code) for number in range(10)]
    further = [member(world, f"g{number}", referral_code=code_of(world, who)) for number, who in enumerate(friends)]
    for who in (*friends, *further):
        buy(world, who, order=who)
    programs = world.app.state.programs
    at_once([lambda: go_on_due(world.database, programs, dt.datetime.now(dt.UTC)) for _ in range(8)])
    assert Counter(rows(world, "SELECT state FROM referral")) == {("won",): 20}
    assert stars(world, ada, friends[0], further[0]) == [10 * 110, 55 + 110, 55]
    assert_sound(world)


def test_friends_who_refer_each_other_s_referrers_do_not_wait_for_ever(world: World) -> None:
    # Each purchase locks its friend and the chain above, in the order of ids, whoever is whose friend.
    open_shop(world, live=True, levels=5)
    chain = [member(world, "m0")]
    for number in range(1, 12):
        chain.append(member(world, f"m{number}", referral_code=code_of(world, chain[-1])))
    answers = at_once([partial(buy, world, who, order=who) for who in chain])
    assert {answer.status_code for answer in answers} == {201}
    go_on_due(world.database, world.app.state.programs, dt.datetime.now(dt.UTC))
    assert Counter(rows(world, "SELECT state FROM referral")) == {("won",): 11}
    assert_sound(world)
